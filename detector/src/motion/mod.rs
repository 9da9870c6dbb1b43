//! Classes of motion from acceleration and rotation: running or walking, gestures.
//!
//! Sensors give samples at times of their own, in units and axes of their platform. A
//! [`MotionStream`] converts them ([`Convention`]), brings them to the model's rate
//! ([`MotionWindow`]), runs the model on every window, and steadies its answers ([`Smoothing`]).

mod channel;
mod error;
mod smoothing;
mod stream;
mod window;

pub use channel::{AccelerationUnit, Axes, Channel, Convention, Quantity, RotationUnit, STANDARD_GRAVITY};
pub use error::MotionError;
pub use smoothing::{Smoother, Smoothing};
pub use stream::{MotionSpec, MotionStream, Prediction, Sample};
pub use window::{MotionWindow, Resampling, SampleCounts, WindowEvent, WindowSettings};
