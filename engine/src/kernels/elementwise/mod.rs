//! Functions of two elements: SUB, MUL, PRELU and the table of `binary`, with NumPy's broadcasting.
//!
//! On bytes those three give LiteRT's default results: MUL multiplies the exact product by one float32
//! factor and rounds to nearest, ties to even; SUB weighs both sides with 20-bit factors; PRELU uses
//! TFLite's fixed point.

mod add_n;
mod binary;
mod byte_pairs;
mod pairs;
mod prelu;
mod scalar;

pub(super) use add_n::lower as add_n;
pub(super) use binary::lower as binary;
pub(super) use byte_pairs::sum as reference_sum;
pub(super) use pairs::Pairs;
pub(super) use prelu::lower as prelu;

use super::activation::{byte_range, float_range};
use super::quantized_sum::QuantizedSum;
use super::requantize::ByteRange;
use crate::error::Result;
use crate::graph::{Activation, DType};
use crate::lowering::{Lower, Lowered, Operand};

/// SUB.
pub(super) fn sub(ctx: &Lower<'_>, activation: Activation) -> Result<Lowered> {
    let operands = Operands::of(ctx)?;
    let Operands { a, b, output, .. } = operands;
    match operands.dtype(ctx)? {
        DType::U8 | DType::I8 => {
            let (inputs, to) = ([ctx.affine(a)?, ctx.affine(b)?], ctx.affine(output)?);
            let range = ByteRange::new(ctx, activation, to)?;
            let Some(difference) = QuantizedSum::difference(inputs, to, range) else {
                return byte_pairs::sum(ctx, [1, -1], inputs, to, range);
            };
            operands.task(ctx, |pairs| scalar::SubU8 { pairs, difference })
        }
        DType::F32 => {
            let (low, high) = float_range(ctx, activation)?;
            let f = move |a: f32, b: f32| (a - b).max(low).min(high);
            operands.task(ctx, |pairs| scalar::Pairwise::new("portable-f32-sub", pairs, f))
        }
        DType::I32 if activation == Activation::None => {
            operands.task(ctx, |pairs| scalar::Pairwise::new("portable-i32-sub", pairs, i32::wrapping_sub))
        }
        DType::I64 if activation == Activation::None => {
            operands.task(ctx, |pairs| scalar::Pairwise::new("portable-i64-sub", pairs, i64::wrapping_sub))
        }
        _ => Err(ctx.unsupported_types(&[a, b, output])),
    }
}

/// ADD of 64-bit integers, as index arithmetic has them.
pub(super) fn add_i64(ctx: &Lower<'_>) -> Result<Lowered> {
    Operands::of(ctx)?.task(ctx, |pairs| scalar::Pairwise::new("portable-i64-add", pairs, i64::wrapping_add))
}

/// MUL.
pub(super) fn mul(ctx: &Lower<'_>, activation: Activation) -> Result<Lowered> {
    let operands = Operands::of(ctx)?;
    let Operands { a, b, output, .. } = operands;
    match operands.dtype(ctx)? {
        DType::U8 | DType::I8 => {
            let (qa, qb, to) = (ctx.affine(a)?, ctx.affine(b)?, ctx.affine(output)?);
            let range = byte_range(ctx, activation, to)?;
            operands.task(ctx, |pairs| scalar::MulU8::new(pairs, qa, qb, to, range))
        }
        DType::F32 => {
            let (low, high) = float_range(ctx, activation)?;
            let f = move |a: f32, b: f32| (a * b).max(low).min(high);
            operands.task(ctx, |pairs| scalar::Pairwise::new("portable-f32-mul", pairs, f))
        }
        DType::I32 if activation == Activation::None => {
            operands.task(ctx, |pairs| scalar::Pairwise::new("portable-i32-mul", pairs, i32::wrapping_mul))
        }
        DType::I64 if activation == Activation::None => {
            operands.task(ctx, |pairs| scalar::Pairwise::new("portable-i64-mul", pairs, i64::wrapping_mul))
        }
        _ => Err(ctx.unsupported_types(&[a, b, output])),
    }
}

/// Two inputs, the output, and how their elements belong together.
struct Operands<'g> {
    a: Operand<'g>,
    b: Operand<'g>,
    output: Operand<'g>,
    pairs: Pairs,
}

impl<'g> Operands<'g> {
    fn of(ctx: &Lower<'g>) -> Result<Self> {
        let (a, b, output) = (ctx.input(0)?, ctx.input(1)?, ctx.output(0)?);
        Ok(Self { a, b, output, pairs: Pairs::new(ctx, a, b, output)? })
    }

    /// The type that all three have.
    fn dtype(&self, ctx: &Lower<'_>) -> Result<DType> {
        let dtype = self.a.dtype();
        if self.b.dtype() == dtype && self.output.dtype() == dtype {
            Ok(dtype)
        } else {
            Err(ctx.unsupported_types(&[self.a, self.b, self.output]))
        }
    }

    fn task<K: crate::lowering::Kernel + 'static>(
        self,
        ctx: &Lower<'_>,
        kernel: impl FnOnce(Pairs) -> K,
    ) -> Result<Lowered> {
        ctx.task(kernel(self.pairs), &[self.a, self.b])
    }
}
