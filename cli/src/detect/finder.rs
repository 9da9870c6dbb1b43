//! The detector, split in two: what can be done for each picture on its own thread, and inference.

use super::decode::Picture;
use super::record::{Found, Times};
use crate::args::{ChooseArgs, ModelArgs, NmsArg};
use crate::input::InputArgs;
use crate::model::{self, Source};
use anyhow::{Context, Result};
use osprey_detector::model::Labels;
use osprey_detector::ssd::{ClassFilter, DetectorOptions, NmsKind, ONE_OBJECT_IOU, SoftDecay};
use osprey_detector::{Detect, Detection, Detector, FramePreparer, PreparedFrame};
use std::time::Instant;

/// So many pictures in a row without a score of [`UNLIKELY`] are worth a remark.
const SILENT: u32 = 10;
/// A model that sees anything at all scores more than this somewhere.
const UNLIKELY: f32 = 0.1;

/// Runs the model on prepared pictures.
pub(crate) struct Finder {
    detector: Detector,
    preparer: FramePreparer,
    labels: Vec<String>,
    settings: Vec<(String, String)>,
    detections: Vec<Detection>,
    /// Pictures in a row in which nothing was likely at all; it stays once there were [`SILENT`].
    silent: u32,
}

impl Finder {
    pub(crate) fn load(model_args: &ModelArgs, choose: &ChooseArgs, pictures: &InputArgs) -> Result<Self> {
        let source = model::resolve(model_args.model.as_deref())?;
        let options = options(model_args, choose, pictures)?;
        let detector = source.detector(&options)?;
        notes(&source, &detector);
        let preparer = detector.preparer().with_context(|| format!("cannot detect with {source}"))?;
        let labels = detector.class_names();
        let settings = settings(&source, &detector);
        Ok(Self { detector, preparer, labels, settings, detections: Vec::new(), silent: 0 })
    }

    /// Names of all classes, by id.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Pixels that the model takes, across and down.
    pub(crate) fn input_size(&self) -> (u32, u32) {
        let input = self.detector.input();
        (input.width as u32, input.height as u32)
    }

    /// What may be wrong where picture after picture showed nothing.
    pub(crate) fn hint(&self) -> Option<String> {
        (self.silent >= SILENT).then(|| {
            format!(
                "In {SILENT} pictures in a row nothing scored above {UNLIKELY}. If there was something to see, the model \
                 may want other pictures than it gets ({}): try --mean and --std, --color bgr or --letterbox.",
                self.detector.input().rule()
            )
        })
    }

    /// What the results were made with, to be shown beside them.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        self.settings.clone()
    }

    /// A preparer for another thread.
    pub(crate) fn preparer(&self) -> FramePreparer {
        self.preparer.clone()
    }

    /// What is in a picture, best first, clipped to its edges.
    pub(crate) fn find(&mut self, picture: &PreparedFrame, times: &mut Times) -> Result<Vec<Found>> {
        let start = Instant::now();
        self.detector.infer_prepared(picture)?;
        times.inference = start.elapsed();
        let start = Instant::now();
        self.detector.finish(picture.placement(), &mut self.detections)?;
        if self.silent < SILENT {
            let silent = self.detections.is_empty() && !self.detector.reaches(UNLIKELY)?;
            self.silent = if silent { self.silent + 1 } else { 0 };
        }
        let (width, height) = picture.size();
        let found = self.detections.iter().map(|d| Found {
            class_id: d.class_id,
            label: self.labels[d.class_id].clone(),
            score: d.score,
            bbox: d.bbox.to_pixels(width, height),
        });
        let found = found.collect();
        times.postprocess = start.elapsed();
        Ok(found)
    }
}

/// Prints what was assumed of a model.
pub(crate) fn notes(source: &Source, detector: &Detector) {
    for note in detector.notes() {
        eprintln!("osprey: {source}: {note}");
    }
}

/// A decoded picture in the form of the model's input.
pub(crate) fn prepare(preparer: &mut FramePreparer, picture: &Picture) -> Result<PreparedFrame> {
    let mut prepared = PreparedFrame::default();
    preparer.prepare(&picture.frame()?, &mut prepared)?;
    Ok(prepared)
}

pub(crate) fn options(
    model_args: &ModelArgs,
    choose: &ChooseArgs,
    pictures: &InputArgs,
) -> Result<DetectorOptions> {
    let defaults = DetectorOptions::default();
    let mut load = model::options(model_args.backend, model_args.threads);
    load.input = pictures.entry()?;
    load.head = choose.head;
    load.labels = choose.labels.as_ref().map(Labels::read).transpose()?;
    let mut nms = defaults.nms;
    nms.iou_threshold = choose.nms_iou;
    nms.kind = match choose.nms {
        None => NmsKind::FromModel,
        Some(NmsArg::PerClass) => NmsKind::PerClass,
        Some(NmsArg::Agnostic) => NmsKind::ClassAgnostic,
        Some(NmsArg::Soft) => NmsKind::Soft(SoftDecay::Linear),
    };
    let classes = match (choose.classes.as_slice(), choose.exclude_classes.as_slice()) {
        ([], []) => ClassFilter::All,
        ([], except) => ClassFilter::Except(except.to_vec()),
        (only, _) => ClassFilter::Only(only.to_vec()),
    };
    Ok(DetectorOptions {
        load,
        score_threshold: choose.score_threshold,
        one_object_iou: Some(choose.one_object_iou.unwrap_or(ONE_OBJECT_IOU)),
        class_thresholds: choose.class_threshold.clone(),
        classes,
        nms,
        max_detections: choose.max_detections.map_or(defaults.max_detections, |n| n as usize),
        ..defaults
    })
}

fn settings(source: &Source, detector: &Detector) -> Vec<(String, String)> {
    let (_, iou) = detector.nms();
    let input = detector.input();
    vec![
        ("model".into(), source.name()),
        ("input".into(), format!("{}×{}", input.width, input.height)),
        ("backend".into(), detector.backend().0.to_string()),
        ("score ≥".into(), detector.score_threshold().to_string()),
        ("NMS IoU".into(), iou.to_string()),
    ]
}
