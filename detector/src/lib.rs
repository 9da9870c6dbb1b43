//! Real-time object detection on a CPU: frames in, boxes out.
//!
//! ```no_run
//! use osprey_detector::{Detector, DetectorOptions, frame::Frame};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut detector = Detector::load("ssdlite_300_int8.tflite", &DetectorOptions::default())?;
//! let labels = detector.labels().clone();
//! let pixels = vec![128; 640 * 480 * 3];
//! for d in detector.detect(&Frame::rgb(&pixels, 640, 480)?)? {
//!     println!("{} {:.2} {:?}", labels.name(d.class_id), d.score, d.bbox.to_pixels(640, 480));
//! }
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod detect;
pub mod frame;
pub mod geometry;
mod heads;
pub mod model;
pub mod pipeline;
pub mod preprocess;
pub mod recording;
pub mod ssd;
pub mod tensor;
pub mod track;
pub mod zones;

pub use detect::{Detect, Detector, FramePreparer, PreparedFrame};
pub use geometry::{Detection, InputBox, NormBox, PixelBox};
pub use model::{HeadKind, ImageInput, Labels, LoadOptions, LoadedModel, Model, ModelError};
pub use ssd::{ClassFilter, DetectorError, DetectorOptions, Nms, NmsKind};
pub use tensor::{DType, Quantization, Tensor, TensorMismatch, TensorSpec, TensorView, TensorViewMut};
