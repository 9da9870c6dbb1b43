//! Float32 windows read where they lie in the image: nothing is copied.
//!
//! Pixels whose windows have the same taps in the image are multiplied together: along a row where
//! all columns are there, down a column at the image's sides.

#![allow(unsafe_code, reason = "code is called whose features the CPU has")]

use crate::arena::Io;
use crate::error::Result;
use crate::kernels::gemm::{GemmF32, Piece, Run};
use crate::kernels::simd::{self, Job, Vector};
use crate::kernels::window::Window;
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
use std::ops::Range;

/// Narrower images leave tiles along a row half empty.
const MIN_WIDTH: usize = 16;
/// Most pieces of a window.
const MAX_PIECES: usize = 32;
/// Bytes of a strip's part of the image, which all groups of channels read in turn.
const STRIP_BYTES: usize = 128 << 10;

pub(super) struct FloatConv {
    gemm: GemmF32,
    window: Window,
    channels: usize,
}

impl FloatConv {
    /// The product for `window`, or `gemm` again where rows of patches do better.
    pub(super) fn new(gemm: GemmF32, window: Window, channels: usize) -> std::result::Result<Self, GemmF32> {
        let conv = Self { gemm, window, channels };
        let interior = conv.span(0..window.output.w, Axis::X);
        let fits = conv.pieces_in_row() * window.kernel.h <= MAX_PIECES && interior.len() >= MIN_WIDTH;
        if fits { Ok(conv) } else { Err(conv.gemm) }
    }

    pub(super) fn lower(self, ctx: &Lower<'_>, input: Operand<'_>) -> Result<Lowered> {
        let taps = (self.window.taps() * self.channels) as u64;
        let macs = (self.window.output_pixels() as u64).saturating_mul(taps);
        let macs = macs.saturating_mul(self.gemm.channels() as u64);
        ctx.task_with(self, &[input], 0, macs)
    }

    /// Pieces of a row of taps: one where its columns are neighbours.
    fn pieces_in_row(&self) -> usize {
        if self.window.dilation.w == 1 { 1 } else { self.window.kernel.w }
    }

    /// Those of `outputs` along an axis whose taps all lie in the image.
    fn span(&self, outputs: Range<usize>, axis: Axis) -> Range<usize> {
        let (extent, kernel, stride, dilation, pad) = self.extents(axis);
        let first = pad.div_ceil(stride).clamp(outputs.start, outputs.end);
        let last = (extent + pad).checked_sub((kernel - 1) * dilation + 1);
        first..last.map_or(0, |last| last / stride + 1).clamp(first, outputs.end)
    }

    /// Taps of output `i` along an axis that lie in the image.
    fn taps(&self, i: usize, axis: Axis) -> Range<usize> {
        let (extent, kernel, stride, dilation, pad) = self.extents(axis);
        let first = pad.saturating_sub(i * stride).div_ceil(dilation).min(kernel);
        let end = (extent + pad).saturating_sub(i * stride).div_ceil(dilation).min(kernel);
        first..end.max(first)
    }

    /// Input, kernel, stride, dilation and padding along an axis.
    fn extents(&self, axis: Axis) -> (usize, usize, usize, usize, usize) {
        let Window { input, kernel, stride, dilation, pad, .. } = self.window;
        match axis {
            Axis::X => (input.w, kernel.w, stride.w, dilation.w, pad.w),
            Axis::Y => (input.h, kernel.h, stride.h, dilation.h, pad.h),
        }
    }

    /// Output rows that all groups of channels take one after another.
    fn strip(&self) -> usize {
        let Window { input, stride, .. } = self.window;
        let row = input.w * self.channels * stride.h * size_of::<f32>();
        (STRIP_BYTES / row.max(1)).max(4)
    }
}

#[derive(Debug, Clone, Copy)]
enum Axis {
    X,
    Y,
}

impl Kernel for FloatConv {
    fn name(&self) -> &'static str {
        self.gemm.name()
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let images = io.input::<f32>(0);
        let ([out], _) = io.outputs_and_scratch();
        let Window { input, output, .. } = self.window;
        let (image_len, row_len) = (input.h * input.w * self.channels, output.w * self.gemm.channels());
        pool.split(bytemuck::cast_slice_mut(out), row_len, 1, &mut [], &|first, out: &mut [f32], _| {
            let end = first + out.len() / row_len;
            let (mut y, mut out) = (first, out);
            while y < end {
                let (batch, row) = (y / output.h, y % output.h);
                let count = self.strip().min(end - y).min(output.h - row);
                let (strip, rest) = std::mem::take(&mut out).split_at_mut(count * row_len);
                let image = &images[batch * image_len..][..image_len];
                simd::dispatch(
                    self.gemm.isa(),
                    Strip { conv: self, image, rows: row..row + count, out: strip },
                );
                (y, out) = (y + count, rest);
            }
        });
    }
}

/// Some output rows of an image.
struct Strip<'a> {
    conv: &'a FloatConv,
    image: &'a [f32],
    rows: Range<usize>,
    out: &'a mut [f32],
}

