//! An inverted residual, or a depthwise separable convolution, strip by strip: expansion, depthwise
//! convolution, projection and sum pass over a few image rows at a time, so that what lies between
//! them stays in the core's own cache.

mod lower;
#[cfg(test)]
mod tests;

pub(super) use lower::lower;

use super::add::FusedSum;
use super::depthwise::{RowKernel, output_rows};
use super::gemm::{GemmU8, Rows};
use super::window::Window;
use crate::arena::Io;
use crate::lowering::Kernel;
use crate::threads::{Pool, scratch_bytes};
use std::ops::Range;

/// Bytes that a strip's expanded rows should stay below: half the smallest second-level cache of a phone's
/// fast cores.
const STRIP_BYTES: usize = 128 << 10;

struct Block {
    name: String,
    expand: Option<Box<dyn GemmU8>>,
    depthwise: Box<dyn RowKernel<u8>>,
    project: Box<dyn GemmU8>,
    sum: Option<FusedSum>,
    /// Of the depthwise convolution, over one image.
    window: Window,
    /// Of the input, between, and of the output.
    channels: Channels,
}

#[derive(Debug, Clone, Copy)]
struct Channels {
    input: usize,
    middle: usize,
    output: usize,
}

/// Memory of one thread.
struct Scratch<'a> {
    expanded: &'a mut [u8],
    convolved: &'a mut [u8],
    summed: &'a mut [u8],
}

impl Block {
    /// Bytes of an expanded row, and of a row after the depthwise convolution.
    fn row_bytes(&self) -> [usize; 2] {
        [self.window.input.w, self.window.output.w].map(|w| w * self.channels.middle)
    }

    /// Input rows that `rows` of the output depend on.
    fn reach(&self, rows: &Range<usize>) -> Range<usize> {
        let Window { input, kernel, stride, dilation, pad, .. } = self.window;
        let last = (rows.end - 1) * stride.h + (kernel.h - 1) * dilation.h;
        let end = (last + 1).saturating_sub(pad.h).min(input.h);
        (rows.start * stride.h).saturating_sub(pad.h).min(end)..end
    }

    /// Most input rows of a strip of `rows` output rows.
    fn strip_reach(&self, rows: usize) -> usize {
        let Window { input, kernel, stride, dilation, .. } = self.window;
        ((rows - 1) * stride.h + (kernel.h - 1) * dilation.h + 1).min(input.h)
    }

    /// Output rows of a strip.
    fn strip(&self) -> usize {
        let fits = |&rows: &usize| self.strip_reach(rows) * self.row_bytes()[0] <= STRIP_BYTES;
        (1..=self.window.output.h).take_while(fits).last().unwrap_or(1)
    }

    /// Bytes of each part of a thread's memory.
    fn parts(&self) -> [usize; 3] {
        let ([before, after], strip) = (self.row_bytes(), self.strip());
        let expanded = if self.expand.is_some() { self.strip_reach(strip) * before } else { 0 };
        let summed = if self.sum.is_some() { self.window.output.w * self.channels.output * strip } else { 0 };
        [expanded, strip * after, summed]
    }

    fn scratch(&self, threads: usize) -> usize {
        scratch_bytes(self.parts().iter().sum(), threads)
    }

    /// Output rows from `first` on.
    fn rows(
        &self,
        image: &[u8],
        residual: Option<&[u8]>,
        first: usize,
        out: &mut [u8],
        scratch: &mut Scratch<'_>,
    ) {
        let Window { input, output, .. } = self.window;
        let ([before, after], out_row) = (self.row_bytes(), output.w * self.channels.output);
        let mut held = 0..0;
        for (index, out) in out.chunks_mut(self.strip() * out_row).enumerate() {
            let start = first + index * self.strip();
            let rows = start..start + out.len() / out_row;
            let reach = self.reach(&rows);
            let (middle, base) = match &self.expand {
                None => (image, 0),
                Some(expand) => {
                    // The last rows of one strip are the first of the next.
                    let kept = reach.start.max(held.start)..held.end.max(reach.start);
                    if !kept.is_empty() {
                        let from = (kept.start - held.start) * before;
                        scratch.expanded.copy_within(from..from + kept.len() * before, 0);
                    }
                    let new = kept.end..reach.end;
                    let data = &image[new.start * input.w * self.channels.input..];
                    let pixels = Rows { data, stride: self.channels.input, count: new.len() * input.w };
                    let to = &mut scratch.expanded[(new.start - reach.start) * before..];
                    expand.requantized(pixels, &mut to[..new.len() * before]);
                    held = reach.clone();
                    (&*scratch.expanded, reach.start)
                }
            };
            let line = |source: usize| &middle[(source - base) * before..][..before];
            let to = &mut scratch.convolved[..rows.len() * after];
            output_rows(&*self.depthwise, &self.window, start, to, after, line);
            let (data, stride) = (&*scratch.convolved, self.channels.middle);
            let pixels = Rows { data, stride, count: rows.len() * output.w };
            match (&self.sum, residual) {
                (Some(sum), Some(residual)) => {
                    let own = &mut scratch.summed[..out.len()];
                    self.project.requantized(pixels, own);
                    sum.slices(own, &residual[start * out_row..][..out.len()], out);
                }
                _ => self.project.requantized(pixels, out),
            }
        }
    }
}

impl Kernel for Block {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let image = io.input::<u8>(0);
        let residual = self.sum.is_some().then(|| io.input::<u8>(1));
        let ([out], scratch) = io.outputs_and_scratch();
        let Window { output, .. } = self.window;
        // One piece for each thread, since pieces begin with rows that the one before expands too.
        let multiple = (output.h / pool.threads()).max(1);
        let [expanded, convolved, _] = self.parts();
        pool.split(out, output.w * self.channels.output, multiple, scratch, &|first, out, scratch| {
            let (expanded, rest) = scratch.split_at_mut(expanded);
            let (convolved, summed) = rest.split_at_mut(convolved);
            self.rows(image, residual, first, out, &mut Scratch { expanded, convolved, summed });
        });
    }
}
