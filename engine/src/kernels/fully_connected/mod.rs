//! FULLY_CONNECTED: a matrix product over the rows of the input.

use super::conv::{Extents, Patches, product};
use crate::error::Result;
use crate::graph::Activation;
use crate::lowering::{Lower, Lowered};

/// FULLY_CONNECTED: input of any rank, weights [outputs, inputs], bias.
pub(super) fn lower(ctx: &Lower<'_>, activation: Activation, shuffled: bool) -> Result<Lowered> {
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
    ctx.ensure(rows.checked_mul(n) == Some(output.elements()), || {
        format!("\"{}\" has shape {:?} where {rows} rows of {n} follow", output.info.name, output.shape())
    })?;
    product(ctx, input, weights, 2, activation, Patches::Direct, Extents { rows, n, k, channels: k })
}
