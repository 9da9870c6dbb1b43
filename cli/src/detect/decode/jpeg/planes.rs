//! Samples of the components, and the RGB pixels that they make.

use image::RgbImage;

/// The samples of a component.
#[derive(Debug)]
pub(super) struct Plane {
    pub(super) samples: Vec<u8>,
    pub(super) stride: usize,
    /// Samples for each pixel of the result, as a power of two: 0 is one for each, −1 one for two.
    pub(super) shift: (u32, u32),
}

impl Plane {
    /// `None` where memory does not suffice.
    pub(super) fn new(stride: usize, rows: usize, shift: (u32, u32)) -> Option<Self> {
        let mut samples = Vec::new();
        samples.try_reserve_exact(stride.checked_mul(rows)?).ok()?;
        samples.resize(stride * rows, 0);
        Some(Self { samples, stride, shift })
    }

    fn row(&self, y: usize) -> Option<&[u8]> {
        let start = (y >> self.shift.1) * self.stride;
        self.samples.get(start..start + self.stride)
    }
}

/// Pixels of `size` (width, height) from grey or from YCbCr (ITU-R BT.601, full range, as JFIF says).
pub(super) fn to_rgb(planes: &[Plane], size: (u32, u32)) -> Option<RgbImage> {
    let width = size.0 as usize;
    let mut pixels = vec![0; 3 * width * size.1 as usize];
    for (y, out) in pixels.chunks_exact_mut(3 * width).enumerate() {
        match planes {
            [grey] => {
                for (pixel, &sample) in out.chunks_exact_mut(3).zip(grey.row(y)?) {
                    pixel.fill(sample);
                }
            }
            [luma, blue, red] => {
                let (luma, cb, cr) = (luma.row(y)?, blue.row(y)?, red.row(y)?);
                for (x, (pixel, &luma)) in out.chunks_exact_mut(3).zip(luma).enumerate() {
                    let (cb, cr) = (cb[x >> blue.shift.0], cr[x >> red.shift.0]);
                    pixel.copy_from_slice(&rgb(luma, cb, cr));
                }
            }
            _ => return None,
        }
    }
    RgbImage::from_raw(size.0, size.1, pixels)
}

/// In 16 bits behind the point.
fn rgb(luma: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(luma) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let channels = [y + 91_881 * cr, y - 22_554 * cb - 46_802 * cr, y + 116_130 * cb];
    channels.map(|c| ((c + HALF) >> 16).clamp(0, 255) as u8)
}
