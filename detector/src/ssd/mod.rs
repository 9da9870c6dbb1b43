//! Single-shot detection: anchors, box decoding, non-maximum suppression, and the detector made of
//! them.

mod anchors;
mod calibration;
mod decode;
mod detector;
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
pub use detector::Detector;
pub use error::DetectorError;
pub use nms::{Candidate, SoftDecay, Suppression, non_max_suppression, soft_non_max_suppression};
pub use options::{ClassFilter, DetectorOptions, Nms, NmsKind};
pub use scores::ScoreKind;
pub use spec::{SpecError, SsdSpec};
pub use tflite::LiteRtModel;
