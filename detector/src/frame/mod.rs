//! A camera's or a file's picture as it lies in memory: borrowed, never copied.

mod error;
mod orientation;
mod pixels;
mod timestamp;

pub use error::FrameError;
pub use orientation::Orientation;
pub use pixels::{PackedFormat, Plane, YuvColor, YuvMatrix, YuvRange};
pub use timestamp::Timestamp;

pub(crate) use pixels::{Component, Components, Pixels};

use crate::geometry::NormBox;

/// Longest side of a frame, in pixels: the limit of JPEG and WebP, and far beyond any camera.
pub const MAX_SIDE: u32 = 65_535;

/// A borrowed picture with all that is needed to see it upright.
///
/// `width` and `height` describe the memory, before [`Orientation`] is applied; boxes are always
/// in the upright picture ([`Frame::upright_size`]). The constructors check every length once, so
/// that nothing later can read outside the buffers.
///
/// ```
/// use osprey_detector::frame::{Frame, Orientation, Plane, Timestamp, YuvColor};
///
/// # fn main() -> Result<(), osprey_detector::frame::FrameError> {
/// let (luma, chroma) = (vec![128; 640 * 480], vec![128; 640 * 240]);
/// let frame = Frame::nv12(Plane::new(&luma, 640), Plane::new(&chroma, 640), 640, 480, YuvColor::BT709_VIDEO)?
///     .with_orientation(Orientation::Rotate90)
///     .at(Timestamp::from_seconds(12.5));
/// assert_eq!(frame.upright_size(), (480, 640));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pixels: Pixels<'a>,
    width: u32,
    height: u32,
    orientation: Orientation,
    timestamp: Option<Timestamp>,
    roi: Option<NormBox>,
}

impl<'a> Frame<'a> {
    /// Pixels whose channels lie side by side.
    ///
    /// # Errors
    /// [`FrameError`] where the size is zero or too large, or the plane does not hold it.
    pub fn packed(
        format: PackedFormat,
        plane: Plane<'a>,
        width: u32,
        height: u32,
    ) -> Result<Self, FrameError> {
        check_size(width, height)?;
        plane.check("pixels", width as usize * format.bytes_per_pixel(), height as usize)?;
        Ok(Self::of(Pixels::Packed { format, plane }, width, height))
    }

    /// RGB without padding: `width` × `height` × 3 bytes.
    ///
    /// # Errors
    /// As [`Frame::packed`].
    pub fn rgb(data: &'a [u8], width: u32, height: u32) -> Result<Self, FrameError> {
        Self::tight(PackedFormat::Rgb, data, width, height)
    }

    /// RGBA without padding: `width` × `height` × 4 bytes; alpha is not looked at.
    ///
    /// # Errors
    /// As [`Frame::packed`].
    pub fn rgba(data: &'a [u8], width: u32, height: u32) -> Result<Self, FrameError> {
        Self::tight(PackedFormat::Rgba, data, width, height)
    }

    /// BGRA without padding, as iOS cameras give it: `width` × `height` × 4 bytes; alpha is not
    /// looked at.
    ///
    /// # Errors
    /// As [`Frame::packed`].
    pub fn bgra(data: &'a [u8], width: u32, height: u32) -> Result<Self, FrameError> {
        Self::tight(PackedFormat::Bgra, data, width, height)
    }

    /// Gray without padding: `width` × `height` bytes.
    ///
    /// # Errors
    /// As [`Frame::packed`].
    pub fn gray(data: &'a [u8], width: u32, height: u32) -> Result<Self, FrameError> {
        Self::tight(PackedFormat::Gray, data, width, height)
    }

    /// A plane of luma, then one of interleaved chroma (Cb, Cr) at half width and height, rounded
    /// up.
    ///
    /// # Errors
    /// [`FrameError`] where the size is zero or too large, or a plane does not hold it.
    pub fn nv12(
        luma: Plane<'a>,
        chroma: Plane<'a>,
        width: u32,
        height: u32,
        color: YuvColor,
    ) -> Result<Self, FrameError> {
        Self::biplanar(luma, chroma, width, height, color, false)
    }

