//! Live detection.

#![allow(unsafe_code, reason = "Swift hands over memory as addresses")]

use crate::border::ffi::{LedgerFigures, PixelBuffer, ResultListener, StageFigures};
use crate::error::{Failure, FailureKind};
use crate::guard::{guarded, lock, shielded};
use crate::options::{SessionOptions, Values};
use crate::picture;
use crate::record::Tape;
use crate::results::Findings;
use crate::source::ModelSource;
use osprey_detector::frame::Timestamp;
use osprey_detector::model::{Labels, ModelError};
use osprey_detector::pipeline::governor::Recent;
use osprey_detector::pipeline::{
    Detections, DropReason, Ledger, Pipeline, Results, Stage, Submitted, WorkerState,
};
use osprey_detector::preprocess::PreprocessOptions;
use osprey_detector::recording::Header;
use osprey_detector::tensor::{TensorSpec, TensorViewMut};
use osprey_detector::{Detect, Detection, Detector, DetectorError, DetectorOptions, InputBox};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait of [`Session::next`]: a forgotten poll must not hold a thread for ever.
const LONGEST_POLL: Duration = Duration::from_secs(60);

/// Frames in, findings out. Any thread may call anything.
pub struct Session {
    pipeline: Pipeline<Tunable>,
    results: Option<Results<Detections, DetectorError>>,
    tuning: Arc<Tuning>,
    recent: Arc<Mutex<Recent>>,
    tape: Arc<Mutex<Option<Tape>>>,
    source: Mutex<ModelSource>,
}

/// Options that change while the model runs.
struct Tuning {
    version: AtomicU64,
    options: Mutex<DetectorOptions>,
    labels: Mutex<Labels>,
    /// What the model takes: recordings say so.
    input: Mutex<Option<TensorSpec>>,
}

impl Tuning {
    fn new(options: DetectorOptions) -> Arc<Self> {
        let (labels, input) = (Mutex::default(), Mutex::default());
        Arc::new(Self { version: AtomicU64::new(0), options: Mutex::new(options), labels, input })
    }

    /// Options, labels and input as they are.
    fn get(&self) -> (DetectorOptions, Labels, Option<TensorSpec>) {
        (lock(&self.options).clone(), lock(&self.labels).clone(), lock(&self.input).clone())
    }

    fn set(&self, (options, labels, input): (DetectorOptions, Labels, Option<TensorSpec>)) {
        *lock(&self.options) = options;
        *lock(&self.labels) = labels;
        *lock(&self.input) = input;
        self.version.fetch_add(1, Ordering::Release);
    }
}

/// A detector that takes new thresholds and classes between two frames.
struct Tunable {
    detector: Detector,
    tuning: Arc<Tuning>,
    seen: u64,
    recent: Arc<Mutex<Recent>>,
}

impl Detect for Tunable {
    fn input_spec(&self) -> &TensorSpec {
        self.detector.input_spec()
    }

    fn preprocess(&self) -> PreprocessOptions {
        self.detector.preprocess()
    }

    fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError> {
        self.detector.input_mut()
    }

    fn infer(&mut self) -> Result<(), ModelError> {
        let start = Instant::now();
        self.detector.infer()?;
        lock(&self.recent).add(start.elapsed());
        Ok(())
    }

    fn detections(&mut self) -> Result<&[Detection<InputBox>], ModelError> {
        let version = self.tuning.version.load(Ordering::Acquire);
        if version != self.seen {
            self.seen = version;
            // Checked when it was asked for; a model that came since may lack a class, and then
            // goes on as it was.
            let _ = self.detector.reconfigure(&lock(&self.tuning.options));
        }
        self.detector.detections()
    }
}

/// Where detectors come from: at the start, after a panic, after a change of the model.
struct Maker {
    source: ModelSource,
    tuning: Arc<Tuning>,
    recent: Arc<Mutex<Recent>>,
    warm_up: bool,
}

impl Maker {
    fn make(&self) -> Result<Tunable, DetectorError> {
        let seen = self.tuning.version.load(Ordering::Acquire);
        let options = lock(&self.tuning.options).clone();
        let mut detector = self.source.detector(&options)?;
        if self.warm_up {
            detector.infer()?;
        }
        let labels = Labels::new(detector.class_names(), osprey_detector::model::LabelSource::Given);
        *lock(&self.tuning.labels) = labels;
        *lock(&self.tuning.input) = Some(detector.input_spec().clone());
        let (tuning, recent) = (Arc::clone(&self.tuning), Arc::clone(&self.recent));
        Ok(Tunable { detector, tuning, seen, recent })
    }
}

/// Starts a session that hands its findings to `listener`, on the worker's own thread, one after
/// the other: the next frame waits until it returns.
///
/// # Errors
/// [`crate::FailureKind::Model`], [`crate::FailureKind::Storage`], [`crate::FailureKind::Options`].
pub fn session_listen(
    source: &ModelSource,
    options: &SessionOptions,
    listener: ResultListener,
) -> Result<Session, Failure> {
    guarded(|| {
        let Values { detector, pipeline, warm_up } = options.values();
        let (tuning, recent, maker) = parts(source, detector, warm_up);
        let tape = Arc::default();
        let callback = move |outcome| listener.on_result(Findings::of_outcome(outcome));
        let pipeline = Pipeline::start_with_callback(move || maker.make(), &pipeline, callback)?;
        Ok(Session { pipeline, results: None, tuning, recent, tape, source: Mutex::new(source.clone()) })
    })
}

