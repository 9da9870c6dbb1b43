//! SPLIT, SPLIT_V and UNPACK: one input in parts along an axis.

use super::{Move, nest, width};
use crate::error::Result;
use crate::kernels::nest::Dim;
use crate::lowering::{Lower, Lowered, Operand};

/// SPLIT: input 0 is the constant axis, input 1 the value.
pub(in crate::kernels) fn split(ctx: &Lower<'_>) -> Result<Lowered> {
    let input = ctx.input(1)?;
    let axis = match ctx.integers(ctx.input(0)?)?[..] {
        [axis] => ctx.axis(axis, input.shape().len())?,
        ref axes => return Err(ctx.invalid(format!("axes {axes:?}"))),
    };
    let count = ctx.node.outputs.len();
    let extent = input.shape()[axis];
    ctx.ensure(count > 0 && extent.is_multiple_of(count), || format!("{extent} in {count} equal parts"))?;
    let mut shape = input.shape().to_vec();
    shape[axis] = extent / count;
    parts(ctx, "portable-split", input, axis, &shape)
}

/// UNPACK: an output for every index along the axis, without that axis.
pub(in crate::kernels) fn unpack(ctx: &Lower<'_>, axis: i32) -> Result<Lowered> {
    let input = ctx.input(0)?;
    let axis = ctx.axis(axis.into(), input.shape().len())?;
    let (extent, count) = (input.shape()[axis], ctx.node.outputs.len());
    ctx.ensure(extent == count, || format!("{extent} along the axis, {count} outputs"))?;
    let mut shape = input.shape().to_vec();
    shape.remove(axis);
    parts(ctx, "portable-unpack", input, axis, &shape)
}

/// SPLIT_V: parts of constant sizes, of which one may be −1: what the others leave.
pub(in crate::kernels) fn split_v(ctx: &Lower<'_>) -> Result<Lowered> {
    let input = ctx.input(0)?;
    let axis = match ctx.integers(ctx.input(2)?)?[..] {
        [axis] => ctx.axis(axis, input.shape().len())?,
        ref axes => return Err(ctx.invalid(format!("axes {axes:?}"))),
    };
    let sizes = ctx.integers(ctx.input(1)?)?;
    let extent = input.shape()[axis];
    let wrong = || ctx.invalid(format!("{extent} in parts of {sizes:?}"));
    let open = sizes.iter().filter(|&&s| s == -1).count();
    let given =
        sizes.iter().filter(|&&s| s != -1).try_fold(0usize, |n, &s| n.checked_add(s.try_into().ok()?));
    let left = given.and_then(|given| extent.checked_sub(given)).ok_or_else(wrong)?;
    if sizes.len() != ctx.node.outputs.len() || open > 1 || (open == 0 && left > 0) {
        return Err(wrong());
    }
    let sizes: Vec<usize> = sizes.iter().map(|&s| if s == -1 { left } else { s as usize }).collect();
    blocks(ctx, "portable-split-v", input, axis, &sizes)
}

/// Every output, of `shape`, is a block of the input at each index of the dimensions before `axis`.
fn parts(
    ctx: &Lower<'_>,
    name: &'static str,
    input: Operand<'_>,
    axis: usize,
    shape: &[usize],
) -> Result<Lowered> {
    for i in 0..ctx.node.outputs.len() {
        ctx.ensure_shape(ctx.output(i)?, shape)?;
    }
    let count = ctx.node.outputs.len();
    copies(ctx, name, input, axis, &vec![input.shape()[axis] / count.max(1); count])
}

/// The same for blocks of given extents along the axis.
fn blocks(
    ctx: &Lower<'_>,
    name: &'static str,
    input: Operand<'_>,
    axis: usize,
    sizes: &[usize],
) -> Result<Lowered> {
    for (i, &size) in sizes.iter().enumerate() {
        let mut shape = input.shape().to_vec();
        shape[axis] = size;
        ctx.ensure_shape(ctx.output(i)?, &shape)?;
    }
    copies(ctx, name, input, axis, sizes)
}

fn copies(
    ctx: &Lower<'_>,
    name: &'static str,
    input: Operand<'_>,
    axis: usize,
    sizes: &[usize],
) -> Result<Lowered> {
    let outer: usize = input.shape()[..axis].iter().product();
    let inner: usize = input.shape()[axis + 1..].iter().product();
    let row = input.shape()[axis].saturating_mul(inner);
    let (mut parts, mut start) = (Vec::with_capacity(sizes.len()), 0usize);
    for (i, size) in sizes.iter().enumerate() {
        let output = ctx.output(i)?;
        width(ctx, &[input, output])?;
        let block = size.saturating_mul(inner);
        let rows = Dim { count: outer, strides: [row as isize, block as isize] };
        let elements = Dim { count: block, strides: [1, 1] };
        parts.push(nest(ctx, &[rows, elements], [start, 0], input, output)?);
        start = start.saturating_add(block);
    }
    ctx.task(Move { name, width: width(ctx, &[input])?, parts: parts.into() }, &[input])
}
