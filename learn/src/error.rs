//! Why learning was refused or stopped.

use super::store::StoreError;
use osprey_detector::frame::FrameError;
use osprey_detector::model::ModelError;
use osprey_detector::preprocess::PreprocessError;

/// Everything that can go wrong between examples and a trained head.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// A class without a single example.
    #[error("class \"{class}\" has no examples; add some or leave the class out")]
    EmptyClass {
        /// Name of the class.
        class: String,
    },
    /// Fewer than two classes.
    #[error(
        "{classes} class(es) are too few to learn a difference; give at least two, one of them may be \"other\""
    )]
    TooFewClasses {
        /// How many there are.
        classes: usize,
    },
    /// A linear head larger than the limit.
    #[error(
        "{classes} classes of {features} features need {parameters} weights where {limit} are allowed; \
         use nearest neighbours, which grows with the examples, or fewer classes"
    )]
    TooManyClasses {
        /// How many classes there are.
        classes: usize,
        /// Length of a feature vector.
        features: usize,
        /// Weights and biases that the head would hold.
        parameters: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// Not a single example.
    #[error("there are no examples; add at least one to each class")]
    NoExamples,
    /// Fewer examples than a split or a cross-validation needs.
    #[error("class \"{class}\" has {examples} example(s), {needed} are needed to {purpose}; add examples")]
    TooFewExamples {
        /// Name of the class.
        class: String,
        /// How many it has.
        examples: usize,
        /// How many it needs.
        needed: usize,
        /// What for.
        purpose: &'static str,
    },
    /// A feature vector of another length than those before.
    #[error(
        "a feature vector has {actual} numbers where {expected} are expected; use one feature extractor for all examples"
    )]
    FeatureLength {
        /// Length of the vectors so far.
        expected: usize,
        /// Length of this one.
        actual: usize,
    },
    /// NaN or infinity among the features.
    #[error("feature {index} is {value}; check the input and the model that made the features")]
    NotFinite {
        /// Position within the feature vector.
        index: usize,
        /// The number.
        value: f32,
    },
    /// Anchors that do not go with the feature maps.
    #[error("there are {actual} anchors where the feature maps have {expected}; use those of the model")]
    Anchors {
        /// How many the maps have.
        expected: usize,
        /// How many were given.
        actual: usize,
    },
    /// An index beyond the classes.
    #[error("there is no class {class}, there are {classes}")]
    NoSuchClass {
        /// The index asked for.
        class: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A class name that is empty or taken.
    #[error("class name \"{name}\" is {problem}; choose another")]
    ClassName {
        /// The name.
        name: String,
        /// "empty" or "taken".
        problem: &'static str,
    },
    /// A setting outside its range.
    #[error("{setting} is {value}; it must be {allowed}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// The value given.
        value: f64,
        /// The values it may take.
        allowed: &'static str,
    },
    /// The loss became NaN or infinite.
    #[error("training diverged in epoch {epoch} (loss {loss}); lower the learning rate of {learning_rate}")]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
        /// The learning rate it happened at.
        learning_rate: f32,
    },
    /// Examples and a head that know different classes.
    #[error(
        "the head knows the classes {head:?}, the examples have {examples:?}; add the new classes to the head first"
    )]
    ClassesDiffer {
        /// Classes of the head.
        head: Vec<String>,
        /// Classes of the examples.
        examples: Vec<String>,
    },
    /// A model that has no tensor fit for features.
    #[error(
        "the model has no embedding: {reason}; name a tensor with [1, height, width, channels] or [1, features], such as {suggestion}"
    )]
    NoEmbedding {
        /// What was found in place of it.
        reason: String,
        /// Names of tensors that would do, the deepest first.
        suggestion: String,
    },
    /// A picture that does not go into the model's input.
    #[error(transparent)]
    Picture(#[from] PreprocessError),
    /// A picture whose size and memory do not fit.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The model did not load or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A checkpoint was not written or read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
