//! SUB, MUL and PRELU, with NumPy's broadcasting.
//!
//! On bytes all three give LiteRT's default results: MUL multiplies the exact product by one float32
//! factor and rounds to nearest, ties to even; SUB weighs both sides with 20-bit factors; PRELU uses
//! TFLite's fixed point.

mod prelu;
mod scalar;

pub(super) use prelu::lower as prelu;

use super::activation::{byte_range, float_range};
use super::add::QuantizedSum;
use super::nest::{Dim, Nest, row_major};
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
            let difference = QuantizedSum::difference(inputs, to, range).ok_or_else(|| {
                let [a, b] = inputs.map(|i| i.scale);
                ctx.unsupported(format!("scales {a} and {b} with an output scale of {}", to.scale))
            })?;
            operands.task(ctx, |nest| scalar::SubU8 { nest, difference })
        }
        DType::F32 => {
            let (low, high) = float_range(ctx, activation)?;
            let f = move |a: f32, b: f32| (a - b).max(low).min(high);
            operands.task(ctx, |nest| scalar::Pairwise::new("portable-f32-sub", nest, f))
        }
        DType::I32 if activation == Activation::None => {
            operands.task(ctx, |nest| scalar::Pairwise::new("portable-i32-sub", nest, i32::wrapping_sub))
        }
        DType::I64 if activation == Activation::None => {
            operands.task(ctx, |nest| scalar::Pairwise::new("portable-i64-sub", nest, i64::wrapping_sub))
        }
        _ => Err(ctx.unsupported_types(&[a, b, output])),
    }
}

/// MUL.
pub(super) fn mul(ctx: &Lower<'_>, activation: Activation) -> Result<Lowered> {
    let operands = Operands::of(ctx)?;
    let Operands { a, b, output, .. } = operands;
    match operands.dtype(ctx)? {
        DType::U8 | DType::I8 => {
            let (qa, qb, to) = (ctx.affine(a)?, ctx.affine(b)?, ctx.affine(output)?);
            let range = byte_range(ctx, activation, to)?;
            operands.task(ctx, |nest| scalar::MulU8::new(nest, qa, qb, to, range))
        }
        DType::F32 => {
            let (low, high) = float_range(ctx, activation)?;
            let f = move |a: f32, b: f32| (a * b).max(low).min(high);
            operands.task(ctx, |nest| scalar::Pairwise::new("portable-f32-mul", nest, f))
        }
        DType::I32 if activation == Activation::None => {
            operands.task(ctx, |nest| scalar::Pairwise::new("portable-i32-mul", nest, i32::wrapping_mul))
        }
        DType::I64 if activation == Activation::None => {
            operands.task(ctx, |nest| scalar::Pairwise::new("portable-i64-mul", nest, i64::wrapping_mul))
        }
        _ => Err(ctx.unsupported_types(&[a, b, output])),
    }
}

/// Two inputs, the output, and the loops that walk all three.
struct Operands<'g> {
    a: Operand<'g>,
    b: Operand<'g>,
    output: Operand<'g>,
    nest: Nest<3>,
}

impl<'g> Operands<'g> {
    fn of(ctx: &Lower<'g>) -> Result<Self> {
        let (a, b, output) = (ctx.input(0)?, ctx.input(1)?, ctx.output(0)?);
        let nest = broadcast(ctx, a, b, output)?;
        Ok(Self { a, b, output, nest })
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
        kernel: impl FnOnce(Nest<3>) -> K,
    ) -> Result<Lowered> {
        ctx.task(kernel(self.nest), &[self.a, self.b])
    }
}

/// Loops over `output`, whose shape must be that of `a` and `b` broadcast to each other.
fn broadcast(ctx: &Lower<'_>, a: Operand<'_>, b: Operand<'_>, output: Operand<'_>) -> Result<Nest<3>> {
    let rank = a.shape().len().max(b.shape().len());
    let (sa, sb) = (expand(a.shape(), rank), expand(b.shape(), rank));
    let mut shape = Vec::with_capacity(rank);
    for (&x, &y) in sa.iter().zip(&sb) {
        ctx.ensure(x == y || x == 1 || y == 1, || format!("{:?} against {:?}", a.shape(), b.shape()))?;
        shape.push(if x == 1 { y } else { x });
    }
    ctx.ensure_shape(output, &shape)?;
    let strides = [row_major(&sa), row_major(&sb), row_major(&shape)];
    let dim = |d: usize| {
        let stays = [sa[d] == 1, sb[d] == 1, false];
        Dim { count: shape[d], strides: std::array::from_fn(|k| if stays[k] { 0 } else { strides[k][d] }) }
    };
    let dims: Vec<_> = (0..rank).map(dim).collect();
    Nest::new(&dims, [0; 3], [a.elements(), b.elements(), output.elements()])
        .ok_or_else(|| ctx.unsupported(format!("{:?} against {:?}", a.shape(), b.shape())))
}

/// `shape` with dimensions of one in front, up to `rank`.
fn expand(shape: &[usize], rank: usize) -> Vec<usize> {
    std::iter::repeat_n(1, rank - shape.len()).chain(shape.iter().copied()).collect()
}
