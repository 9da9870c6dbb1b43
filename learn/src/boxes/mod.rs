//! What a detector's predictors learn: the linear layers that turn each cell of its feature maps into boxes and
//! class scores, trained on one's own classes while everything before them stays.
//!
//! [`Matching`] says which anchor stands for which object, [`BoxLoss`] how wrong the predictors are and which way to
//! go, [`Predictors`] are what is trained. Feature maps and anchors come from the caller.

mod loss;
mod matching;
mod predictors;

pub use loss::{BoxLoss, Loss};
pub use matching::{Matching, Object, Target, Targets};
pub use predictors::{MapShape, Outputs, Predictors, View};
