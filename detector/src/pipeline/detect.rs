//! The worker that detects and tracks.

use super::governor::Recent;
use super::ledger::{DropReason, Ledger, Snapshot};
use super::lock;
use super::results::{Outcome, Results};
use super::settings::Settings;
use super::state::WorkerState;
use super::task::{Stage, Task, Timings};
use super::thread::Observer;
use super::worker::{SubmitError, Submitted, Worker, WorkerOptions};
use crate::detect::{Detect, Detector, FramePreparer, PreparedFrame, TileOptions, Tiler};
use crate::frame::{Frame, Timestamp};
use crate::geometry::Detection;
use crate::model::{LabelSource, Labels};
use crate::preprocess::{Filter, PreprocessError, PreprocessOptions, UprightCopier, UprightImage};
use crate::ssd::{DetectorError, DetectorOptions};
use crate::tensor::TensorSpec;
use crate::track::{Track, Tracker, TrackerOptions};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A prepared frame, with its time.
#[derive(Debug, Default)]
pub struct DetectInput {
    frame: PreparedFrame,
    /// Where the picture is looked at in parts as well.
    parts: Vec<PreparedFrame>,
    image: Option<UprightImage>,
    at: Timestamp,
}

impl DetectInput {
    /// What the model sees, and where the frame lies in it.
    pub fn frame(&self) -> &PreparedFrame {
        &self.frame
    }

    /// The frame itself, if [`PipelineOptions::keep_images`] or [`Pipeline::keep_images`] asked for it.
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
    /// Looks at parts of each frame as well, for small objects; each part costs a run of the model.
    pub tiles: Option<TileOptions>,
    /// Keeps a copy of each frame, upright and in RGB, beside the model's input until its result is
    /// there, for observers that draw. There are as many copies as frames between `submit` and the
    /// worker's end: three in live delivery.
    pub keep_images: bool,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        let tracker = Some(TrackerOptions::default());
        let (worker, filter) = (WorkerOptions::default(), Filter::Bilinear);
        Self { worker, tracker, filter, tiles: None, keep_images: false }
    }
}

/// Detects, maps boxes back to the frame, and tracks.
pub struct DetectTask<D> {
    detector: D,
    shared: Shared,
    settings: Arc<Settings>,
    /// Which of the settings the detector has.
    seen: u64,
    tiler: Option<Tiler>,
    found: Vec<Detection>,
}

impl<D: Detect> DetectTask<D> {
    fn new(detector: D, shared: &Shared, settings: &Arc<Settings>) -> Self {
        let (shared, settings) = (shared.clone(), Arc::clone(settings));
        let tiler = shared.tiles.map(Tiler::new);
        Self { detector, shared, settings, seen: 0, tiler, found: Vec::new() }
    }
}

/// What outlives detectors, and is looked at from outside the worker.
#[derive(Clone)]
struct Shared {
    /// `None` if tracking is off.
    tracker: Option<Arc<Mutex<Tracker>>>,
    recent: Arc<Mutex<Recent>>,
    tiles: Option<TileOptions>,
}

impl<D: Detect> Task for DetectTask<D> {
    type Input = DetectInput;
    type Output = Detections;
    type Error = DetectorError;

    fn run(&mut self, input: &mut DetectInput, timings: &mut Timings) -> Result<Detections, DetectorError> {
        if let Some(options) = self.settings.newer_than(&mut self.seen) {
            // Checked when they were asked for.
            self.detector.reconfigure(&options)?;
        }
        timings.time(Stage::Inference, || self.detector.infer_prepared(&input.frame))?;
        timings.time(Stage::Post, || match &mut self.tiler {
            Some(tiler) => {
                tiler.begin();
                tiler.add(&mut self.detector, &input.frame)
            }
            None => self.detector.finish(input.frame.placement(), &mut self.found),
        })?;
        if let Some(tiler) = &mut self.tiler {
            timings.time(Stage::Tiles, || {
                for part in &input.parts {
                    self.detector.infer_prepared(part)?;
                    tiler.add(&mut self.detector, part)?;
                }
                tiler.merge(&mut self.found);
                Ok::<_, DetectorError>(())
            })?;
        }
        let model = [Stage::Inference, Stage::Tiles].into_iter().filter_map(|stage| timings.get(stage));
        lock(&self.shared.recent).add(model.sum());
        let tracks = timings.time(Stage::Track, || match &self.shared.tracker {
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

/// What is known of the detector in force, and wanted of it; replaced with it.
#[derive(Clone)]
struct About {
    labels: Arc<Labels>,
    settings: Arc<Settings>,
}

impl About {
    fn new(detector: &impl Detect, settings: Arc<Settings>) -> Self {
        let labels = Labels::new(detector.class_names(), LabelSource::Given);
        Self { labels: Arc::new(labels), settings }
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
    preparer: Mutex<FramePreparer>,
    about: Mutex<About>,
    shared: Shared,
    filter: Filter,
    keeps_images: AtomicBool,
    copier: Mutex<UprightCopier>,
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
                {
                    let mut preparer = lock(&self.preparer);
                    preparer.prepare(frame, &mut input.frame)?;
                    if let Some(tiles) = &self.shared.tiles {
                        let regions = tiles.regions(frame.upright_size(), preparer.input_size());
                        preparer.prepare_parts(frame, &regions, &mut input.parts)?;
                    }
                }
                input.at = at;
                if self.keeps_images.load(Ordering::Relaxed) {
                    return lock(&self.copier).copy(frame, input.image.get_or_insert_default());
                }
                // That of an earlier frame.
                input.image = None;
                Ok(())
            })
        })
    }