/// Starts a session whose findings are asked for by [`Session::next`].
///
/// # Errors
/// As [`session_listen`].
pub fn session_poll(source: &ModelSource, options: &SessionOptions) -> Result<Session, Failure> {
    guarded(|| {
        let Values { detector, pipeline, warm_up } = options.values();
        let (tuning, recent, maker) = parts(source, detector, warm_up);
        let (pipeline, results) = Pipeline::start(move || maker.make(), &pipeline)?;
        let (tape, source) = (Arc::default(), Mutex::new(source.clone()));
        Ok(Session { pipeline, results: Some(results), tuning, recent, tape, source })
    })
}

fn parts(
    source: &ModelSource,
    options: DetectorOptions,
    warm_up: bool,
) -> (Arc<Tuning>, Arc<Mutex<Recent>>, Maker) {
    let tuning = Tuning::new(options);
    let recent = Arc::new(Mutex::new(Recent::default()));
    let maker =
        Maker { source: source.clone(), tuning: Arc::clone(&tuning), recent: Arc::clone(&recent), warm_up };
    (tuning, recent, maker)
}

impl Session {
    /// Prepares a frame and hands it to the worker; inference is not waited for. The buffer is read
    /// during this call only.
    ///
    /// Gives the frame's number, or −1 − the reason why it was dropped: 0 replaced, 1 late,
    /// 2 paused, 3 paced, 4 model changed, 5 shut down.
    ///
    /// # Errors
    /// [`crate::FailureKind::Pointer`], [`crate::FailureKind::Frame`].
    pub fn submit(&self, buffer: PixelBuffer) -> Result<isize, Failure> {
        guarded(|| {
            // SAFETY: Swift holds the buffer locked during this call, and the frame ends with it.
            let frame = unsafe { picture::frame(&buffer) }?;
            match self.pipeline.submit(&frame) {
                Ok(Submitted::Queued(sequence)) => Ok(sequence as isize),
                Ok(Submitted::Dropped(reason)) => Ok(-1 - reason as isize),
                Err(e) => Err(e.error.into()),
            }
        })
    }

    /// Waits for the next findings, at most `timeout_ms` and a minute. None where there are none
    /// in time, where the session ended, and where it has a listener.
    pub fn next(&self, timeout_ms: u32) -> Option<Findings> {
        shielded(None, || {
            let timeout = Duration::from_millis(timeout_ms.into()).min(LONGEST_POLL);
            let outcome = self.results.as_ref()?.recv_timeout(timeout).ok()??;
            Some(Findings::of_outcome(outcome))
        })
    }

    /// Records what the model sees and finds from now on, for `osprey replay`; a recording that runs
    /// is ended first. The file appears at `path` when it is ended.
    ///
    /// # Errors
    /// [`crate::FailureKind::Storage`].
    pub fn start_recording(&self, path: String) -> Result<(), Failure> {
        guarded(|| {
            self.stop_recording()?;
            let source = lock(&self.source).clone();
            let input = lock(&self.tuning.input).clone();
            let input = input.ok_or_else(|| Failure::new(FailureKind::Model, "no model is loaded"))?;
            let header = Header::new(&source.name(), &source.bytes()?, &input);
            *lock(&self.tape) = Some(Tape::begin(Path::new(&path), &header)?);
            let tape = Arc::clone(&self.tape);
            self.pipeline.observe(Some(Box::new(move |input, shown| {
                if let Some(tape) = &*lock(&tape) {
                    tape.add(input.frame(), shown);
                }
            })));
            Ok(())
        })
    }

    /// Ends the recording; nothing where none runs.
    ///
    /// # Errors
    /// [`crate::FailureKind::Storage`], also for what went wrong meanwhile; there is no file then.
    pub fn stop_recording(&self) -> Result<(), Failure> {
        guarded(|| {
            self.pipeline.observe(None);
            let tape = lock(&self.tape).take();
            tape.map_or(Ok(()), Tape::end)
        })
    }

    /// Where the tracked objects are at a time on the frames' clock, as far as is known: for frames
    /// that are shown but not detected in.
    pub fn tracks_at(&self, time_ns: i64) -> Findings {
        let at = Timestamp::from_nanos(time_ns);
        shielded(Findings::of_tracks_at(at, &[]), || {
            let mut tracks = Vec::new();
            self.pipeline.tracks_at(at, &mut tracks);
            Findings::of_tracks_at(at, &tracks)
        })
    }

    /// Takes thresholds, classes, suppression and limits from `options`, from the next frame on.
    /// The model and all else stay.
    ///
    /// # Errors
    /// [`crate::FailureKind::Options`]; nothing is changed then.
    pub fn tune(&self, options: &SessionOptions) -> Result<(), Failure> {
        guarded(|| {
            let detector = options.values().detector;
            detector.check_for(&lock(&self.tuning.labels))?;
            *lock(&self.tuning.options) = detector;
            self.tuning.version.fetch_add(1, Ordering::Release);
            Ok(())
        })
    }

