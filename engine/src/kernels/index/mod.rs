//! Operators that choose, place or count elements by index.

mod create;
mod nd;
mod nms;
mod order;
mod select;
mod update;

pub(super) use create::{fill, one_hot, range, true_places, zeros_like};
pub(super) use nd::{gather_nd, scatter_nd};
pub(super) use nms::lower as non_max_suppression;
pub(super) use order::{cumulative_sum, top_k};
pub(super) use select::lower as select;
pub(super) use update::{assign, dynamic_update_slice, read};

use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Lower, Operand};

/// A constant that is one integer.
fn single(ctx: &Lower<'_>, t: Operand<'_>) -> Result<i64> {
    match ctx.integers(t)?[..] {
        [value] => Ok(value),
        ref values => Err(ctx.invalid(format!("\"{}\" is {values:?}, not one number", t.info.name))),
    }
}

/// A constant of extents, none negative.
fn extents(ctx: &Lower<'_>, t: Operand<'_>) -> Result<Vec<usize>> {
    let values = ctx.integers(t)?;
    let all: Option<Vec<usize>> = values.iter().map(|&v| usize::try_from(v).ok()).collect();
    all.ok_or_else(|| ctx.invalid(format!("\"{}\" is {values:?}", t.info.name)))
}

/// Whether indices are 64-bit integers rather than 32-bit ones.
fn wide(ctx: &Lower<'_>, indices: Operand<'_>) -> Result<bool> {
    match indices.dtype() {
        DType::I32 => Ok(false),
        DType::I64 => Ok(true),
        _ => Err(ctx.unsupported_types(&[indices])),
    }
}

/// Element `at` of input `i`, a tensor of indices.
fn index(io: &Io<'_>, i: usize, wide: bool, at: usize) -> i64 {
    if wide { io.input::<i64>(i)[at] } else { io.input::<i32>(i)[at].into() }
}

/// The product of extents.
fn product(dims: &[usize]) -> usize {
    dims.iter().fold(1usize, |n, &d| n.saturating_mul(d))
}
