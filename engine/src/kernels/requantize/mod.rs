//! From int32 accumulators back to bytes.
//!
//! The rule is that of XNNPACK's `fp32` requantization, LiteRT's default: accumulator to float32,
//! times one float32 scale, to the nearest integer (ties to even), plus zero point, clamped. It holds
//! for int8 and uint8, per tensor and per channel; LiteRT's reference kernels take a fixed-point
//! multiplier instead, and differ by one step now and then.

#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) mod simd128;

use super::activation::byte_range;
use super::rounding::Rounder;
use crate::error::Result;
use crate::graph::Activation;
use crate::lowering::{Affine, Lower};

/// Bytes that a result may take: the activation's range, as the output's quantization expresses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) min: u8,
    pub(crate) max: u8,
}

impl ByteRange {
    /// All bytes.
    pub(crate) const FULL: Self = Self { min: 0, max: 255 };

    /// The range of a fused activation.
    pub(crate) fn new(ctx: &Lower<'_>, activation: Activation, output: Affine) -> Result<Self> {
        let (min, max) = byte_range(ctx, activation, output)?;
        Ok(Self { min, max })
    }
}

/// Bias, scale and clamp of each output channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Requantize {
    /// Added to the accumulator; holds the corrections for zero points too.
    pub(crate) bias: Vec<i32>,
    /// Input scale × weight scale ÷ output scale.
    pub(crate) scale: Vec<f32>,
    pub(crate) zero_point: i32,
    pub(crate) range: ByteRange,
}

impl Requantize {
    pub(crate) fn channels(&self) -> usize {
        self.bias.len()
    }

    /// The byte for an accumulator that has its bias already.
    #[inline(always)]
    pub(crate) fn byte(&self, acc: i32, scale: f32) -> u8 {
        Rounder::new(self.zero_point, (self.range.min, self.range.max)).round(acc as f32 * scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rounds_to_nearest_even(acc: i32, scale in 1e-9f32..4.0, zero_point in 0i32..256, a: u8, b: u8) {
            let range = ByteRange { min: a.min(b), max: a.max(b) };
            let exact = f64::from(acc as f32 * scale).round_ties_even() + f64::from(zero_point);
            let expected = exact.clamp(range.min.into(), range.max.into()) as u8;
            let requantize = Requantize { bias: vec![], scale: vec![], zero_point, range };
            prop_assert_eq!(requantize.byte(acc, scale), expected);
        }
    }
}
