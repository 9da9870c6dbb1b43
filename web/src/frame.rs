//! Pictures as JavaScript describes them: sixteen numbers beside the bytes.
//!
//! | index | meaning |
//! | --- | --- |
//! | 0 | format: 0 RGBA, 1 BGRA, 2 RGB, 3 gray, 4 I420, 5 NV12 |
//! | 1, 2 | width and height in memory, in pixels |
//! | 3 | how the picture is turned upright: EXIF's 1 to 8 |
//! | 4 | 1 to mirror it once it is upright |
//! | 5 | matrix of YUV formats: 0 BT.601, 1 BT.709 |
//! | 6 | range of YUV formats: 0 full, 1 video |
//! | 7 … 12 | for each of three planes where it begins and how far its rows are apart, in bytes |

use crate::error::Failure;
use osprey_detector::frame::{Frame, Orientation, PackedFormat, Plane, YuvColor, YuvMatrix, YuvRange};

/// Numbers that describe a picture.
pub(crate) const LAYOUT: usize = 16;

/// The picture in `bytes`.
pub(crate) fn frame<'a>(layout: &[u32; LAYOUT], bytes: &'a [u8]) -> Result<Frame<'a>, Failure> {
    let [format, width, height, exif, mirror, matrix, range, ..] = *layout;
    let plane = |index: usize| {
        let (offset, stride) = (layout[7 + 2 * index] as usize, layout[8 + 2 * index] as usize);
        let data = bytes.get(offset..).ok_or(Failure::Plane { offset, length: bytes.len() })?;
        Ok::<_, Failure>(Plane::new(data, stride))
    };
    let color = YuvColor {
        matrix: if matrix == 0 { YuvMatrix::Bt601 } else { YuvMatrix::Bt709 },
        range: if range == 0 { YuvRange::Full } else { YuvRange::Video },
    };
    let packed = |format| Ok::<_, Failure>(Frame::packed(format, plane(0)?, width, height)?);
    let frame = match format {
        0 => packed(PackedFormat::Rgba)?,
        1 => packed(PackedFormat::Bgra)?,
        2 => packed(PackedFormat::Rgb)?,
        3 => packed(PackedFormat::Gray)?,
        4 => Frame::i420([plane(0)?, plane(1)?, plane(2)?], width, height, color)?,
        5 => Frame::nv12(plane(0)?, plane(1)?, width, height, color)?,
        value => return Err(Failure::Unknown { what: "pixel format", value }),
    };
    let frame = frame.with_orientation(Orientation::from_exif(exif)?);
    Ok(if mirror == 0 { frame } else { frame.mirrored() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let layout = |numbers: &[u32]| {
            let mut layout = [0; LAYOUT];
            layout[..numbers.len()].copy_from_slice(numbers);
            layout
        };
        let bytes = vec![0; 6 * 4 * 4];
        assert!(frame(&layout(&[0, 6, 4, 1, 0, 0, 0, 0, 24]), &bytes).is_ok());
        for wrong in [
            &[0, 6, 5, 1, 0, 0, 0, 0, 24][..],
            &[0, 6, 4, 1, 0, 0, 0, 0, 23],
            &[0, 0, 4, 1, 0, 0, 0, 0, 24],
            &[0, u32::MAX, u32::MAX, 1, 0, 0, 0, 0, u32::MAX],
            &[0, 6, 4, 9, 0, 0, 0, 0, 24],
            &[9, 6, 4, 1, 0, 0, 0, 0, 24],
            &[0, 6, 4, 1, 0, 0, 0, 97, 24],
            &[4, 6, 4, 1, 0, 0, 0, 0, 6, 24, 3, 95, 3],
        ] {
            assert!(frame(&layout(wrong), &bytes).is_err(), "{wrong:?}");
        }
        assert!(frame(&layout(&[4, 6, 4, 1, 0, 0, 1, 0, 6, 24, 3, 30, 3]), &bytes).is_ok());
        let turned = frame(&layout(&[0, 6, 4, 6, 1, 0, 0, 0, 24]), &bytes);
        assert_eq!(turned.map(|f| f.upright_size()).ok(), Some((4, 6)));
    }
}
