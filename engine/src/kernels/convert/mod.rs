//! Between element types: QUANTIZE, DEQUANTIZE, CAST.
//!
//! QUANTIZE from float multiplies by 1 ÷ scale in float32 and rounds to nearest, ties to even, as
//! XNNPACK does (TFLite's reference kernel rounds ties away from zero and so differs by one step on
//! ties). DEQUANTIZE is exact up to float32's rounding.

mod cast;
mod wide;

use super::lookup;
use super::rounding::Rounder;
use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Affine, Kernel, Lower, Lowered};
use crate::threads::Pool;
use half::f16;

pub(super) use cast::lower as cast;

/// QUANTIZE: float32 to bytes, or bytes to bytes in another quantization.
pub(super) fn quantize(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::U8 | DType::I8) => {
            let to = ctx.affine(output)?;
            let kernel = Quantize { inverse_scale: 1.0 / to.scale, rounder: Rounder::whole(to) };
            ctx.task(kernel, &[input])
        }
        (DType::U8 | DType::I8, DType::U8 | DType::I8) => lookup::requantize(ctx, input, output),
        (DType::F32 | DType::I16, _) | (_, DType::I16) => wide::quantize(ctx, input, output),
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

/// DEQUANTIZE of values; constants were widened at load.
pub(super) fn dequantize(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    match (input.dtype(), output.dtype()) {
        (DType::U8 | DType::I8, DType::F32) => ctx.task(Dequantize { from: ctx.affine(input)? }, &[input]),
        (DType::F16, DType::F32) => ctx.task(Widen, &[input]),
        (DType::I16, DType::F32) => wide::dequantize(ctx, input),
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

/// Fewest elements of a task.
const PIECE: usize = 16 << 10;

struct Quantize {
    inverse_scale: f32,
    rounder: Rounder,
}

impl Kernel for Quantize {
    fn name(&self) -> &'static str {
        "portable-f32u8-quantize"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<f32>(0);
        pool.split(io.output::<u8>(0), 1, PIECE, &mut [], &|first, to, _| {
            for (to, &from) in to.iter_mut().zip(&from[first..]) {
                *to = self.rounder.round(from * self.inverse_scale);
            }
        });
    }
}

struct Dequantize {
    from: Affine,
}

impl Kernel for Dequantize {
    fn name(&self) -> &'static str {
        "portable-u8f32-dequantize"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<u8>(0);
        pool.split(io.output::<f32>(0), 1, PIECE, &mut [], &|first, to, _| {
            for (to, &from) in to.iter_mut().zip(&from[first..]) {
                *to = (i32::from(from) - self.from.zero_point) as f32 * self.from.scale;
            }
        });
    }
}

struct Widen;

impl Kernel for Widen {
    fn name(&self) -> &'static str {
        "portable-f16f32-dequantize"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<u16>(0);
        pool.split(io.output::<f32>(0), 1, PIECE, &mut [], &|first, to, _| {
            for (to, &from) in to.iter_mut().zip(&from[first..]) {
                *to = f16::from_bits(from).to_f32();
            }
        });
    }
}
