//! The worker that detects and tracks.

use super::latency::Snapshot;
use super::ledger::{DropReason, Ledger};
use super::lock;
use super::results::{Outcome, Results};
use super::task::{Stage, Task, Timings};
use super::worker::{SubmitError, Submitted, Worker, WorkerOptions, WorkerState};
use crate::frame::{Frame, Timestamp};
use crate::geometry::Detection;
use crate::model::ModelError;
use crate::preprocess::{Filter, Placement, PreprocessError, PreprocessOptions, Preprocessor};
use crate::ssd::{Detector, DetectorError};
use crate::tensor::{Tensor, TensorSpec, TensorView, TensorViewMut};
use crate::track::{Track, Tracker, TrackerOptions};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What finds objects in a prepared picture.
pub trait Detect: Send + 'static {
    /// What the picture goes into: `[1, height, width, 1 or 3]`.
    fn input_spec(&self) -> &TensorSpec;

    /// How pictures become inputs.
    fn preprocess(&self) -> PreprocessOptions;

    /// The input, to be filled.
    ///
    /// # Errors
    /// [`ModelError`].
    fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError>;

    /// Runs the model on the input.
    ///
    /// # Errors
    /// [`ModelError`].
    fn infer(&mut self) -> Result<(), ModelError>;

    /// What the last run found, in fractions of the input; `found` is cleared first.
    ///
    /// # Errors
    /// [`ModelError`].
    fn detections(&mut self, found: &mut Vec<Detection>) -> Result<(), ModelError>;
}

impl Detect for Detector {
    fn input_spec(&self) -> &TensorSpec {
        &self.model().inputs()[0]
    }

    fn preprocess(&self) -> PreprocessOptions {
        self.input().into()
    }

    fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError> {
        Detector::input_mut(self)
    }

    fn infer(&mut self) -> Result<(), ModelError> {
        Detector::infer(self)
    }

    fn detections(&mut self, found: &mut Vec<Detection>) -> Result<(), ModelError> {
        Detector::detections(self, found)
    }
}

/// Why detection failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    /// The model did not load or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model takes no pictures.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The detector's file or options were refused.
    #[error(transparent)]
    Detector(#[from] DetectorError),
    /// The detector could not be made, for a reason of the caller's own.
    #[error("{0}")]
    Load(String),
}

/// A prepared picture.
#[derive(Debug, Default)]
pub struct DetectInput {
    tensor: Option<Tensor>,
    placement: Option<Placement>,
    at: Timestamp,
    upright: (u32, u32),
}

impl DetectInput {
    /// The model's input, for records and replays.
    pub fn tensor(&self) -> Option<&Tensor> {
        self.tensor.as_ref()
    }
}

/// What was found in a frame, in fractions of the upright original picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Detections {
    /// What the model sees in this frame alone; best first.
    pub detections: Vec<Detection>,
    /// The objects to show, with identities; empty where tracking is off.
    pub tracks: Vec<Track>,
    /// Width and height of the upright picture, in pixels.
    pub picture: (u32, u32),
}

/// How a [`Pipeline`] is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineOptions {
    /// Delivery and age.
    pub worker: WorkerOptions,
    /// Identities; none turns tracking off.
    pub tracker: Option<TrackerOptions>,
    /// Resampling. The default for cameras is the fastest.
    pub filter: Filter,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        let tracker = Some(TrackerOptions::default());
        Self { worker: WorkerOptions::default(), tracker, filter: Filter::Bilinear }
    }
}

/// Detects, maps boxes back to the frame, and tracks.
pub struct DetectTask<D> {
    detector: D,
    tracker: Option<Arc<Mutex<Tracker>>>,
    found: Vec<Detection>,
}

impl<D: Detect> DetectTask<D> {
    fn map_back(&mut self, placement: &Placement) {
        for detection in &mut self.found {
            detection.bbox = placement.to_frame(detection.bbox).clipped();
        }
    }
}

impl<D: Detect> Task for DetectTask<D> {
    type Input = DetectInput;
    type Output = Detections;
    type Error = DetectError;

    fn run(&mut self, input: &mut DetectInput, timings: &mut Timings) -> Result<Detections, DetectError> {
        let (Some(tensor), Some(placement)) = (&input.tensor, &input.placement) else {
            return Err(DetectError::Load("the input was never prepared".to_owned()));
        };
        timings.time(Stage::Inference, || {
            copy_input(tensor.view(), self.detector.input_mut()?)?;
            self.detector.infer()?;
            Ok::<_, DetectError>(())
        })?;
        timings.time(Stage::Post, || {
            self.detector.detections(&mut self.found)?;
            self.map_back(placement);
            Ok::<_, DetectError>(())
        })?;
        let tracks = timings.time(Stage::Track, || match &self.tracker {
            Some(tracker) => lock(tracker).update(&self.found, input.at).to_vec(),
            None => Vec::new(),
        });
        Ok(Detections { detections: self.found.clone(), tracks, picture: input.upright })
    }
}

