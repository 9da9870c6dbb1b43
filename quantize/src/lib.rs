//! Makes small models of float ones, after training and without it.
//!
//! [`Quantizer`] makes a full-integer model: it runs the float model on samples, notes what each tensor holds, and
//! writes a `.tflite` file with int8 tensors, by TFLite's own
//! [specification](https://ai.google.dev/edge/litert/models/quantization_spec). [`weights_only`] stores the weights
//! as int8 or float16 and needs no samples. Names, signatures, metadata and files packed behind the model stay as they are.
//!
//! ```no_run
//! use osprey_quantize::{Quantizer, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let float = std::fs::read("float.tflite")?;
//! let mut quantizer = Quantizer::new(&float, &Settings::default())?;
//! let picture = vec![0.0; 300 * 300 * 3];
//! quantizer.observe(&[&picture])?;
//! std::fs::write("int8.tflite", quantizer.finish()?.file)?;
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), deny(clippy::unwrap_used))]
#![warn(missing_debug_implementations)]

mod archive;
mod build;
mod error;
mod groups;
mod histogram;
mod observe;
mod outcome;
mod quantizer;
mod ranges;
mod roles;
mod settings;
mod source;
mod versions;
mod weights;
mod weights_only;

pub use archive::pack;
pub use error::QuantizeError;
pub use outcome::{Kept, Quantized};
pub use quantizer::Quantizer;
pub use ranges::Method;
pub use settings::{Borders, Settings};
pub use weights_only::{Storage, weights_only};
