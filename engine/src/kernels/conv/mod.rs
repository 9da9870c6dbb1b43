//! CONV_2D: windows as rows of a matrix, times the weights.

mod float;
mod hybrid;
mod patches;
mod product;
mod vector;
mod windows;

pub(super) use patches::Patches;
pub(super) use product::Extents;

use super::gemm::{self, FloatRange, GemmF32, GemmU8, Matrix};
use super::grouped;
use super::movement;
use super::requantize::Requantize;
use super::weights::{self, QuantizedWeights};
use super::window::Window;
use crate::error::Result;
use crate::graph::{Activation, ConvOptions, DType, Size2};
use crate::lowering::{Lower, Lowered, Operand};
use float::FloatConv;
use product::{FloatProduct, QuantizedProduct};
use vector::VectorProduct;
use windows::WindowConv;

/// CONV_2D: input NHWC, weights OHWI, bias.
pub(super) fn lower(ctx: &Lower<'_>, options: &ConvOptions) -> Result<Lowered> {
    let (input, border) = movement::unpadded(ctx, options.padding)?;
    let (weights, output) = (ctx.input(1)?, ctx.output(0)?);
    let (&[_, _, _, channels], &[n, h, w, depth]) = (input.shape(), weights.shape()) else {
        return Err(ctx.invalid(format!("input {:?}, weights {:?}", input.shape(), weights.shape())));
    };
    ctx.ensure(channels > 0 && n > 0 && h > 0 && w > 0, || format!("weights {:?}", weights.shape()))?;
    let kernel = Size2 { h, w };
    let window = Window::new(ctx, input.shape(), kernel, options.stride, options.dilation, border)?;
    ctx.ensure_shape(output, &[window.batch, window.output.h, window.output.w, n])?;
    if depth != channels {
        return grouped::lower(ctx, input, weights, options.activation, window);
    }
    let patches = if window.is_pointwise() { Patches::Direct } else { Patches::Window(window) };
    let k = window.taps().saturating_mul(channels);
    let extents = Extents { rows: window.output_pixels(), n, k, channels };
    product(ctx, input, weights, 2, options.activation, patches, extents)
}

/// Weights without zero points as an n × k matrix, and what becomes of their products.
fn quantized(
    ctx: &Lower<'_>,
    [input, weights]: [Operand<'_>; 2],
    bias_index: usize,
    activation: Activation,
    [n, k]: [usize; 2],
) -> Result<(Matrix<i16>, Requantize)> {
    let QuantizedWeights { values, scales } = QuantizedWeights::read(ctx, weights, 0)?;
    let matrix = Matrix { data: values, n, k };
    let bias = weights::integer_bias(ctx, bias_index, n)?;
    let scales = QuantizedWeights { values: Vec::new(), scales };
    let sums = weights::row_sums(&matrix);
    let requantize = weights::requantize(ctx, ctx.affine(input)?, &scales, &sums, bias, activation)?;
    Ok((matrix, requantize))
}

/// A quantized convolution of single pixels, one after another.
pub(super) struct Pointwise<'a, 'g> {
    ctx: &'a Lower<'g>,
    activation: Activation,
    /// Input channels.
    pub(super) k: usize,
    /// Output channels.
    pub(super) n: usize,
}

impl<'a, 'g> Pointwise<'a, 'g> {
    /// `None` where `ctx`'s node is none.
    pub(super) fn new(ctx: &'a Lower<'g>, options: &ConvOptions) -> Option<Self> {
        let (input, weights, output) = (ctx.input(0).ok()?, ctx.input(1).ok()?, ctx.output(0).ok()?);
        let &[n, 1, 1, k] = weights.shape() else { return None };
        let mut expected = input.shape().to_vec();
        let depth = std::mem::replace(expected.last_mut()?, n);
        let one = Size2 { h: 1, w: 1 };
        let fits = depth == k && options.stride == one && output.shape() == expected && n > 0 && k > 0;
        let types = [input.dtype(), weights.dtype(), output.dtype()];
        let bytes = types == [DType::I8; 3] || types == [DType::U8; 3];
        (fits && bytes).then_some(Self { ctx, activation: options.activation, k, n })
    }

    pub(super) fn kernel(&self) -> Result<Box<dyn GemmU8>> {
        let operands = [self.ctx.input(0)?, self.ctx.input(1)?];
        let (matrix, requantize) = quantized(self.ctx, operands, 2, self.activation, [self.n, self.k])?;
        Ok(gemm::quantized(self.ctx.isa, &matrix, requantize))
    }
}

/// A product of `patches` of the input with `weights` (output channels first), and the bias at
/// `bias_index`, in whichever types the operands have.
pub(super) fn product(
    ctx: &Lower<'_>,
    input: Operand<'_>,
    weights: Operand<'_>,
    bias_index: usize,
    activation: Activation,
    patches: Patches,
    extents: Extents,
) -> Result<Lowered> {
    let Extents { n, k, .. } = extents;
    ctx.ensure(n.checked_mul(k) == Some(weights.elements()), || format!("weights {:?}", weights.shape()))?;
    let output = ctx.output(0)?;
    match (input.dtype(), weights.dtype(), output.dtype()) {
        (DType::I8, DType::I8, DType::I8) | (DType::U8, DType::U8, DType::U8) => {
            let (matrix, requantize) = quantized(ctx, [input, weights], bias_index, activation, [n, k])?;
            let zero_point = ctx.affine(input)?.zero_point as u8;
            if let Patches::Window(window) = patches
                && let Some(conv) =
                    WindowConv::new(ctx.isa, window, extents.channels, &matrix, &requantize, zero_point)
            {
                return conv.lower(ctx, input);
            }
            if patches == Patches::Direct
                && extents.rows == 1
                && let Some(product) = VectorProduct::new(ctx, &matrix, &requantize)
            {
                return product.lower(ctx, input, n);
            }
            let gemm = gemm::quantized(ctx.isa, &matrix, requantize);
            QuantizedProduct::lower(ctx, input, gemm, patches, extents, zero_point)
        }
        (DType::F32, DType::I8 | DType::U8, DType::F32) => {
            let quantized = QuantizedWeights::read(ctx, weights, 0)?;
            let bias = weights::float_bias(ctx, bias_index, n)?;
            hybrid::lower(ctx, input, quantized, bias, FloatRange::new(ctx, activation)?, patches, extents)
        }
        (DType::F32, DType::F32, DType::F32) => {
            let bias = weights::float_bias(ctx, bias_index, n)?;
            let matrix = Matrix { data: ctx.floats(weights)?, n, k };
            let gemm = GemmF32::new(ctx.isa, &matrix, &bias, FloatRange::new(ctx, activation)?);
            let gemm = match patches {
                Patches::Window(window) => match FloatConv::new(gemm, window, extents.channels) {
                    Ok(conv) => return conv.lower(ctx, input),
                    Err(gemm) => gemm,
                },
                _ => gemm,
            };
            FloatProduct::lower(ctx, input, gemm, patches, extents)
        }
        _ => Err(ctx.unsupported_types(&[input, weights, output])),
    }
}
