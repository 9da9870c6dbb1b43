//! Portable kernel, and the oracle of the others.

use super::{GemmU8, Matrix, Reals, Rows};
use crate::kernels::requantize::Requantize;

/// Channels computed together: each activation is widened once for all of them.
const LANES: usize = 4;

pub(super) struct Gemm {
    /// Rows of k weights, as many as channels rounded up to [`LANES`].
    weights: Vec<i16>,
    k: usize,
    requantize: Requantize,
}

impl Gemm {
    pub(super) fn new(weights: &Matrix<i16>, requantize: Requantize) -> Self {
        let mut packed = weights.data.clone();
        packed.resize(weights.n.next_multiple_of(LANES) * weights.k, 0);
        Self { weights: packed, k: weights.k, requantize }
    }

    /// Calls `store(channel, accumulators)` for each group of channels of one row.
    #[inline(always)]
    fn row(&self, a: &[u8], mut store: impl FnMut(usize, [i32; LANES])) {
        if self.k == 0 {
            (0..self.requantize.channels()).step_by(LANES).for_each(|n| store(n, [0; LANES]));
        }
        for (group, w) in self.weights.chunks_exact((LANES * self.k).max(1)).enumerate() {
            store(group * LANES, dot(a, w));
        }
    }
}

/// One row of activations times four rows of weights.
#[inline(always)]
fn dot(a: &[u8], w: &[i16]) -> [i32; LANES] {
    let k = a.len();
    let (w0, w) = w.split_at(k);
    let (w1, w) = w.split_at(k);
    let (w2, w3) = w.split_at(k);
    let w3 = &w3[..k];
    // Four plain sums rather than an array: the form that LLVM turns into multiply-adds.
    let (mut s0, mut s1, mut s2, mut s3) = (0i32, 0i32, 0i32, 0i32);
    for i in 0..k {
        let x = i32::from(a[i]);
        s0 = s0.wrapping_add(x * i32::from(w0[i]));
        s1 = s1.wrapping_add(x * i32::from(w1[i]));
        s2 = s2.wrapping_add(x * i32::from(w2[i]));
        s3 = s3.wrapping_add(x * i32::from(w3[i]));
    }
    [s0, s1, s2, s3]
}

impl GemmU8 for Gemm {
    fn name(&self) -> &'static str {
        "portable-u8i8-scalar"
    }

    fn k_multiple(&self) -> usize {
        1
    }

    fn row_multiple(&self) -> usize {
        1
    }

    fn requantized(&self, rows: Rows<'_, u8>, out: &mut [u8]) {
        let Requantize { bias, scale, .. } = &self.requantize;
        for (m, out) in out.chunks_exact_mut(bias.len()).enumerate().take(rows.count) {
            self.row(rows.row(m, self.k), |first, acc| {
                for (((out, acc), bias), &scale) in
                    out[first..].iter_mut().zip(acc).zip(&bias[first..]).zip(&scale[first..])
                {
                    *out = self.requantize.byte(acc.wrapping_add(*bias), scale);
                }
            });
        }
    }

    fn real(&self, rows: Rows<'_, u8>, to: Reals<'_>) {
        let bias = &self.requantize.bias;
        to.check(rows.count);
        for m in 0..rows.count {
            let (range, out) = (to.range(m), &mut to.out[m * bias.len()..][..bias.len()]);
            self.row(rows.row(m, self.k), |first, acc| {
                for (n, (out, acc)) in (first..).zip(out[first..].iter_mut().zip(acc)) {
                    *out = to.output.real(acc.wrapping_add(bias[n]), n, range);
                }
            });
        }
    }
}
