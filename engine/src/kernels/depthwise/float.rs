//! Float32: several output pixels of a register of channels at a time, their sums in registers.
//!
//! Columns of the image that neighbouring windows share are read once, and the weights of a 3×3 window
//! stay in registers for a few groups of pixels. Pixels whose windows reach beyond the image's sides,
//! and windows of unusual width, are computed one by one.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::{MAX_KERNEL_HEIGHT, RowKernel, TapRows, Taps};
use crate::kernels::Isa;
use crate::kernels::gemm::FloatRange;
use crate::kernels::simd::{self, Job, Vector};
use crate::kernels::window::Window;
use std::ops::Range;

/// Output pixels that are computed together.
const PIXELS: usize = 4;
/// Groups of pixels that share weights in registers of four lanes, before the next channels come: few enough
/// that the image's columns for all channels stay in the first-level cache. Wider registers do better with
/// one: they read whole cache lines one after another.
const GROUPS: usize = 4;

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// A row of channels for each tap.
    weights: Vec<f32>,
    bias: Vec<f32>,
    range: FloatRange,
    isa: Isa,
    /// Output columns whose taps all lie in the image.
    interior: Range<usize>,
}

impl Depthwise {
    pub(super) fn new(isa: Isa, taps: &Taps<'_, f32, f32>, bias: Vec<f32>, range: FloatRange) -> Self {
        let weights = taps.weights.data.clone();
        let (window, channels) = (taps.window, taps.channels);
        Self { window, channels, weights, bias, range, isa, interior: window.interior_columns() }
    }
}

impl RowKernel<f32> for Depthwise {
    fn name(&self) -> &'static str {
        simd::kernel_name(self.isa)
    }

    fn row(&self, rows: &TapRows<'_, f32>, out: &mut [f32]) {
        simd::dispatch(self.isa, Row::new(self, rows, out));
    }
}

/// The rows of an image that lie in it, each with the index of its first tap.
struct Row<'a> {
    conv: &'a Depthwise,
    lines: [(&'a [f32], usize); MAX_KERNEL_HEIGHT],
    count: usize,
    out: &'a mut [f32],
}

impl<'a> Row<'a> {
    fn new(conv: &'a Depthwise, rows: &TapRows<'a, f32>, out: &'a mut [f32]) -> Self {
        let &Depthwise { window, channels, .. } = conv;
        assert_eq!(out.len(), window.output.w * channels, "a row of output pixels");
        let mut lines: [(&[f32], usize); MAX_KERNEL_HEIGHT] = [(&[], 0); MAX_KERNEL_HEIGHT];
        let mut count = 0;
        for (tap_row, row) in rows.iter().enumerate().take(window.kernel.h) {
            if let Some(row) = row {
                lines[count] = (&row[..window.input.w * channels], tap_row * window.kernel.w);
                count += 1;
            }
        }
        Self { conv, lines, count, out }
    }
}

impl Job for Row<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(mut self) {
        let Window { output, kernel, stride, dilation, .. } = self.conv.window;
        if self.conv.channels < V::LANES {
            return (0..output.w).for_each(|x| self.narrow(x));
        }
        let interior = self.conv.interior.clone();
        let mut x = 0;
        // SAFETY: the caller has the instruction set of `V`, there are as many channels as it has
        // lanes, and the windows of interior columns lie in the image.
        unsafe {
            while x < interior.start {
                self.pixel::<V>(x);
                x += 1;
            }
            if dilation.w == 1 && interior.len() >= PIXELS {
                match (kernel.w, stride.w) {
                    (3, 1) => self.pixels::<V, 3, 1>(),
                    (3, 2) => self.pixels::<V, 3, 2>(),
                    (5, 1) => self.pixels::<V, 5, 1>(),
                    (5, 2) => self.pixels::<V, 5, 2>(),
                    _ => (interior.clone()).for_each(|x| self.pixel::<V>(x)),
                }
                x = interior.end;
            }
            while x < output.w {
                self.pixel::<V>(x);
                x += 1;
            }
        }
    }
}

