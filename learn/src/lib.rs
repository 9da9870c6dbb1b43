//! Learning on the device: the owner's own classes, from a few examples each.
//!
//! A frozen feature extractor turns a picture or a window of motion into a vector; on these vectors
//! two heads learn: [`NearestNeighbors`], which needs no training and takes classes as they come,
//! and [`LinearHead`], which a [`Trainer`] trains. A [`Store`] keeps versions of either on disk.

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod augment;
pub mod boxes;
mod classifier;
mod confusion;
mod control;
mod error;
mod examples;
mod export;
mod features;
mod knn;
mod optimizer;
mod scaling;
mod schedule;
mod softmax;
pub mod store;
mod trainer;

pub use augment::{Augmentation, Augmenter};
pub use classifier::{Classifier, Head};
pub use confusion::{ClassReport, ConfusionMatrix};
pub use control::Control;
pub use error::LearnError;
pub use examples::{Examples, Split};
pub use export::export;
pub use features::{FeatureExtractor, PictureFeatures, embedding};
pub use knn::{KnnSettings, Metric, NearestNeighbors, Neighbor, Votes};
pub use optimizer::Optimizer;
pub use scaling::{FeatureScaling, Scaling};
pub use schedule::Schedule;
pub use softmax::LinearHead;
pub use store::{Store, StoreError, Stored};
pub use trainer::{Ending, EpochReport, Event, ExampleSource, Score, Trainer, TrainingSettings};

/// What a head says of an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// The likeliest class; `None` for none of these.
    pub class: Option<usize>,
    /// A share for each class; they add up to 1.
    pub probabilities: Vec<f32>,
}
