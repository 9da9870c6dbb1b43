//! What can go wrong at the border.

use osprey_detector::DetectorError;
use osprey_detector::frame::FrameError;
use osprey_detector::model::{ManifestError, ModelError};
use osprey_learn::{LearnError, StoreError, store};
use osprey_senses::digits::DigitError;
use osprey_senses::motion::MotionError;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// More bytes than were written.
    #[error("{length} bytes were announced, of {room} at most")]
    Length {
        /// What was said.
        length: usize,
        /// What there is room for.
        room: usize,
    },
    /// Text that is no UTF-8.
    #[error("the text is not UTF-8")]
    Text,
    /// A handle of nothing, of something else, or of what was given back.
    #[error("there is no {what} {handle}; it may have been closed")]
    Handle {
        /// What was asked for.
        what: &'static str,
        /// What was given.
        handle: u32,
    },
    /// JSON that cannot be read.
    #[error("options: {0}")]
    Json(#[from] serde_json::Error),
    /// An instruction set that does not exist here.
    #[error("options: isa: \"{name}\" is none of this module's instruction sets")]
    Isa {
        /// What was given.
        name: String,
    },
    /// A manifest that cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A pixel format or orientation that does not exist.
    #[error("{what} {value} does not exist")]
    Unknown {
        /// What of the picture.
        what: &'static str,
        /// What was given.
        value: u32,
    },
    /// A plane that begins beyond the picture's bytes.
    #[error("a plane begins at byte {offset} of {length}")]
    Plane {
        /// Where.
        offset: usize,
        /// Bytes of the picture.
        length: usize,
    },
    /// A picture that cannot be looked at.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The model, or what the detector makes of it.
    #[error(transparent)]
    Detector(#[from] DetectorError),
    /// A model of something else than a detector.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A model of motion without a description of its channels.
    #[error("the model has no description of its channels; a `motion` table in the manifest has it")]
    NoChannels,
    /// What cannot be read as a digit.
    #[error(transparent)]
    Digit(#[from] DigitError),
    /// What cannot be classified as motion.
    #[error(transparent)]
    Motion(#[from] MotionError),
    /// What cannot be learned.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// What was learned cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was learned cannot be read again.
    #[error(transparent)]
    Kept(#[from] store::Problem),
    /// Classes that were learned from the features of another model.
    #[error("what was kept has {kept} features a picture, this model gives {expected}")]
    OtherModel {
        /// Numbers of a kept picture.
        kept: usize,
        /// Numbers that this model gives.
        expected: usize,
    },
    /// Nothing was trained for the classes as they are.
    #[error("nothing was trained for these classes; train first")]
    Untrained,
}
