//! The worker that detects and tracks.

use super::latency::Snapshot;
use super::ledger::{DropReason, Ledger};
use super::lock;
use super::results::{Outcome, Results};
use super::task::{Stage, Task, Timings};
use super::thread::Observer;
use super::worker::{SubmitError, Submitted, Worker, WorkerOptions, WorkerState};
use crate::detect::{Detect, Detector, FramePreparer, PreparedFrame};
use crate::frame::{Frame, Timestamp};
use crate::geometry::Detection;
use crate::preprocess::{Filter, PreprocessError, PreprocessOptions, UprightCopier, UprightImage};
use crate::ssd::DetectorError;
use crate::track::{Track, Tracker, TrackerOptions};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A prepared frame, with its time.
#[derive(Debug, Default)]
pub struct DetectInput {
    frame: PreparedFrame,
    image: Option<UprightImage>,
    at: Timestamp,
}

impl DetectInput {
    /// What the model sees, and where the frame lies in it.
    pub fn frame(&self) -> &PreparedFrame {
        &self.frame
    }

    /// The frame itself, if [`PipelineOptions::keep_images`] asked for it.
    pub fn image(&self) -> Option<&UprightImage> {
        self.image.as_ref()
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
    /// Resampling, in place of the detector's own. The default for cameras is the fastest.
    pub filter: Filter,
    /// Keeps a copy of each frame, upright and in RGB, beside the model's input until its result is
    /// there, for observers that draw. There are as many copies as frames between `submit` and the
    /// worker's end: three in live delivery.
    pub keep_images: bool,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        let tracker = Some(TrackerOptions::default());
        Self { worker: WorkerOptions::default(), tracker, filter: Filter::Bilinear, keep_images: false }
    }
}

/// Detects, maps boxes back to the frame, and tracks.
pub struct DetectTask<D> {
    detector: D,
    tracker: Option<Arc<Mutex<Tracker>>>,
    found: Vec<Detection>,
}

impl<D: Detect> Task for DetectTask<D> {
    type Input = DetectInput;
    type Output = Detections;
    type Error = DetectorError;

    fn run(&mut self, input: &mut DetectInput, timings: &mut Timings) -> Result<Detections, DetectorError> {
        timings.time(Stage::Inference, || self.detector.infer_prepared(&input.frame))?;
        timings.time(Stage::Post, || self.detector.finish(input.frame.placement(), &mut self.found))?;
        let tracks = timings.time(Stage::Track, || match &self.tracker {
            Some(tracker) => lock(tracker).update(&self.found, input.at).to_vec(),
            None => Vec::new(),
        });
        Ok(Detections { detections: self.found.clone(), tracks, picture: input.frame.size() })
    }
}

/// What prepares frames for the detector, whose own filter gives way to the pipeline's.
fn preparer(detector: &impl Detect, filter: Filter) -> Result<FramePreparer, PreprocessError> {
    let options = PreprocessOptions { filter, ..detector.preprocess() };
    FramePreparer::new(detector.input_spec().clone(), options)
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
    preparer: Mutex<FramePreparer>,
    tracker: Option<Arc<Mutex<Tracker>>>,
    filter: Filter,
    /// None if images are not kept.
    copier: Option<Mutex<UprightCopier>>,
    started: Instant,
    interval: AtomicU32,
    frames: AtomicU64,
}

impl<D: Detect> Pipeline<D> {
    /// Makes the detector and starts the worker; results come out of [`Results`].
    ///
    /// # Errors
    /// Those of `factory`; [`DetectorError::Preprocess`] where the model takes no pictures.
    pub fn start(
        factory: impl FnMut() -> Result<D, DetectorError> + Send + 'static,
        options: &PipelineOptions,
    ) -> Result<(Self, Results<Detections, DetectorError>), DetectorError> {
        let (parts, task) = Parts::new(factory, options);
        let (worker, results) = Worker::start(task, &options.worker)?;
        Ok((parts.into_pipeline(worker)?, results))
    }

