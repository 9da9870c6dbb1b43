//! Portable pooling: windows are walked pixel by pixel, channels in the inner loop.

use crate::arena::Io;
use crate::kernels::window::Window;
use crate::lowering::Kernel;
use crate::threads::Pool;
use bytemuck::Pod;
use std::ops::Range;

/// Fewest elements that a task visits.
const PIECE: usize = 8 << 10;

pub(super) struct Windows {
    pub(super) window: Window,
    pub(super) channels: usize,
}

/// The part of window `i` that lies inside an input of `extent`; never empty.
fn span(i: usize, stride: usize, len: usize, pad: usize, extent: usize) -> Range<usize> {
    let end = i * stride + len - pad;
    end.saturating_sub(len)..end.min(extent)
}

impl Windows {
    /// Elements visited for an output of `elements`.
    pub(super) fn work(&self, elements: usize) -> u64 {
        let Window { kernel, input, .. } = self.window;
        let visited = kernel.h.min(input.h).saturating_mul(kernel.w.min(input.w));
        (elements as u64).saturating_mul(visited as u64)
    }

    fn rows(&self, i: usize) -> Range<usize> {
        let Window { kernel, stride, pad, input, .. } = self.window;
        span(i, stride.h, kernel.h, pad.h, input.h)
    }

    fn columns(&self, i: usize) -> Range<usize> {
        let Window { kernel, stride, pad, input, .. } = self.window;
        span(i, stride.w, kernel.w, pad.w, input.w)
    }

    /// Output rows of a task, at least.
    fn multiple(&self) -> usize {
        let Window { output, kernel, input, .. } = self.window;
        let visited = kernel.h.min(input.h) * kernel.w.min(input.w) * output.w * self.channels;
        PIECE.div_ceil(visited.max(1))
    }

    /// Calls `f` for each pixel of the output rows `output` from row `first` on, with its channels,
    /// the pixels of its window (each a slice of channels) and their number.
    #[inline(always)]
    fn for_each<'a, T>(
        &self,
        input: &'a [T],
        first: usize,
        output: &mut [T],
        mut f: impl FnMut(&mut [T], &mut dyn Iterator<Item = &'a [T]>, usize),
    ) {
        let c = self.channels;
        let Window { input: from, output: to, .. } = self.window;
        for (index, row) in output.chunks_exact_mut(to.w * c).enumerate() {
            let (image, oy) = ((first + index) / to.h, (first + index) % to.h);
            let image = &input[image * from.h * from.w * c..][..from.h * from.w * c];
            let rows = self.rows(oy);
            for (ox, out) in row.chunks_exact_mut(c).enumerate() {
                let columns = self.columns(ox);
                let mut window = rows.clone().flat_map(|y| {
                    let row = y * from.w;
                    image[(row + columns.start) * c..(row + columns.end) * c].chunks_exact(c)
                });
                f(out, &mut window, rows.len() * columns.len());
            }
        }
    }

    /// [`Windows::for_each`] by all threads; `scratch` is divided among them.
    fn shared<'a, T: Pod + Send + Sync>(
        &self,
        input: &'a [T],
        output: &mut [T],
        scratch: &mut [u8],
        pool: &Pool,
        f: impl Fn(&mut [T], &mut dyn Iterator<Item = &'a [T]>, usize, &mut [u8]) + Sync,
    ) {
        let row_len = self.window.output.w * self.channels;
        pool.split(output, row_len, self.multiple(), scratch, &|first, out, scratch| {
            self.for_each(input, first, out, |out, window, count| f(out, window, count, scratch));
        });
    }
}

pub(super) struct AverageU8 {
    pub(super) windows: Windows,
    pub(super) range: (u8, u8),
    /// Zero of the stored type among the arena's bytes.
    pub(super) center: i32,
}

impl Kernel for AverageU8 {
    fn name(&self) -> &'static str {
        "portable-u8-average-pool"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let input = io.input::<u8>(0);
        let ([output], scratch) = io.outputs_and_scratch::<1>();
        self.windows.shared(input, output, scratch, pool, |out, window, count, scratch| {
            let sums: &mut [u32] = bytemuck::cast_slice_mut(&mut scratch[..out.len() * size_of::<u32>()]);
            sums.fill(0);
            for pixel in window {
                sums.iter_mut().zip(pixel).for_each(|(sum, &x)| *sum += u32::from(x));
            }
            let count = count as i32;
            for (out, &sum) in out.iter_mut().zip(sums.iter()) {
                let sum = sum as i32 - self.center * count;
                let half = if sum >= 0 { count / 2 } else { -(count / 2) };
                let mean = (sum + half) / count + self.center;
                *out = (mean as u8).clamp(self.range.0, self.range.1);
            }
        });
    }
}

pub(super) struct MaxU8 {
    pub(super) windows: Windows,
    pub(super) range: (u8, u8),
}

impl Kernel for MaxU8 {
    fn name(&self) -> &'static str {
        "portable-u8-max-pool"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        self.windows.shared(io.input::<u8>(0), io.output(0), &mut [], pool, |out, window, _, _| {
            out.fill(self.range.0);
            for pixel in window {
                out.iter_mut().zip(pixel).for_each(|(max, &x)| *max = (*max).max(x));
            }
            out.iter_mut().for_each(|x| *x = (*x).min(self.range.1));
        });
    }
}

pub(super) struct AverageF32 {
    pub(super) windows: Windows,
    pub(super) range: (f32, f32),
}

impl Kernel for AverageF32 {
    fn name(&self) -> &'static str {
        "portable-f32-average-pool"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let (low, high) = self.range;
        self.windows.shared(io.input::<f32>(0), io.output(0), &mut [], pool, |out, window, count, _| {
            out.fill(0.0);
            for pixel in window {
                out.iter_mut().zip(pixel).for_each(|(sum, &x)| *sum += x);
            }
            let inverse = 1.0 / count as f32;
            out.iter_mut().for_each(|x| *x = (*x * inverse).max(low).min(high));
        });
    }
}

pub(super) struct MaxF32 {
    pub(super) windows: Windows,
    pub(super) range: (f32, f32),
}

impl Kernel for MaxF32 {
    fn name(&self) -> &'static str {
        "portable-f32-max-pool"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let (low, high) = self.range;
        self.windows.shared(io.input::<f32>(0), io.output(0), &mut [], pool, |out, window, _, _| {
            out.fill(low);
            for pixel in window {
                out.iter_mut().zip(pixel).for_each(|(max, &x)| *max = (*max).max(x));
            }
            out.iter_mut().for_each(|x| *x = (*x).min(high));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_never_empty_and_stay_inside() {
        for (extent, len, stride) in
            (1usize..12).flat_map(|e| (1usize..15).flat_map(move |l| (1usize..9).map(move |s| (e, l, s))))
        {
            let same = extent.div_ceil(stride);
            let pad = ((same - 1) * stride + len).saturating_sub(extent) / 2;
            let valid = extent.checked_sub(len).map_or(0, |rest| rest / stride + 1);
            for (outputs, pad) in [(same, pad), (valid, 0)] {
                for i in 0..outputs {
                    let span = span(i, stride, len, pad, extent);
                    assert!(
                        !span.is_empty() && span.end <= extent,
                        "{extent} {len} {stride} at {i}: {span:?}"
                    );
                }
            }
        }
    }
}
