//! Pixel buffers as Swift hands them over.

#![allow(unsafe_code, reason = "Swift hands over memory as addresses")]

use crate::border::ffi::PixelBuffer;
use crate::error::{Failure, FailureKind};
use crate::guard::slice;
use osprey_detector::NormBox;
use osprey_detector::frame::{Frame, Orientation, PackedFormat, Plane, Timestamp, YuvColor};

/// Numbers of [`PixelBuffer::format`].
const PACKED: [PackedFormat; 4] =
    [PackedFormat::Bgra, PackedFormat::Rgba, PackedFormat::Rgb, PackedFormat::Gray];
const NV12: u8 = PACKED.len() as u8;

/// Numbers of [`PixelBuffer::color`].
const COLORS: [YuvColor; 4] =
    [YuvColor::BT601_FULL, YuvColor::BT601_VIDEO, YuvColor::BT709_FULL, YuvColor::BT709_VIDEO];

/// The frame in a buffer.
///
/// # Errors
/// [`FailureKind::Pointer`], [`FailureKind::Frame`].
///
/// # Safety
/// `length` bytes from `base`, and for NV12 `chroma_length` from `chroma`, must exist and stay
/// unchanged while the frame lives.
pub(crate) unsafe fn frame<'a>(buffer: &PixelBuffer) -> Result<Frame<'a>, Failure> {
    // SAFETY: the caller's promise.
    let plane = |base, length, stride| unsafe { slice::<u8>(base, length) }.map(|d| Plane::new(d, stride));
    let b = buffer;
    if b.base == 0 {
        return Err(Failure::new(FailureKind::Pointer, "the base address of the pixels is null"));
    }
    let pixels = plane(b.base, b.length, b.bytes_per_row)?;
    let frame = match (PACKED.get(usize::from(b.format)), b.format) {
        (Some(format), _) => Frame::packed(*format, pixels, b.width, b.height)?,
        (None, NV12) => {
            let color = COLORS.get(usize::from(b.color));
            let color = color.ok_or_else(|| unknown("colour coding", b.color))?;
            let chroma = plane(b.chroma, b.chroma_length, b.chroma_bytes_per_row)?;
            Frame::nv12(pixels, chroma, b.width, b.height, *color)?
        }
        _ => return Err(unknown("pixel format", b.format)),
    };
    let mut frame = frame.with_orientation(Orientation::from_exif(b.orientation.into())?);
    if b.mirrored {
        frame = frame.mirrored();
    }
    if b.has_region {
        let (x_min, y_min, x_max, y_max) = (b.x_min, b.y_min, b.x_max, b.y_max);
        frame = frame.with_roi(NormBox { x_min, y_min, x_max, y_max })?;
    }
    Ok(frame.at(Timestamp::from_nanos(b.time_ns)))
}

fn unknown(what: &str, number: u8) -> Failure {
    Failure::new(FailureKind::Frame, format!("there is no {what} {number}"))
}
