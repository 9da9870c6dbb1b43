//! What a manifest says of a model that its file does not: plain data, which the loader reads and the
//! heads and senses above it go by.

mod anchors;
mod calibration;
mod efficientdet;
mod head;
mod motion;
mod ssd;

pub use anchors::{Anchor, AnchorSpec, MultiscaleAnchors, SsdAnchors};
pub use calibration::Calibration;
pub use efficientdet::EfficientDetAnchors;
pub use head::HeadKind;
pub use motion::{
    AccelerationUnit, Channel, Convention, MotionSpec, Quantity, Resampling, RotationUnit, STANDARD_GRAVITY,
    SignConvention, UnknownChannel,
};
pub use ssd::{ScoreKind, SpecError, SsdSpec};
