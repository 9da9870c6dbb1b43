//! Portable kernel, and the oracle of the others.

use super::{RowKernel, TapRows, Taps};
use crate::kernels::requantize::Requantize;
use crate::kernels::window::Window;

/// Channels whose accumulators are held together.
const BLOCK: usize = 16;

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// For each block of channels, a row for each tap.
    weights: Vec<[i16; BLOCK]>,
    bias: Vec<[i32; BLOCK]>,
    scale: Vec<[f32; BLOCK]>,
    blank: [u8; BLOCK],
    requantize: Requantize,
}

impl Depthwise {
    pub(super) fn new(taps: &Taps<'_, u8, i16>, requantize: Requantize) -> Self {
        let blocks = taps.channels.div_ceil(BLOCK);
        let block =
            |b: usize, row: &[i16]| std::array::from_fn(|j| row.get(b * BLOCK + j).copied().unwrap_or(0));
        let weights = (0..blocks)
            .flat_map(|b| (0..taps.weights.n).map(move |tap| (b, tap)))
            .map(|(b, tap)| block(b, taps.weights.row(tap)))
            .collect();
        let bias = (0..blocks)
            .map(|b| std::array::from_fn(|j| requantize.bias.get(b * BLOCK + j).copied().unwrap_or(0)))
            .collect();
        let scale = (0..blocks)
            .map(|b| std::array::from_fn(|j| requantize.scale.get(b * BLOCK + j).copied().unwrap_or(0.0)))
            .collect();
        Self {
            window: taps.window,
            channels: taps.channels,
            weights,
            bias,
            scale,
            blank: [taps.blank; BLOCK],
            requantize,
        }
    }
}

impl RowKernel<u8> for Depthwise {
    fn name(&self) -> &'static str {
        "portable-u8i8-scalar"
    }

    fn row(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        let taps = self.window.taps();
        for (x, out) in out.chunks_exact_mut(self.channels).enumerate() {
            for (block, out) in out.chunks_mut(BLOCK).enumerate() {
                let first = block * BLOCK;
                let mut acc = self.bias[block];
                let mut weights = self.weights[block * taps..][..taps].iter();
                for row in rows {
                    for (column, w) in (0..self.window.kernel.w).zip(&mut weights) {
                        let column = self.window.input_column(x, column);
                        let mut tail = [0; BLOCK];
                        let a = match (row, column) {
                            (Some(row), Some(column)) => {
                                let pixel = &row[column * self.channels + first..];
                                match pixel.first_chunk() {
                                    Some(a) => a,
                                    None => {
                                        tail[..out.len()].copy_from_slice(&pixel[..out.len()]);
                                        &tail
                                    }
                                }
                            }
                            _ => &self.blank,
                        };
                        for j in 0..BLOCK {
                            acc[j] = acc[j].wrapping_add(i32::from(a[j]) * i32::from(w[j]));
                        }
                    }
                }
                let scale = &self.scale[block];
                let bytes: [u8; BLOCK] = std::array::from_fn(|j| self.requantize.byte(acc[j], scale[j]));
                out.copy_from_slice(&bytes[..out.len()]);
            }
        }
    }
}
