//! DEPTH_TO_SPACE and SPACE_TO_DEPTH.

use super::{Move, nest, width};
use crate::error::Result;
use crate::kernels::nest::{Dim, row_major};
use crate::lowering::{Lower, Lowered, Operand};

/// DEPTH_TO_SPACE: [n, h, w, b·b·c] to [n, h·b, w·b, c].
pub(in crate::kernels) fn depth_to_space(ctx: &Lower<'_>, block_size: i32) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let (&[n, h, w, depth], block) = (input.shape(), self::block(ctx, block_size)?) else {
        return Err(ctx.invalid(format!("input of shape {:?}", input.shape())));
    };
    ctx.ensure(depth.is_multiple_of(block * block), || format!("blocks of {block} from {depth} channels"))?;
    let channels = depth / (block * block);
    ctx.ensure_shape(output, &[n, h.saturating_mul(block), w.saturating_mul(block), channels])?;
    blocks(ctx, "portable-depth-to-space", [n, h, w, channels], block, [0, 1], [input, output])
}

/// SPACE_TO_DEPTH: [n, h·b, w·b, c] to [n, h, w, b·b·c].
pub(in crate::kernels) fn space_to_depth(ctx: &Lower<'_>, block_size: i32) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let (&[n, h, w, channels], block) = (input.shape(), self::block(ctx, block_size)?) else {
        return Err(ctx.invalid(format!("input of shape {:?}", input.shape())));
    };
    ctx.ensure(h.is_multiple_of(block) && w.is_multiple_of(block), || {
        format!("blocks of {block} from {h}×{w}")
    })?;
    ctx.ensure_shape(output, &[n, h / block, w / block, channels.saturating_mul(block * block)])?;
    blocks(
        ctx,
        "portable-space-to-depth",
        [n, h / block, w / block, channels],
        block,
        [1, 0],
        [input, output],
    )
}

fn block(ctx: &Lower<'_>, size: i32) -> Result<usize> {
    let size = usize::try_from(size).ok().filter(|b| (1..1 << 16).contains(b));
    size.ok_or_else(|| ctx.invalid("a block of no size".into()))
}

/// Moves blocks of `[n, h, w, channels]`; `order` says which of input and output has them in its depth.
fn blocks(
    ctx: &Lower<'_>,
    name: &'static str,
    [n, h, w, channels]: [usize; 4],
    block: usize,
    order: [usize; 2],
    [input, output]: [Operand<'_>; 2],
) -> Result<Lowered> {
    let deep = row_major(&[n, h, w, block, block, channels]);
    let wide = row_major(&[n, h, block, w, block, channels]);
    let axes = [(0, 0), (1, 1), (3, 2), (2, 3), (4, 4), (5, 5)];
    let counts = [n, h, block, w, block, channels];
    let dims =
        axes.map(|(d, s)| Dim { count: counts[s], strides: order.map(|side| [deep[d], wide[s]][side]) });
    let parts = Box::new([nest(ctx, &dims, [0, 0], input, output)?]);
    ctx.task(Move { name, width: width(ctx, &[input, output])?, parts }, &[input])
}