    /// As [`Pipeline::start`], but `callback` gets the results, on the worker's thread.
    ///
    /// # Errors
    /// As [`Pipeline::start`].
    pub fn start_with_callback(
        factory: impl FnMut() -> Result<D, DetectorError> + Send + 'static,
        options: &PipelineOptions,
        callback: impl FnMut(Outcome<Detections, DetectorError>) + Send + 'static,
    ) -> Result<Self, DetectorError> {
        let (parts, task) = Parts::new(factory, options);
        parts.into_pipeline(Worker::start_with_callback(task, &options.worker, callback)?)
    }

    /// Prepares the frame and hands it to the worker. The frame's buffers are free when this
    /// returns, and inference is not waited for. A frame without a time gets that of this call.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub fn submit(&self, frame: &Frame<'_>) -> Result<Submitted, SubmitError<PreprocessError>> {
        let at = frame.timestamp().unwrap_or_else(|| self.started.elapsed().into());
        let count = self.frames.fetch_add(1, Ordering::Relaxed);
        if !count.is_multiple_of(u64::from(self.interval.load(Ordering::Relaxed).max(1))) {
            self.worker.skip(at, DropReason::Paced);
            return Ok(Submitted::Dropped(DropReason::Paced));
        }
        self.worker.submit(at, |input, timings| {
            timings.time(Stage::Preprocess, || {
                lock(&self.preparer).prepare(frame, &mut input.frame)?;
                input.at = at;
                match &self.copier {
                    Some(copier) => lock(copier).copy(frame, input.image.get_or_insert_default()),
                    None => Ok(()),
                }
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
        mut factory: impl FnMut() -> Result<D, DetectorError> + Send + 'static,
    ) -> Result<(), DetectorError> {
        // Made once to see whether it can be, before anything changes.
        let first = factory()?;
        let prepares = preparer(&first, self.filter)?;
        let mut first = Some(first);
        let tracker = self.tracker.clone();
        let make = move || {
            let detector = first.take().map_or_else(&mut factory, Ok)?;
            Ok(DetectTask { detector, tracker: tracker.clone(), found: Vec::new() })
        };
        self.worker.replace(make, |_| *lock(&self.preparer) = prepares)
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

    /// See [`Worker::observe`]: recordings and drawings hang on this.
    pub fn observe(&self, observer: Option<Observer<DetectTask<D>>>) {
        self.worker.observe(observer);
    }

    /// See [`Worker::finish`].
    pub fn finish(&self) {
        self.worker.finish();
    }

    /// See [`Worker::shutdown`].
    pub fn shutdown(&self) -> (Ledger, bool) {
        self.worker.shutdown()
    }
}

/// What a pipeline has beside its worker.
struct Parts {
    preparer: Arc<Mutex<Option<Result<FramePreparer, PreprocessError>>>>,
    tracker: Option<Arc<Mutex<Tracker>>>,
    filter: Filter,
    keep_images: bool,
}

type Make<D> = Box<dyn FnMut() -> Result<DetectTask<D>, DetectorError> + Send>;

impl Parts {
    /// The parts, and what makes the task. The first task made tells what frames are prepared for.
    fn new<D: Detect>(
        mut factory: impl FnMut() -> Result<D, DetectorError> + Send + 'static,
        options: &PipelineOptions,
    ) -> (Self, Make<D>) {
        let tracker = options.tracker.map(|options| Arc::new(Mutex::new(Tracker::new(options))));
        let first: Arc<Mutex<Option<_>>> = Arc::default();
        let (told, shared, filter) = (Arc::clone(&first), tracker.clone(), options.filter);
        let make = move || {
            let detector = factory()?;
            lock(&told).get_or_insert_with(|| preparer(&detector, filter));
            Ok(DetectTask { detector, tracker: shared.clone(), found: Vec::new() })
        };
        (Self { preparer: first, tracker, filter, keep_images: options.keep_images }, Box::new(make))
    }

    fn into_pipeline<D: Detect>(self, worker: Worker<DetectTask<D>>) -> Result<Pipeline<D>, DetectorError> {
        let preparer = lock(&self.preparer).take();
        let preparer = preparer.ok_or_else(|| DetectorError::Load("no detector was made".to_owned()))??;
        Ok(Pipeline {
            worker,
            preparer: Mutex::new(preparer),
            tracker: self.tracker,
            filter: self.filter,
            copier: self.keep_images.then(Mutex::default),
            started: Instant::now(),
            interval: AtomicU32::new(1),
            frames: AtomicU64::new(0),
        })
    }
}
