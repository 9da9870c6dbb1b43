//! Portable kernel, and the oracle of the others.

use super::{RowKernel, TapRows, Taps};
use crate::kernels::requantize::Requantize;
use crate::kernels::window::Window;

/// Channels whose accumulators are held at once, in the first-level cache.
const BLOCK: usize = 256;

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// A row of channels for each tap.
    weights: Vec<i16>,
    blank: Vec<u8>,
    requantize: Requantize,
}

impl Depthwise {
    pub(super) fn new(taps: &Taps<'_, u8, i16>, requantize: Requantize) -> Self {
        let Taps { window, channels, weights, blank } = taps;
        let (weights, blank) = (weights.data.clone(), vec![*blank; *channels]);
        Self { window: *window, channels: *channels, weights, blank, requantize }
    }

    /// The row; compiled anew for wider registers by other instruction sets.
    #[inline(always)]
    pub(super) fn body(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        for (x, out) in out.chunks_exact_mut(self.channels).enumerate() {
            for (block, out) in out.chunks_mut(BLOCK).enumerate() {
                self.block(rows, x, block * BLOCK, out);
            }
        }
    }

    /// Channels `first..` of output pixel `x`, as many as `out` has.
    #[inline(always)]
    fn block(&self, rows: &TapRows<'_, u8>, x: usize, first: usize, out: &mut [u8]) {
        let count = out.len();
        let mut sums = [0i32; BLOCK];
        let sums = &mut sums[..count];
        sums.copy_from_slice(&self.requantize.bias[first..][..count]);
        let mut weights = self.weights[first..].chunks(self.channels);
        for row in rows {
            for (tap, w) in (0..self.window.kernel.w).zip(&mut weights) {
                let a = match (row, self.window.input_column(x, tap)) {
                    (Some(row), Some(column)) => &row[column * self.channels + first..],
                    _ => &self.blank[..],
                };
                for ((sum, &a), &w) in sums.iter_mut().zip(a).zip(w) {
                    *sum = sum.wrapping_add(i32::from(a) * i32::from(w));
                }
            }
        }
        for ((out, &sum), &scale) in out.iter_mut().zip(&*sums).zip(&self.requantize.scale[first..]) {
            *out = self.requantize.byte(sum, scale);
        }
    }
}

impl RowKernel<u8> for Depthwise {
    fn name(&self) -> &'static str {
        "portable-u8i8-scalar"
    }

    fn row(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        self.body(rows, out);
    }
}
