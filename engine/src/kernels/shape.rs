//! Operators that leave the bytes as they are.

use crate::error::Result;
use crate::lowering::{Lower, Lowered};

/// RESHAPE and SQUEEZE: the same bytes under the shape that the file gives the output.
pub(super) fn reshape(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure(input.elements() == output.elements() && input.dtype() == output.dtype(), || {
        format!("{} {:?} cannot become {} {:?}", input.dtype(), input.shape(), output.dtype(), output.shape())
    })?;
    Ok(Lowered::Alias { input: input.id, output: output.id })
}
