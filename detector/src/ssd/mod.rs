//! Single-shot detection: anchors, box decoding, scores, non-maximum suppression.

mod anchors;
mod calibration;
mod decode;
mod describe;
mod error;
mod head;
mod nms;
mod options;
mod scores;
mod spec;
mod tflite;

pub use anchors::{Anchor, AnchorSpec, MultiscaleAnchors, SsdAnchors};
pub use calibration::Calibration;
pub use decode::BoxDecoder;
pub(crate) use describe::describe;
pub use error::DetectorError;
pub(crate) use head::{Head, HeadSpec};
pub use nms::{Candidate, SoftDecay, Suppression, non_max_suppression, soft_non_max_suppression};
pub use options::{ClassFilter, DetectorOptions, Nms, NmsKind};
pub use scores::ScoreKind;
pub use spec::{SpecError, SsdSpec};
pub use tflite::LiteRtModel;