    /// Detects in every `interval`-th frame only; the others are dropped as paced, and boxes can be
    /// had for them from [`Pipeline::tracks_at`].
    pub fn set_interval(&self, interval: u32) {
        self.interval.store(interval.max(1), Ordering::Relaxed);
    }

    /// From the next frame on, whether copies are kept as by [`PipelineOptions::keep_images`]: a page that
    /// nobody looks at needs none.
    pub fn keep_images(&self, keep: bool) {
        self.keeps_images.store(keep, Ordering::Relaxed);
    }

    /// Where the tracked objects are at a time, as far as is known: for frames between detections.
    pub fn tracks_at(&self, at: Timestamp, shown: &mut Vec<Track>) {
        shown.clear();
        if let Some(tracker) = &self.shared.tracker {
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
        let about = About::new(&first, Arc::default());
        let mut first = Some(first);
        let (shared, settings) = (self.shared.clone(), Arc::clone(&about.settings));
        let make = move || {
            let detector = first.take().map_or_else(&mut factory, Ok)?;
            Ok(DetectTask::new(detector, &shared, &settings))
        };
        self.worker.replace(make, |_| {
            *lock(&self.preparer) = prepares;
            *lock(&self.about) = about;
        })
    }

    /// Has the detector take thresholds, classes, suppression and limits from `options`, from the
    /// next frame on; also a detector that is made anew after a panic. The model and all else stay.
    ///
    /// # Errors
    /// [`DetectorError::BadOption`], [`DetectorError::Labels`]; nothing is changed then.
    pub fn reconfigure(&self, options: &DetectorOptions) -> Result<(), DetectorError> {
        let About { labels, settings } = lock(&self.about).clone();
        options.check_for(&labels)?;
        settings.set(options.clone());
        Ok(())
    }

    /// Names of the detector's classes, by class id.
    pub fn labels(&self) -> Arc<Labels> {
        Arc::clone(&lock(&self.about).labels)
    }

    /// What frames are prepared for: the detector's input.
    pub fn input_spec(&self) -> TensorSpec {
        lock(&self.preparer).spec().clone()
    }

    /// Milliseconds that the model took for nine of ten frames of the last second, tiles included; 0 if none ran
    /// yet.
    pub fn recent_inference_ms(&self) -> f64 {
        lock(&self.shared.recent).p90_ms()
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
    first: Arc<Mutex<Option<First>>>,
    shared: Shared,
    filter: Filter,
    keep_images: bool,
}

/// What the first detector tells.
type First = (Result<FramePreparer, PreprocessError>, About);

type Make<D> = Box<dyn FnMut() -> Result<DetectTask<D>, DetectorError> + Send>;

impl Parts {
    /// The parts, and what makes the task.
    fn new<D: Detect>(
        mut factory: impl FnMut() -> Result<D, DetectorError> + Send + 'static,
        options: &PipelineOptions,
    ) -> (Self, Make<D>) {
        let tracker = options.tracker.map(|options| Arc::new(Mutex::new(Tracker::new(options))));
        let shared = Shared { tracker, recent: Arc::default(), tiles: options.tiles };
        let (first, filter) = (Arc::new(Mutex::new(None)), options.filter);
        let parts = Self { first, shared, filter, keep_images: options.keep_images };
        let (first, shared) = (Arc::clone(&parts.first), parts.shared.clone());
        let settings = Arc::<Settings>::default();
        let make = move || {
            let detector = factory()?;
            lock(&first).get_or_insert_with(|| {
                (preparer(&detector, filter), About::new(&detector, Arc::clone(&settings)))
            });
            Ok(DetectTask::new(detector, &shared, &settings))
        };
        (parts, Box::new(make))
    }

    fn into_pipeline<D: Detect>(self, worker: Worker<DetectTask<D>>) -> Result<Pipeline<D>, DetectorError> {
        let first = lock(&self.first).take();
        let (preparer, about) =
            first.ok_or_else(|| DetectorError::Load("no detector was made".to_owned()))?;
        Ok(Pipeline {
            worker,
            preparer: Mutex::new(preparer?),
            about: Mutex::new(about),
            shared: self.shared,
            filter: self.filter,
            keeps_images: AtomicBool::new(self.keep_images),
            copier: Mutex::default(),
            started: Instant::now(),
            interval: AtomicU32::new(1),
            frames: AtomicU64::new(0),
        })
    }
}
