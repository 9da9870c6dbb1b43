//! Float32: one body, compiled for each instruction set.

use super::{RowKernel, TapRows, Taps};
use crate::kernels::Isa;
use crate::kernels::gemm::FloatRange;
use crate::kernels::window::Window;

/// Channels whose sums are held together.
const BLOCK: usize = 16;

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// For each block of channels, a row for each tap.
    weights: Vec<[f32; BLOCK]>,
    bias: Vec<[f32; BLOCK]>,
    range: FloatRange,
    isa: Isa,
}

impl Depthwise {
    pub(super) fn new(isa: Isa, taps: &Taps<'_, f32, f32>, bias: &[f32], range: FloatRange) -> Self {
        let blocks = taps.channels.div_ceil(BLOCK);
        let block =
            |b: usize, row: &[f32]| std::array::from_fn(|j| row.get(b * BLOCK + j).copied().unwrap_or(0.0));
        let weights = (0..blocks)
            .flat_map(|b| (0..taps.weights.n).map(move |tap| (b, tap)))
            .map(|(b, tap)| block(b, taps.weights.row(tap)))
            .collect();
        let bias = (0..blocks).map(|b| block(b, bias)).collect();
        Self { window: taps.window, channels: taps.channels, weights, bias, range, isa }
    }

    #[inline(always)]
    pub(super) fn body<const FMA: bool>(&self, rows: &TapRows<'_, f32>, out: &mut [f32]) {
        let taps = self.window.taps();
        for (x, out) in out.chunks_exact_mut(self.channels).enumerate() {
            for (block, out) in out.chunks_mut(BLOCK).enumerate() {
                let first = block * BLOCK;
                let mut acc = self.bias[block];
                let mut weights = self.weights[block * taps..][..taps].iter();
                for row in rows {
                    for (column, w) in (0..self.window.kernel.w).zip(&mut weights) {
                        let (Some(row), Some(column)) = (row, self.window.input_column(x, column)) else {
                            continue;
                        };
                        let pixel = &row[column * self.channels + first..];
                        let mut tail = [0.0; BLOCK];
                        let a = match pixel.first_chunk() {
                            Some(a) => a,
                            None => {
                                tail[..out.len()].copy_from_slice(&pixel[..out.len()]);
                                &tail
                            }
                        };
                        for j in 0..BLOCK {
                            acc[j] = if FMA { a[j].mul_add(w[j], acc[j]) } else { acc[j] + a[j] * w[j] };
                        }
                    }
                }
                let values = acc.map(|v| self.range.clamp(v));
                out.copy_from_slice(&values[..out.len()]);
            }
        }
    }
}

impl RowKernel<f32> for Depthwise {
    fn name(&self) -> &'static str {
        match self.isa {
            Isa::Avx512Vnni => "x86_64-f32-avx512",
            Isa::Avx2 => "x86_64-f32-avx2",
            Isa::Scalar => "portable-f32-scalar",
            _ => "aarch64-f32-neon",
        }
    }

    fn row(&self, rows: &TapRows<'_, f32>, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        match self.isa {
            Isa::Avx512Vnni if super::avx512vnni::float(self, rows, out).is_some() => return,
            Isa::Avx2 if super::avx2::float(self, rows, out).is_some() => return,
            _ => {}
        }
        self.body::<{ cfg!(target_arch = "aarch64") }>(rows, out);
    }
}
