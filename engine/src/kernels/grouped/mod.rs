//! CONV_2D with groups: each output channel sees some of the input's channels. Direct sums, one pixel after another;
//! groups are rare, and few of them are large.

use super::gemm::FloatRange;
use super::requantize::Requantize;
use super::weights::{self, QuantizedWeights};
use super::window::Window;
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{Activation, DType};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
use bytemuck::Pod;

/// Weights as [output channel][tap][channel of the group].
struct Groups<T> {
    window: Window,
    channels: usize,
    /// Input channels of a group.
    depth: usize,
    /// Output channels, and how many of them share a group.
    n: usize,
    shared: usize,
    weights: Vec<T>,
}

/// CONV_2D whose weights have `depth` of the input's `channels`.
pub(super) fn lower(
    ctx: &Lower<'_>,
    input: Operand<'_>,
    weights: Operand<'_>,
    activation: Activation,
    window: Window,
) -> Result<Lowered> {
    let (&[.., channels], &[n, _, _, depth]) = (input.shape(), weights.shape()) else {
        return Err(ctx.invalid(format!("weights {:?}", weights.shape())));
    };
    let fits = depth > 0 && channels.is_multiple_of(depth) && n.is_multiple_of(channels / depth);
    ctx.ensure(fits, || format!("{depth} of {channels} input channels for {n} output channels"))?;
    let shared = n / (channels / depth);
    let macs = (window.output_pixels() as u64)
        .saturating_mul(n as u64)
        .saturating_mul((window.taps() * depth) as u64);
    match (input.dtype(), weights.dtype(), ctx.output(0)?.dtype()) {
        (DType::F32, DType::F32 | DType::I8 | DType::U8, DType::F32) => {
            let bias = weights::float_bias(ctx, 2, n)?;
            let range = FloatRange::new(ctx, activation)?;
            let values = weights::float_weights(ctx, weights, 0)?;
            let groups = Groups { window, channels, depth, n, shared, weights: values };
            ctx.task_with(GroupedF32 { groups, bias, range }, &[input], 0, macs)
        }
        (DType::I8, DType::I8, DType::I8) | (DType::U8, DType::U8, DType::U8) => {
            let QuantizedWeights { values, scales } = QuantizedWeights::read(ctx, weights, 0)?;
            let from = ctx.affine(input)?;
            let scales = QuantizedWeights { values: Vec::new(), scales };
            let bias = weights::integer_bias(ctx, 2, n)?;
            let sums = vec![0; n];
            let requantize = weights::requantize(ctx, from, &scales, &sums, bias, activation)?;
            let groups = Groups { window, channels, depth, n, shared, weights: values };
            ctx.task_with(GroupedU8 { groups, zero_point: from.zero_point, requantize }, &[input], 0, macs)
        }
        (a, b, c) => Err(ctx.unsupported(format!("grouped {a} × {b} to {c}"))),
    }
}

impl<T: Pod> Groups<T> {
    /// Calls `f` with the index of each output and with every pair of a channel's run in the image and its weights.
    #[inline(always)]
    fn for_each<X: Pod, S>(
        &self,
        image: &[X],
        mut start: impl FnMut(usize) -> S,
        mut add: impl FnMut(&mut S, &[X], &[T]),
        mut end: impl FnMut(usize, usize, S),
    ) {
        let (w, taps) = (&self.window, self.window.taps());
        for pixel in 0..w.output_pixels() {
            let (x, y) = (pixel % w.output.w, pixel / w.output.w % w.output.h);
            let batch = pixel / (w.output.w * w.output.h);
            for n in 0..self.n {
                let first = n / self.shared * self.depth;
                let mut sum = start(n);
                for tap in 0..taps {
                    let (row, column) =
                        (w.input_row(y, tap / w.kernel.w), w.input_column(x, tap % w.kernel.w));
                    let (Some(row), Some(column)) = (row, column) else { continue };
                    let at = ((batch * w.input.h + row) * w.input.w + column) * self.channels + first;
                    let weights = &self.weights[(n * taps + tap) * self.depth..][..self.depth];
                    add(&mut sum, &image[at..at + self.depth], weights);
                }
                end(pixel * self.n + n, n, sum);
            }
        }
    }
}

struct GroupedF32 {
    groups: Groups<f32>,
    bias: Vec<f32>,
    range: FloatRange,
}

impl Kernel for GroupedF32 {
    fn name(&self) -> &'static str {
        "portable-f32-grouped"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let image = io.input::<f32>(0);
        let out = io.output::<f32>(0);
        self.groups.for_each(
            image,
            |n| self.bias[n],
            |sum, x, w| *sum += x.iter().zip(w).map(|(x, w)| x * w).sum::<f32>(),
            |at, _, sum| out[at] = self.range.clamp(sum),
        );
    }
}

struct GroupedU8 {
    groups: Groups<i16>,
    zero_point: i32,
    requantize: Requantize,
}

impl Kernel for GroupedU8 {
    fn name(&self) -> &'static str {
        "portable-u8-grouped"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let image = io.input::<u8>(0);
        let out = io.output::<u8>(0);
        self.groups.for_each(
            image,
            |n| self.requantize.bias[n],
            |sum, x, w| {
                let products =
                    x.iter().zip(w).map(|(&x, &w)| (i32::from(x) - self.zero_point) * i32::from(w));
                *sum = products.fold(*sum, i32::wrapping_add);
            },
            |at, n, sum| out[at] = self.requantize.byte(sum, self.requantize.scale[n]),
        );
    }
}
