//! AVERAGE_POOL_2D and MAX_POOL_2D, NHWC. Windows count only the elements inside the input.
//!
//! On bytes the average is the exact sum divided once, halves away from zero, which is LiteRT's
//! result to the bit.

mod scalar;

use super::activation::{byte_range, float_range};
use crate::compile::{Lower, Lowered, Operand};
use crate::error::Result;
use crate::graph::{DType, Padding, PoolOptions};

/// Sums of more bytes than this could leave 32 bits.
const MAX_WINDOW: usize = 1 << 23;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    Average,
    Max,
}

/// AVERAGE_POOL_2D and MAX_POOL_2D.
pub(super) fn lower(ctx: &Lower<'_>, options: PoolOptions, pooling: Pooling) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let windows = windows(ctx, options, input, output)?;
    let work = windows.work(output.elements());
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => {
            let range = float_range(ctx, options.activation)?;
            match pooling {
                Pooling::Average => ctx.task_with(scalar::AverageF32 { windows, range }, &[input], 0, work),
                Pooling::Max => ctx.task_with(scalar::MaxF32 { windows, range }, &[input], 0, work),
            }
        }
        (DType::U8, DType::U8) | (DType::I8, DType::I8) => {
            let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
            if from != to {
                return Err(ctx.unsupported("input and output have different scales".into()));
            }
            let range = byte_range(ctx, options.activation, to)?;
            match pooling {
                Pooling::Average => {
                    // Halves go away from the stored type's zero.
                    let center = crate::compile::u8_offset(input.dtype());
                    let scratch = windows.channels * size_of::<u32>();
                    ctx.task_with(scalar::AverageU8 { windows, range, center }, &[input], scratch, work)
                }
                Pooling::Max => ctx.task_with(scalar::MaxU8 { windows, range }, &[input], 0, work),
            }
        }
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

fn windows(
    ctx: &Lower<'_>,
    options: PoolOptions,
    input: Operand<'_>,
    output: Operand<'_>,
) -> Result<scalar::Windows> {
    let &[batch, height, width, channels] = input.shape() else {
        return Err(ctx.invalid(format!("input of shape {:?}", input.shape())));
    };
    let axis = |extent, window, stride| {
        scalar::Axis::new(options.padding == Padding::Same, extent, window, stride)
            .ok_or_else(|| ctx.invalid(format!("a window of {window} over {extent}")))
    };
    let y = axis(height, options.window.h, options.stride.h)?;
    let x = axis(width, options.window.w, options.stride.w)?;
    ctx.ensure_shape(output, &[batch, y.output, x.output, channels])?;
    let elements = y.window.min(height).saturating_mul(x.window.min(width));
    if elements > MAX_WINDOW {
        return Err(ctx.unsupported(format!("windows of {elements} elements")));
    }
    Ok(scalar::Windows { batch, y, x, channels })
}
