//! Why nothing is detected.

use super::SpecError;
use crate::model::{HeadKind, LabelError, ModelError};
use crate::preprocess::PreprocessError;
use crate::tensor::TensorSpec;

/// Everything that can go wrong between a model file, a frame and its detections.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DetectorError {
    /// The model did not load or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The frame cannot be brought into the model's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The detector could not be made, for a reason of the caller's own.
    #[error("{0}")]
    Load(String),
    /// The labels do not fit, or a class of that name does not exist.
    #[error(transparent)]
    Labels(#[from] LabelError),
    /// The description of the outputs is wrong.
    #[error("the model's description: {0}")]
    Spec(#[from] SpecError),
    /// The outputs look like no head that is known.
    #[error(
        "no head of a detector fits: {reason}; the outputs are {outputs}; considered: {considered}; if one of these is meant, name it (--head, or `head` in the manifest)"
    )]
    NoHead {
        /// What was looked for.
        reason: String,
        /// The heads that were considered, with their layouts.
        considered: String,
        /// Names and shapes of the outputs.
        outputs: String,
    },
    /// Nothing says which anchors the raw outputs belong to.
    #[error(
        "the file holds raw boxes for {boxes} anchors but not the anchors, and the usual ones for its input are {usual}; describe them in a manifest (`[model.ssd.anchors]`) or pass them"
    )]
    NoAnchors {
        /// Boxes that the model puts out.
        boxes: usize,
        /// How many anchors the usual generators give.
        usual: String,
    },
    /// Another number of anchors than of boxes.
    #[error("{anchors} anchors for {boxes} boxes")]
    AnchorCount {
        /// Anchors described.
        anchors: usize,
        /// Boxes that the model puts out.
        boxes: usize,
    },
    /// As many score columns as do not fit the classes.
    #[error(
        "{columns} score columns for {classes} classes; as many, or one more for the background, are expected"
    )]
    ScoreColumns {
        /// Columns of the scores.
        columns: usize,
        /// Classes described.
        classes: usize,
    },
    /// The model was loaded with its post-processing applied.
    #[error(
        "the model was loaded with LiteRT's post-processing applied; load it with `PostProcessing::Leave`"
    )]
    PostProcessed,
    /// An option outside its range.
    #[error("{option} is {value}, but must be {range}")]
    BadOption {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f32,
        /// What it may be.
        range: &'static str,
    },
}

impl DetectorError {
    /// That no head fits these outputs, because of `reason`.
    pub(crate) fn no_head(reason: impl Into<String>, outputs: &[TensorSpec]) -> Self {
        let output = |o: &TensorSpec| format!("\"{}\" {} {:?}", o.name, o.dtype, o.shape);
        let head = |kind: HeadKind| format!("{kind} ({})", kind.layout());
        Self::NoHead {
            reason: reason.into(),
            considered: HeadKind::ALL.map(head).join(", "),
            outputs: outputs.iter().map(output).collect::<Vec<_>>().join(", "),
        }
    }
}
