//! Runs quantized TFLite models on a CPU.
//!
//! A file is read into a [`Graph`], prepared once as a [`Program`] (kernels chosen, weights
//! packed, one arena planned), and run any number of times by a [`Session`], which allocates
//! nothing. This crate knows tensors; what they mean is its callers' business.
//!
//! ```no_run
//! use osprey_engine::{Graph, Options, Program, Session};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = std::fs::read("model.tflite")?;
//! let program = Program::compile(&Graph::read(&file)?, &Options::default())?;
//! let mut session = Session::new(program.into())?;
//! session.input_mut(0)?.fill(128);
//! session.run();
//! println!("{} bytes", session.output(0)?.len());
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), deny(clippy::unwrap_used))]
#![warn(missing_debug_implementations)]

mod arena;
mod compile;
mod cores;
mod error;
pub mod graph;
mod isa;
mod kernels;
mod lowering;
mod session;
mod threads;

pub use compile::{Limits, Options, Port, PostProcess, Program, StepInfo};
pub use cores::{claim_performance_core, performance_cores};
pub use error::{Error, Result};
pub use graph::{DType, Graph, Quantization};
pub use isa::{Isa, IsaError, UnknownIsa};
pub use kernels::peak_macs_per_second;
pub use session::Session;
