//! A folder per operator family. In each, `mod.rs` checks shapes and types, packs weights and
//! chooses a kernel; `scalar.rs` is the portable kernel and the oracle of the others; a file per
//! instruction set holds what is hand-written.

pub(crate) mod flip_sign;
mod isa;
mod shape;

pub use isa::{Isa, UnknownIsa};

use crate::compile::{Lower, Lowered};
use crate::error::{Error, Result};
use crate::graph::Op;

/// The kernel for a node.
pub(crate) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
    match &ctx.node.op {
        Op::Reshape | Op::Squeeze => shape::reshape(ctx),
        op => Err(Error::UnsupportedOperator {
            node: ctx.index,
            op: op.label(),
            remedy: "convert the model without it, or use the tract backend",
        }),
    }
}