/// Copies a prepared picture into a model's input.
///
/// # Errors
/// [`PreprocessError::Mismatch`].
pub fn copy_input(from: TensorView<'_>, to: TensorViewMut<'_>) -> Result<(), PreprocessError> {
    let (expected, expected_dtype) = (to.shape().to_vec(), to.dtype());
    let mismatch = PreprocessError::Mismatch {
        expected,
        expected_dtype,
        actual: from.shape().to_vec(),
        actual_dtype: from.dtype(),
    };
    if from.shape() != to.shape() {
        return Err(mismatch);
    }
    match (from, to) {
        (TensorView::U8(from), TensorViewMut::U8(mut to)) => to.assign(&from),
        (TensorView::I8(from), TensorViewMut::I8(mut to)) => to.assign(&from),
        (TensorView::F32(from), TensorViewMut::F32(mut to)) => to.assign(&from),
        _ => return Err(mismatch),
    }
    Ok(())
}

/// What the next frame is prepared for.
struct Front {
    preprocessor: Preprocessor,
    spec: TensorSpec,
}

impl Front {
    fn of(detector: &impl Detect, filter: Filter) -> Result<Self, PreprocessError> {
        let spec = detector.input_spec().clone();
        let options = PreprocessOptions { filter, ..detector.preprocess() };
        Ok(Self { preprocessor: Preprocessor::new(&spec, options)?, spec })
    }
}

/// Camera frames in, tracked boxes out.
///
/// ```no_run
/// use osprey_detector::frame::Frame;
/// use osprey_detector::pipeline::{Pipeline, PipelineOptions};
/// use osprey_detector::{Detector, DetectorOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let load = || Ok(Detector::load("model.tflite", &DetectorOptions::default())?);
/// let (pipeline, results) = Pipeline::start(load, &PipelineOptions::default())?;
/// std::thread::spawn(move || {
///     for shown in results.iter().flatten() {
///         println!("{:?}: {:?}", shown.timestamp, shown.output.tracks);
///     }
/// });
/// let camera_buffer = vec![0; 1920 * 1080 * 4];
/// pipeline.submit(&Frame::bgra(&camera_buffer, 1920, 1080)?)?;
/// println!("{}", serde_json::to_string(&pipeline.snapshot())?);
/// # Ok(())
/// # }
/// ```
///
/// All methods take `&self`: a camera's thread may submit while another pauses or swaps the model.
/// Dropping it shuts it down.
pub struct Pipeline<D: Detect = Detector> {
    worker: Worker<DetectTask<D>>,
    front: Arc<Mutex<Front>>,
    tracker: Option<Arc<Mutex<Tracker>>>,
    filter: Filter,
    started: Instant,
    interval: AtomicU32,
    frames: AtomicU64,
}

impl<D: Detect> Pipeline<D> {
    /// Makes the detector and starts the worker; results come out of [`Results`].
    ///
    /// # Errors
    /// Those of `factory`; [`DetectError::Preprocess`] where the model takes no pictures.
    pub fn start(
        factory: impl FnMut() -> Result<D, DetectError> + Send + 'static,
        options: &PipelineOptions,
    ) -> Result<(Self, Results<Detections, DetectError>), DetectError> {
        let (parts, task) = Parts::new(factory, options);
        let (worker, results) = Worker::start(task, &options.worker)?;
        Ok((parts.into_pipeline(worker)?, results))
    }

    /// As [`Pipeline::start`], but `callback` gets the results, on the worker's thread.
    ///
    /// # Errors
    /// As [`Pipeline::start`].
    pub fn start_with_callback(
        factory: impl FnMut() -> Result<D, DetectError> + Send + 'static,
        options: &PipelineOptions,
        callback: impl FnMut(Outcome<Detections, DetectError>) + Send + 'static,
    ) -> Result<Self, DetectError> {
        let (parts, task) = Parts::new(factory, options);
        parts.into_pipeline(Worker::start_with_callback(task, &options.worker, callback)?)
    }

