//! MEAN, SUM, the REDUCE_ operators, ARG_MAX and ARG_MIN.
//!
//! MEAN of bytes: the exact sum times one float32 factor, rounded to nearest, ties to even: LiteRT's
//! default result to the bit.

mod arg_max;
mod axes;
mod fold;
mod scalar;

pub(super) use arg_max::lower as arg_max;
pub(super) use fold::lower as fold;

use super::rounding::Rounder;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Lower, Lowered};
use crate::threads::scratch_bytes;
use axes::Axes;

/// Sums of more bytes than this could leave 32 bits.
const MAX_COUNT: usize = 1 << 23;

/// MEAN over constant axes.
pub(super) fn mean(ctx: &Lower<'_>, keep_dims: bool) -> Result<Lowered> {
    let (input, output, Axes { nest, count }) = Axes::of(ctx, keep_dims)?;
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => {
            ctx.task(scalar::MeanF32 { sums: scalar::Sums { nest, isa: ctx.isa }, count }, &[input])
        }
        (DType::U8, DType::U8) | (DType::I8, DType::I8) => {
            if count > MAX_COUNT {
                return Err(ctx.unsupported(format!("a mean over {count} elements")));
            }
            let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
            let kernel = scalar::MeanU8 {
                name: "portable-u8-mean",
                sums: scalar::Sums { nest, isa: ctx.isa },
                zero_sum: from.zero_point.wrapping_mul(count as i32),
                factor: from.scale / (to.scale * count as f32),
                rounder: Rounder::whole(to),
            };
            let sums = output.elements().saturating_mul(size_of::<i32>());
            ctx.task_with(kernel, &[input], scratch_bytes(sums, ctx.threads), 0)
        }
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}
