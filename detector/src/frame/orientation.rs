//! How stored pixels are turned and mirrored, and the boxes in them.

use super::FrameError;
use crate::geometry::NormBox;

/// What must be done to stored pixels to see them upright: the eight values of EXIF tag 0x0112.
///
/// Angles are clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Orientation {
    /// Nothing (EXIF 1).
    #[default]
    Upright = 1,
    /// Flip left to right (EXIF 2).
    FlipX = 2,
    /// Turn by 180° (EXIF 3).
    Rotate180 = 3,
    /// Flip top to bottom (EXIF 4).
    FlipY = 4,
    /// Swap rows and columns (EXIF 5).
    Transpose = 5,
    /// Turn by 90° (EXIF 6), as phones store portraits.
    Rotate90 = 6,
    /// Swap rows and columns about the other diagonal (EXIF 7).
    Transverse = 7,
    /// Turn by 270° (EXIF 8).
    Rotate270 = 8,
}

impl Orientation {
    /// All eight, in the order of EXIF.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::FlipX,
        Self::Rotate180,
        Self::FlipY,
        Self::Transpose,
        Self::Rotate90,
        Self::Transverse,
        Self::Rotate270,
    ];

    /// From the number in a file.
    ///
    /// # Errors
    /// [`FrameError::Orientation`] outside 1 to 8.
    pub fn from_exif(value: u32) -> Result<Self, FrameError> {
        let index = value.checked_sub(1).ok_or(FrameError::Orientation { value })?;
        Self::ALL.get(index as usize).copied().ok_or(FrameError::Orientation { value })
    }

    /// The number that EXIF gives it.
    pub fn exif(self) -> u8 {
        self as u8
    }

    /// Whether the upright picture's width is the stored picture's height.
    pub fn swaps_axes(self) -> bool {
        self as u8 >= 5
    }

    /// This orientation, then a flip left to right.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Upright => Self::FlipX,
            Self::FlipX => Self::Upright,
            Self::Rotate180 => Self::FlipY,
            Self::FlipY => Self::Rotate180,
            Self::Transpose => Self::Rotate90,
            Self::Rotate90 => Self::Transpose,
            Self::Transverse => Self::Rotate270,
            Self::Rotate270 => Self::Transverse,
        }
    }

    /// Whether stored columns run against the upright axis that they lie along.
    pub(crate) fn reverses_columns(self) -> bool {
        matches!(self, Self::FlipX | Self::Rotate180 | Self::Transverse | Self::Rotate270)
    }

    /// Whether stored rows run against the upright axis that they lie along.
    pub(crate) fn reverses_rows(self) -> bool {
        matches!(self, Self::FlipY | Self::Rotate180 | Self::Transverse | Self::Rotate90)
    }

    /// A box of the upright picture, in the stored one.
    pub fn to_stored(self, upright: NormBox) -> NormBox {
        let b = upright;
        let mut stored = match self.swaps_axes() {
            true => NormBox { x_min: b.y_min, y_min: b.x_min, x_max: b.y_max, y_max: b.x_max },
            false => b,
        };
        if self.reverses_columns() {
            (stored.x_min, stored.x_max) = (1.0 - stored.x_max, 1.0 - stored.x_min);
        }
        if self.reverses_rows() {
            (stored.y_min, stored.y_max) = (1.0 - stored.y_max, 1.0 - stored.y_min);
        }
        stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_twice_is_nothing() {
        for orientation in Orientation::ALL {
            assert_eq!(orientation.mirrored().mirrored(), orientation);
            assert_eq!(orientation.mirrored().swaps_axes(), orientation.swaps_axes());
        }
    }

    #[test]
    fn a_portrait_from_a_phone() {
        // Turned by 90° clockwise, the stored lower left corner is the upright upper left one.
        let corner = NormBox { x_min: 0.0, y_min: 0.0, x_max: 0.1, y_max: 0.2 };
        let stored = Orientation::Rotate90.to_stored(corner);
        let expected = NormBox { x_min: 0.0, y_min: 0.9, x_max: 0.2, y_max: 1.0 };
        assert_eq!(stored, expected);
        assert!(Orientation::from_exif(6).unwrap() == Orientation::Rotate90);
        assert!(Orientation::from_exif(0).is_err() && Orientation::from_exif(9).is_err());
    }
}
