//! What a session is asked for.

use crate::error::{Failure, FailureKind};
use crate::guard::{guarded, lock, shielded};
use osprey_detector::pipeline::{PipelineOptions, WorkerOptions};
use osprey_detector::preprocess::Filter;
use osprey_detector::ssd::{ClassFilter, DetectorOptions, NmsKind, SoftDecay};
use osprey_detector::track::TrackerOptions;
use std::sync::Mutex;
use std::time::Duration;

/// Options, filled one by one. Any thread may use them; a session copies them.
#[derive(Debug)]
pub struct SessionOptions(Mutex<Values>);

#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(crate) detector: DetectorOptions,
    pub(crate) pipeline: PipelineOptions,
    pub(crate) warm_up: bool,
}

/// The defaults: the model's own threshold, all classes and one for each object, tracking, one thread.
pub fn session_options() -> SessionOptions {
    let (detector, pipeline) = (DetectorOptions::to_show(), PipelineOptions::default());
    SessionOptions(Mutex::new(Values { detector, pipeline, warm_up: true }))
}

impl SessionOptions {
    pub(crate) fn values(&self) -> Values {
        lock(&self.0).clone()
    }

    fn set(&self, change: impl FnOnce(&mut Values)) {
        shielded((), || change(&mut lock(&self.0)));
    }

    /// Least score that is reported, 0..1; checked by the session.
    pub fn set_score_threshold(&self, threshold: f32) {
        self.set(|v| v.detector.score_threshold = Some(threshold));
    }

    /// Least score of one class, by label or number.
    pub fn set_class_threshold(&self, class: String, threshold: f32) {
        self.set(|v| {
            v.detector.class_thresholds.retain(|(name, _)| *name != class);
            v.detector.class_thresholds.push((class, threshold));
        });
    }

    /// Reports this class, and of the others only those that were named so as well.
    pub fn allow_class(&self, class: String) {
        self.set(|v| match &mut v.detector.classes {
            ClassFilter::Only(names) => names.push(class),
            other => *other = ClassFilter::Only(vec![class]),
        });
    }

    /// Leaves this class out. Takes back what [`Self::allow_class`] said.
    pub fn deny_class(&self, class: String) {
        self.set(|v| match &mut v.detector.classes {
            ClassFilter::Except(names) => names.push(class),
            other => *other = ClassFilter::Except(vec![class]),
        });
    }

    /// Most detections of one picture.
    pub fn set_max_detections(&self, count: u32) {
        self.set(|v| v.detector.max_detections = count as usize);
    }

    /// Suppression of overlapping boxes: 0 as the model says, 1 per class, 2 over all classes,
    /// 3 soft (Gaussian, σ 0.5). An IoU below 0 leaves the model's own.
    ///
    /// # Errors
    /// [`FailureKind::Options`].
    pub fn set_suppression(&self, kind: u8, iou_threshold: f32) -> Result<(), Failure> {
        guarded(|| {
            let kind = match kind {
                0 => NmsKind::FromModel,
                1 => NmsKind::PerClass,
                2 => NmsKind::ClassAgnostic,
                3 => NmsKind::Soft(SoftDecay::Gaussian { sigma: 0.5 }),
                _ => return Err(Failure::new(FailureKind::Options, format!("no suppression {kind}"))),
            };
            let nms = &mut lock(&self.0).detector.nms;
            nms.kind = kind;
            nms.iou_threshold = (iou_threshold >= 0.0).then_some(iou_threshold);
            Ok(())
        })
    }

    /// Threads of one run, the worker's own included; 0 for as many as the device has performance cores, at
    /// most four.
    pub fn set_threads(&self, threads: u32) {
        self.set(|v| v.detector.load.threads = threads as usize);
    }

    /// Whether objects keep identities from frame to frame.
    pub fn set_tracking(&self, on: bool) {
        self.set(|v| v.pipeline.tracker = on.then(TrackerOptions::default));
    }

    /// Results older than this are left out and counted as stale; 0 shows all.
    pub fn set_max_age_ms(&self, ms: u32) {
        let max_age = (ms > 0).then(|| Duration::from_millis(ms.into()));
        self.set(|v| v.pipeline.worker = WorkerOptions { max_age, ..v.pipeline.worker.clone() });
    }

    /// Whether pictures are reduced with care for small objects, as files are, rather than with the
    /// fastest filter.
    pub fn set_antialiased(&self, on: bool) {
        self.set(|v| v.pipeline.filter = if on { Filter::Antialiased } else { Filter::Bilinear });
    }

    /// Whether the model runs once before the first frame.
    pub fn set_warm_up(&self, on: bool) {
        self.set(|v| v.warm_up = on);
    }
}
