//! Pixels as cameras store them: packed, or in planes of luma and chroma.

use super::FrameError;

/// How the channels of a pixel lie side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PackedFormat {
    /// Red, green, blue: 3 bytes.
    Rgb,
    /// Blue, green, red: 3 bytes.
    Bgr,
    /// Red, green, blue, alpha: 4 bytes.
    Rgba,
    /// Blue, green, red, alpha: 4 bytes.
    Bgra,
    /// One byte.
    Gray,
}

impl PackedFormat {
    /// Bytes from one pixel to the next.
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Rgba | Self::Bgra => 4,
            Self::Gray => 1,
        }
    }

    /// Where red, green and blue lie within a pixel.
    pub(crate) fn rgb_offsets(self) -> [usize; 3] {
        match self {
            Self::Rgb | Self::Rgba => [0, 1, 2],
            Self::Bgr | Self::Bgra => [2, 1, 0],
            Self::Gray => [0, 0, 0],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rgb => "rgb",
            Self::Bgr => "bgr",
            Self::Rgba => "rgba",
            Self::Bgra => "bgra",
            Self::Gray => "gray",
        }
    }
}

/// Rows of bytes, `stride` bytes apart.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) stride: usize,
}

impl std::fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plane({} bytes, stride {})", self.data.len(), self.stride)
    }
}

impl<'a> Plane<'a> {
    /// Rows in `data`, the first at its start; the last may lack padding.
    pub fn new(data: &'a [u8], stride: usize) -> Self {
        Self { data, stride }
    }

    pub(super) fn check(&self, plane: &'static str, row_bytes: usize, rows: usize) -> Result<(), FrameError> {
        let (stride, actual) = (self.stride, self.data.len());
        if stride < row_bytes {
            return Err(FrameError::StrideTooSmall { plane, needed: row_bytes, actual: stride });
        }
        let needed = stride
            .checked_mul(rows - 1)
            .and_then(|n| n.checked_add(row_bytes))
            .ok_or(FrameError::StrideOverflow { plane, stride, height: rows })?;
        if actual < needed {
            return Err(FrameError::TooShort { plane, needed, actual });
        }
        Ok(())
    }
}

/// Which weights red and blue have in luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum YuvMatrix {
    /// ITU-R BT.601: standard definition, JPEG, most webcams.
    Bt601,
    /// ITU-R BT.709: high definition.
    Bt709,
}

/// Which levels stand for black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum YuvRange {
    /// Luma and chroma use 0 to 255.
    Full,
    /// Luma uses 16 to 235, chroma 16 to 240.
    Video,
}

/// How YUV levels become colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct YuvColor {
    /// Weights of the primaries.
    pub matrix: YuvMatrix,
    /// Levels of black and white.
    pub range: YuvRange,
}

impl YuvColor {
    /// BT.601, full range: JPEG and `420f` of older iPhones.
    pub const BT601_FULL: Self = Self { matrix: YuvMatrix::Bt601, range: YuvRange::Full };
    /// BT.601, video range: webcams, standard-definition video.
    pub const BT601_VIDEO: Self = Self { matrix: YuvMatrix::Bt601, range: YuvRange::Video };
    /// BT.709, full range: `420f` of iPhones.
    pub const BT709_FULL: Self = Self { matrix: YuvMatrix::Bt709, range: YuvRange::Full };
    /// BT.709, video range: `420v`, high-definition video.
    pub const BT709_VIDEO: Self = Self { matrix: YuvMatrix::Bt709, range: YuvRange::Video };
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Pixels<'a> {
    Packed { format: PackedFormat, plane: Plane<'a> },
    Biplanar { luma: Plane<'a>, chroma: Plane<'a>, color: YuvColor, cr_first: bool },
    I420 { planes: [Plane<'a>; 3], color: YuvColor },
    Yuyv { plane: Plane<'a>, color: YuvColor },
}

/// One colour channel inside a plane: sample (x, y) is `data[y * stride + x * step]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Component<'a> {
    /// Starts at the channel's first sample.
    pub(crate) data: &'a [u8],
    pub(crate) stride: usize,
    pub(crate) step: usize,
    /// Pixels per sample, across and down: 1 or 2.
    pub(crate) subsampling: (usize, usize),
}

/// All channels of a picture.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Components<'a> {
    Gray(Component<'a>),
    Rgb([Component<'a>; 3]),
    Yuv([Component<'a>; 3], YuvColor),
}

impl<'a> Components<'a> {
    pub(crate) fn as_slice(&self) -> &[Component<'a>] {
        match self {
            Self::Gray(component) => std::slice::from_ref(component),
            Self::Rgb(components) | Self::Yuv(components, _) => components,
        }
    }
}

impl<'a> Pixels<'a> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Packed { format, .. } => format.name(),
            Self::Biplanar { cr_first: false, .. } => "nv12",
            Self::Biplanar { cr_first: true, .. } => "nv21",
            Self::I420 { .. } => "i420",
            Self::Yuyv { .. } => "yuyv",
        }
    }

    pub(super) fn components(&self) -> Components<'a> {
        let full = |plane: &Plane<'a>, offset: usize, step: usize| Component {
            data: &plane.data[offset..],
            stride: plane.stride,
            step,
            subsampling: (1, 1),
        };
        let quarter = |plane: &Plane<'a>, offset: usize, step: usize| Component {
            subsampling: (2, 2),
            ..full(plane, offset, step)
        };
        match self {
            Self::Packed { format: PackedFormat::Gray, plane } => Components::Gray(full(plane, 0, 1)),
            Self::Packed { format, plane } => {
                let step = format.bytes_per_pixel();
                Components::Rgb(format.rgb_offsets().map(|offset| full(plane, offset, step)))
            }
            Self::Biplanar { luma, chroma, color, cr_first } => {
                let (cb, cr) = if *cr_first { (1, 0) } else { (0, 1) };
                Components::Yuv([full(luma, 0, 1), quarter(chroma, cb, 2), quarter(chroma, cr, 2)], *color)
            }
            Self::I420 { planes: [y, cb, cr], color } => {
                Components::Yuv([full(y, 0, 1), quarter(cb, 0, 1), quarter(cr, 0, 1)], *color)
            }
            Self::Yuyv { plane, color } => {
                let chroma = |offset| Component { subsampling: (2, 1), ..full(plane, offset, 4) };
                Components::Yuv([full(plane, 0, 2), chroma(1), chroma(3)], *color)
            }
        }
    }
}