    /// As [`Frame::nv12`] with the chroma the other way round (Cr, Cb), as Android cameras give it.
    ///
    /// # Errors
    /// As [`Frame::nv12`].
    pub fn nv21(
        luma: Plane<'a>,
        chroma: Plane<'a>,
        width: u32,
        height: u32,
        color: YuvColor,
    ) -> Result<Self, FrameError> {
        Self::biplanar(luma, chroma, width, height, color, true)
    }

    /// Three planes: luma, Cb, Cr; the latter at half width and height, rounded up.
    ///
    /// # Errors
    /// As [`Frame::nv12`].
    pub fn i420(
        planes: [Plane<'a>; 3],
        width: u32,
        height: u32,
        color: YuvColor,
    ) -> Result<Self, FrameError> {
        check_size(width, height)?;
        let (half_w, half_h) = (half(width), half(height));
        planes[0].check("luma", width as usize, height as usize)?;
        planes[1].check("Cb", half_w, half_h)?;
        planes[2].check("Cr", half_w, half_h)?;
        Ok(Self::of(Pixels::I420 { planes, color }, width, height))
    }

    /// Luma and chroma in turn (Y0 Cb Y1 Cr), as webcams give it; two bytes a pixel, chroma at half
    /// width.
    ///
    /// # Errors
    /// As [`Frame::nv12`]; [`FrameError::OddWidth`].
    pub fn yuyv(plane: Plane<'a>, width: u32, height: u32, color: YuvColor) -> Result<Self, FrameError> {
        check_size(width, height)?;
        if !width.is_multiple_of(2) {
            return Err(FrameError::OddWidth { width });
        }
        plane.check("pixels", width as usize * 2, height as usize)?;
        Ok(Self::of(Pixels::Yuyv { plane, color }, width, height))
    }

    /// The same frame, to be turned upright as `orientation` says; replaces what was set before.
    #[must_use]
    pub fn with_orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// The same frame, flipped left to right after it was turned upright: what a viewer of a
    /// mirrored preview sees. Boxes then fit that preview.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.orientation = self.orientation.mirrored();
        self
    }

    /// The same frame with the time at which it was taken.
    #[must_use]
    pub fn at(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// The same frame, of which only `region` (in the upright picture) is looked at. Boxes still
    /// come back in coordinates of the whole picture.
    ///
    /// # Errors
    /// [`FrameError::Roi`] where what is left of the region inside the picture is smaller than a
    /// pixel, or a coordinate is not a number.
    pub fn with_roi(mut self, region: NormBox) -> Result<Self, FrameError> {
        let inside = region.clipped();
        let (w, h) = self.upright_size();
        let (roi_w, roi_h) = (inside.x_max - inside.x_min, inside.y_max - inside.y_min);
        // Written so that NaN fails too.
        if !(roi_w * w as f32 >= 1.0 && roi_h * h as f32 >= 1.0) {
            return Err(FrameError::Roi { region, width: w, height: h });
        }
        self.roi = Some(inside);
        Ok(self)
    }

    /// Width in memory, in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in memory, in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// How the picture is turned upright.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// When the frame was taken, where that was said.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// The region that is looked at, in the upright picture; the whole where none was set.
    pub fn roi(&self) -> NormBox {
        self.roi.unwrap_or(NormBox { x_min: 0.0, y_min: 0.0, x_max: 1.0, y_max: 1.0 })
    }

    /// Width and height of the upright picture, in pixels.
    pub fn upright_size(&self) -> (u32, u32) {
        match self.orientation.swaps_axes() {
            true => (self.height, self.width),
            false => (self.width, self.height),
        }
    }

    /// Short name of the pixel format: `bgra`, `nv12`, …
    pub fn format_name(&self) -> &'static str {
        self.pixels.name()
    }

