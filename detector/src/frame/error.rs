//! Why memory is not a frame.

use crate::geometry::NormBox;

/// Why memory is not a picture of the size that was claimed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame without pixels.
    #[error("a frame of {width}x{height} has no pixels")]
    ZeroSize {
        /// Width claimed.
        width: u32,
        /// Height claimed.
        height: u32,
    },
    /// A side beyond [`MAX_SIDE`](super::MAX_SIDE).
    #[error("a frame of {width}x{height} is larger than {limit} pixels on a side")]
    TooLarge {
        /// Width claimed.
        width: u32,
        /// Height claimed.
        height: u32,
        /// Longest side that is accepted.
        limit: u32,
    },
    /// A row would run into the next one.
    #[error("a row of {plane} takes {needed} bytes, the stride is {actual}")]
    StrideTooSmall {
        /// The plane concerned.
        plane: &'static str,
        /// Bytes of a row without padding.
        needed: usize,
        /// Stride given.
        actual: usize,
    },
    /// Stride times height is more than an address can hold.
    #[error("{height} rows of {plane} with a stride of {stride} bytes exceed the address space")]
    StrideOverflow {
        /// The plane concerned.
        plane: &'static str,
        /// Stride given.
        stride: usize,
        /// Rows of the plane.
        height: usize,
    },
    /// The buffer ends before the last pixel.
    #[error("{plane} takes {needed} bytes, got {actual}")]
    TooShort {
        /// The plane concerned.
        plane: &'static str,
        /// Bytes up to the end of the last row.
        needed: usize,
        /// Bytes given.
        actual: usize,
    },
    /// YUYV stores pixels in pairs.
    #[error("YUYV stores pixels in pairs: a width of {width} is impossible")]
    OddWidth {
        /// Width claimed.
        width: u32,
    },
    /// A region of interest that leaves less than a pixel.
    #[error("region of interest {region:?} covers less than a pixel of the {width}x{height} picture")]
    Roi {
        /// The region asked for.
        region: NormBox,
        /// Width of the upright picture.
        width: u32,
        /// Height of the upright picture.
        height: u32,
    },
    /// A number that is no EXIF orientation.
    #[error("{value} is no EXIF orientation: they are 1 to 8")]
    Orientation {
        /// The number given.
        value: u32,
    },
}
