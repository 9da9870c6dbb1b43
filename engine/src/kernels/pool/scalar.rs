//! Portable pooling: windows are walked pixel by pixel, channels in the inner loop.

use crate::arena::Io;
use crate::compile::Kernel;
use crate::threads::Pool;
use std::ops::Range;

/// Windows along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    input: usize,
    pub(super) output: usize,
    pub(super) window: usize,
    stride: usize,
    before: usize,
}

impl Axis {
    /// `None` where no window fits.
    pub(super) fn new(same: bool, input: usize, window: usize, stride: usize) -> Option<Self> {
        let output = if same { input.div_ceil(stride) } else { input.checked_sub(window)? / stride + 1 };
        let reach = output.saturating_sub(1).saturating_mul(stride).saturating_add(window);
        let before = if same { reach.saturating_sub(input) / 2 } else { 0 };
        Some(Self { input, output, window, stride, before })
    }

    /// The part of window `i` that lies inside the input; never empty.
    fn span(&self, i: usize) -> Range<usize> {
        let end = i * self.stride + self.window - self.before;
        end.saturating_sub(self.window)..end.min(self.input)
    }
}

pub(super) struct Windows {
    pub(super) batch: usize,
    pub(super) y: Axis,
    pub(super) x: Axis,
    pub(super) channels: usize,
}

impl Windows {
    /// Elements visited for an output of `elements`.
    pub(super) fn work(&self, elements: usize) -> u64 {
        let window = self.y.window.min(self.y.input).saturating_mul(self.x.window.min(self.x.input));
        (elements as u64).saturating_mul(window as u64)
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
        let mut pixels = output.chunks_exact_mut(c);
        for image in input.chunks_exact(self.y.input * self.x.input * c).take(self.batch) {
            for oy in 0..self.y.output {
                let rows = self.y.span(oy);
                for (ox, out) in (0..self.x.output).zip(&mut pixels) {
                    let columns = self.x.span(ox);
                    let mut window = rows.clone().flat_map(|y| {
                        let row = y * self.x.input;
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
        for (same, input, window, stride) in (1..12).flat_map(|i| {
            (1..15).flat_map(move |w| (1..9).flat_map(move |s| [(true, i, w, s), (false, i, w, s)]))
        }) {
            let Some(axis) = Axis::new(same, input, window, stride) else {
                assert!(!same && window > input);
                continue;
            };
            for i in 0..axis.output {
                let span = axis.span(i);
                assert!(!span.is_empty() && span.end <= input, "{axis:?} at {i}: {span:?}");
            }
        }
    }
}
