//! Quantizing activations as they come, for operators whose weights alone are 8-bit.
//!
//! Range and zero point are chosen as LiteRT does for such operators (asymmetric, zero always
//! representable), so that results are LiteRT's up to float rounding.

use super::rounding::Rounder;

/// How one image was quantized.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Dynamic {
    /// Real value of a step.
    pub(super) scale: f32,
    pub(super) zero_point: i32,
}

impl Dynamic {
    /// Steps per unit, and what they mean, over the range of `from` and zero.
    fn of(from: &[f32]) -> (f32, Self) {
        let lower = |a: f32, b: f32| if b < a { b } else { a };
        let upper = |a: f32, b: f32| if b > a { b } else { a };
        let (mut lows, mut highs) = ([0.0f32; 8], [0.0f32; 8]);
        let (chunks, rest) = from.as_chunks::<8>();
        for chunk in chunks {
            for j in 0..8 {
                lows[j] = lower(lows[j], chunk[j]);
                highs[j] = upper(highs[j], chunk[j]);
            }
        }
        let min = lows.iter().chain(rest).copied().fold(0.0, lower);
        let max = highs.iter().chain(rest).copied().fold(0.0, upper);
        let steps = if min == max { 1.0 } else { 255.0 / (max - min) };
        let (from_min, from_max) = (-128.0 + min * steps, 127.0 + max * steps);
        let zero_point = if from_min + from_max > 0.0 { -128.0 - min * steps } else { 127.0 - max * steps };
        let zero_point = zero_point.clamp(-128.0, 127.0).round_ties_even() as i32 + 128;
        (steps, Self { scale: 1.0 / steps, zero_point })
    }

    /// Quantizes `from` over the range of its values and zero.
    pub(super) fn quantize(from: &[f32], to: &mut [u8]) -> Self {
        let (steps, dynamic) = Self::of(from);
        let rounder = Rounder::new(dynamic.zero_point, (0, 255));
        for (to, &from) in to.iter_mut().zip(from) {
            *to = rounder.round(from * steps);
        }
        dynamic
    }

    /// The real values that [`Dynamic::quantize`] would leave of `from`, each `copies` times.
    pub(super) fn round(from: &[f32], copies: usize, to: &mut [f32]) {
        let (steps, dynamic) = Self::of(from);
        let rounder = Rounder::new(dynamic.zero_point, (0, 255));
        let real = |x: f32| (i32::from(rounder.round(x * steps)) - dynamic.zero_point) as f32 * dynamic.scale;
        if copies == 1 {
            to.iter_mut().zip(from).for_each(|(to, &from)| *to = real(from));
            return;
        }
        for (to, &from) in to.chunks_exact_mut(copies).zip(from) {
            to.fill(real(from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_exact_and_the_range_is_used() {
        let from = [-1.0, 0.0, 0.5, 3.0, 2.0, 0.1, -0.2, 1.0, 2.9];
        let mut to = [0; 9];
        let dynamic = Dynamic::quantize(&from, &mut to);
        assert_eq!(i32::from(to[1]), dynamic.zero_point);
        assert_eq!((to[0], to[3]), (0, 255));
        for (real, byte) in from.iter().zip(to) {
            let back = (i32::from(byte) - dynamic.zero_point) as f32 * dynamic.scale;
            assert!((real - back).abs() <= dynamic.scale);
        }
    }

    #[test]
    fn strange_values_do_not_panic() {
        for from in
            [[0.0; 3], [f32::NAN; 3], [f32::INFINITY, f32::NEG_INFINITY, 1.0], [f32::MAX, f32::MIN, 0.0]]
        {
            Dynamic::quantize(&from, &mut [0; 3]);
        }
    }
}
