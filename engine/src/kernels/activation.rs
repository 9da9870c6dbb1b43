//! Fused activations as the range they clamp to.

use crate::error::Result;
use crate::graph::Activation;
use crate::lowering::{Affine, Lower};

/// The real range of `activation`.
pub(crate) fn float_range(ctx: &Lower<'_>, activation: Activation) -> Result<(f32, f32)> {
    Ok(match activation {
        Activation::None => (f32::NEG_INFINITY, f32::INFINITY),
        Activation::Relu => (0.0, f32::INFINITY),
        Activation::ReluN1To1 => (-1.0, 1.0),
        Activation::Relu6 => (0.0, 6.0),
        Activation::Tanh | Activation::SignBit => {
            return Err(ctx.unsupported(format!("fused activation {activation:?}")));
        }
    })
}

/// The range of `activation` among the bytes of a quantized output.
pub(crate) fn byte_range(ctx: &Lower<'_>, activation: Activation, to: Affine) -> Result<(u8, u8)> {
    let (low, high) = float_range(ctx, activation)?;
    // Float to integer saturates, which is what the infinite ends need.
    let byte =
        |real: f32| ((real / to.scale).round() as i32).saturating_add(to.zero_point).clamp(0, 255) as u8;
    let (low, high) = (byte(low), byte(high));
    // Only a negative scale turns them round.
    ctx.ensure(low <= high, || format!("a scale of {}", to.scale))?;
    Ok((low, high))
}

/// Fails unless no activation is fused, for operators where TFLite knows none.
pub(crate) fn ensure_none(ctx: &Lower<'_>, activation: Activation) -> Result<()> {
    match activation {
        Activation::None => Ok(()),
        other => Err(ctx.unsupported(format!("fused activation {other:?}"))),
    }
}
