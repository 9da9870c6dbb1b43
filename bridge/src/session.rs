//! Live detection.

#![allow(unsafe_code, reason = "Swift hands over memory as addresses")]

use crate::border::ffi::{LedgerFigures, PixelBuffer, ResultListener, StageFigures};
use crate::error::Failure;
use crate::guard::{guarded, lock, shielded};
use crate::options::{SessionOptions, Values};
use crate::picture;
use crate::record::Tape;
use crate::results::Findings;
use crate::source::ModelSource;
use osprey_detector::frame::Timestamp;
use osprey_detector::pipeline::{
    Detections, DropReason, Ledger, Pipeline, Results, Stage, Submitted, WorkerState,
};
use osprey_detector::recording::Header;
use osprey_detector::{Detect, Detector, DetectorError, DetectorOptions};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longest wait of [`Session::next`]: a forgotten poll must not hold a thread for ever.
const LONGEST_POLL: Duration = Duration::from_secs(60);

/// Frames in, findings out. Any thread may call anything.
pub struct Session {
    pipeline: Pipeline,
    results: Option<Results<Detections, DetectorError>>,
    tape: Arc<Mutex<Option<Tape>>>,
    source: Mutex<ModelSource>,
}

/// What makes detectors: at the start, after a panic, after a change of the model.
fn factory(
    source: &ModelSource,
    options: DetectorOptions,
    warm_up: bool,
) -> impl FnMut() -> Result<Detector, DetectorError> + Send + use<> {
    let source = source.clone();
    move || {
        let mut detector = source.detector(&options)?;
        if warm_up {
            detector.infer()?;
        }
        Ok(detector)
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
        let make = factory(source, detector, warm_up);
        let callback = move |outcome| listener.on_result(Findings::of_outcome(outcome));
        let pipeline = Pipeline::start_with_callback(make, &pipeline, callback)?;
        Ok(Session::new(pipeline, None, source))
    })
}

/// Starts a session whose findings are asked for by [`Session::next`].
///
/// # Errors
/// As [`session_listen`].
pub fn session_poll(source: &ModelSource, options: &SessionOptions) -> Result<Session, Failure> {
    guarded(|| {
        let Values { detector, pipeline, warm_up } = options.values();
        let (pipeline, results) = Pipeline::start(factory(source, detector, warm_up), &pipeline)?;
        Ok(Session::new(pipeline, Some(results), source))
    })
}

impl Session {
    fn new(
        pipeline: Pipeline,
        results: Option<Results<Detections, DetectorError>>,
        source: &ModelSource,
    ) -> Self {
        Self { pipeline, results, tape: Arc::default(), source: Mutex::new(source.clone()) }
    }

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
            let header = Header::new(&source.name(), &source.bytes()?, &self.pipeline.input_spec());
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
        guarded(|| Ok(self.pipeline.reconfigure(&options.values().detector)?))
    }

    /// Loads another model on this thread and has it take over; frames, ledger and identities go
    /// on. A recording ends.
    ///
    /// # Errors
    /// As [`session_listen`]; the old model goes on.
    pub fn replace_model(&self, source: &ModelSource, options: &SessionOptions) -> Result<(), Failure> {
        guarded(|| {
            let Values { detector, warm_up, .. } = options.values();
            let mut make = factory(source, detector, warm_up);
            let mut first = Some(make()?);
            // Inputs of the new model do not belong into a recording of the old.
            self.stop_recording()?;
            self.pipeline.replace_model(move || first.take().map_or_else(&mut make, Ok))?;
            *lock(&self.source) = source.clone();
            Ok(())
        })
    }

    /// Names of the classes, one a line, by class number.
    pub fn labels(&self) -> String {
        shielded(String::new(), || self.pipeline.labels().iter().collect::<Vec<_>>().join("\n"))
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
        shielded(0.0, || self.pipeline.recent_inference_ms())
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
