//! Products of two tensors that are both computed at run time: BATCH_MATMUL, and FULLY_CONNECTED whose weights are not
//! constants.
//!
//! The right side is read in place if its rows are the sums' index, else it is transposed first, as is the left.

mod float;
mod int8;

use super::gemm::FloatRange;
use super::requantize::ByteRange;
use super::weights;
use crate::error::Result;
use crate::graph::{Activation, DType};
use crate::lowering::{Lower, Lowered, Operand};

/// Extents of the products, and which matrices belong together.
#[derive(Debug, Clone)]
struct Product {
    m: usize,
    n: usize,
    k: usize,
    /// The left and the right matrix of each product, by number.
    pairs: Box<[(usize, usize)]>,
    /// Whether the left is stored [k, m], the right [n, k].
    transposed: [bool; 2],
}

impl Product {
    fn macs(&self) -> u64 {
        [self.m, self.n, self.k, self.pairs.len()].iter().fold(1u64, |n, &d| n.saturating_mul(d as u64))
    }
}

/// BATCH_MATMUL: matrices of the last two axes, the others broadcast.
pub(super) fn batch(ctx: &Lower<'_>, adjoint: [bool; 2]) -> Result<Lowered> {
    let (a, b, output) = (ctx.input(0)?, ctx.input(1)?, ctx.output(0)?);
    let wrong = || ctx.invalid(format!("{:?} times {:?}", a.shape(), b.shape()));
    let (Some((outer_a, matrix_a)), Some((outer_b, matrix_b))) =
        (a.shape().split_last_chunk::<2>(), b.shape().split_last_chunk::<2>())
    else {
        return Err(wrong());
    };
    let flip = |[rows, columns]: [usize; 2], flip: bool| if flip { [columns, rows] } else { [rows, columns] };
    let ([m, k], [k_b, n]) = (flip(*matrix_a, adjoint[0]), flip(*matrix_b, adjoint[1]));
    let rank = outer_a.len().max(outer_b.len());
    let expand = |s: &[usize]| [vec![1; rank - s.len()], s.to_vec()].concat();
    let (outer_a, outer_b) = (expand(outer_a), expand(outer_b));
    let mut shape = Vec::with_capacity(rank + 2);
    for (&x, &y) in outer_a.iter().zip(&outer_b) {
        if x != y && x != 1 && y != 1 {
            return Err(wrong());
        }
        shape.push(if x == 1 { y } else { x });
    }
    let outer = shape.clone();
    shape.extend([m, n]);
    ctx.ensure(k == k_b, || format!("{:?} times {:?}", a.shape(), b.shape()))?;
    ctx.ensure_shape(output, &shape)?;
    let count = output.elements() / (m * n).max(1);
    if count > MAX_PRODUCTS {
        return Err(ctx.unsupported(format!("{count} products")));
    }
    // The number of an operand's matrix: its own coordinates, of which those of one do not move.
    let number = |own: &[usize], mut at: usize| {
        let (mut number, mut step) = (0, 1);
        for d in (0..rank).rev() {
            let place = at % outer[d].max(1);
            at /= outer[d].max(1);
            number += if own[d] == 1 { 0 } else { place * step };
            step *= own[d];
        }
        number
    };
    let pairs = (0..count).map(|at| (number(&outer_a, at), number(&outer_b, at))).collect();
    lower(ctx, [a, b], Activation::None, None, Product { m, n, k, pairs, transposed: adjoint })
}

/// Most products of one operator.
const MAX_PRODUCTS: usize = 1 << 16;

/// FULLY_CONNECTED with weights [n, k] computed at run time.
pub(super) fn fully_connected(
    ctx: &Lower<'_>,
    operands: [Operand<'_>; 2],
    activation: Activation,
    [m, n, k]: [usize; 3],
) -> Result<Lowered> {
    let product = Product { m, n, k, pairs: Box::new([(0, 0)]), transposed: [false, true] };
    lower(ctx, operands, activation, Some(2), product)
}

/// The kernel for the operands' types; the bias, if there can be one, is a constant input.
fn lower(
    ctx: &Lower<'_>,
    [a, b]: [Operand<'_>; 2],
    activation: Activation,
    bias: Option<usize>,
    product: Product,
) -> Result<Lowered> {
    let (output, n) = (ctx.output(0)?, product.n);
    let macs = product.macs();
    let scratch = [product.k.saturating_mul(product.m), product.k.saturating_mul(n)];
    match (a.dtype(), b.dtype(), output.dtype()) {
        (DType::F32, DType::F32, DType::F32) => {
            let bias = bias.map_or(Ok(vec![0.0; n]), |i| weights::float_bias(ctx, i, n))?;
            let range = FloatRange::new(ctx, activation)?;
            let kernel = float::MatMulF32 { product, bias, range, isa: ctx.isa };
            ctx.task_with(kernel, &[a, b], scratch[0].saturating_add(scratch[1]).saturating_mul(4), macs)
        }
        (DType::I8, DType::I8, DType::I8) | (DType::U8, DType::U8, DType::U8) => {
            let bias = bias.map_or(Ok(vec![0; n]), |i| weights::integer_bias(ctx, i, n))?;
            let (qa, qb, to) = (ctx.affine(a)?, ctx.affine(b)?, ctx.affine(output)?);
            let range = ByteRange::new(ctx, activation, to)?;
            if product.k > int8::MAX_K {
                return Err(ctx.unsupported(format!("sums of {} products", product.k)));
            }
            let scale = f64::from(qa.scale) * f64::from(qb.scale) / f64::from(to.scale);
            let kernel = int8::MatMulU8::new(product, bias, [qa.zero_point, qb.zero_point], to, scale, range);
            let bytes = scratch[0].saturating_add(scratch[1]).saturating_mul(2);
            ctx.task_with(kernel, &[a, b], bytes.saturating_add(n.saturating_mul(4)), macs)
        }
        _ => Err(ctx.unsupported_types(&[a, b, output])),
    }
}

/// Writes `from`, [rows, columns], as [columns, rows].
fn transpose<T: Copy>(from: &[T], rows: usize, columns: usize, to: &mut [T]) {
    for (r, row) in from.chunks_exact(columns.max(1)).enumerate() {
        for (c, &x) in row.iter().enumerate() {
            to[c * rows + r] = x;
        }
    }
}
