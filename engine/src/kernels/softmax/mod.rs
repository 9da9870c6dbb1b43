//! SOFTMAX over the last axis.
//!
//! On bytes: exponentials from a float32 table, summed in order, results rounded to nearest; equal
//! to LiteRT's default kernels on x86-64, and within one step of its Arm kernels, which take
//! 16-bit tables, and of its reference kernels, which take fixed-point numbers.

mod scalar;

use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Lower, Lowered};

/// SOFTMAX of float32 or bytes.
pub(super) fn lower(ctx: &Lower<'_>, beta: f32) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    let &depth = input.shape().last().ok_or_else(|| ctx.invalid("softmax of a scalar".into()))?;
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => ctx.task(scalar::SoftmaxF32 { beta, depth, isa: ctx.isa }, &[input]),
        (DType::U8, DType::U8) | (DType::I8, DType::I8) => {
            let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
            ctx.task(scalar::SoftmaxU8::new(from, to, beta, depth), &[input])
        }
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}
