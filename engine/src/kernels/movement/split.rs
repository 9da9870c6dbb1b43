//! SPLIT and UNPACK: one input in equal parts along an axis.

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

/// Every output, of `shape`, is a block of the input at each index of the dimensions before `axis`.
fn parts(
    ctx: &Lower<'_>,
    name: &'static str,
    input: Operand<'_>,
    axis: usize,
    shape: &[usize],
) -> Result<Lowered> {
    let outer: usize = input.shape()[..axis].iter().product();
    let row = input.elements() / outer.max(1);
    let block = row / ctx.node.outputs.len().max(1);
    let mut parts = Vec::with_capacity(ctx.node.outputs.len());
    for i in 0..ctx.node.outputs.len() {
        let output = ctx.output(i)?;
        ctx.ensure_shape(output, shape)?;
        width(ctx, &[input, output])?;
        let rows = Dim { count: outer, strides: [row as isize, block as isize] };
        let elements = Dim { count: block, strides: [1, 1] };
        parts.push(nest(ctx, &[rows, elements], [i * block, 0], input, output)?);
    }
    ctx.task(Move { name, width: width(ctx, &[input])?, parts: parts.into() }, &[input])
}
