//! How a window slides over an image.

use crate::error::Result;
use crate::graph::{Padding, Size2};
use crate::lowering::Lower;
use std::ops::Range;

/// What lies around an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Border {
    /// What the rule asks for.
    Rule(Padding),
    /// Rows and columns before and after the image.
    Given { before: Size2, after: Size2 },
}

/// Geometry of a convolution or pooling: extents in pixels, all of NHWC images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) batch: usize,
    pub(crate) input: Size2,
    pub(crate) output: Size2,
    pub(crate) kernel: Size2,
    pub(crate) stride: Size2,
    pub(crate) dilation: Size2,
    /// Rows above and columns left of the image that windows reach into.
    pub(crate) pad: Size2,
}

impl Window {
    /// The window that a file's options describe, with the output's extent computed.
    pub(crate) fn new(
        ctx: &Lower<'_>,
        input_shape: &[usize],
        kernel: Size2,
        stride: Size2,
        dilation: Size2,
        border: Border,
    ) -> Result<Self> {
        let &[batch, height, width, _] = input_shape else {
            return Err(ctx.invalid(format!("an image of shape {input_shape:?}")));
        };
        let axis = |extent: usize, kernel: usize, stride: usize, dilation: usize, of: fn(Size2) -> usize| {
            let reach = kernel.checked_sub(1).and_then(|k| k.checked_mul(dilation)).map(|r| r + 1);
            let reach = reach.filter(|_| stride > 0 && extent > 0)?;
            match border {
                Border::Rule(Padding::Same) => {
                    let output = extent.div_ceil(stride);
                    let needed = (output - 1).checked_mul(stride)?.checked_add(reach)?;
                    Some((output, needed.saturating_sub(extent) / 2))
                }
                Border::Rule(Padding::Valid) => Some(((extent.checked_sub(reach)?) / stride + 1, 0)),
                Border::Given { before, after } => {
                    let padded = extent.checked_add(of(before))?.checked_add(of(after))?;
                    Some((padded.checked_sub(reach)? / stride + 1, of(before)))
                }
            }
        };
        let rows = axis(height, kernel.h, stride.h, dilation.h, |size| size.h);
        let columns = axis(width, kernel.w, stride.w, dilation.w, |size| size.w);
        let (Some((out_h, pad_h)), Some((out_w, pad_w))) = (rows, columns) else {
            return Err(
                ctx.invalid(format!("a window of {}×{} on an image of {height}×{width}", kernel.h, kernel.w))
            );
        };
        Ok(Self {
            batch,
            input: Size2 { h: height, w: width },
            output: Size2 { h: out_h, w: out_w },
            kernel,
            stride,
            dilation,
            pad: Size2 { h: pad_h, w: pad_w },
        })
    }

    /// Pixels of all outputs.
    pub(crate) fn output_pixels(&self) -> usize {
        self.batch * self.output.h * self.output.w
    }

    /// Taps of a window.
    pub(crate) fn taps(&self) -> usize {
        self.kernel.h * self.kernel.w
    }

    /// Whether every output pixel is computed from the input pixel in the same place.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.taps() == 1
            && (self.stride.h, self.stride.w) == (1, 1)
            && (self.pad.h, self.pad.w) == (0, 0)
            && self.input == self.output
    }

    /// The input row that tap `tap` of output row `out` reads, where it lies in the image.
    pub(crate) fn input_row(&self, out: usize, tap: usize) -> Option<usize> {
        (out * self.stride.h + tap * self.dilation.h).checked_sub(self.pad.h).filter(|&y| y < self.input.h)
    }

    /// The input column that tap `tap` of output column `out` reads, where it lies in the image.
    pub(crate) fn input_column(&self, out: usize, tap: usize) -> Option<usize> {
        (out * self.stride.w + tap * self.dilation.w).checked_sub(self.pad.w).filter(|&x| x < self.input.w)
    }

    /// Output columns whose taps all lie in the image.
    pub(crate) fn interior_columns(&self) -> Range<usize> {
        let left = self.pad.w.div_ceil(self.stride.w).min(self.output.w);
        let reach = (self.kernel.w - 1) * self.dilation.w;
        let last = (self.input.w + self.pad.w).checked_sub(reach + 1);
        left..last.map_or(0, |last| last / self.stride.w + 1).clamp(left, self.output.w)
    }
}
