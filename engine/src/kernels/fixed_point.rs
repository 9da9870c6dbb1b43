//! TFLite's integer arithmetic, to the bit: real factors as 31-bit fractions times powers of two
//! (Jacob et al., arXiv:1712.05877, section 2.2, and the gemmlowp library).

/// A real factor, not negative, as `fraction` ÷ 2³¹ × 2^`shift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Multiplier {
    fraction: i32,
    shift: i32,
}

impl Multiplier {
    /// The nearest to `real`. What is not a positive number becomes zero, what is too large the
    /// largest there is.
    pub(crate) fn new(real: f64) -> Self {
        const ZERO: Multiplier = Multiplier { fraction: 0, shift: 0 };
        if real.is_nan() || real <= 0.0 {
            return ZERO;
        }
        let mut shift = exponent(real) + 1;
        let mut fraction = (real * 2f64.powi(31 - shift)).round() as i64;
        if fraction == 1 << 31 {
            (fraction, shift) = (fraction / 2, shift + 1);
        }
        match shift {
            ..-31 => ZERO,
            31.. => Self { fraction: i32::MAX, shift: 30 },
            _ => Self { fraction: fraction as i32, shift },
        }
    }

    /// `x` times the factor, rounded twice: to 31 bits, then to the integer.
    pub(crate) fn apply(self, x: i32) -> i32 {
        let shifted = saturate(i64::from(x) << self.shift.max(0));
        divide_by_power_of_two(doubling_high_mul(shifted, self.fraction), (-self.shift).max(0))
    }

    /// The fraction rounded to 15 bits, and the shift.
    pub(crate) fn to_i16(self) -> (i16, i32) {
        let rounded = self.fraction.saturating_add(1 << 15) >> 16;
        (rounded as i16, self.shift)
    }
}

/// e such that 2^e ≤ |real| < 2^(e+1); for zero and denormals some number far below.
pub(crate) fn exponent(real: f64) -> i32 {
    ((real.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

fn saturate(x: i64) -> i32 {
    x.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// 2ab ÷ 2³², rounded to nearest, halves up.
pub(crate) fn doubling_high_mul(a: i32, b: i32) -> i32 {
    let product = i64::from(a) * i64::from(b);
    let nudge = if product >= 0 { 1 << 30 } else { 1 - (1 << 30) };
    saturate((product + nudge) / (1 << 31))
}

/// 2ab ÷ 2¹⁶, rounded to nearest, halves up.
pub(crate) fn doubling_high_mul_i16(a: i16, b: i16) -> i16 {
    let product = i32::from(a) * i32::from(b);
    let nudge = if product >= 0 { 1 << 14 } else { 1 - (1 << 14) };
    ((product + nudge) / (1 << 15)).min(i16::MAX.into()) as i16
}

/// x ÷ 2^`exponent`, rounded half away from zero.
pub(crate) fn divide_by_power_of_two(x: i32, exponent: i32) -> i32 {
    let exponent = exponent.clamp(0, 31);
    let mask = ((1i64 << exponent) - 1) as i32;
    let threshold = (mask >> 1) + i32::from(x < 0);
    (x >> exponent) + i32::from((x & mask) > threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_close_to_their_real_value() {
        for real in [1.0, 0.5, 0.7312, 3.0e-4, 1.999_999_999_9, 517.3] {
            let m = Multiplier::new(real);
            for x in [-1_000_000, -255, -1, 0, 1, 77, 123_456] {
                let exact = f64::from(x) * real;
                assert!((f64::from(m.apply(x)) - exact).abs() <= 0.5 + exact.abs() * 1e-9, "{x} × {real}");
            }
        }
    }

    #[test]
    fn hopeless_factors_do_not_overflow() {
        for real in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 1e-300, 5e-324] {
            for x in [i32::MIN, -1, 0, 1, i32::MAX] {
                Multiplier::new(real).apply(x);
            }
        }
        assert_eq!(Multiplier::new(1e-30).apply(i32::MAX), 0);
        assert!(Multiplier::new(1e30).apply(5) >= i32::MAX - 1);
    }

    #[test]
    fn halves_go_away_from_zero_or_up() {
        assert_eq!([3, 2, 1, -1, -2, -3].map(|x| divide_by_power_of_two(x, 1)), [2, 1, 1, -1, -1, -2]);
        assert_eq!(doubling_high_mul(1 << 30, 1), 1);
        assert_eq!(doubling_high_mul(-(1 << 30), 1), 0);
        assert_eq!(doubling_high_mul(i32::MIN, i32::MIN), i32::MAX);
    }
}
