//! AVERAGE_POOL_2D and MAX_POOL_2D, NHWC. Windows count only the elements inside the input.
//!
//! On bytes the average is the exact sum divided once, halves away from zero, which is LiteRT's
//! result to the bit.

mod scalar;

use super::activation::{byte_range, float_range};
use super::window::{Border, Window};
use crate::error::Result;
use crate::graph::{DType, PoolOptions, Size2};
use crate::lowering::{Lower, Lowered, Operand};
use crate::threads::scratch_bytes;

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
                    let center = crate::lowering::u8_offset(input.dtype());
                    let scratch = scratch_bytes(windows.channels * size_of::<u32>(), ctx.threads);
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
    let dilation = Size2 { h: 1, w: 1 };
    let window = Window::new(
        ctx,
        input.shape(),
        options.window,
        options.stride,
        dilation,
        Border::Rule(options.padding),
    )?;
    let channels = input.shape()[3];
    ctx.ensure_shape(output, &[window.batch, window.output.h, window.output.w, channels])?;
    let elements = window.kernel.h.min(window.input.h).saturating_mul(window.kernel.w.min(window.input.w));
    if elements > MAX_WINDOW {
        return Err(ctx.unsupported(format!("windows of {elements} elements")));
    }
    Ok(scalar::Windows { window, channels })
}
