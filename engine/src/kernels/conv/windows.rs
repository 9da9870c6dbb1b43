//! Windows read from the image in place: what im2col would copy is contiguous in every image row.

use crate::arena::Io;
use crate::error::Result;
use crate::kernels::Isa;
use crate::kernels::gemm::{self, GemmU8, MAX_LINES, Matrix, Rows, Windows};
use crate::kernels::requantize::Requantize;
use crate::kernels::window::Window;
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::{Pool, scratch_bytes};

/// Narrower outputs leave too much of a tile of pixels empty.
const MIN_WIDTH: usize = 24;

pub(super) struct WindowConv {
    gemm: Box<dyn GemmU8>,
    window: Window,
    channels: usize,
    n: usize,
    /// Bytes of a row of taps, without and with padding.
    line: usize,
    padded_line: usize,
    /// A row of the input's zero point, for rows of taps beyond the image.
    blank: Vec<u8>,
    /// Output columns whose taps all lie in the image, their padding within its row.
    interior: std::ops::Range<usize>,
}

impl WindowConv {
    /// `None` where another way is better or the only one.
    pub(super) fn new(
        isa: Isa,
        window: Window,
        channels: usize,
        weights: &Matrix<i16>,
        requantize: &Requantize,
        zero_point: u8,
    ) -> Option<Self> {
        let Window { input, output, kernel, stride, dilation, pad, .. } = window;
        let line = kernel.w * channels;
        let fits = kernel.h <= MAX_LINES && dilation.w == 1 && output.w >= MIN_WIDTH;
        if !fits || window.taps() == 1 || input.w < kernel.w {
            return None;
        }
        // All kernels that read windows step by four; others are refused below.
        let padded_line = line.next_multiple_of(4);
        let mut data = vec![0; weights.n * kernel.h * padded_line];
        for (to, from) in data.chunks_exact_mut(padded_line).zip(weights.data.chunks_exact(line)) {
            to[..line].copy_from_slice(from);
        }
        let padded = Matrix { data, n: weights.n, k: kernel.h * padded_line };
        let gemm = gemm::quantized(isa, &padded, requantize.clone());
        if !gemm.reads_windows() || gemm.k_multiple() != 4 {
            return None;
        }
        let row = input.w * channels;
        let last_start = row.checked_sub(padded_line)? / channels;
        let left = pad.w.div_ceil(stride.w);
        let right = (last_start.min(input.w - kernel.w) + pad.w) / stride.w + 1;
        let interior = left.min(output.w)..right.clamp(left.min(output.w), output.w);
        let blank = vec![zero_point; row];
        Some(Self { gemm, window, channels, n: weights.n, line, padded_line, blank, interior })
    }

    pub(super) fn lower(self, ctx: &Lower<'_>, input: Operand<'_>) -> Result<Lowered> {
        let border = self.window.output.w - self.interior.len();
        let scratch = scratch_bytes(border * self.window.kernel.h * self.padded_line, ctx.threads);
        let macs = self.window.output_pixels() as u64 * (self.n * self.window.kernel.h * self.line) as u64;
        ctx.task_with(self, &[input], scratch, macs)
    }

    /// One row of output pixels.
    fn row(&self, image: &[u8], y: usize, out: &mut [u8], scratch: &mut [u8]) {
        let Window { input, kernel, stride, pad, .. } = self.window;
        let row_len = input.w * self.channels;
        let mut lines: [&[u8]; MAX_LINES] = [&self.blank; MAX_LINES];
        for (tap, line) in lines[..kernel.h].iter_mut().enumerate() {
            if let Some(y) = self.window.input_row(y, tap) {
                *line = &image[y * row_len..][..row_len];
            }
        }
        let lines = &lines[..kernel.h];
        let interior = self.interior.clone();
        if !interior.is_empty() {
            let start = (interior.start * stride.w - pad.w) * self.channels;
            let mut shifted: [&[u8]; MAX_LINES] = [&[]; MAX_LINES];
            for (shifted, line) in shifted.iter_mut().zip(lines) {
                *shifted = &line[start..];
            }
            let windows = Windows {
                lines: &shifted[..kernel.h],
                len: self.line,
                stride: stride.w * self.channels,
                count: interior.len(),
            };
            self.gemm.windows(windows, &mut out[interior.start * self.n..interior.end * self.n]);
        }
        let (left, right) = (0..interior.start, interior.end..self.window.output.w);
        for columns in [left, right] {
            let out = &mut out[columns.start * self.n..columns.end * self.n];
            self.border(lines, columns, out, scratch);
        }
    }

