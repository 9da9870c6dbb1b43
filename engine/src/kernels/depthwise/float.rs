//! Float32: one body, compiled for each instruction set.

use super::{RowKernel, TapRows, Taps};
use crate::kernels::Isa;
use crate::kernels::gemm::FloatRange;
use crate::kernels::window::Window;

/// Channels whose sums are held at once, in the first-level cache.
const BLOCK: usize = 256;

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// A row of channels for each tap.
    weights: Vec<f32>,
    bias: Vec<f32>,
    range: FloatRange,
    isa: Isa,
}

impl Depthwise {
    pub(super) fn new(isa: Isa, taps: &Taps<'_, f32, f32>, bias: Vec<f32>, range: FloatRange) -> Self {
        let weights = taps.weights.data.clone();
        Self { window: taps.window, channels: taps.channels, weights, bias, range, isa }
    }

    /// The row. `FMA` fuses multiplication and addition, which is fast only where the instruction
    /// set has it.
    #[inline(always)]
    pub(super) fn body<const FMA: bool>(&self, rows: &TapRows<'_, f32>, out: &mut [f32]) {
        for (x, out) in out.chunks_exact_mut(self.channels).enumerate() {
            for (block, out) in out.chunks_mut(BLOCK).enumerate() {
                self.block::<FMA>(rows, x, block * BLOCK, out);
            }
        }
    }

    /// Channels `first..` of output pixel `x`, as many as `out` has.
    #[inline(always)]
    fn block<const FMA: bool>(&self, rows: &TapRows<'_, f32>, x: usize, first: usize, out: &mut [f32]) {
        let count = out.len();
        out.copy_from_slice(&self.bias[first..][..count]);
        let mut weights = self.weights[first..].chunks(self.channels);
        for row in rows {
            for (tap, w) in (0..self.window.kernel.w).zip(&mut weights) {
                let (Some(row), Some(column)) = (row, self.window.input_column(x, tap)) else { continue };
                let a = &row[column * self.channels + first..];
                for ((sum, &a), &w) in out.iter_mut().zip(a).zip(w) {
                    *sum = if FMA { a.mul_add(w, *sum) } else { *sum + a * w };
                }
            }
        }
        for value in out {
            *value = self.range.clamp(*value);
        }
    }
}

impl RowKernel<f32> for Depthwise {
    fn name(&self) -> &'static str {
        match self.isa {
            Isa::Avx512Vnni => "x86_64-f32-avx512",
            Isa::Avx2 | Isa::AvxVnni => "x86_64-f32-avx2",
            Isa::Scalar => "portable-f32-scalar",
            _ => "aarch64-f32-neon",
        }
    }

    fn row(&self, rows: &TapRows<'_, f32>, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        match self.isa {
            Isa::Avx512Vnni if super::avx512vnni::float(self, rows, out).is_some() => return,
            Isa::Avx2 | Isa::AvxVnni if super::avx2::float(self, rows, out).is_some() => return,
            _ => {}
        }
        self.body::<{ cfg!(target_arch = "aarch64") }>(rows, out);
    }
}
