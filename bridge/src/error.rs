//! Errors as they cross the border: a kind to branch on and a message to show.

use osprey_detector::frame::FrameError;
use osprey_detector::model::{LabelError, ModelError};
use osprey_detector::pipeline::WorkError;
use osprey_detector::preprocess::PreprocessError;
use osprey_detector::ssd::DetectorError;
use osprey_learn::{LearnError, StoreError};
use osprey_senses::digits::DigitError;
use osprey_senses::motion::MotionError;

/// What kind of thing went wrong. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum FailureKind {
    /// An address that is null, misaligned, or a length that no memory has.
    Pointer = 1,
    /// Memory that is not a picture of the size, format or orientation that was claimed.
    Frame = 2,
    /// A model that was not found, loaded or run.
    Model = 3,
    /// An option outside its range, or a class that does not exist.
    Options = 4,
    /// Examples that cannot be learned from.
    Learning = 5,
    /// A sample of motion that was left out.
    Motion = 6,
    /// A drawing that is no digit.
    Digits = 7,
    /// A drawing or picture with nothing on it.
    Blank = 8,
    /// A file or folder that cannot be read or written.
    Storage = 9,
    /// A defect in the library: a panic, caught.
    Panic = 10,
}

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    message: String,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl ToString) -> Self {
        Self { kind, message: message.to_string() }
    }

    /// See [`FailureKind`].
    pub fn kind(&self) -> u32 {
        self.kind as u32
    }

    /// One sentence in English: what is wrong, and where there is one, the remedy.
    pub fn message(&self) -> String {
        self.message.clone()
    }
}

impl From<FrameError> for Failure {
    fn from(e: FrameError) -> Self {
        Self::new(FailureKind::Frame, e)
    }
}

impl From<PreprocessError> for Failure {
    fn from(e: PreprocessError) -> Self {
        Self::new(FailureKind::Model, e)
    }
}

impl From<LabelError> for Failure {
    fn from(e: LabelError) -> Self {
        Self::new(FailureKind::Options, e)
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        Self::new(FailureKind::Storage, e)
    }
}

impl From<ModelError> for Failure {
    fn from(e: ModelError) -> Self {
        let kind = match &e {
            ModelError::Read { .. } => FailureKind::Storage,
            ModelError::Labels(_) => FailureKind::Options,
            _ => FailureKind::Model,
        };
        Self::new(kind, e)
    }
}

impl From<DetectorError> for Failure {
    fn from(e: DetectorError) -> Self {
        match e {
            DetectorError::Model(e) => e.into(),
            DetectorError::Labels(_) | DetectorError::BadOption { .. } => Self::new(FailureKind::Options, e),
            e => Self::new(FailureKind::Model, e),
        }
    }
}

impl From<WorkError<DetectorError>> for Failure {
    fn from(e: WorkError<DetectorError>) -> Self {
        match e {
            WorkError::Task { error, .. } => error.into(),
            e @ WorkError::Panicked { .. } => Self::new(FailureKind::Panic, e),
            e => Self::new(FailureKind::Model, e),
        }
    }
}

impl From<MotionError> for Failure {
    fn from(e: MotionError) -> Self {
        match e {
            MotionError::Model(e) => e.into(),
            MotionError::Setting { .. } => Self::new(FailureKind::Options, e),
            MotionError::NoWindow { .. } | MotionError::NoState { .. } => Self::new(FailureKind::Model, e),
            e => Self::new(FailureKind::Motion, e),
        }
    }
}

impl From<DigitError> for Failure {
    fn from(e: DigitError) -> Self {
        match e {
            DigitError::Model(e) => e.into(),
            DigitError::Blank => Self::new(FailureKind::Blank, e),
            DigitError::NotDigits { .. } => Self::new(FailureKind::Model, e),
            e => Self::new(FailureKind::Digits, e),
        }
    }
}

impl From<LearnError> for Failure {
    fn from(e: LearnError) -> Self {
        match e {
            LearnError::Frame(e) => e.into(),
            LearnError::Model(e) => e.into(),
            LearnError::Store(e) => e.into(),
            LearnError::Picture(e) => e.into(),
            LearnError::Setting { .. } => Self::new(FailureKind::Options, e),
            LearnError::NoEmbedding { .. } => Self::new(FailureKind::Model, e),
            e => Self::new(FailureKind::Learning, e),
        }
    }
}
