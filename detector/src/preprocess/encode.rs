//! From levels to the numbers of a model's input.

use super::{ChannelOrder, PreprocessError, PreprocessOptions};
use crate::model::PictureShape;
use crate::tensor::{DType, TensorSpec, TensorViewMut};

/// ITU-R BT.601 luma weights in 1/65536, as Pillow's conversion to gray.
const LUMA: [u32; 3] = [19_595, 38_470, 7_471];

/// Writes rows of RGB levels into a tensor.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    gray: bool,
    /// Pixels of a channel, where channels lie one after the other.
    plane: Option<usize>,
    channels: ChannelOrder,
    levels: Levels,
}

#[derive(Debug, Clone)]
enum Levels {
    /// The level is the number.
    Same,
    /// The level less 128 is the number.
    Signed,
    /// Bytes by position in the pixel and level; signed ones by their bit pattern.
    Bytes(Box<[[u8; 256]; 3]>),
    /// Floats by position in the pixel and level.
    Floats(Box<[[f32; 256]; 3]>),
}

/// The elements of a tensor, as the encoder writes them.
pub(super) enum Elements<'a> {
    /// uint8, or int8 by its bit pattern.
    Bytes(&'a mut [u8]),
    /// float32.
    Floats(&'a mut [f32]),
}

impl<'a> Elements<'a> {
    pub(super) fn of(view: &'a mut TensorViewMut<'_>) -> Result<Self, PreprocessError> {
        let dtype = view.dtype();
        match view {
            TensorViewMut::U8(a) => a.as_slice_mut().map(Elements::Bytes),
            TensorViewMut::I8(a) => a.as_slice_mut().map(|s| Elements::Bytes(bytemuck::cast_slice_mut(s))),
            TensorViewMut::F32(a) => a.as_slice_mut().map(Elements::Floats),
            _ => return Err(PreprocessError::Type { dtype }),
        }
        .ok_or(PreprocessError::Layout)
    }
}

impl Encoder {
    pub(super) fn new(
        spec: &TensorSpec,
        shape: &PictureShape,
        options: &PreprocessOptions,
    ) -> Result<Self, PreprocessError> {
        let norm = options.normalization.unwrap_or_default();
        if norm.std.iter().any(|s| !s.is_normal()) || norm.mean.iter().any(|m| !m.is_finite()) {
            return Err(PreprocessError::Normalization { normalization: norm });
        }
        let real = |channel: usize, level: usize| (level as f32 - norm.mean[channel]) / norm.std[channel];
        let (scale, zero_point) = spec.affine();
        let quantized = |channel: usize, level: usize, low: i32, high: i32| {
            let steps = (real(channel, level) / scale).round_ties_even();
            (steps as i32).saturating_add(zero_point).clamp(low, high)
        };
        let levels = match spec.dtype {
            DType::F32 => {
                let mut table = Box::new([[0.0; 256]; 3]);
                fill(&mut table, real);
                Levels::Floats(table)
            }
            DType::U8 if options.normalization.is_none() || spec.quantization.is_none() => Levels::Same,
            DType::I8 if options.normalization.is_none() || spec.quantization.is_none() => Levels::Signed,
            DType::U8 => {
                let mut table = Box::new([[0; 256]; 3]);
                fill(&mut table, |c, level| quantized(c, level, 0, 255) as u8);
                match is_near(&table, |level| level as i32, i32::from) {
                    true => Levels::Same,
                    false => Levels::Bytes(table),
                }
            }
            DType::I8 => {
                let mut table = Box::new([[0; 256]; 3]);
                fill(&mut table, |c, level| quantized(c, level, -128, 127) as i8 as u8);
                match is_near(&table, |level| level as i32 - 128, |v| i32::from(v as i8)) {
                    true => Levels::Signed,
                    false => Levels::Bytes(table),
                }
            }
            dtype => return Err(PreprocessError::Type { dtype }),
        };
        let gray = shape.channels == 1;
        let plane = (shape.planar && !gray).then_some(shape.width * shape.height);
        Ok(Self { gray, plane, channels: options.channels, levels })
    }

    /// Whether pixels go into the tensor as they come.
    fn copies(&self, step: usize) -> bool {
        step == 1 && !self.gray && self.plane.is_none() && self.channels == ChannelOrder::Rgb
    }

    /// Writes pixels of `rgb` into `out` from pixel `first` on, `step` pixels apart.
    pub(super) fn write(&self, rgb: &[u8], out: &mut Elements<'_>, first: usize, step: usize) {
        match (&self.levels, out) {
            (Levels::Same, Elements::Bytes(out)) => {
                if self.copies(step) {
                    out[first * 3..][..rgb.len()].copy_from_slice(rgb);
                } else {
                    self.pixels(rgb, out, first, step, |_, level| level);
                }
            }
            (Levels::Signed, Elements::Bytes(out)) => {
                if self.copies(step) {
                    for (value, level) in out[first * 3..][..rgb.len()].iter_mut().zip(rgb) {
                        *value = level ^ 0x80;
                    }
                } else {
                    self.pixels(rgb, out, first, step, |_, level| level ^ 0x80);
                }
            }
            (Levels::Bytes(table), Elements::Bytes(out)) => {
                self.pixels(rgb, out, first, step, |c, level| table[c][usize::from(level)]);
            }
            (Levels::Floats(table), Elements::Floats(out)) => {
                self.pixels(rgb, out, first, step, |c, level| table[c][usize::from(level)]);
            }
            // `Preprocessor::run` compares the tensor's type with the encoder's first.
            _ => {}
        }
    }

    fn pixels<T>(
        &self,
        rgb: &[u8],
        out: &mut [T],
        first: usize,
        step: usize,
        encode: impl Fn(usize, u8) -> T,
    ) {
        let order = match self.channels {
            ChannelOrder::Rgb => [0, 1, 2],
            ChannelOrder::Bgr => [2, 1, 0],
        };
        let rgb = rgb.as_chunks::<3>().0;
        if self.gray {
            for (levels, value) in rgb.iter().zip(out[first..].iter_mut().step_by(step)) {
                let weighted: u32 =
                    levels.iter().zip(LUMA).map(|(level, weight)| u32::from(*level) * weight).sum();
                *value = encode(0, ((weighted + (1 << 15)) >> 16) as u8);
            }
        } else if let Some(plane) = self.plane {
            for (channel, &at) in order.iter().enumerate() {
                let values = out[at * plane + first..].iter_mut().step_by(step);
                rgb.iter().zip(values).for_each(|(levels, value)| *value = encode(at, levels[channel]));
            }
        } else {
            for (levels, pixel) in rgb.iter().zip(out[first * 3..].chunks_mut(step * 3)) {
                for (level, at) in levels.iter().zip(order) {
                    pixel[at] = encode(at, *level);
                }
            }
        }
    }
}

fn fill<T: Copy>(table: &mut [[T; 256]; 3], value: impl Fn(usize, usize) -> T) {
    for (channel, levels) in table.iter_mut().enumerate() {
        for (level, slot) in levels.iter_mut().enumerate() {
            *slot = value(channel, level);
        }
    }
}

/// Converters round the input's scale (2/255 becomes 1/128), so that exact normalization would
/// move some levels by one. Training and all other runtimes feed such models plain levels.
fn is_near(table: &[[u8; 256]; 3], plain: impl Fn(usize) -> i32, value: impl Fn(u8) -> i32) -> bool {
    let near = |(level, byte): (usize, &u8)| (value(*byte) - plain(level)).abs() <= 1;
    table.iter().all(|levels| levels.iter().enumerate().all(near))
}