impl Row<'_> {
    /// The interior, by windows `K` wide that lie `S` apart.
    ///
    /// # Safety
    /// The CPU has the instruction set of `V`, the window has this width and stride, and there are
    /// at least [`PIXELS`] interior columns and as many channels as `V` has lanes.
    #[inline(always)]
    unsafe fn pixels<V: Vector, const K: usize, const S: usize>(&mut self) {
        // Copies: what is written might otherwise be them, for all that the compiler knows.
        let &Depthwise { window, channels, range, ref weights, ref bias, .. } = self.conv;
        let (interior, lines, count) = (self.conv.interior.clone(), self.lines, self.count);
        let (weights, bias, out) = (weights.as_ptr(), bias.as_ptr(), self.out.as_mut_ptr());
        let pad = window.pad.w;
        let together = if V::LANES == 4 { GROUPS * PIXELS } else { PIXELS };
        for x in interior.clone().step_by(together) {
            let end = (x + together).min(interior.end);
            // The last ones may compute pixels of those before once more.
            let starts = || (x..end).step_by(PIXELS).map(|x| x.min(interior.end - PIXELS));
            let mut channel = 0;
            while channel < channels {
                let c = channel.min(channels - V::LANES);
                // SAFETY: the caller's: columns first × S − pad .. + (PIXELS − 1) × S + K of interior pixels
                // lie in the image, and c + V::LANES is at most the number of channels.
                unsafe {
                    let bias = V::load(bias.add(c));
                    let (min, max) = (V::splat(range.min), V::splat(range.max));
                    let taps = weights.add(c);
                    if K == 3 && count == K {
                        let mut held = [[V::splat(0.0); K]; K];
                        for line in 0..K {
                            held[line] = load_taps(taps.add(lines[line].1 * channels), channels);
                        }
                        for first in starts() {
                            let (from, mut acc) = ((first * S - pad) * channels + c, [bias; PIXELS]);
                            for line in 0..K {
                                let line_from = lines[line].0.as_ptr().add(from);
                                add_line::<V, K, S>(&mut acc, line_from, channels, &held[line]);
                            }
                            store_pixels(acc, out.add(first * channels + c), channels, min, max);
                        }
                    } else {
                        for first in starts() {
                            let (from, mut acc) = ((first * S - pad) * channels + c, [bias; PIXELS]);
                            for &(line, tap) in &lines[..count] {
                                let held = load_taps(taps.add(tap * channels), channels);
                                add_line::<V, K, S>(&mut acc, line.as_ptr().add(from), channels, &held);
                            }
                            store_pixels(acc, out.add(first * channels + c), channels, min, max);
                        }
                    }
                }
                channel += V::LANES;
            }
        }
    }

    /// The taps of output column `x` that lie in the image, and the first one's column.
    #[inline(always)]
    fn taps(&self, x: usize) -> (Range<usize>, usize) {
        let Window { input, kernel, stride, dilation, pad, .. } = self.conv.window;
        let first = pad.w.saturating_sub(x * stride.w).div_ceil(dilation.w);
        let end = (input.w + pad.w).saturating_sub(x * stride.w).div_ceil(dilation.w).min(kernel.w);
        (first..end, x * stride.w + first * dilation.w - pad.w.min(x * stride.w + first * dilation.w))
    }

    /// Output pixel `x`, wherever its taps lie.
    ///
    /// # Safety
    /// The CPU has the instruction set of `V`, and there are as many channels as it has lanes.
    #[inline(always)]
    unsafe fn pixel<V: Vector>(&mut self, x: usize) {
        let (taps, column) = self.taps(x);
        let &Depthwise { window, channels, range, .. } = self.conv;
        let mut channel = 0;
        while channel < channels {
            let c = channel.min(channels - V::LANES);
            // SAFETY: `taps` are those whose columns lie in the image, and c + V::LANES is at most
            // the number of channels.
            unsafe {
                let mut acc = V::load(self.conv.bias.as_ptr().add(c));
                for &(line, tap) in &self.lines[..self.count] {
                    for (i, k) in taps.clone().enumerate() {
                        let a = V::load(line.as_ptr().add((column + i * window.dilation.w) * channels + c));
                        acc = acc.add_product(
                            a,
                            V::load(self.conv.weights.as_ptr().add((tap + k) * channels + c)),
                        );
                    }
                }
                let value = acc.clamp(V::splat(range.min), V::splat(range.max));
                value.store(self.out.as_mut_ptr().add(x * channels + c));
            }
            channel += V::LANES;
        }
    }

    /// Output pixel `x` of fewer channels than a register has lanes.
    #[inline(always)]
    fn narrow(&mut self, x: usize) {
        let (taps, column) = self.taps(x);
        let &Depthwise { window, channels, range, .. } = self.conv;
        for c in 0..channels {
            let mut sum = self.conv.bias[c];
            for &(line, tap) in &self.lines[..self.count] {
                for (i, k) in taps.clone().enumerate() {
                    let a = line[(column + i * window.dilation.w) * channels + c];
                    sum += a * self.conv.weights[(tap + k) * channels + c];
                }
            }
            self.out[x * channels + c] = range.clamp(sum);
        }
    }
}

