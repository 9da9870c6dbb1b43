//! Constants of convolutions and fully connected layers, as kernels want them.

use super::gemm::Matrix;
use super::requantize::{ByteRange, Requantize};
use crate::error::Result;
use crate::graph::{Activation, DType, Quantization, dequantize};
use crate::lowering::{Affine, Lower, Operand};

/// 8-bit weights with their zero point subtracted, and the scale of each output channel.
pub(super) struct QuantizedWeights {
    /// In the file's order.
    pub(super) values: Vec<i16>,
    /// One for each output channel.
    pub(super) scales: Vec<f32>,
}

impl QuantizedWeights {
    /// Reads `t`, whose output channels run along `axis`.
    pub(super) fn read(ctx: &Lower<'_>, t: Operand<'_>, axis: usize) -> Result<Self> {
        let bytes = t.constant().ok_or_else(|| {
            ctx.unsupported(format!("weights \"{}\" are computed at run time", t.info.name))
        })?;
        let Quantization { scales, zero_points, axis: quantized_axis } =
            t.info.quantization.as_ref().ok_or_else(|| {
                ctx.unsupported(format!("weights \"{}\" have no quantization", t.info.name))
            })?;
        let channels = t.shape()[axis];
        ctx.ensure(scales.len() == 1 || (*quantized_axis == axis && scales.len() == channels), || {
            format!("{} scales along axis {quantized_axis} of {:?}", scales.len(), t.shape())
        })?;
        let unsigned = t.dtype() == DType::U8;
        let legal = if unsigned { 0..=255 } else { -128..=127 };
        ctx.ensure(zero_points.iter().all(|z| legal.contains(z)), || format!("zero points {zero_points:?}"))?;
        let inner = t.shape()[axis + 1..].iter().product::<usize>().max(1);
        let mut values = Vec::with_capacity(bytes.len());
        for (block, bytes) in bytes.chunks(inner).enumerate() {
            let zero_point = zero_points[if zero_points.len() == 1 { 0 } else { block % channels }] as i16;
            if unsigned {
                values.extend(bytes.iter().map(|&b| i16::from(b) - zero_point));
            } else {
                values.extend(bytes.iter().map(|&b| i16::from(b as i8) - zero_point));
            }
        }
        let scales = if scales.len() == 1 { vec![scales[0]; channels] } else { scales.clone() };
        Ok(Self { values, scales })
    }
}

/// A float32 or quantized constant as real numbers.
pub(super) fn reals(ctx: &Lower<'_>, t: Operand<'_>) -> Result<Vec<f32>> {
    match t.dtype() {
        DType::I8 | DType::U8 | DType::F16 => t
            .constant()
            .and_then(|data| dequantize(t.info, data))
            .ok_or_else(|| ctx.unsupported(format!("\"{}\" is not a constant with scales", t.info.name))),
        _ => ctx.floats(t),
    }
}

/// The bias operand, checked: `None` where it is left out.
fn bias_operand<'g>(ctx: &Lower<'g>, index: usize, channels: usize) -> Result<Option<Operand<'g>>> {
    let Some(bias) = ctx.optional_input(index) else { return Ok(None) };
    ctx.ensure(bias.elements() == channels, || {
        format!("a bias of {:?} for {channels} output channels", bias.shape())
    })?;
    Ok(Some(bias))
}

/// A bias of 32-bit integers; zeros where it is left out.
pub(super) fn integer_bias(ctx: &Lower<'_>, index: usize, channels: usize) -> Result<Vec<i32>> {
    match bias_operand(ctx, index, channels)? {
        None => Ok(vec![0; channels]),
        Some(bias) if bias.dtype() == DType::I32 => {
            Ok(ctx.integers(bias)?.into_iter().map(|v| v as i32).collect())
        }
        Some(bias) => Err(ctx.unsupported(format!("a bias of {} in a quantized operator", bias.dtype()))),
    }
}

/// A float bias; zeros where it is left out.
pub(super) fn float_bias(ctx: &Lower<'_>, index: usize, channels: usize) -> Result<Vec<f32>> {
    match bias_operand(ctx, index, channels)? {
        None => Ok(vec![0.0; channels]),
        Some(bias) => ctx.floats(bias),
    }
}

/// From the accumulators of input × weights to the output's bytes. `sums` are each channel's
/// weights added up: times the input's zero point they go into the bias.
pub(super) fn requantize(
    ctx: &Lower<'_>,
    input: Affine,
    weights: &QuantizedWeights,
    sums: &[i32],
    mut bias: Vec<i32>,
    activation: Activation,
) -> Result<Requantize> {
    let output = ctx.affine(ctx.output(0)?)?;
    let range = ByteRange::new(ctx, activation, output)?;
    for (bias, &sum) in bias.iter_mut().zip(sums) {
        *bias = bias.wrapping_sub(sum.wrapping_mul(input.zero_point));
    }
    let scale = weights.scales.iter().map(|&w| input.scale * w / output.scale).collect();
    Ok(Requantize { bias, scale, zero_point: output.zero_point, range })
}

/// Each row's weights added up.
pub(super) fn row_sums(weights: &Matrix<i16>) -> Vec<i32> {
    (0..weights.n).map(|n| weights.row(n).iter().map(|&w| i32::from(w)).sum()).collect()
}

/// Constant weights as floats: float32 as they are, 8-bit ones by their quantization.
pub(super) fn float_weights(ctx: &Lower<'_>, t: Operand<'_>, axis: usize) -> Result<Vec<f32>> {
    match t.dtype() {
        DType::I8 | DType::U8 => {
            let QuantizedWeights { values, scales } = QuantizedWeights::read(ctx, t, axis)?;
            let inner: usize = t.shape()[axis + 1..].iter().product();
            let real = |(i, v): (usize, i16)| scales[i / inner.max(1) % scales.len()] * f32::from(v);
            Ok(values.into_iter().enumerate().map(real).collect())
        }
        _ => ctx.floats(t),
    }
}
