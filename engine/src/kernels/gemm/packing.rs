//! What kernels on bytes need to know of weights before they pack them.

use super::Matrix;
use crate::kernels::requantize::Requantize;

/// The shift that brings all weights into −128..=127, if there is one; zero where none is needed.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX-VNNI kernels shift weights"))]
pub(super) fn shift_into_i8(weights: &[i16]) -> Option<i16> {
    let min = weights.iter().copied().min().unwrap_or(0);
    let max = weights.iter().copied().max().unwrap_or(0);
    if min >= -128 && max <= 127 {
        return Some(0);
    }
    (max - min <= 255).then_some(-128 - min)
}

/// Whether [`split`] can take all of them.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "as below"))]
pub(crate) fn can_split(weights: &[i16]) -> bool {
    let (min, max) = weights.iter().fold((0, 0), |(min, max), &w| (w.min(min), w.max(max)));
    min >= -256 && max <= 254
}

/// A weight as the sum of two signed bytes, the second zero where the first alone can hold it.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX-512 kernels split weights"))]
pub(crate) fn split(weight: i16) -> Option<(i8, i8)> {
    let first = weight.clamp(-128, 127);
    Some((first as i8, i8::try_from(weight - first).ok()?))
}

/// A weight as the sum of two signed bytes, the first within `limits`; `None` where two are not enough.
#[cfg_attr(not(target_arch = "aarch64"), allow(dead_code, reason = "only NEON kernels choose the limits"))]
pub(crate) fn split_within(weight: i16, limits: std::ops::RangeInclusive<i8>) -> Option<(i8, i8)> {
    let first = weight.clamp((*limits.start()).into(), (*limits.end()).into());
    Some((first as i8, i8::try_from(weight - first).ok()?))
}

/// The least and the greatest sum of products of these weights with bytes.
#[cfg_attr(not(target_arch = "aarch64"), allow(dead_code, reason = "only NEON kernels narrow by it"))]
pub(crate) fn extremes<'a>(weights: impl IntoIterator<Item = &'a i16>) -> (i64, i64) {
    weights.into_iter().fold((0, 0), |(min, max), &w| {
        let product = 255 * i64::from(w);
        (min + product.min(0), max + product.max(0))
    })
}

/// Whether no accumulator can leave the range in which float32 converts back to int32.
pub(super) fn converts_safely(weights: &Matrix<i16>, requantize: &Requantize) -> bool {
    let fits = |n: usize, sum: f64| {
        let bound = sum * 255.0 + f64::from(requantize.bias[n].unsigned_abs());
        bound.min(2f64.powi(31)) * f64::from(requantize.scale[n]) < 2f64.powi(30)
    };
    let exact = |n: usize| weights.row(n).iter().map(|w| f64::from(w.unsigned_abs())).sum();
    (0..weights.n).all(|n| fits(n, weights.k as f64 * 255.0) || fits(n, exact(n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_split_into_two_signed_bytes() {
        assert!(can_split(&[-256, 254]) && !can_split(&[255]) && !can_split(&[-257]));
        for weight in -256..255 {
            let (first, rest) = split(weight).unwrap();
            assert_eq!(i16::from(first) + i16::from(rest), weight);
            assert_eq!(rest == 0, (-128..128).contains(&weight));
        }
        assert_eq!(split(255), None);
    }

    #[test]
    fn weights_shift_into_signed_bytes() {
        assert_eq!(shift_into_i8(&[-128, 127]), Some(0));
        assert_eq!(shift_into_i8(&[-113, 142]), Some(-15));
        assert_eq!(shift_into_i8(&[0, 255]), Some(-128));
        assert_eq!(shift_into_i8(&[-200, 255]), None);
    }

    #[test]
    fn weights_split_within_limits() {
        assert_eq!(split_within(-128, -127..=127), Some((-127, -1)));
        assert_eq!(split_within(255, -127..=127), None);
        assert_eq!(split_within(-255, -127..=127), Some((-127, -128)));
    }

    #[test]
    fn extremes_bound_every_sum() {
        assert_eq!(extremes(&[3, -2, 0, 5]), (-510, 2040));
    }
}
