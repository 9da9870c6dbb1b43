//! What the tables hold.

use super::Table;
use crate::kernels::fixed_point::{Multiplier, divide_by_power_of_two, doubling_high_mul_i16};
use crate::lowering::Affine;

/// A table of `f`, which takes steps from the input's zero point to steps from the output's.
fn steps(from: Affine, to: Affine, f: impl Fn(i32) -> i32) -> Table {
    std::array::from_fn(|byte| {
        let step = f(byte as i32 - from.zero_point);
        step.saturating_add(to.zero_point).clamp(0, 255) as u8
    })
}

/// A function of real numbers, rounded to the nearest step.
pub(super) fn real(from: Affine, to: Affine, f: impl Fn(f32) -> f32) -> Table {
    steps(from, to, |x| (f(x as f32 * from.scale) / to.scale).round_ties_even() as i32)
}

/// The same real value in another quantization.
pub(super) fn nearest(from: Affine, to: Affine) -> Table {
    let factor = from.scale / to.scale;
    steps(from, to, |x| (x as f32 * factor).round() as i32)
}

/// XNNPACK's factors: 8 fractional bits, at most 128.
fn byte_factor(real: f32) -> Option<i64> {
    (1.0 / 256.0..=128.0).contains(&real.abs()).then(|| (real * 256.0).round_ties_even() as i64)
}

fn apply_byte_factor(x: i32, factor: i64) -> i32 {
    ((i64::from(x) * factor + 128) >> 8) as i32
}

/// QUANTIZE within one type.
pub(super) fn rescale(from: Affine, to: Affine) -> Table {
    match byte_factor(from.scale / to.scale) {
        Some(factor) => steps(from, to, |x| apply_byte_factor(x, factor)),
        None => rescale_between_types(from, to),
    }
}

/// QUANTIZE between uint8 and int8.
pub(super) fn rescale_between_types(from: Affine, to: Affine) -> Table {
    let factor = Multiplier::new(f64::from(from.scale) / f64::from(to.scale));
    steps(from, to, |x| factor.apply(x))
}

pub(super) fn leaky_relu(from: Affine, to: Affine, alpha: f32) -> Table {
    let ratio = from.scale / to.scale;
    if let (Some(positive), Some(negative)) = (byte_factor(ratio), byte_factor(ratio * alpha)) {
        return steps(from, to, |x| apply_byte_factor(x, if x < 0 { negative } else { positive }));
    }
    let positive = Multiplier::new(f64::from(from.scale) / f64::from(to.scale));
    let negative = Multiplier::new(f64::from(from.scale) * f64::from(alpha.abs()) / f64::from(to.scale));
    let sign = if alpha < 0.0 { -1 } else { 1 };
    steps(from, to, |x| if x < 0 { negative.apply(x).saturating_mul(sign) } else { positive.apply(x) })
}

/// RELU and its kin: the value clamped to a real range.
pub(super) fn clamp(from: Affine, to: Affine, (low, high): (f32, f32)) -> Table {
    let factor = Multiplier::new(f64::from(from.scale) / f64::from(to.scale));
    let bound = |real: f32| (real / to.scale).round() as i32;
    let (low, high) = (bound(low), bound(high).max(bound(low)));
    steps(from, to, |x| factor.apply(x).clamp(low, high))
}

/// TFLite's fixed-point hard-swish: x · relu6(x + 3) ÷ 6, the second factor ("reluish") in steps of
/// 3 ÷ 2¹⁵ so that its range is that of an int16.
pub(super) fn hard_swish(from: Affine, to: Affine) -> Table {
    let fine_scale = from.scale / 128.0;
    let (output_factor, output_shift) = Multiplier::new(f64::from(fine_scale / to.scale)).to_i16();
    let (reluish_factor, reluish_shift) = Multiplier::new(f64::from(fine_scale / (3.0 / 32768.0))).to_i16();
    steps(from, to, |x| {
        let fine = (x * 128) as i16;
        let output = doubling_high_mul_i16(fine, output_factor);
        let mut reluish = fine;
        if reluish_shift > 0 {
            reluish = shift_left(reluish, reluish_shift - 1);
        }
        reluish = doubling_high_mul_i16(reluish, reluish_factor);
        if reluish_shift > 0 {
            reluish = shift_left(reluish, 1);
        }
        let reluish = divide_by_power_of_two(reluish.into(), -reluish_shift);
        let reluish = (reluish + (1 << 15)) >> 1;
        let product = reluish * i32::from(output) / (1 << 15);
        if output_shift > 0 {
            product.saturating_mul(1 << output_shift.min(16))
        } else {
            divide_by_power_of_two(product, -output_shift)
        }
    })
}

fn shift_left(x: i16, bits: i32) -> i16 {
    (i64::from(x) << bits.clamp(0, 32)).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Affine = Affine { scale: 0.05, zero_point: 120 };

    /// Largest difference from the real function, in steps of the output.
    fn error(table: &Table, from: Affine, to: Affine, f: impl Fn(f64) -> f64) -> f64 {
        let each = |(byte, &y): (usize, &u8)| {
            let x = f64::from(from.scale) * (byte as f64 - f64::from(from.zero_point));
            let exact = (f(x) / f64::from(to.scale) + f64::from(to.zero_point)).clamp(0.0, 255.0);
            (f64::from(y) - exact).abs()
        };
        table.iter().enumerate().map(each).fold(0.0, f64::max)
    }

    #[test]
    fn tables_follow_the_real_function() {
        let to = Affine { scale: 0.04, zero_point: 90 };
        let swish = |x: f64| x * (x + 3.0).clamp(0.0, 6.0) / 6.0;
        assert!(error(&hard_swish(FROM, to), FROM, to, swish) < 1.1);
        assert!(error(&clamp(FROM, to, (0.0, 6.0)), FROM, to, |x| x.clamp(0.0, 6.0)) < 0.6);
        assert!(error(&leaky_relu(FROM, to, 0.1), FROM, to, |x| x.max(0.1 * x)) < 1.1);
        assert!(error(&leaky_relu(FROM, to, 1e-4), FROM, to, |x| x.max(1e-4 * x)) < 0.6);
        assert!(error(&rescale(FROM, to), FROM, to, |x| x) < 1.1);
        assert!(error(&nearest(FROM, to), FROM, to, |x| x) <= 0.5001);
        let unit = Affine { scale: 1.0 / 128.0, zero_point: 128 };
        assert!(error(&real(FROM, unit, f32::tanh), FROM, unit, f64::tanh) <= 0.5001);
    }

    #[test]
    fn absurd_scales_do_not_panic() {
        for (a, b) in
            [(f32::MIN_POSITIVE, f32::MAX), (f32::MAX, f32::MIN_POSITIVE), (1e-45, 1.0), (1.0, 1e-45)]
        {
            let (from, to) = (Affine { scale: a, zero_point: 0 }, Affine { scale: b, zero_point: 255 });
            hard_swish(from, to);
            clamp(from, to, (0.0, 6.0));
            leaky_relu(from, to, f32::NAN);
            leaky_relu(from, to, -3.0);
            rescale(from, to);
            nearest(from, to);
            real(from, to, f32::tanh);
        }
    }
}
