//! TRANSPOSE_CONV: every output pixel gathers the input pixels that reach it, then a matrix product.

use super::conv::{Extents, Patches, product};
use super::window::Window;
use crate::error::Result;
use crate::graph::{ConvOptions, Padding, Size2};
use crate::lowering::{Lower, Lowered, Operand};

/// TRANSPOSE_CONV: output shape, weights OHWI, input NHWC, bias.
pub(super) fn lower(ctx: &Lower<'_>, options: &ConvOptions) -> Result<Lowered> {
    let output = ctx.output(0)?;
    let wanted = ctx.input(0)?;
    if wanted.constant().is_some() {
        let shape: Option<Vec<usize>> =
            ctx.integers(wanted)?.iter().map(|&d| usize::try_from(d).ok()).collect();
        ctx.ensure_shape(output, &shape.ok_or_else(|| ctx.invalid("a negative output shape".into()))?)?;
    }
    transposed(ctx, options, [ctx.input(2)?, ctx.input(1)?], 3)
}

/// MediaPipe's Convolution2DTransposeBias: input, weights, bias; the output has the stride's multiple of the input's extent,
/// and what the window reaches beyond it if padding is VALID.
pub(super) fn with_bias(ctx: &Lower<'_>, options: &ConvOptions) -> Result<Lowered> {
    let (input, weights) = (ctx.input(0)?, ctx.input(1)?);
    let (&[batch, in_h, in_w, _], &[n, h, w, _]) = (input.shape(), weights.shape()) else {
        return Err(ctx.invalid(format!("input {:?}, weights {:?}", input.shape(), weights.shape())));
    };
    let extent = |input: usize, stride: usize, kernel: usize| match options.padding {
        Padding::Same => input.saturating_mul(stride),
        Padding::Valid => input.saturating_sub(1).saturating_mul(stride).saturating_add(kernel),
    };
    let shape = [batch, extent(in_h, options.stride.h, h), extent(in_w, options.stride.w, w), n];
    ctx.ensure_shape(ctx.output(0)?, &shape)?;
    transposed(ctx, options, [input, weights], 2)
}

fn transposed(
    ctx: &Lower<'_>,
    options: &ConvOptions,
    [input, weights]: [Operand<'_>; 2],
    bias: usize,
) -> Result<Lowered> {
    let output = ctx.output(0)?;
    let (&[batch, in_h, in_w, channels], &[n, h, w, depth], &[out_batch, out_h, out_w, out_n]) =
        (input.shape(), weights.shape(), output.shape())
    else {
        return Err(ctx.invalid(format!("input {:?}, weights {:?}", input.shape(), weights.shape())));
    };
    ctx.ensure(depth == channels && out_n == n && out_batch == batch, || {
        format!("input {:?}, weights {:?}, output {:?}", input.shape(), weights.shape(), output.shape())
    })?;
    ctx.ensure(channels > 0 && n > 0 && h > 0 && w > 0, || format!("weights {:?}", weights.shape()))?;
    // The padding is that of the convolution whose gradient this is: from output back to input.
    let pad = |input: usize, stride: usize, kernel: usize, output: usize| {
        let reach = input.checked_sub(1)?.checked_mul(stride)?.checked_add(kernel)?;
        match options.padding {
            Padding::Same => (output.div_ceil(stride) == input).then(|| reach.saturating_sub(output) / 2),
            Padding::Valid => (reach <= output && output < reach.checked_add(stride)?).then_some(0),
        }
    };
    let (Some(pad_h), Some(pad_w)) =
        (pad(in_h, options.stride.h, h, out_h), pad(in_w, options.stride.w, w, out_w))
    else {
        return Err(ctx.invalid(format!("an input of {in_h}×{in_w} for an output of {out_h}×{out_w}")));
    };
    let window = Window {
        batch,
        input: Size2 { h: in_h, w: in_w },
        output: Size2 { h: out_h, w: out_w },
        kernel: Size2 { h, w },
        stride: options.stride,
        dilation: Size2 { h: 1, w: 1 },
        pad: Size2 { h: pad_h, w: pad_w },
    };
    let k = window.taps().saturating_mul(channels);
    let extents = Extents { rows: window.output_pixels(), n, k, channels };
    product(ctx, input, weights, bias, options.activation, Patches::Transposed(window), extents)
}
