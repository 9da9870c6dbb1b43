//! NumPy arrays as frames, in the memory that they have.

use crate::array::U8Array;
use osprey_detector::frame::{Frame, FrameError, Orientation, PackedFormat, Plane, YuvColor};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Pixels of a picture.
pub(crate) enum Pixels {
    Packed { format: PackedFormat, plane: U8Array },
    Nv12 { luma: U8Array, chroma: U8Array, color: YuvColor },
}

/// A picture in memory that stays alive with it.
pub(crate) struct Image {
    pixels: Pixels,
    width: u32,
    height: u32,
    orientation: Orientation,
}

impl Image {
    /// From an array `[height, width]` (gray) or `[height, width, 1, 3 or 4]` of uint8; `bgr` tells the order
    /// of its channels, `orientation` how EXIF says it is turned.
    pub(crate) fn packed(array: &Bound<'_, PyAny>, bgr: bool, orientation: u8) -> PyResult<Self> {
        let (plane, channels, reversed) = U8Array::pixels(array)?;
        let (height, width) = (plane.rows(), plane.row_bytes() / channels);
        let format = match (channels, bgr != reversed) {
            (1, _) => PackedFormat::Gray,
            (3, false) => PackedFormat::Rgb,
            (3, true) => PackedFormat::Bgr,
            (_, false) => PackedFormat::Rgba,
            (_, true) => PackedFormat::Bgra,
        };
        let orientation =
            Orientation::from_exif(orientation.into()).map_err(|e| PyValueError::new_err(e.to_string()))?;
        let pixels = Pixels::Packed { format, plane };
        Ok(Self { pixels, width: side(width)?, height: side(height)?, orientation })
    }

    /// From a plane of luma `[height, width]` and one of chroma, `[height / 2, width / 2, 2]` or
    /// `[height / 2, width]`, both rounded up.
    pub(crate) fn nv12(luma: &Bound<'_, PyAny>, chroma: &Bound<'_, PyAny>, bt709: bool) -> PyResult<Self> {
        let (luma, chroma) = (U8Array::plane(luma)?, U8Array::plane(chroma)?);
        let (height, width) = (luma.rows(), luma.row_bytes());
        if (chroma.rows(), chroma.row_bytes()) != (height.div_ceil(2), width.div_ceil(2) * 2) {
            return Err(PyValueError::new_err(format!(
                "luma of {height} rows of {width} wants chroma of {} rows of {} bytes; it has {} of {}",
                height.div_ceil(2),
                width.div_ceil(2) * 2,
                chroma.rows(),
                chroma.row_bytes()
            )));
        }
        let color = if bt709 { YuvColor::BT709_VIDEO } else { YuvColor::BT601_VIDEO };
        let pixels = Pixels::Nv12 { luma, chroma, color };
        Ok(Self { pixels, width: side(width)?, height: side(height)?, orientation: Orientation::Upright })
    }

    /// A copy that later changes of the arrays do not reach.
    pub(crate) fn into_owned(self) -> Self {
        let pixels = match self.pixels {
            Pixels::Packed { format, plane } => Pixels::Packed { format, plane: plane.into_owned() },
            Pixels::Nv12 { luma, chroma, color } => {
                Pixels::Nv12 { luma: luma.into_owned(), chroma: chroma.into_owned(), color }
            }
        };
        Self { pixels, ..self }
    }

    /// The picture as the library takes it.
    pub(crate) fn frame(&self) -> Result<Frame<'_>, FrameError> {
        let (width, height) = (self.width, self.height);
        let frame = match &self.pixels {
            Pixels::Packed { format, plane } => Frame::packed(*format, rows(plane), width, height)?,
            Pixels::Nv12 { luma, chroma, color } => {
                Frame::nv12(rows(luma), rows(chroma), width, height, *color)?
            }
        };
        Ok(frame.with_orientation(self.orientation))
    }
}

fn rows(array: &U8Array) -> Plane<'_> {
    Plane::new(array.bytes(), array.stride())
}

fn side(pixels: usize) -> PyResult<u32> {
    u32::try_from(pixels)
        .map_err(|_| PyValueError::new_err(format!("{pixels} pixels are too many for a side")))
}
