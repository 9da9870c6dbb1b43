//! TRANSPOSE.

use super::{Move, nest, width};
use crate::error::Result;
use crate::kernels::nest::{Dim, row_major};
use crate::lowering::{Lower, Lowered};

/// TRANSPOSE by a constant permutation.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let permutation = ctx.integers(ctx.input(1)?)?;
    let rank = input.shape().len();
    let axes = permutation.iter().map(|&p| ctx.axis(p, rank)).collect::<Result<Vec<_>>>()?;
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    ctx.ensure(sorted.iter().copied().eq(0..rank), || format!("permutation {permutation:?} of {rank} axes"))?;
    let shape: Vec<usize> = axes.iter().map(|&a| input.shape()[a]).collect();
    ctx.ensure_shape(output, &shape)?;
    let (from, to) = (row_major(input.shape()), row_major(&shape));
    let dim = |d: usize| Dim { count: shape[d], strides: [from[axes[d]], to[d]] };
    let dims: Vec<_> = (0..rank).map(dim).collect();
    let parts = Box::new([nest(ctx, &dims, [0, 0], input, output)?]);
    ctx.task(Move { name: "portable-transpose", width: width(ctx, &[input, output])?, parts }, &[input])
}
