//! What a manifest says of an SSD's raw outputs.

use super::AnchorSpec;
use serde::{Deserialize, Serialize};

/// Anchors, boxes and scores of an SSD whose file ends in raw outputs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SsdSpec {
    /// The anchors; where left out, TensorFlow's usual ones are tried and must fit in number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchors: Option<AnchorSpec>,
    /// Divisors of encoded y, x, h, w: the inverse of what some call variances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub box_scale: Option<[f32; 4]>,
    /// Whether encoded heights and widths are factors of the anchor's, where TensorFlow's are their logarithms.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub linear_sizes: bool,
    /// What the class scores are.
    pub scores: ScoreKind,
    /// Whether column 0 of the scores is the background; where left out, the number of labels tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<bool>,
    /// Index of the output with boxes, where shapes do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes_output: Option<usize>,
    /// Index of the output with scores, where shapes do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores_output: Option<usize>,
    /// IoU threshold that the model's figures were measured with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nms_iou: Option<f32>,
}

/// What a model's class scores are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreKind {
    /// Probabilities, 0..1.
    #[default]
    Probabilities,
    /// Logits of independent sigmoids.
    Logits,
    /// Logits of a softmax over all columns, the background among them.
    SoftmaxLogits,
}

/// What is wrong with a specification.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Parameters of the anchors that make no sense.
    #[error("anchors: {what}")]
    Anchors {
        /// The parameter and its range.
        what: &'static str,
    },
    /// More anchors than any model has.
    #[error("{count} anchors exceed the limit of {limit}")]
    TooManyAnchors {
        /// Asked for.
        count: usize,
        /// Allowed.
        limit: usize,
    },
    /// A divisor of box encodings that is zero or less.
    #[error("box_scale {scale} is not greater than zero")]
    BoxScale {
        /// The divisor.
        scale: f32,
    },
    /// A threshold outside 0..1.
    #[error("nms_iou {iou} is outside 0..1")]
    Iou {
        /// The threshold.
        iou: f32,
    },
}

impl SsdSpec {
    /// Checks ranges, without an input size to generate anchors for.
    pub(crate) fn check(&self) -> Result<(), SpecError> {
        if let Some(scale) = self.box_scale.iter().flatten().find(|s| !(s.is_finite() && **s > 0.0)) {
            return Err(SpecError::BoxScale { scale: *scale });
        }
        if let Some(iou) = self.nms_iou.filter(|iou| !(0.0..=1.0).contains(iou)) {
            return Err(SpecError::Iou { iou });
        }
        // The smallest picture exercises every check but the number of anchors.
        self.anchors.as_ref().map_or(Ok(()), |a| a.generate(1, 1).map(|_| ()))
    }
}
