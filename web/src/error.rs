//! What can go wrong at the border.

use osprey_detector::DetectorError;
use osprey_detector::frame::FrameError;
use osprey_detector::model::ManifestError;

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
    /// A detector that does not exist, or not any more.
    #[error("there is no detector {handle}; it may have been closed")]
    Handle {
        /// What was given.
        handle: u32,
    },
    /// Options that cannot be read.
    #[error("options: {0}")]
    Options(#[from] serde_json::Error),
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
}
