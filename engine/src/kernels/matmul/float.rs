//! Float32 products: one body, compiled for each instruction set.

#![allow(unsafe_code, reason = "one function is compiled for features that are looked for as it runs")]

use super::{Product, transpose};
use crate::arena::Io;
use crate::kernels::Isa;
use crate::kernels::gemm::FloatRange;
use crate::lowering::Kernel;
use crate::threads::Pool;

/// Columns that are summed at once.
const WIDTH: usize = 16;
/// Rows that are summed at once.
const ROWS: usize = 4;

pub(super) struct MatMulF32 {
    pub(super) product: Product,
    pub(super) bias: Vec<f32>,
    pub(super) range: FloatRange,
    pub(super) isa: Isa,
}

impl Kernel for MatMulF32 {
    fn name(&self) -> &'static str {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            isa if isa >= Isa::Avx2 => "x86_64-f32-avx2-matmul",
            #[cfg(target_arch = "aarch64")]
            _ => "aarch64-f32-neon-matmul",
            #[cfg(not(target_arch = "aarch64"))]
            _ => "portable-f32-matmul",
        }
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let Product { m, n, k, pairs, transposed } = &self.product;
        let (m, n, k) = (*m, *n, *k);
        let (a, b) = (io.input::<f32>(0), io.input::<f32>(1));
        let ([out], scratch) = io.outputs_and_scratch::<1>();
        let out: &mut [f32] = bytemuck::cast_slice_mut(out);
        let (left_rows, right_rows) = bytemuck::cast_slice_mut::<u8, f32>(scratch).split_at_mut(m * k);
        if m * n == 0 {
            return;
        }
        let mut ready = None;
        for (&(i, j), out) in pairs.iter().zip(out.chunks_exact_mut(m * n)) {
            let mut left = &a[i * m * k..][..m * k];
            if transposed[0] {
                transpose(left, k, m, left_rows);
                left = left_rows;
            }
            let mut right = &b[j * k * n..][..k * n];
            if transposed[1] {
                if ready != Some(j) {
                    transpose(right, n, k, &mut right_rows[..k * n]);
                    ready = Some(j);
                }
                right = &right_rows[..k * n];
            }
            pool.split(out, n, ROWS, &mut [], &|first, out, _| {
                let rows = out.len() / n;
                self.rows(&left[first * k..][..rows * k], right, out);
            });
        }
    }
}

impl MatMulF32 {
    /// Some rows of the result: `left` [rows, k], `right` [k, n].
    fn rows(&self, left: &[f32], right: &[f32], out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if self.isa >= Isa::Avx2 && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the features were found on this CPU.
            return unsafe { self.rows_avx2(left, right, out) };
        }
        self.body::<{ cfg!(target_arch = "aarch64") }>(left, right, out);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn rows_avx2(&self, left: &[f32], right: &[f32], out: &mut [f32]) {
        self.body::<true>(left, right, out);
    }

    /// `FMA` fuses multiplication and addition, which is fast only where the instruction set has it.
    #[inline(always)]
    fn body<const FMA: bool>(&self, left: &[f32], right: &[f32], out: &mut [f32]) {
        let (n, k) = (self.product.n, self.product.k);
        let rows = out.len() / n;
        let mut row = 0;
        while row + ROWS <= rows {
            self.tile::<ROWS, FMA>(&left[row * k..], right, &mut out[row * n..]);
            row += ROWS;
        }
        for row in row..rows {
            self.tile::<1, FMA>(&left[row * k..], right, &mut out[row * n..]);
        }
    }

    #[inline(always)]
    fn tile<const R: usize, const FMA: bool>(&self, left: &[f32], right: &[f32], out: &mut [f32]) {
        let (n, k) = (self.product.n, self.product.k);
        for first in (0..n).step_by(WIDTH) {
            let width = WIDTH.min(n - first);
            let mut sums = [[0f32; WIDTH]; R];
            for sums in &mut sums {
                sums[..width].copy_from_slice(&self.bias[first..first + width]);
            }
            for i in 0..k {
                let line = &right[i * n + first..][..width];
                let mut whole = [0f32; WIDTH];
                let line = match line.first_chunk::<WIDTH>() {
                    Some(line) => line,
                    None => {
                        whole[..width].copy_from_slice(line);
                        &whole
                    }
                };
                for (r, sums) in sums.iter_mut().enumerate() {
                    let x = left[r * k + i];
                    for (sum, &y) in sums.iter_mut().zip(line) {
                        *sum = if FMA { x.mul_add(y, *sum) } else { *sum + x * y };
                    }
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                for (out, &sum) in out[r * n + first..][..width].iter_mut().zip(sums) {
                    *out = self.range.clamp(sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_instruction_set_agrees_with_plain_sums(m in 1usize..9, n in 1usize..40, k in 0usize..30, seed: u32) {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            };
            let (a, b): (Vec<f32>, Vec<f32>) = ((0..m * k).map(|_| next()).collect(), (0..k * n).map(|_| next()).collect());
            let bias: Vec<f32> = (0..n).map(|_| next()).collect();
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let product = Product { m, n, k, pairs: Box::new([(0, 0)]), transposed: [false; 2] };
                let range = FloatRange { min: -0.8, max: 0.9 };
                let mut out = vec![0.0; m * n];
                MatMulF32 { product, bias: bias.clone(), range, isa }.rows(&a, &b, &mut out);
                for (i, &value) in out.iter().enumerate() {
                    let sum: f64 = (0..k).map(|j| f64::from(a[i / n * k + j]) * f64::from(b[j * n + i % n])).sum();
                    let expected = (sum + f64::from(bias[i % n])).clamp(-0.8, 0.9);
                    prop_assert!((f64::from(value) - expected).abs() < 1e-5, "{}: {} {}", isa, value, expected);
                }
            }
        }
    }
}
