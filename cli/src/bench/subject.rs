//! What is measured: a model, or a detector with what it does after its model.

use super::fill;
use crate::model::Source;
use anyhow::Result;
use osprey_detector::model::{LoadOptions, LoadedModel, Model};
use osprey_detector::{Detect, Detector, DetectorOptions, Nms, NmsKind};
use osprey_engine::PostProcess;
use std::time::{Duration, Instant};

/// What is run again and again.
pub(super) enum Subject {
    Model(Box<dyn Model>),
    Detector(Box<Detector>),
}

impl Subject {
    /// A detector where the model can be one, unless its raw outputs are wanted.
    pub(super) fn new(
        source: &Source,
        mut loaded: LoadedModel,
        options: &LoadOptions,
        raw_outputs: bool,
    ) -> Result<Self> {
        fill(loaded.model.as_mut())?;
        if raw_outputs {
            return Ok(Self::Model(loaded.model));
        }
        let detector_options = loaded.post_process.as_ref().map_or_else(DetectorOptions::default, as_in_file);
        if let Ok(detector) = Detector::from_model(loaded, &detector_options) {
            return Ok(Self::Detector(detector.into()));
        }
        let mut model = source.load(options)?.model;
        fill(model.as_mut())?;
        Ok(Self::Model(model))
    }

    pub(super) fn run(&mut self) -> Result<Times> {
        let start = Instant::now();
        match self {
            Self::Model(model) => {
                model.run()?;
                Ok(Times { inference: start.elapsed(), post_processing: Duration::ZERO })
            }
            Self::Detector(detector) => {
                detector.infer()?;
                let inference = start.elapsed();
                detector.detections()?;
                Ok(Times { inference, post_processing: start.elapsed() - inference })
            }
        }
    }
}

/// Thresholds, rule and limit of the file's own post-processing operator, so that the work is what
/// LiteRT does in it.
fn as_in_file(end: &PostProcess) -> DetectorOptions {
    let operator = &end.options;
    let kind = match operator.use_regular_nms {
        true => NmsKind::TfliteRegular { detections_per_class: operator.detections_per_class },
        false => NmsKind::TfliteFast { max_classes_per_detection: operator.max_classes_per_detection },
    };
    DetectorOptions {
        score_threshold: Some(operator.nms_score_threshold),
        nms: Nms { kind, iou_threshold: Some(operator.nms_iou_threshold) },
        max_detections: operator.max_detections,
        ..DetectorOptions::default()
    }
}

/// How long the stages of a run took.
pub(super) struct Times {
    pub(super) inference: Duration,
    pub(super) post_processing: Duration,
}
