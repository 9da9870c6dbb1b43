//! DEPTH_TO_SPACE.

use super::{Move, nest, width};
use crate::error::Result;
use crate::kernels::nest::{Dim, row_major};
use crate::lowering::{Lower, Lowered};

/// DEPTH_TO_SPACE: [n, h, w, b·b·c] to [n, h·b, w·b, c].
pub(in crate::kernels) fn lower(ctx: &Lower<'_>, block_size: i32) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let &[n, h, w, depth] = input.shape() else {
        return Err(ctx.invalid(format!("input of shape {:?}", input.shape())));
    };
    let block = usize::try_from(block_size).ok().filter(|b| (1..1 << 16).contains(b));
    let (block, channels) = block
        .filter(|b| depth.is_multiple_of(b * b))
        .map(|b| (b, depth / (b * b)))
        .ok_or_else(|| ctx.invalid(format!("blocks of {block_size} from {depth} channels")))?;
    ctx.ensure_shape(output, &[n, h.saturating_mul(block), w.saturating_mul(block), channels])?;
    let from = row_major(&[n, h, w, block, block, channels]);
    let to = row_major(&[n, h, block, w, block, channels]);
    let order = [(0, 0), (1, 1), (3, 2), (2, 3), (4, 4), (5, 5)];
    let counts = [n, h, block, w, block, channels];
    let dims = order.map(|(f, t)| Dim { count: counts[t], strides: [from[f], to[t]] });
    let parts = Box::new([nest(ctx, &dims, [0, 0], input, output)?]);
    ctx.task(Move { name: "portable-depth-to-space", width: width(ctx, &[input, output])?, parts }, &[input])
}
