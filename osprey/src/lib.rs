//! Objects in images and camera frames, in real time on a CPU.
#![cfg_attr(all(feature = "builtin", feature = "image"), doc = include_str!("../README.md"))]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod detector;
mod error;
mod image;
#[cfg(feature = "learn")]
pub mod learn;

pub use detector::{Detection, Detector};
pub use error::Error;
pub use image::Image;

/// The library beneath, with all its options.
pub use osprey_detector as library;
pub use osprey_detector::frame;
pub use osprey_detector::track;
pub use osprey_detector::{
    ClassFilter, DetectorOptions, Labels, LoadOptions, Nms, NmsKind, NormBox, PixelBox,
};

/// Detection while a camera goes on: frames in, tracked boxes out, none of them late.
///
/// A [`Detector`](crate::Detector) of this crate or of the library runs in
/// [`Pipeline`](live::Pipeline); `examples/camera.rs` shows the loop.
#[cfg(feature = "live")]
pub mod live {
    pub use osprey_detector::pipeline::*;
    pub use osprey_detector::recording;
}

/// What else a phone senses, behind the same kind of model: motion and gestures, handwritten digits.
#[cfg(feature = "senses")]
pub mod senses {
    pub use osprey_senses::{digits, motion};
}
