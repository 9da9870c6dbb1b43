//! How good a model's answers are.

mod confusion;

pub use confusion::{ClassReport, ConfusionMatrix};
