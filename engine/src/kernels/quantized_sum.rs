//! The sum of two quantized values, which ADD, SUB and fused blocks share.

use super::requantize::ByteRange;
use crate::lowering::Affine;

/// Sum of two quantized values, by XNNPACK's rule: both scales, relative to the output's, as
/// integers of up to 21 bits with a common shift; rounded half up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct QuantizedSum {
    pub(super) multipliers: [i32; 2],
    /// Rounding and the inputs' zero points.
    pub(super) bias: i32,
    pub(super) shift: u32,
    pub(super) zero_point: i32,
    pub(super) range: ByteRange,
}

impl QuantizedSum {
    /// Bits of the larger multiplier.
    const BITS: i32 = 20;

    /// `None` where the scales are further apart than the integers can express.
    pub(super) fn new(inputs: [Affine; 2], output: Affine, range: ByteRange) -> Option<Self> {
        Self::signed(inputs, [1, 1], output, range)
    }

    /// The first minus the second; `None` as in [`QuantizedSum::new`].
    pub(super) fn difference(inputs: [Affine; 2], output: Affine, range: ByteRange) -> Option<Self> {
        Self::signed(inputs, [1, -1], output, range)
    }

    fn signed(inputs: [Affine; 2], signs: [i32; 2], output: Affine, range: ByteRange) -> Option<Self> {
        let ratios = inputs.map(|input| input.scale / output.scale);
        let largest = ratios[0].max(ratios[1]);
        if !(largest >= 2f32.powi(-10) && largest < 2f32.powi(8)) {
            return None;
        }
        let exponent = (largest.to_bits() >> 23) as i32 - 127;
        let shift = (Self::BITS - exponent) as u32;
        let weigh = |r: f32| (f64::from(r) * f64::from(1u32 << shift)).round_ties_even() as i32;
        let multipliers = [signs[0] * weigh(ratios[0]), signs[1] * weigh(ratios[1])];
        let zero_points = multipliers[0] * inputs[0].zero_point + multipliers[1] * inputs[1].zero_point;
        let bias = (1 << (shift - 1)) - zero_points;
        Some(Self { multipliers, bias, shift, zero_point: output.zero_point, range })
    }

    #[inline(always)]
    pub(super) fn byte(&self, a: u8, b: u8) -> u8 {
        let sum = self.bias + i32::from(a) * self.multipliers[0] + i32::from(b) * self.multipliers[1];
        let value = (sum >> self.shift) + self.zero_point;
        value.clamp(self.range.min.into(), self.range.max.into()) as u8
    }

    /// Sums slices of equal length.
    #[inline(always)]
    pub(super) fn slices(&self, a: &[u8], b: &[u8], out: &mut [u8]) {
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = self.byte(a, b);
        }
    }
}
