//! MEAN and ARG_MAX.
//!
//! MEAN of bytes: the exact sum times one float32 factor, rounded to nearest, ties to even: LiteRT's
//! default result to the bit.

mod arg_max;
mod scalar;

pub(super) use arg_max::lower as arg_max;

use super::nest::{Dim, Nest, row_major};
use super::rounding::Rounder;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Lower, Lowered};
use crate::threads::scratch_bytes;

/// Sums of more bytes than this could leave 32 bits.
const MAX_COUNT: usize = 1 << 23;

/// MEAN over constant axes.
pub(super) fn mean(ctx: &Lower<'_>, keep_dims: bool) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let rank = input.shape().len();
    let mut reduced = vec![false; rank];
    for axis in ctx.integers(ctx.input(1)?)? {
        reduced[ctx.axis(axis, rank)?] = true;
    }
    let ones: Vec<usize> = input.shape().iter().zip(&reduced).map(|(&d, &r)| if r { 1 } else { d }).collect();
    let mut shape = ones.clone();
    if !keep_dims {
        let mut reduced = reduced.iter();
        shape.retain(|_| reduced.next() == Some(&false));
    }
    ctx.ensure_shape(output, &shape)?;
    let (from, to) = (row_major(input.shape()), row_major(&ones));
    let dim =
        |d: usize| Dim { count: input.shape()[d], strides: [from[d], if reduced[d] { 0 } else { to[d] }] };
    let dims: Vec<_> = (0..rank).map(dim).collect();
    let nest = Nest::new(&dims, [0, 0], [input.elements(), output.elements()])
        .ok_or_else(|| ctx.unsupported(format!("a mean over {:?}", input.shape())))?;
    let count = input.shape().iter().zip(&reduced).filter(|(_, r)| **r).map(|(d, _)| d).product::<usize>();
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
                sums: scalar::Sums { nest, isa: ctx.isa },
                zero_sum: from.zero_point * count as i32,
                factor: from.scale / (to.scale * count as f32),
                rounder: Rounder::whole(to),
            };
            let sums = output.elements().saturating_mul(size_of::<i32>());
            ctx.task_with(kernel, &[input], scratch_bytes(sums, ctx.threads), 0)
        }
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}
