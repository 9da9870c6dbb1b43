//! Portable pooling: windows are walked pixel by pixel, channels in the inner loop.

use crate::arena::Io;
use crate::kernels::window::Window;
use crate::lowering::Kernel;
use crate::threads::Pool;
use std::ops::Range;

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

    /// Calls `f` for each output pixel with its channels, the pixels of its window (each a slice of
    /// channels) and their number.
    #[inline(always)]
    fn for_each<'a, T, R>(
        &self,
        input: &'a [T],
        output: &mut [R],
        mut f: impl FnMut(&mut [R], &mut dyn Iterator<Item = &'a [T]>, usize),
    ) {
        let c = self.channels;
        if output.is_empty() {
            return;
        }
        let Window { batch, input: input_size, output: output_size, .. } = self.window;
        let mut pixels = output.chunks_exact_mut(c);
        for image in input.chunks_exact(input_size.h * input_size.w * c).take(batch) {
            for oy in 0..output_size.h {
                let rows = self.rows(oy);
                for (ox, out) in (0..output_size.w).zip(&mut pixels) {
                    let columns = self.columns(ox);
                    let mut window = rows.clone().flat_map(|y| {
                        let row = y * input_size.w;
                        image[(row + columns.start) * c..(row + columns.end) * c].chunks_exact(c)
                    });
                    f(out, &mut window, rows.len() * columns.len());
                }
            }
        }
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

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let input = io.input::<u8>(0);
        let ([output], scratch) = io.outputs_and_scratch::<1>();
        let sums: &mut [u32] = bytemuck::cast_slice_mut(scratch);
        self.windows.for_each(input, output, |out, window, count| {
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

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        self.windows.for_each(io.input::<u8>(0), io.output::<u8>(0), |out, window, _| {
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

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let (low, high) = self.range;
        self.windows.for_each(io.input::<f32>(0), io.output::<f32>(0), |out, window, count| {
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

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let (low, high) = self.range;
        self.windows.for_each(io.input::<f32>(0), io.output::<f32>(0), |out, window, _| {
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