impl Job for Strip<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { conv, image, rows, out } = self;
        let width = conv.window.output.w;
        let (columns, middle) = (conv.span(0..width, Axis::X), conv.span(rows.clone(), Axis::Y));
        for group in 0..conv.gemm.groups() {
            let mut x = 0;
            while x < width {
                // The columns between the sides, or one at a side.
                let run = if x == columns.start { columns.clone() } else { x..x + 1 };
                let run = if run.is_empty() { x..x + 1 } else { run };
                let mut y = rows.start;
                while y < rows.end {
                    // Down a side as far as all rows of taps are there.
                    let down = run.len() == 1 && y == middle.start && !middle.is_empty();
                    let height = if down { middle.len() } else { 1 };
                    let (pieces, count, len) = conv.pieces(run.start, y);
                    let (stride, out_stride, count_rows) = if down {
                        (conv.pitch(Axis::Y), width * conv.gemm.channels(), height)
                    } else {
                        (conv.pitch(Axis::X), conv.gemm.channels(), run.len())
                    };
                    let run = Run {
                        pieces: &pieces[..count],
                        len,
                        stride,
                        count: count_rows,
                        out: ((y - rows.start) * width + run.start) * conv.gemm.channels(),
                        out_stride,
                    };
                    // SAFETY: the caller has the instruction set of `V`.
                    unsafe { conv.gemm.group::<V>(group, &run, image, out) };
                    y += height;
                }
                x = run.end;
            }
        }
    }
}

impl FloatConv {
    /// Elements of the image between the windows of two neighbouring outputs.
    fn pitch(&self, axis: Axis) -> usize {
        let Window { input, stride, .. } = self.window;
        match axis {
            Axis::X => stride.w * self.channels,
            Axis::Y => stride.h * input.w * self.channels,
        }
    }

    /// The pieces of output pixel (x, y)'s window that lie in the image, their number and length.
    fn pieces(&self, x: usize, y: usize) -> ([Piece; MAX_PIECES], usize, usize) {
        let Window { input, kernel, stride, dilation, pad, .. } = self.window;
        let (columns, rows) = (self.taps(x, Axis::X), self.taps(y, Axis::Y));
        let mut pieces = [Piece::default(); MAX_PIECES];
        let mut count = 0;
        let step = if dilation.w == 1 { columns.len().max(1) } else { 1 };
        for row in rows {
            for column in columns.clone().step_by(step) {
                let at_row = y * stride.h + row * dilation.h - pad.h;
                let at_column = x * stride.w + column * dilation.w - pad.w;
                pieces[count] = Piece {
                    at: (at_row * input.w + at_column) * self.channels,
                    k: (row * kernel.w + column) * self.channels,
                };
                count += 1;
            }
        }
        (pieces, count, if columns.is_empty() { 0 } else { step * self.channels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Size2;
    use crate::kernels::Isa;
    use crate::kernels::gemm::{FloatRange, Matrix};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_sum_over_taps(
            input in (1usize..9, 18usize..40), kernel in (1usize..6, 1usize..6), stride in (1usize..3, 1usize..3),
            dilation in (1usize..3, 1usize..3), channels in 1usize..6, n in 1usize..40, shift in 0usize..3,
            seed: u32,
        ) {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            };
            let size = |(h, w): (usize, usize)| Size2 { h, w };
            let window = Window {
                batch: 2,
                input: size(input),
                output: size((input.0.div_ceil(stride.0), input.1.div_ceil(stride.1))),
                kernel: size(kernel),
                stride: size(stride),
                dilation: size(dilation),
                pad: size((kernel.0 / 2, (kernel.1 * dilation.1 / 2).saturating_sub(shift))),
            };
            let k = window.taps() * channels;
            let weights = Matrix { data: (0..n * k).map(|_| next()).collect(), n, k };
            let bias: Vec<f32> = (0..n).map(|_| next()).collect();
            let image_len = input.0 * input.1 * channels;
            let images: Vec<f32> = (0..2 * image_len).map(|_| next()).collect();
            let range = FloatRange { min: -0.9, max: 0.8 };
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let gemm = GemmF32::new(isa, &weights, &bias, range);
                let Ok(conv) = FloatConv::new(gemm, window, channels) else { return Ok(()) };
                let (Size2 { h, w }, half) = (window.output, window.output.h / 2);
                for (batch, rows) in [(0, 0..h), (1, 0..half), (1, half..h)] {
                    let image = &images[batch * image_len..][..image_len];
                    let mut out = vec![f32::NAN; rows.len() * w * n];
                    simd::dispatch(isa, Strip { conv: &conv, image, rows: rows.clone(), out: &mut out });
                    for (i, &value) in out.iter().enumerate() {
                        let (y, x, c) = (rows.start + i / n / w, i / n % w, i % n);
                        let mut sum = f64::from(bias[c]);
                        for (at, &weight) in weights.row(c).iter().enumerate() {
                            let (tap, channel) = (at / channels, at % channels);
                            let row = window.input_row(y, tap / kernel.1);
                            let column = window.input_column(x, tap % kernel.1);
                            if let (Some(row), Some(column)) = (row, column) {
                                sum += f64::from(image[(row * input.1 + column) * channels + channel] * weight);
                            }
                        }
                        let expected = sum.clamp(-0.9, 0.8);
                        prop_assert!((f64::from(value) - expected).abs() < 1e-5, "{isa}: {value} {expected}");
                    }
                }
            }
        }
    }
}
