//! Classes of motion from acceleration and rotation: running or walking, gestures.
//!
//! Sensors give samples at times of their own, in units and axes of their platform. A
//! [`MotionStream`] converts them ([`Convention`]), brings them to the model's rate
//! ([`MotionWindow`]), runs the model on every window, and steadies its answers ([`Smoothing`]).

mod convention;
mod error;
mod smoothing;
mod stream;
mod window;

pub use error::MotionError;
pub use osprey_detector::model::{
    AccelerationUnit, Channel, Convention, MotionSpec, Quantity, Resampling, RotationUnit, STANDARD_GRAVITY,
    SignConvention, UnknownChannel,
};
pub use smoothing::{Smoother, Smoothing};
pub use stream::{MotionStream, Prediction};
pub use window::{MotionWindow, SampleCounts, WindowEvent, WindowSettings};
