//! From the graph's node to a kernel.

use super::hybrid::Hybrid;
use super::{DepthwiseConv, MAX_KERNEL_HEIGHT, RowKernel, Taps, float, quantized};
use crate::error::Result;
use crate::graph::{Activation, ConvOptions, DType, Size2};
use crate::kernels::gemm::{FloatRange, Matrix};
use crate::kernels::movement;
use crate::kernels::weights::{self, QuantizedWeights};
use crate::kernels::window::Window;
use crate::lowering::{Lower, Lowered, Operand};

/// DEPTHWISE_CONV_2D: input NHWC, weights [1, height, width, outputs], bias.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>, options: &ConvOptions) -> Result<Lowered> {
    let node = Node::new(ctx, options)?;
    let Node { input, weights, window, channels, .. } = node;
    match (input.dtype(), weights.dtype(), ctx.output(0)?.dtype()) {
        (DType::I8, DType::I8, DType::I8) | (DType::U8, DType::U8, DType::U8) => node.task(node.quantized()?),
        (DType::F32, DType::F32 | DType::I8 | DType::U8, DType::F32) => {
            let range = FloatRange::new(ctx, options.activation)?;
            let bias = weights::float_bias(ctx, 2, channels)?;
            let data = weights::float_weights(ctx, weights, 3)?;
            let matrix = Matrix { data, n: window.taps(), k: channels };
            let taps = Taps { window, channels, weights: &matrix, blank: 0.0 };
            let kernel = Box::new(float::Depthwise::new(ctx.isa, &taps, bias, range));
            if weights.dtype() == DType::F32 { node.task(kernel) } else { node.hybrid(kernel) }
        }
        _ => Err(ctx.unsupported_types(&[input, weights, ctx.output(0)?])),
    }
}

/// A DEPTHWISE_CONV_2D whose operands fit each other.
pub(in crate::kernels) struct Node<'a, 'g> {
    ctx: &'a Lower<'g>,
    /// The image.
    pub(in crate::kernels) input: Operand<'g>,
    weights: Operand<'g>,
    pub(in crate::kernels) window: Window,
    activation: Activation,
    channels: usize,
    multiplier: usize,
}

impl<'a, 'g> Node<'a, 'g> {
    pub(in crate::kernels) fn new(ctx: &'a Lower<'g>, options: &ConvOptions) -> Result<Self> {
        let ConvOptions { stride, dilation, padding, activation } = *options;
        let (input, border) = movement::unpadded(ctx, padding)?;
        let (weights, output) = (ctx.input(1)?, ctx.output(0)?);
        let (&[_, _, _, inputs], &[1, h, w, channels]) = (input.shape(), weights.shape()) else {
            return Err(ctx.invalid(format!("input {:?}, weights {:?}", input.shape(), weights.shape())));
        };
        ctx.ensure(inputs > 0 && channels > 0 && channels.is_multiple_of(inputs) && h > 0 && w > 0, || {
            format!("weights {:?} for {inputs} input channels", weights.shape())
        })?;
        if h > MAX_KERNEL_HEIGHT {
            return Err(ctx.unsupported(format!("a window {h} rows high, of at most {MAX_KERNEL_HEIGHT}")));
        }
        let window = Window::new(ctx, input.shape(), Size2 { h, w }, stride, dilation, border)?;
        ctx.ensure_shape(output, &[window.batch, window.output.h, window.output.w, channels])?;
        Ok(Self { ctx, input, weights, window, activation, channels, multiplier: channels / inputs })
    }

    /// Whether it is quantized, with as many output channels as input channels.
    pub(in crate::kernels) fn is_plain(&self) -> bool {
        let bytes = [DType::I8, DType::U8].contains(&self.input.dtype());
        bytes && self.weights.dtype() == self.input.dtype() && self.multiplier == 1
    }

    /// The kernel for bytes.
    pub(in crate::kernels) fn quantized(&self) -> Result<Box<dyn RowKernel<u8>>> {
        let Self { ctx, window, channels, .. } = *self;
        let QuantizedWeights { values, scales } = QuantizedWeights::read(ctx, self.weights, 3)?;
        let affine = ctx.affine(self.input)?;
        let bias = weights::integer_bias(ctx, 2, channels)?;
        let matrix = Matrix { data: values, n: window.taps(), k: channels };
        let sums: Vec<i32> =
            (0..channels).map(|c| (0..matrix.n).map(|tap| i32::from(matrix.row(tap)[c])).sum()).collect();
        let scales = QuantizedWeights { values: Vec::new(), scales };
        let requantize = weights::requantize(ctx, affine, &scales, &sums, bias, self.activation)?;
        let taps = Taps { window, channels, weights: &matrix, blank: affine.zero_point as u8 };
        Ok(quantized(ctx.isa, &taps, requantize))
    }

    fn task<T: bytemuck::Pod + Send + Sync>(&self, kernel: Box<dyn RowKernel<T>>) -> Result<Lowered> {
        let Self { window, channels, multiplier, .. } = *self;
        let conv = DepthwiseConv { kernel, window, channels, multiplier };
        let scratch = conv.expanded_len().saturating_mul(size_of::<T>());
        self.ctx.task_with(conv, &[self.input], scratch, self.macs())
    }

    fn hybrid(&self, kernel: Box<dyn RowKernel<f32>>) -> Result<Lowered> {
        let Self { window, channels, multiplier, .. } = *self;
        let conv = DepthwiseConv { kernel, window, channels, multiplier };
        let hybrid = Hybrid { conv, isa: self.ctx.isa };
        let scratch = hybrid.scratch();
        self.ctx.task_with(hybrid, &[self.input], scratch, self.macs())
    }

    fn macs(&self) -> u64 {
        let outputs = self.window.output_pixels() as u64 * self.channels as u64;
        outputs.saturating_mul(self.window.taps() as u64)
    }
}
