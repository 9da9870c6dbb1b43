//! PRELU: negative values times a slope of their own channel.

use super::{Pairs, scalar};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::kernels::fixed_point::Multiplier;
use crate::lowering::{Affine, Kernel, Lower, Lowered, u8_offset};
use crate::threads::Pool;

/// PRELU of float32 or bytes; the slopes of bytes are constants.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, slopes, output) = (ctx.input(0)?, ctx.input(1)?, ctx.output(0)?);
    let pairs = Pairs::new(ctx, input, slopes, output)?;
    ctx.ensure_shape(output, input.shape())?;
    let dtype = input.dtype();
    if slopes.dtype() != dtype || output.dtype() != dtype {
        return Err(ctx.unsupported_types(&[input, slopes, output]));
    }
    match dtype {
        DType::F32 => {
            let f = |x: f32, slope: f32| if x < 0.0 { x * slope } else { x };
            ctx.task(scalar::Pairwise::new("portable-f32-prelu", pairs, f), &[input, slopes])
        }
        DType::U8 | DType::I8 => {
            let data =
                slopes.constant().ok_or_else(|| ctx.unsupported("slopes computed at run time".into()))?;
            let quantization =
                Prelu { from: ctx.affine(input)?, slope: ctx.affine(slopes)?, to: ctx.affine(output)? };
            let flip = u8_offset(dtype) as u8;
            let by_channel = slopes.shape().last() == input.shape().last()
                && Some(&slopes.elements()) == input.shape().last()
                && slopes.elements() > 0;
            let kernel = PreluU8::new(pairs, quantization, data.iter().map(|b| b ^ flip), by_channel);
            ctx.task(kernel, &[input])
        }
        _ => Err(ctx.unsupported_types(&[input, slopes, output])),
    }
}

/// Fewest elements of a task: far more than what a fork costs.
const PIECE: usize = 4 << 10;

struct Prelu {
    from: Affine,
    slope: Affine,
    to: Affine,
}

impl Prelu {
    /// TFLite's fixed-point results for one slope.
    fn table(&self, slope: u8) -> [u8; 256] {
        let ratio = f64::from(self.from.scale) / f64::from(self.to.scale);
        let positive = Multiplier::new(ratio);
        let negative = Multiplier::new(ratio * f64::from(self.slope.scale));
        let slope = i32::from(slope) - self.slope.zero_point;
        std::array::from_fn(|byte| {
            let x = byte as i32 - self.from.zero_point;
            let y = if x >= 0 { positive.apply(x) } else { negative.apply(x * slope) };
            y.saturating_add(self.to.zero_point).clamp(0, 255) as u8
        })
    }
}

/// A table for each distinct slope, at most 256.
struct PreluU8 {
    pairs: Pairs,
    tables: Box<[[u8; 256]; 256]>,
    /// The table of each element of the slope tensor.
    choice: Vec<u8>,
    /// The slopes belong to the last axis, as converters write them.
    by_channel: bool,
}

impl PreluU8 {
    fn new(pairs: Pairs, quantization: Prelu, slopes: impl Iterator<Item = u8>, by_channel: bool) -> Self {
        let mut known: [Option<u8>; 256] = [None; 256];
        let (mut tables, mut count) = (Box::new([[0; 256]; 256]), 0u8);
        let choice = slopes
            .map(|slope| {
                *known[usize::from(slope)].get_or_insert_with(|| {
                    tables[usize::from(count)] = quantization.table(slope);
                    count = count.wrapping_add(1);
                    count.wrapping_sub(1)
                })
            })
            .collect();
        Self { pairs, tables, choice, by_channel }
    }

    /// Pixel by pixel, each channel by its own table.
    fn rows(&self, io: &mut Io<'_>, pool: &Pool) {
        let channels = self.choice.len();
        let input = io.input::<u8>(0);
        pool.split(io.output::<u8>(0), channels, PIECE.div_ceil(channels), &mut [], &|first, out, _| {
            let input = &input[first * channels..][..out.len()];
            for (out, input) in out.chunks_exact_mut(channels).zip(input.chunks_exact(channels)) {
                for ((out, &x), &choice) in out.iter_mut().zip(input).zip(&self.choice) {
                    *out = self.tables[usize::from(choice)][usize::from(x)];
                }
            }
        });
    }
}

impl Kernel for PreluU8 {
    fn name(&self) -> &'static str {
        "portable-u8-prelu"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        if self.by_channel {
            return self.rows(io, pool);
        }
        let lookup = |x: u8, choice: u8| self.tables[usize::from(choice)][usize::from(x)];
        self.pairs.apply([io.input(0), &self.choice], io.output(0), pool, lookup);
    }
}
