//! Float32 products: one body, compiled for each instruction set.
//!
//! Sums run along k in order, so that results do not depend on threads; they differ in the last
//! bits between instruction sets with and without fused multiply-add.

#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::{Matrix, Rows};
use crate::error::Result;
use crate::graph::Activation;
use crate::kernels::Isa;
use crate::kernels::activation::float_range;
use crate::lowering::Lower;

/// Where results are clamped: the fused activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FloatRange {
    pub(crate) min: f32,
    pub(crate) max: f32,
}

impl FloatRange {
    /// The range of a fused activation.
    pub(crate) fn new(ctx: &Lower<'_>, activation: Activation) -> Result<Self> {
        let (min, max) = float_range(ctx, activation)?;
        Ok(Self { min, max })
    }

    /// A NaN stays one.
    #[inline(always)]
    pub(crate) fn clamp(self, value: f32) -> f32 {
        let value = if value < self.min { self.min } else { value };
        if value > self.max { self.max } else { value }
    }
}

/// Channels in a panel of packed weights.
const PANEL: usize = 16;

/// Packed float weights with bias and activation.
pub(crate) struct GemmF32 {
    /// Panels of [k][16].
    weights: Vec<[f32; PANEL]>,
    bias: Vec<[f32; PANEL]>,
    n: usize,
    k: usize,
    range: FloatRange,
    isa: Isa,
}

impl GemmF32 {
    pub(crate) fn new(isa: Isa, weights: &Matrix<f32>, bias: &[f32], range: FloatRange) -> Self {
        let panels = weights.n.div_ceil(PANEL);
        let mut packed = Vec::with_capacity(panels * weights.k);
        for panel in 0..panels {
            let at = |n: usize, k: usize| if n < weights.n { weights.data[n * weights.k + k] } else { 0.0 };
            packed.extend((0..weights.k).map(|k| std::array::from_fn(|j| at(panel * PANEL + j, k))));
        }
        let bias = (0..panels)
            .map(|p| std::array::from_fn(|j| bias.get(p * PANEL + j).copied().unwrap_or(0.0)))
            .collect();
        Self { weights: packed, bias, n: weights.n, k: weights.k, range, isa }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.isa {
            Isa::Avx512Vnni => "x86_64-f32-avx512",
            Isa::Avx2 | Isa::AvxVnni => "x86_64-f32-avx2",
            Isa::Scalar => "portable-f32-scalar",
            _ => "aarch64-f32-neon",
        }
    }

    /// Writes each row's results, channels adjacent, rows one after another.
    pub(crate) fn run(&self, rows: Rows<'_, f32>, out: &mut [f32]) {
        rows.check(self.k);
        #[cfg(target_arch = "x86_64")]
        match self.isa {
            Isa::Avx512Vnni if super::avx512vnni::float(self, rows, out).is_some() => return,
            Isa::Avx2 | Isa::AvxVnni if super::avx2::float(self, rows, out).is_some() => return,
            _ => {}
        }
        self.body::<2, { cfg!(target_arch = "aarch64") }>(rows, out);
    }

    /// The loops over tiles of `R` rows. `FMA` fuses multiplication and addition, which is fast
    /// only where the instruction set has it.
    #[inline(always)]
    pub(super) fn body<const R: usize, const FMA: bool>(&self, rows: Rows<'_, f32>, out: &mut [f32]) {
        let mut m = 0;
        while m + R <= rows.count {
            self.tile::<R, FMA>(rows, m, out);
            m += R;
        }
        for m in m..rows.count {
            self.tile::<1, FMA>(rows, m, out);
        }
    }

    #[inline(always)]
    fn tile<const R: usize, const FMA: bool>(&self, rows: Rows<'_, f32>, m: usize, out: &mut [f32]) {
        let mut a: [&[f32]; R] = [&[]; R];
        for (r, a) in a.iter_mut().enumerate() {
            *a = rows.row(m + r, self.k);
        }
        for (panel, bias) in self.bias.iter().enumerate() {
            let weights = &self.weights[panel * self.k..][..self.k];
            let mut acc = [*bias; R];
            for (k, w) in weights.iter().enumerate() {
                for r in 0..R {
                    let x = a[r][k];
                    for j in 0..PANEL {
                        acc[r][j] = if FMA { x.mul_add(w[j], acc[r][j]) } else { acc[r][j] + x * w[j] };
                    }
                }
            }
            let first = panel * PANEL;
            let width = PANEL.min(self.n - first);
            for r in 0..R {
                let mut values = acc[r];
                for value in &mut values {
                    *value = self.range.clamp(*value);
                }
                out[(m + r) * self.n + first..][..width].copy_from_slice(&values[..width]);
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
        fn every_instruction_set_agrees_with_plain_sums(
            m in 1usize..20, n in 1usize..40, k in 0usize..50, seed: u32,
        ) {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            };
            let weights = Matrix { data: (0..n * k).map(|_| next()).collect(), n, k };
            let bias: Vec<f32> = (0..n).map(|_| next()).collect();
            let a: Vec<f32> = (0..m * k).map(|_| next()).collect();
            let range = FloatRange { min: -0.8, max: 0.9 };
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let mut out = vec![0.0; m * n];
                let gemm = GemmF32::new(isa, &weights, &bias, range);
                gemm.run(Rows { data: &a, stride: k, count: m }, &mut out);
                for (i, &value) in out.iter().enumerate() {
                    let (row, channel) = (&a[i / n * k..][..k], weights.row(i % n));
                    let sum: f64 = row.iter().zip(channel).map(|(&a, &w)| f64::from(a * w)).sum();
                    let expected = (sum + f64::from(bias[i % n])).clamp(-0.8, 0.9);
                    prop_assert!((f64::from(value) - expected).abs() < 1e-5, "{isa}: {value} {expected}");
                }
            }
        }
    }
}
