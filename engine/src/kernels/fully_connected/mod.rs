//! FULLY_CONNECTED: a matrix product over the rows of the input.

use super::conv::{Extents, Patches, product};
use super::matmul;
use crate::error::Result;
use crate::graph::Activation;
use crate::lowering::{Lower, Lowered};

/// FULLY_CONNECTED: input of any rank, weights [outputs, inputs], bias. The output keeps the input's dimensions but the
/// last, or is a matrix.
pub(super) fn lower(
    ctx: &Lower<'_>,
    activation: Activation,
    shuffled: bool,
    keep_dims: bool,
) -> Result<Lowered> {
    if shuffled {
        return Err(ctx.unsupported("weights in the SHUFFLED4x16INT8 format".into()));
    }
    let (input, weights, output) = (ctx.input(0)?, ctx.input(1)?, ctx.output(0)?);
    let &[n, k] = weights.shape() else {
        return Err(ctx.invalid(format!("weights {:?}", weights.shape())));
    };
    ctx.ensure(n > 0 && k > 0 && input.elements().is_multiple_of(k), || {
        format!("input {:?}, weights {:?}", input.shape(), weights.shape())
    })?;
    let rows = input.elements() / k;
    let kept = input.shape().split_last().filter(|&(&last, _)| keep_dims && last == k);
    let shape = kept.map_or(vec![rows, n], |(_, outer)| [outer, &[n]].concat());
    ctx.ensure_shape(output, &shape)?;
    if weights.constant().is_none() {
        return matmul::fully_connected(ctx, [input, weights], activation, [rows, n, k]);
    }
    product(ctx, input, weights, 2, activation, Patches::Direct, Extents { rows, n, k, channels: k })
}
