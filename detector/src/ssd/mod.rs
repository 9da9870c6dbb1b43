//! Single-shot detection: anchors, box decoding, scores, non-maximum suppression.

mod decode;
mod describe;
mod error;
mod gathered;
mod head;
mod nms;
mod options;
mod scores;
mod tflite;

pub use crate::model::{
    Anchor, AnchorSpec, Calibration, EfficientDetAnchors, MultiscaleAnchors, ScoreKind, SpecError,
    SsdAnchors, SsdSpec,
};
pub use decode::BoxDecoder;
pub(crate) use describe::describe;
pub use error::DetectorError;
pub(crate) use head::Head;
pub(crate) use nms::keep_one_class;
pub use nms::{Candidate, SoftDecay, Suppression, non_max_suppression, soft_non_max_suppression};
pub use options::{ClassFilter, DetectorOptions, Nms, NmsKind, ONE_OBJECT_IOU, SCORE_THRESHOLD};
pub use tflite::LiteRtModel;
