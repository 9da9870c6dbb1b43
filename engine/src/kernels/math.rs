//! Elementary functions without branches or calls, so that loops over them vectorize.

/// eˣ: x is split into n·ln 2 + r, eʳ is a polynomial (Cephes `expf`). Within 2 units in the last
/// place where the result is a normal number; 0 below, +∞ above.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding 1.5 × 2²³ leaves the nearest integer in the low bits, which a conversion would have to
    // guard against what does not fit.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.5, 88.8);
    let rounded = clamped * std::f32::consts::LOG2_E + ROUND;
    let exponent = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let n = rounded - ROUND;
    let r = clamped - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + c;
    }
    let y = p * r * r + r + 1.0;
    // 2ⁿ in two halves: n = 128 is beyond the exponent of a single float.
    let half = exponent >> 1;
    let power = |e: i32| f32::from_bits((e.wrapping_add(127) << 23) as u32);
    let y = y * power(half) * power(exponent.wrapping_sub(half));
    if x < -87.336 { 0.0 } else { y }
}

/// 1 ÷ (1 + e⁻ˣ).
#[inline(always)]
pub(crate) fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Hyperbolic tangent as a rational function (the coefficients of Eigen's `ptanh`), within 8 units
/// in the last place.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    // Beyond, the result is ±1 in float32.
    let x = x.clamp(-7.905_311, 7.905_311);
    let s = x * x;
    let mut p = -2.760_768_5e-16f32;
    for c in [2.000_188e-13, -8.604_672e-11, 5.122_297_3e-8, 1.485_722_4e-5, 6.372_619e-4, 4.893_524_6e-3] {
        p = p * s + c;
    }
    let mut q = 1.198_258_4e-6f32;
    for c in [1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3] {
        q = q * s + c;
    }
    x * p / q
}

/// x · min(max(x + 3, 0), 6) ÷ 6.
#[inline(always)]
pub(crate) fn hard_swish(x: f32) -> f32 {
    x * (x + 3.0).clamp(0.0, 6.0) * (1.0 / 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, ours: fn(f32) -> f32, exact: fn(f64) -> f64, range: f32, tolerance: f64) {
        for i in -20_000..=20_000 {
            let x = range * (i as f32 / 20_000.0);
            let (y, exact) = (f64::from(ours(x)), exact(f64::from(x)));
            assert!((y - exact).abs() <= tolerance * exact.abs(), "{name}({x}) = {y}, not {exact}");
        }
    }

    #[test]
    fn close_to_double_precision() {
        check("exp", exp, f64::exp, 87.0, 2.5e-7);
        check("logistic", logistic, |x| 1.0 / (1.0 + (-x).exp()), 80.0, 5e-7);
        check("tanh", tanh, f64::tanh, 20.0, 1e-6);
        check("tanh near zero", tanh, f64::tanh, 1e-3, 1e-6);
    }

    #[test]
    fn ends_of_the_range() {
        assert_eq!((exp(0.0), exp(-1e30), exp(-100.0)), (1.0, 0.0, 0.0));
        assert!(exp(1e30).is_infinite());
        assert!(exp(f32::NAN).is_nan());
        assert_eq!((logistic(-200.0), logistic(200.0)), (0.0, 1.0));
        assert_eq!(tanh(0.0), 0.0);
    }
}
