//! How good a detector is, by what people say is in the images.
//!
//! ```no_run
//! use osprey_evaluate::{Judged, Truth, score};
//! use std::path::Path;
//!
//! # fn main() -> Result<(), osprey_evaluate::EvaluateError> {
//! let truth = Truth::read(Path::new("gt.json"), Path::new("images"), &[], &["jpg", "png"])?;
//! let (judged, _) = Judged::read(&truth, Path::new("detections.json"))?;
//! for (name, value) in score(&truth, &judged)?.summary {
//!     println!("{name} {value:.3}");
//! }
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod calibration;
mod classes;
mod error;
mod judged;
mod score;
mod truth;

pub use calibration::calibration_error;
pub use classes::{ClassMap, missing};
pub use error::EvaluateError;
pub use judged::{FoundBox, Judged};
pub use score::{ClassScore, Interval, Mistakes, Scores, bootstrap, mistakes, score};
pub use truth::{Labelled, Place, Truth, TruthBox};
