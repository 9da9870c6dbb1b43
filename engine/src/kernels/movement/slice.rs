//! SLICE, REVERSE_V2, TILE and BROADCAST_TO: one nest of loops each.

use super::{Move, nest, width};
use crate::error::Result;
use crate::kernels::nest::{Dim, row_major};
use crate::lowering::{Lower, Lowered, Operand};

/// SLICE with constant begin and size; a size of −1 reaches to the end.
pub(in crate::kernels) fn slice(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let (begin, size) = (ctx.integers(ctx.input(1)?)?, ctx.integers(ctx.input(2)?)?);
    let rank = input.shape().len();
    ctx.ensure(begin.len() == rank && size.len() == rank, || {
        format!("{begin:?} and {size:?} of {rank} axes")
    })?;
    let from = row_major(input.shape());
    let (mut shape, mut start) = (Vec::with_capacity(rank), 0usize);
    for (d, &extent) in input.shape().iter().enumerate() {
        let first = usize::try_from(begin[d]).ok().filter(|&b| b <= extent);
        let count = |first: usize| match size[d] {
            -1 => Some(extent - first),
            size => usize::try_from(size).ok().filter(|&s| s <= extent - first),
        };
        let (first, count) = first
            .and_then(|first| Some((first, count(first)?)))
            .ok_or_else(|| ctx.invalid(format!("{} from {} of {extent}", size[d], begin[d])))?;
        start = start.saturating_add((from[d] as usize).saturating_mul(first));
        shape.push(count);
    }
    ctx.ensure_shape(output, &shape)?;
    let to = row_major(&shape);
    let dims: Vec<_> = (0..rank).map(|d| Dim { count: shape[d], strides: [from[d], to[d]] }).collect();
    one(ctx, "portable-slice", &dims, [start, 0], input, output)
}

/// REVERSE_V2 along constant axes.
pub(in crate::kernels) fn reverse(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    let rank = input.shape().len();
    let mut reversed = vec![false; rank];
    for axis in ctx.integers(ctx.input(1)?)? {
        reversed[ctx.axis(axis, rank)?] = true;
    }
    let to = row_major(input.shape());
    let mut start = 0usize;
    let mut dims = Vec::with_capacity(rank);
    for (d, &count) in input.shape().iter().enumerate() {
        let last = (to[d] as usize).saturating_mul(count.saturating_sub(1));
        start = start.saturating_add(if reversed[d] { last } else { 0 });
        dims.push(Dim { count, strides: [if reversed[d] { -to[d] } else { to[d] }, to[d]] });
    }
    one(ctx, "portable-reverse", &dims, [start, 0], input, output)
}

/// TILE by constant multiples.
pub(in crate::kernels) fn tile(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let multiples = ctx.integers(ctx.input(1)?)?;
    let rank = input.shape().len();
    ctx.ensure(multiples.len() == rank, || format!("{multiples:?} of {rank} axes"))?;
    let times: Option<Vec<usize>> = multiples.iter().map(|&m| usize::try_from(m).ok()).collect();
    let times = times.ok_or_else(|| ctx.invalid(format!("multiples {multiples:?}")))?;
    let shape: Vec<usize> = input.shape().iter().zip(&times).map(|(&d, &m)| d.saturating_mul(m)).collect();
    ctx.ensure_shape(output, &shape)?;
    let (from, to) = (row_major(input.shape()), row_major(&shape));
    let mut dims = Vec::with_capacity(2 * rank);
    for (d, &extent) in input.shape().iter().enumerate() {
        dims.push(Dim { count: times[d], strides: [0, to[d].saturating_mul(extent as isize)] });
        dims.push(Dim { count: extent, strides: [from[d], to[d]] });
    }
    one(ctx, "portable-tile", &dims, [0, 0], input, output)
}

/// BROADCAST_TO a constant shape.
pub(in crate::kernels) fn broadcast_to(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let wanted = ctx.integers(ctx.input(1)?)?;
    let shape: Option<Vec<usize>> = wanted.iter().map(|&d| usize::try_from(d).ok()).collect();
    let shape = shape.ok_or_else(|| ctx.invalid(format!("shape {wanted:?}")))?;
    let skip = shape.len().checked_sub(input.shape().len());
    let skip = skip.ok_or_else(|| ctx.invalid(format!("{:?} to {shape:?}", input.shape())))?;
    ctx.ensure_shape(output, &shape)?;
    let (from, to) = (row_major(input.shape()), row_major(&shape));
    let mut dims = Vec::with_capacity(shape.len());
    for (d, &count) in shape.iter().enumerate() {
        let own = d.checked_sub(skip).map(|i| (input.shape()[i], from[i]));
        let step = match own {
            None | Some((1, _)) => 0,
            Some((extent, step)) if extent == count => step,
            Some(_) => return Err(ctx.invalid(format!("{:?} to {shape:?}", input.shape()))),
        };
        dims.push(Dim { count, strides: [step, to[d]] });
    }
    one(ctx, "portable-broadcast", &dims, [0, 0], input, output)
}

/// A copy of `input` by one nest of loops.
fn one(
    ctx: &Lower<'_>,
    name: &'static str,
    dims: &[Dim<2>],
    start: [usize; 2],
    input: Operand<'_>,
    output: Operand<'_>,
) -> Result<Lowered> {
    let width = width(ctx, &[input, output])?;
    let parts = Box::new([nest(ctx, dims, start, input, output)?]);
    ctx.task(Move { name, width, parts }, &[input])
}
