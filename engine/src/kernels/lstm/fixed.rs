//! Logistic and tanh of 16-bit fixed-point numbers, as the gemmlowp library defines them: an
//! exponential by barrel shifting, a division by three Newton–Raphson steps.

use crate::kernels::fixed_point::{divide_by_power_of_two, doubling_high_mul_i16 as mul};

/// One as a fraction of 15 bits, nearly.
const ONE: i16 = i16::MAX;
/// One with two integer bits.
const ONE_Q2: i16 = 1 << 13;

/// x · 2^bits, saturating.
fn shift_left(x: i16, bits: u32) -> i16 {
    (i32::from(x) << bits).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

fn shift_right(x: i16, bits: i32) -> i16 {
    divide_by_power_of_two(x.into(), bits) as i16
}

/// eᵃ for a in −¼..0, a and the result fractions of 15 bits: a Taylor polynomial around −⅛.
fn exp_near_zero(a: i16) -> i16 {
    const EXP_MINUS_EIGHTH: i16 = 28_918;
    const THIRD: i16 = 10_923;
    let x = a.wrapping_add(1 << 12);
    let x2 = mul(x, x);
    let x3 = mul(x2, x);
    let quarter_x4 = shift_right(mul(x2, x2), 2);
    let tail = shift_right(mul(quarter_x4.wrapping_add(x3), THIRD).wrapping_add(x2), 1);
    EXP_MINUS_EIGHTH.saturating_add(mul(EXP_MINUS_EIGHTH, x.wrapping_add(tail)))
}

/// eᵃ for a ≤ 0 with `integer_bits`, as a fraction of 15 bits.
fn exp_negative(a: i16, integer_bits: u32) -> i16 {
    /// exp(−2ᵏ) for k from −2 on.
    const FACTORS: [i16; 7] = [25_520, 19_875, 12_055, 4_435, 600, 11, 0];
    if a == 0 {
        return ONE;
    }
    let fractional_bits = 15 - integer_bits;
    let quarter = 1i16 << (fractional_bits - 2);
    let in_quarter = (a & (quarter - 1)) - quarter;
    let mut result = exp_near_zero(shift_left(in_quarter, integer_bits));
    let remainder = i32::from(in_quarter.wrapping_sub(a));
    for (i, &factor) in FACTORS.iter().enumerate().take(integer_bits as usize + 2) {
        if remainder & (i32::from(quarter) << i) != 0 {
            result = mul(result, factor);
        }
    }
    // −32 is beyond what a fraction of 15 bits can tell from zero.
    if integer_bits > 5 && i32::from(a) < -(32 << fractional_bits) { 0 } else { result }
}

/// Twice 1 ÷ (1 + a) ÷ 2, with two integer bits, for a fraction a.
fn reciprocal_of_one_plus(a: i16) -> i16 {
    /// 48 ÷ 17 and −32 ÷ 17 with two integer bits.
    const C48_17: i16 = 23_130;
    const C32_17: i16 = -15_420;
    let half_denominator = ((i32::from(a) + i32::from(ONE) + 1) / 2) as i16;
    let mut x = C48_17.wrapping_add(mul(half_denominator, C32_17));
    for _ in 0..3 {
        let rest = ONE_Q2.wrapping_sub(mul(half_denominator, x));
        x = x.wrapping_add(shift_left(mul(x, rest), 2));
    }
    x
}

/// 1 ÷ (1 + e⁻ˣ): x with three integer bits, the result a fraction of 15 bits.
pub(super) fn logistic(x: i16) -> i16 {
    if x == 0 {
        return 1 << 14;
    }
    let minus_abs = if x > 0 { -x } else { x };
    let positive = shift_left(reciprocal_of_one_plus(exp_negative(minus_abs, 3)), 1);
    if x > 0 { positive } else { ONE - positive }
}

/// tanh x: x with `integer_bits` (up to 6), the result a fraction of 15 bits.
pub(super) fn tanh(x: i16, integer_bits: u32) -> i16 {
    if x == 0 {
        return 0;
    }
    let minus_abs = if x > 0 { -x } else { x };
    let reciprocal = reciprocal_of_one_plus(exp_negative(minus_abs, integer_bits + 1));
    let positive = shift_left(reciprocal.wrapping_sub(ONE_Q2), 2);
    if x > 0 { positive } else { positive.saturating_neg() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_to_the_real_functions() {
        for x in i16::MIN..=i16::MAX {
            let real = f64::from(x) / 4096.0;
            let exact = 1.0 / (1.0 + (-real).exp());
            assert!((f64::from(logistic(x)) / 32768.0 - exact).abs() < 4e-4, "logistic({real})");
            for bits in 0..7 {
                let real = f64::from(x) / f64::from(1 << (15 - bits));
                let y = f64::from(tanh(x, bits)) / 32768.0;
                assert!((y - real.tanh()).abs() < 4e-4, "tanh({real}) = {y} from {bits} bits");
            }
        }
    }
}
