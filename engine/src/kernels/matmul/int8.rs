//! Products of bytes, by TFLite's fixed point: exact sums, one factor.

use super::Product;
use crate::arena::Io;
use crate::kernels::fixed_point::Multiplier;
use crate::kernels::requantize::ByteRange;
use crate::lowering::{Affine, Kernel};
use crate::threads::Pool;

/// Longest sum that fits 32 bits.
pub(super) const MAX_K: usize = 1 << 15;

pub(super) struct MatMulU8 {
    product: Product,
    bias: Vec<i32>,
    zero_points: [i32; 2],
    to: Affine,
    factor: Multiplier,
    range: ByteRange,
}

impl MatMulU8 {
    pub(super) fn new(
        product: Product,
        bias: Vec<i32>,
        zero_points: [i32; 2],
        to: Affine,
        scale: f64,
        range: ByteRange,
    ) -> Self {
        Self { product, bias, zero_points, to, factor: Multiplier::new(scale), range }
    }

    fn byte(&self, sum: i32) -> u8 {
        let step = self.factor.apply(sum).saturating_add(self.to.zero_point);
        step.clamp(self.range.min.into(), self.range.max.into()) as u8
    }
}

impl Kernel for MatMulU8 {
    fn name(&self) -> &'static str {
        "portable-u8-matmul"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let Product { m, n, k, pairs, transposed } = &self.product;
        let (m, n, k) = (*m, *n, *k);
        let (a, b) = (io.input::<u8>(0), io.input::<u8>(1));
        let ([out], scratch) = io.outputs_and_scratch::<1>();
        if m * n == 0 {
            return;
        }
        let (sums, values) = scratch.split_at_mut(n * size_of::<i32>());
        let sums: &mut [i32] = bytemuck::cast_slice_mut(sums);
        // Both sides as 16-bit steps from their zero points.
        let values: &mut [i16] = bytemuck::cast_slice_mut(values);
        let (left, right) = values.split_at_mut(m * k);
        let [za, zb] = self.zero_points.map(|z| z as i16);
        for (&(i, j), out) in pairs.iter().zip(out.chunks_exact_mut(m * n)) {
            fill(&a[i * m * k..][..m * k], za, transposed[0].then_some((k, m)), left);
            fill(&b[j * k * n..][..k * n], zb, transposed[1].then_some((n, k)), &mut right[..k * n]);
            for (row, out) in out.chunks_exact_mut(n).enumerate() {
                sums.copy_from_slice(&self.bias);
                for (i, line) in right[..k * n].chunks_exact(n).enumerate() {
                    let x = i32::from(left[row * k + i]);
                    for (sum, &y) in sums.iter_mut().zip(line) {
                        *sum = sum.wrapping_add(x * i32::from(y));
                    }
                }
                for (out, &sum) in out.iter_mut().zip(sums.iter()) {
                    *out = self.byte(sum);
                }
            }
        }
    }
}

/// Steps from the zero point, turned if `turn` gives the rows and columns of what is stored.
fn fill(from: &[u8], zero_point: i16, turn: Option<(usize, usize)>, to: &mut [i16]) {
    match turn {
        None => to.iter_mut().zip(from).for_each(|(to, &x)| *to = i16::from(x) - zero_point),
        Some((rows, columns)) => {
            for (r, row) in from.chunks_exact(columns.max(1)).enumerate() {
                for (c, &x) in row.iter().enumerate() {
                    to[c * rows + r] = i16::from(x) - zero_point;
                }
            }
        }
    }
}