    /// Prepares the frame and hands it to the worker. The frame's buffers are free when this
    /// returns, and inference is not waited for. A frame without a time gets that of this call.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub fn submit(&self, frame: &Frame<'_>) -> Result<Submitted, SubmitError<PreprocessError>> {
        self.submit_with(frame, |_, _| ())
    }

    /// As [`Pipeline::submit`]; `inspect` sees the prepared input, for records.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub fn submit_with(
        &self,
        frame: &Frame<'_>,
        inspect: impl FnOnce(&Tensor, &Placement),
    ) -> Result<Submitted, SubmitError<PreprocessError>> {
        let at = frame.timestamp().unwrap_or_else(|| self.started.elapsed().into());
        let count = self.frames.fetch_add(1, Ordering::Relaxed);
        if !count.is_multiple_of(u64::from(self.interval.load(Ordering::Relaxed).max(1))) {
            self.worker.skip(at, DropReason::Paced);
            return Ok(Submitted::Dropped(DropReason::Paced));
        }
        self.worker.submit(at, |input, timings| {
            timings.time(Stage::Preprocess, || {
                let mut front = lock(&self.front);
                let Front { preprocessor, spec } = &mut *front;
                let fits = |t: &Tensor| t.view().shape() == spec.shape && t.view().dtype() == spec.dtype;
                if !input.tensor.as_ref().is_some_and(fits) {
                    input.tensor = Tensor::zeros(spec.dtype, &spec.shape);
                }
                let tensor = input.tensor.as_mut().ok_or(PreprocessError::Type { dtype: spec.dtype })?;
                let placement = preprocessor.run(frame, &mut tensor.view_mut())?;
                input.placement = Some(placement);
                input.at = at;
                input.upright = frame.upright_size();
                inspect(tensor, &placement);
                Ok(())
            })
        })
    }

    /// Detects in every `interval`-th frame only; the others are dropped as paced, and boxes can be
    /// had for them from [`Pipeline::tracks_at`].
    pub fn set_interval(&self, interval: u32) {
        self.interval.store(interval.max(1), Ordering::Relaxed);
    }

    /// Where the tracked objects are at a time, as far as is known: for frames between detections.
    pub fn tracks_at(&self, at: Timestamp, shown: &mut Vec<Track>) {
        shown.clear();
        if let Some(tracker) = &self.tracker {
            lock(tracker).predict(at, shown);
        }
    }

    /// Makes a detector with `factory`, on this thread, and has it take over. Ledger, results and
    /// identities go on; identities end where the new detector's classes are others.
    ///
    /// # Errors
    /// As [`Pipeline::start`]; the old detector goes on.
    pub fn replace_model(
        &self,
        mut factory: impl FnMut() -> Result<D, DetectError> + Send + 'static,
    ) -> Result<(), DetectError> {
        // Made once to see whether it can be, before anything changes.
        let first = factory()?;
        let front = Front::of(&first, self.filter)?;
        let mut first = Some(first);
        let tracker = self.tracker.clone();
        let make = move || {
            let detector = first.take().map_or_else(&mut factory, Ok)?;
            Ok(DetectTask { detector, tracker: tracker.clone(), found: Vec::new() })
        };
        self.worker.replace(make, |_| *lock(&self.front) = front)
    }

    /// See [`Worker::pause`].
    pub fn pause(&self) {
        self.worker.pause();
    }

    /// See [`Worker::resume`].
    pub fn resume(&self) {
        self.worker.resume();
    }

    /// What the worker is doing.
    pub fn state(&self) -> WorkerState {
        self.worker.state()
    }

    /// The fate of every frame so far.
    pub fn ledger(&self) -> Ledger {
        self.worker.ledger()
    }

    /// Ledger, percentiles and pace so far.
    pub fn snapshot(&self) -> Snapshot {
        self.worker.snapshot()
    }

    /// See [`Worker::finish`].
    pub fn finish(self) {
        self.worker.finish();
    }

    /// See [`Worker::shutdown`].
    pub fn shutdown(&self) -> (Ledger, bool) {
        self.worker.shutdown()
    }
}

/// What a pipeline has beside its worker.
struct Parts {
    front: Arc<Mutex<Option<Result<Front, PreprocessError>>>>,
    tracker: Option<Arc<Mutex<Tracker>>>,
    filter: Filter,
}

type Make<D> = Box<dyn FnMut() -> Result<DetectTask<D>, DetectError> + Send>;

impl Parts {
    /// The parts, and what makes the task. The first task made tells what frames are prepared for.
    fn new<D: Detect>(
        mut factory: impl FnMut() -> Result<D, DetectError> + Send + 'static,
        options: &PipelineOptions,
    ) -> (Self, Make<D>) {
        let tracker = options.tracker.map(|options| Arc::new(Mutex::new(Tracker::new(options))));
        let front: Arc<Mutex<Option<_>>> = Arc::default();
        let (told, shared, filter) = (Arc::clone(&front), tracker.clone(), options.filter);
        let make = move || {
            let detector = factory()?;
            lock(&told).get_or_insert_with(|| Front::of(&detector, filter));
            Ok(DetectTask { detector, tracker: shared.clone(), found: Vec::new() })
        };
        (Self { front, tracker, filter }, Box::new(make))
    }

    fn into_pipeline<D: Detect>(self, worker: Worker<DetectTask<D>>) -> Result<Pipeline<D>, DetectError> {
        let front = lock(&self.front).take();
        let front = front.ok_or_else(|| DetectError::Load("no detector was made".to_owned()))??;
        Ok(Pipeline {
            worker,
            front: Arc::new(Mutex::new(front)),
            tracker: self.tracker,
            filter: self.filter,
            started: Instant::now(),
            interval: AtomicU32::new(1),
            frames: AtomicU64::new(0),
        })
    }
}