    /// Loads another model on this thread and has it take over; frames, ledger and identities go
    /// on. A recording ends.
    ///
    /// # Errors
    /// As [`session_listen`]; the old model goes on.
    pub fn replace_model(&self, source: &ModelSource, options: &SessionOptions) -> Result<(), Failure> {
        guarded(|| {
            let Values { detector, warm_up, .. } = options.values();
            // The old model keeps its own options while the new one is made, and if it cannot be.
            let tuning = Tuning::new(detector);
            let probe = Maker {
                source: source.clone(),
                tuning: Arc::clone(&tuning),
                recent: Arc::clone(&self.recent),
                warm_up,
            };
            let mut first = Some(probe.make()?);
            let maker = Maker { tuning: Arc::clone(&self.tuning), ..probe };
            let make = move || match first.take() {
                Some(made) => {
                    let tuning = Arc::clone(&maker.tuning);
                    Ok(Tunable { tuning, seen: maker.tuning.version.load(Ordering::Acquire), ..made })
                }
                None => maker.make(),
            };
            // Inputs of the new model do not belong into a recording of the old.
            self.stop_recording()?;
            let former = self.tuning.get();
            self.tuning.set(tuning.get());
            self.pipeline.replace_model(make).inspect_err(|_| self.tuning.set(former))?;
            *lock(&self.source) = source.clone();
            Ok(())
        })
    }

    /// Names of the classes, one a line, by class number.
    pub fn labels(&self) -> String {
        shielded(String::new(), || lock(&self.tuning.labels).iter().collect::<Vec<_>>().join("\n"))
    }

    /// Detects in every `interval`-th frame only; the others are dropped as paced.
    pub fn set_interval(&self, interval: u32) {
        shielded((), || self.pipeline.set_interval(interval));
    }

    /// Drops frames until [`Self::resume`].
    pub fn pause(&self) {
        shielded((), || self.pipeline.pause());
    }

    /// Takes frames again.
    pub fn resume(&self) {
        shielded((), || self.pipeline.resume());
    }

    /// 0 running, 1 paused, 2 faulted (the model could not be made anew after a panic), 3 ended.
    pub fn state(&self) -> u8 {
        shielded(WorkerState::Ended as u8, || self.pipeline.state() as u8)
    }

    /// The fate of every frame so far.
    pub fn ledger(&self) -> LedgerFigures {
        shielded(figures(&Ledger::default()), || figures(&self.pipeline.ledger()))
    }

    /// How long a stage took over all frames: 0 submit, 1 preprocess, 2 wait, 3 inference, 4 post,
    /// 5 track, 6 age. Zeros where no frame went through it.
    pub fn stage(&self, stage: u8) -> StageFigures {
        let none = StageFigures { count: 0, p50_ns: 0, p95_ns: 0, p99_ns: 0 };
        shielded(none, || {
            let latency = self.pipeline.snapshot().latency;
            let found = Stage::ALL.get(usize::from(stage)).map(|stage| latency.of(*stage));
            let ns = |d: Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
            found.map_or(StageFigures { count: 0, p50_ns: 0, p95_ns: 0, p99_ns: 0 }, |p| StageFigures {
                count: p.count,
                p50_ns: ns(p.p50),
                p95_ns: ns(p.p95),
                p99_ns: ns(p.p99),
            })
        })
    }

    /// Shown results per second, between the first and the last.
    pub fn fps(&self) -> f64 {
        shielded(0.0, || self.pipeline.snapshot().fps)
    }

    /// Milliseconds that inference took in nine of ten runs of the last second; 0 where none ran.
    pub fn recent_inference_ms(&self) -> f64 {
        shielded(0.0, || lock(&self.recent).p90_ms())
    }

    /// Ledger, percentiles and pace as JSON, in the form of `osprey live`.
    pub fn summary(&self) -> String {
        shielded(String::new(), || serde_json::to_string(&self.pipeline.snapshot()).unwrap_or_default())
    }

    /// Ends within 100 ms: what waits is dropped. Whether the worker has ended; where a run takes
    /// longer, it ends by itself, and nothing that it still does is counted or shown.
    pub fn shutdown(&self) -> bool {
        shielded(false, || self.pipeline.shutdown().1)
    }
}

/// The ledger as it crosses the border.
fn figures(ledger: &Ledger) -> LedgerFigures {
    let dropped = |reason| ledger.dropped.of(reason);
    LedgerFigures {
        captured: ledger.captured,
        shown: ledger.shown,
        replaced: dropped(DropReason::Replaced),
        late: dropped(DropReason::Late),
        paused: dropped(DropReason::Paused),
        paced: dropped(DropReason::Paced),
        model_changed: dropped(DropReason::ModelChanged),
        shutdown: dropped(DropReason::Shutdown),
        stale: ledger.stale,
        failed: ledger.failed,
        pending: ledger.pending,
    }
}

/// What the session promises to whoever holds it.
const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<Session>();
};
