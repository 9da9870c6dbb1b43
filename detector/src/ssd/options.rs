//! What callers choose about detections.

use super::{Anchor, DetectorError, SoftDecay, SsdSpec};
use crate::model::{Labels, LoadOptions};
use crate::preprocess::Filter;
use osprey_engine::graph::DetectionPostProcess;

/// How overlapping boxes are thinned out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum NmsKind {
    /// The rule of the file's post-processing operator; per class where it has none.
    #[default]
    FromModel,
    /// Boxes suppress only boxes of their class.
    PerClass,
    /// Boxes suppress boxes of any class; an anchor counts for its best class.
    ClassAgnostic,
    /// Overlapping boxes of a class lose score in place of vanishing.
    Soft(SoftDecay),
    /// LiteRT's fast rule: an anchor counts for its best class while suppressing, and is reported
    /// for its best `max_classes_per_detection` classes.
    TfliteFast {
        /// Classes reported for each box that is kept.
        max_classes_per_detection: usize,
    },
    /// LiteRT's regular rule: per class, with a limit for each class.
    TfliteRegular {
        /// Boxes kept of each class.
        detections_per_class: usize,
    },
}

/// Suppression of overlapping boxes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Nms {
    /// The rule.
    pub kind: NmsKind,
    /// IoU above which the box of lower score goes. `None`: the file's or manifest's own, else 0.6.
    pub iou_threshold: Option<f32>,
}

impl From<&DetectionPostProcess> for NmsKind {
    /// The rule that a file's operator asks for.
    fn from(options: &DetectionPostProcess) -> Self {
        match options.use_regular_nms {
            true => Self::TfliteRegular { detections_per_class: options.detections_per_class },
            false => Self::TfliteFast { max_classes_per_detection: options.max_classes_per_detection },
        }
    }
}

/// Of boxes that overlap by more, one is shown where people look: they lie on one object, whatever their
/// classes.
pub const ONE_OBJECT_IOU: f32 = 0.7;

/// Least score that is reported where neither options nor manifest say: of 100 boxes of the built-in
/// detector from here on 67 are right, and of those from 0.3 on 61.
pub const SCORE_THRESHOLD: f32 = 0.4;

/// Classes to report, by label (any case) or number. What is not reported does not suppress either.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClassFilter {
    /// Every class.
    #[default]
    All,
    /// These classes only.
    Only(Vec<String>),
    /// Every class but these.
    Except(Vec<String>),
}

/// How a detector is made from a model.
#[derive(Debug, Clone)]
pub struct DetectorOptions {
    /// How the model is loaded.
    pub load: LoadOptions,
    /// Least score that is reported, 0..1. `None`: the manifest's, else [`SCORE_THRESHOLD`].
    pub score_threshold: Option<f32>,
    /// Least score of single classes, by label or number, in place of `score_threshold`.
    pub class_thresholds: Vec<(String, f32)>,
    /// Classes to report.
    pub classes: ClassFilter,
    /// Suppression of overlapping boxes.
    pub nms: Nms,
    /// IoU above which boxes of different classes lie on one object, and the likelier class stays. `None`
    /// keeps all: figures of a model want every class judged by itself.
    pub one_object_iou: Option<f32>,
    /// How frames are resampled into the model's input.
    pub filter: Filter,
    /// Most detections of one picture, best first; whatever limit the file has is ignored.
    pub max_detections: usize,
    /// Description of raw outputs, in place of the manifest's.
    pub ssd: Option<SsdSpec>,
    /// The anchors, in place of the file's or the manifest's.
    pub anchors: Option<Vec<Anchor>>,
}

impl Default for DetectorOptions {
    fn default() -> Self {
        Self {
            load: LoadOptions::default(),
            score_threshold: None,
            class_thresholds: Vec::new(),
            classes: ClassFilter::All,
            nms: Nms::default(),
            one_object_iou: None,
            filter: Filter::default(),
            max_detections: 100,
            ssd: None,
            anchors: None,
        }
    }
}

impl DetectorOptions {
    /// The defaults where people look at the boxes: an object has one class, by [`ONE_OBJECT_IOU`].
    pub fn to_show() -> Self {
        Self { one_object_iou: Some(ONE_OBJECT_IOU), ..Self::default() }
    }

    /// Fails where a value is outside its range, or names a class that is not among `labels`.
    ///
    /// # Errors
    /// [`DetectorError::BadOption`], [`DetectorError::Labels`].
    pub fn check_for(&self, labels: &Labels) -> Result<(), DetectorError> {
        self.check()?;
        let listed: &[String] = match &self.classes {
            ClassFilter::All => &[],
            ClassFilter::Only(names) | ClassFilter::Except(names) => names,
        };
        let thresholds = self.class_thresholds.iter().map(|(name, _)| name);
        thresholds.chain(listed).try_for_each(|name| labels.find(name).map(drop))?;
        Ok(())
    }

    pub(crate) fn check(&self) -> Result<(), DetectorError> {
        let fraction = |option, value: f32| match (0.0..=1.0).contains(&value) {
            true => Ok(()),
            false => Err(DetectorError::BadOption { option, value, range: "in 0..1" }),
        };
        if let Some(threshold) = self.score_threshold {
            fraction("score_threshold", threshold)?;
        }
        if let Some(iou) = self.one_object_iou {
            fraction("one_object_iou", iou)?;
        }
        for (_, threshold) in &self.class_thresholds {
            fraction("a class threshold", *threshold)?;
        }
        if let Some(iou) = self.nms.iou_threshold {
            fraction("nms.iou_threshold", iou)?;
        }
        match self.nms.kind {
            NmsKind::Soft(SoftDecay::Gaussian { sigma }) if !(sigma > 0.0 && sigma.is_finite()) => {
                Err(DetectorError::BadOption { option: "sigma", value: sigma, range: "greater than 0" })
            }
            _ => Ok(()),
        }
    }
}