/// K taps of a register of channels, the first of them at `from`.
///
/// # Safety
/// The CPU has the instruction set of `V`, and K registers are readable `channels` apart.
#[inline(always)]
unsafe fn load_taps<V: Vector, const K: usize>(from: *const f32, channels: usize) -> [V; K] {
    // SAFETY: the caller's.
    unsafe {
        let mut taps = [V::splat(0.0); K];
        for k in 0..K {
            taps[k] = V::load(from.add(k * channels));
        }
        taps
    }
}

/// Adds to [`PIXELS`] pixels, whose windows begin at `line`, the products of a line's taps.
///
/// # Safety
/// The CPU has the instruction set of `V`, and the columns of those windows are readable.
#[inline(always)]
unsafe fn add_line<V: Vector, const K: usize, const S: usize>(
    acc: &mut [V; PIXELS],
    line: *const f32,
    channels: usize,
    taps: &[V; K],
) {
    for column in 0..(PIXELS - 1) * S + K {
        // SAFETY: the caller's.
        unsafe {
            let a = V::load(line.add(column * channels));
            for pixel in 0..PIXELS {
                if column >= pixel * S && column < pixel * S + K {
                    acc[pixel] = acc[pixel].add_product(a, taps[column - pixel * S]);
                }
            }
        }
    }
}

/// Writes [`PIXELS`] pixels of a register of channels from `to` on.
///
/// # Safety
/// The CPU has the instruction set of `V`, and the pixels are writable.
#[inline(always)]
unsafe fn store_pixels<V: Vector>(acc: [V; PIXELS], to: *mut f32, channels: usize, min: V, max: V) {
    for pixel in 0..PIXELS {
        // SAFETY: the caller's.
        unsafe { acc[pixel].clamp(min, max).store(to.add(pixel * channels)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Size2;
    use crate::kernels::gemm::Matrix;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_instruction_set_agrees_with_plain_sums(
            input in (1usize..8, 1usize..20),
            kernel in prop_oneof![Just((3, 3)), Just((5, 5)), (1usize..5, 1usize..7)],
            stride in (1usize..3, 1usize..4), dilation in (1usize..3, 1usize..4),
            channels in prop_oneof![1usize..20, Just(32), Just(50)], shift in 0usize..3, seed: u32,
        ) {
            let size = |(h, w): (usize, usize)| Size2 { h, w };
            let window = Window {
                batch: 1,
                input: size(input),
                output: size((input.0.div_ceil(stride.0), input.1.div_ceil(stride.1))),
                kernel: size(kernel),
                stride: size(stride),
                dilation: size(dilation),
                pad: size((kernel.0 / 2, ((kernel.1 - 1) * dilation.1 / 2).saturating_sub(shift))),
            };
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            };
            let data = (0..window.taps() * channels).map(|_| next()).collect();
            let weights = Matrix { data, n: window.taps(), k: channels };
            let bias: Vec<f32> = (0..channels).map(|_| next()).collect();
            let image: Vec<f32> = (0..input.0 * input.1 * channels).map(|_| next()).collect();
            let taps = Taps { window, channels, weights: &weights, blank: 0.0 };
            let range = FloatRange { min: -0.7, max: 0.8 };
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let conv = Depthwise::new(isa, &taps, bias.clone(), range);
                for y in 0..window.output.h {
                    let row = |tap| window.input_row(y, tap).map(|y| &image[y * input.1 * channels..]);
                    let rows: Vec<Option<&[f32]>> = (0..kernel.0).map(row).collect();
                    let mut out = vec![f32::NAN; window.output.w * channels];
                    conv.row(&rows, &mut out);
                    for (i, &value) in out.iter().enumerate() {
                        let (x, c) = (i / channels, i % channels);
                        let mut sum = f64::from(bias[c]);
                        for tap in 0..window.taps() {
                            let row = window.input_row(y, tap / kernel.1);
                            let column = window.input_column(x, tap % kernel.1);
                            if let (Some(row), Some(column)) = (row, column) {
                                let a = image[(row * input.1 + column) * channels + c];
                                sum += f64::from(a * weights.row(tap)[c]);
                            }
                        }
                        let expected = sum.clamp(-0.7, 0.8);
                        prop_assert!((f64::from(value) - expected).abs() < 1e-5, "{isa}: {value} {expected}");
                    }
                }
            }
        }
    }
}