    /// Pixels whose windows reach beyond the image's left or right end.
    fn border(&self, lines: &[&[u8]], columns: std::ops::Range<usize>, out: &mut [u8], scratch: &mut [u8]) {
        let (count, stride) = (columns.len(), lines.len() * self.padded_line);
        if count == 0 {
            return;
        }
        let data = &mut scratch[..count * stride];
        data.fill(0);
        for (x, row) in columns.zip(data.chunks_exact_mut(stride)) {
            for (line, taps) in lines.iter().zip(row.chunks_exact_mut(self.padded_line)) {
                for (tap, to) in taps[..self.line].chunks_exact_mut(self.channels).enumerate() {
                    match self.window.input_column(x, tap) {
                        Some(column) => {
                            to.copy_from_slice(&line[column * self.channels..][..self.channels]);
                        }
                        None => to.copy_from_slice(&self.blank[..self.channels]),
                    }
                }
            }
        }
        self.gemm.requantized(Rows { data, stride, count }, out);
    }
}

impl Kernel for WindowConv {
    fn name(&self) -> &'static str {
        self.gemm.name()
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let image = io.input::<u8>(0);
        let ([out], scratch) = io.outputs_and_scratch();
        let Window { input, output, .. } = self.window;
        let (image_len, row_len) = (input.h * input.w * self.channels, output.w * self.n);
        pool.split(out, row_len, 1, scratch, &|first, out, scratch| {
            for (index, out) in out.chunks_exact_mut(row_len).enumerate() {
                let (batch, y) = ((first + index) / output.h, (first + index) % output.h);
                self.row(&image[batch * image_len..][..image_len], y, out, scratch);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Size2;
    use crate::kernels::requantize::ByteRange;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_sum_over_taps(
            input in (1usize..9, 24usize..60), kernel in (1usize..6, 1usize..6), stride in 1usize..3,
            channels in 1usize..6, n in 1usize..40, weight_zero_point in 0i16..256, seed: u32,
        ) {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            let size = |h, w| Size2 { h, w };
            let window = Window {
                batch: 1,
                input: size(input.0, input.1),
                output: size(input.0.div_ceil(stride), input.1.div_ceil(stride)),
                kernel: size(kernel.0, kernel.1),
                stride: size(stride, stride),
                dilation: size(1, 1),
                pad: size(kernel.0 / 2, kernel.1 / 2),
            };
            let k = window.taps() * channels;
            let data = (0..n * k).map(|_| i16::from(next()) - weight_zero_point).collect();
            let weights = Matrix { data, n, k };
            let requantize = Requantize {
                bias: vec![100; n], scale: vec![0.003; n], zero_point: 7, range: ByteRange { min: 2, max: 250 },
            };
            let image: Vec<u8> = (0..input.0 * input.1 * channels).map(|_| next()).collect();
            let best = Isa::strongest_up_to(None);
            let Some(conv) = WindowConv::new(best, window, channels, &weights, &requantize, 9) else {
                return Ok(());
            };
            let mut scratch = vec![0; window.output.w * window.kernel.h * conv.padded_line];
            for y in 0..window.output.h {
                let mut out = vec![0; window.output.w * n];
                conv.row(&image, y, &mut out, &mut scratch);
                for (i, &byte) in out.iter().enumerate() {
                    let (x, weights) = (i / n, weights.row(i % n));
                    let mut acc = 100;
                    for (at, &w) in weights.iter().enumerate() {
                        let (tap, c) = (at / channels, at % channels);
                        let row = window.input_row(y, tap / kernel.1);
                        let column = window.input_column(x, tap % kernel.1);
                        let a = row.zip(column).map_or(9, |(y, x)| image[(y * input.1 + x) * channels + c]);
                        acc += i32::from(a) * i32::from(w);
                    }
                    prop_assert_eq!(byte, requantize.byte(acc, 0.003));
                }
            }
        }
    }
}
