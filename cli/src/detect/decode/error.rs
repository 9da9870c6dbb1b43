//! Why a picture is not read: as a decoder says it, and as users of the library can tell it apart.

use std::io;

/// Why a picture was skipped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the file is empty")]
    Empty,
    #[error("not a JPEG, PNG, BMP, GIF, WebP or TIFF file")]
    NotAPicture,
    #[error("{kind} files are not read; {remedy}")]
    OtherFormat { kind: &'static str, remedy: &'static str },
    #[error("the file ends in the middle of the picture")]
    Truncated,
    #[error("the file has {0} MB, more than the {1} MB that are read")]
    LargeFile(u64, u64),
    #[error("{width}x{height} pixels are more than the limit; --max-megapixels raises it")]
    Gigantic { width: u32, height: u32 },
    #[error("the picture has no pixels")]
    NoPixels,
    #[error("damaged picture: {0}")]
    Damaged(String),
}

/// Why a picture was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PictureError {
    /// What is in the way.
    pub kind: PictureErrorKind,
    /// The same for a reader, with the facts.
    pub message: String,
}

/// What is in the way of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PictureErrorKind {
    /// The file cannot be read.
    Unreadable,
    /// It is empty, or of a kind that is not decoded.
    NotAPicture,
    /// It ends early or contradicts itself.
    Damaged,
    /// It has more pixels or bytes than allowed.
    TooLarge,
}

impl PictureErrorKind {
    /// A word for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotAPicture => "not_a_picture",
            Self::Damaged => "damaged",
            Self::TooLarge => "too_large",
        }
    }
}

impl From<DecodeError> for PictureError {
    fn from(error: DecodeError) -> Self {
        let kind = match error {
            DecodeError::Io(_) => PictureErrorKind::Unreadable,
            DecodeError::Empty | DecodeError::NotAPicture | DecodeError::OtherFormat { .. } => {
                PictureErrorKind::NotAPicture
            }
            DecodeError::LargeFile(..) | DecodeError::Gigantic { .. } => PictureErrorKind::TooLarge,
            DecodeError::Truncated | DecodeError::NoPixels | DecodeError::Damaged(_) => {
                PictureErrorKind::Damaged
            }
        };
        Self { kind, message: error.to_string() }
    }
}