    pub(crate) fn pixels(&self) -> &Pixels<'a> {
        &self.pixels
    }

    pub(crate) fn components(&self) -> Components<'a> {
        self.pixels.components()
    }

    fn tight(format: PackedFormat, data: &'a [u8], width: u32, height: u32) -> Result<Self, FrameError> {
        let stride = (width as usize).saturating_mul(format.bytes_per_pixel());
        Self::packed(format, Plane::new(data, stride), width, height)
    }

    fn biplanar(
        luma: Plane<'a>,
        chroma: Plane<'a>,
        width: u32,
        height: u32,
        color: YuvColor,
        cr_first: bool,
    ) -> Result<Self, FrameError> {
        check_size(width, height)?;
        luma.check("luma", width as usize, height as usize)?;
        chroma.check("chroma", half(width) * 2, half(height))?;
        Ok(Self::of(Pixels::Biplanar { luma, chroma, color, cr_first }, width, height))
    }

    fn of(pixels: Pixels<'a>, width: u32, height: u32) -> Self {
        let orientation = Orientation::Upright;
        Self { pixels, width, height, orientation, timestamp: None, roi: None }
    }
}

fn half(side: u32) -> usize {
    side.div_ceil(2) as usize
}

fn check_size(width: u32, height: u32) -> Result<(), FrameError> {
    if width == 0 || height == 0 {
        return Err(FrameError::ZeroSize { width, height });
    }
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(FrameError::TooLarge { width, height, limit: MAX_SIDE });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_checked_to_the_byte() {
        let data = [0u8; 7 * 5 * 4];
        assert!(Frame::bgra(&data, 7, 5).is_ok());
        assert!(matches!(
            Frame::bgra(&data[1..], 7, 5),
            Err(FrameError::TooShort { needed: 140, actual: 139, .. })
        ));
        // The last row needs no padding.
        let strided = [0u8; 32 * 4 + 28];
        assert!(Frame::packed(PackedFormat::Bgra, Plane::new(&strided, 32), 7, 5).is_ok());
        assert!(matches!(
            Frame::packed(PackedFormat::Bgra, Plane::new(&strided, 27), 7, 5),
            Err(FrameError::StrideTooSmall { needed: 28, actual: 27, .. })
        ));
    }

    #[test]
    fn odd_sizes_round_chroma_up() {
        let luma = [0u8; 7 * 5];
        let chroma = [0u8; 8 * 3];
        let color = YuvColor::BT601_FULL;
        assert!(Frame::nv12(Plane::new(&luma, 7), Plane::new(&chroma, 8), 7, 5, color).is_ok());
        assert!(Frame::nv12(Plane::new(&luma, 7), Plane::new(&chroma[1..], 8), 7, 5, color).is_err());
        assert!(matches!(
            Frame::yuyv(Plane::new(&luma, 14), 7, 2, color),
            Err(FrameError::OddWidth { width: 7 })
        ));
    }

    #[test]
    fn impossible_sizes_are_errors() {
        let data = [0u8; 16];
        assert!(matches!(Frame::rgb(&data, 0, 4), Err(FrameError::ZeroSize { .. })));
        assert!(matches!(Frame::rgb(&data, u32::MAX, 1), Err(FrameError::TooLarge { .. })));
        let endless = Plane::new(&data, usize::MAX);
        assert!(matches!(
            Frame::packed(PackedFormat::Gray, endless, 4, 3),
            Err(FrameError::StrideOverflow { .. })
        ));
    }

    #[test]
    fn regions_outside_the_picture_are_errors() {
        let data = [0u8; 40 * 30];
        let frame = Frame::gray(&data, 40, 30).unwrap();
        let outside = NormBox { x_min: 1.2, y_min: 0.0, x_max: 1.5, y_max: 1.0 };
        let unordered = NormBox { x_min: f32::NAN, y_min: 0.0, x_max: 1.0, y_max: 1.0 };
        assert!(frame.with_roi(outside).is_err());
        assert!(frame.with_roi(unordered).is_err());
        let over_the_edge = NormBox { x_min: 0.5, y_min: -1.0, x_max: 1.5, y_max: 0.5 };
        let roi = frame.with_roi(over_the_edge).unwrap().roi();
        assert_eq!(roi, NormBox { x_min: 0.5, y_min: 0.0, x_max: 1.0, y_max: 0.5 });
    }
}
