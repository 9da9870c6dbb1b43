//! What can go wrong between an image and its objects.

use osprey_detector::DetectorError;
use osprey_detector::frame::FrameError;

/// Why nothing was detected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model, its labels or the options.
    #[error(transparent)]
    Detector(#[from] DetectorError),
    /// An image without pixels, or with more than any camera has.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A built-in model is damaged.
    #[cfg(feature = "builtin")]
    #[error(transparent)]
    BuiltIn(#[from] osprey_models::BuiltInError),
    /// This build has no model for the task.
    #[error("this build has no model for {task}; load one from a file")]
    NoModel {
        /// What it was wanted for.
        task: &'static str,
    },
    /// An image file that cannot be read.
    #[cfg(feature = "image")]
    #[error("{}: {source}", path.display())]
    Image {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        source: image::ImageError,
    },
    /// Features or examples that nothing can be learned from.
    #[cfg(feature = "learn")]
    #[error(transparent)]
    Learn(#[from] osprey_learn::LearnError),
}

impl From<Error> for DetectorError {
    /// For [`live::Pipeline`](osprey_detector::pipeline::Pipeline), whose makers give this error.
    fn from(e: Error) -> Self {
        match e {
            Error::Detector(e) => e,
            other => Self::Load(other.to_string()),
        }
    }
}
