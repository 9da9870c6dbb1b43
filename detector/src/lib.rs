//! Real-time object detection on a CPU: frames in, boxes out.
//!
//! ```no_run
//! use osprey_detector::{Detector, DetectorOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut detector = Detector::load("ssdlite_300_int8.tflite", &DetectorOptions::default())?;
//! let pixels = vec![128; detector.input().width * detector.input().height * 3];
//! detector.input_mut()?.as_slice_mut::<u8>().ok_or("not a uint8 model")?.copy_from_slice(&pixels);
//!
//! let mut detections = Vec::new();
//! detector.run(&mut detections)?;
//! for d in &detections {
//!     println!("{} {:.2} {:?}", detector.labels().name(d.class_id), d.score, d.bbox);
//! }
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod digits;
pub mod evaluate;
pub mod frame;
pub mod geometry;
pub mod model;
pub mod motion;
pub mod personalize;
pub mod pipeline;
pub mod preprocess;
pub mod recording;
pub mod ssd;
pub mod tensor;
pub mod track;

pub use geometry::{Detection, NormBox, PixelBox};
pub use model::{ImageInput, Labels, LoadOptions, LoadedModel, Model, ModelError};
pub use ssd::{ClassFilter, Detector, DetectorError, DetectorOptions, Nms, NmsKind};
pub use tensor::{DType, Quantization, Tensor, TensorSpec, TensorView, TensorViewMut};
