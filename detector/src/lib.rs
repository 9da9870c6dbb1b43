//! Real-time object detection on a CPU: frames in, boxes out.

pub mod frame;
pub mod geometry;
pub mod model;
pub mod preprocess;
pub mod tensor;

pub use geometry::{Detection, NormBox, PixelBox};
pub use model::{Model, ModelError};
pub use tensor::{DType, Quantization, Tensor, TensorSpec, TensorView, TensorViewMut};
