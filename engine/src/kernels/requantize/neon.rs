//! Requantization of accumulators that lie in NEON registers, two rows of eight channels at a time.
//!
//! The rule is [`Requantize::byte`]'s. Adding 1.5 × 2²³ to a small float leaves the nearest integer in
//! its low bits, ties to even, so that narrowing is a plain choice of halves where no result can
//! leave 16 bits; an even zero point is added along, since it changes no tie.

use super::Requantize;
use core::arch::aarch64::*;

/// As [`crate::kernels::rounding`] does it.
const MAGIC: f32 = 12_582_912.0;

/// How much of the rule the results of a kernel need: a parameter of the kernels, so that inner loops
/// have no branches for it.
pub(crate) mod mode {
    /// Nothing is known of the accumulators.
    pub(crate) const ANY: u8 = 0;
    /// Results fit in 16 bits before they are clamped.
    pub(crate) const NARROW: u8 = 1;
    /// The same, and every byte may come out: saturation is the clamp.
    pub(crate) const WHOLE: u8 = 2;
    /// The same, and the zero point is even.
    pub(crate) const EVEN: u8 = 3;
}

/// What of a [`Requantize`] is common to all channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finish {
    magic: f32,
    zero_point: i16,
    min: u8,
    max: u8,
    mode: u8,
}

impl Finish {
    /// `extremes` gives for a channel the least and the greatest accumulator, bias left out.
    pub(crate) fn new(requantize: &Requantize, extremes: impl Fn(usize) -> (i64, i64)) -> Self {
        let Requantize { bias, scale, zero_point, range } = requantize;
        let fits = |n: usize| {
            let (min, max) = extremes(n);
            [min, max].into_iter().all(|sum| {
                let acc = sum + i64::from(bias[n]);
                let real = acc as f64 * f64::from(scale[n]) + f64::from(*zero_point);
                i32::try_from(acc).is_ok() && real.abs() < f64::from(i16::MAX)
            })
        };
        let narrow = (0..requantize.channels()).all(fits);
        let whole = (range.min, range.max) == (0, u8::MAX);
        let mode = match (narrow, whole, zero_point % 2 == 0) {
            (false, _, _) => mode::ANY,
            (true, false, _) => mode::NARROW,
            (true, true, false) => mode::WHOLE,
            (true, true, true) => mode::EVEN,
        };
        let magic = if mode == mode::EVEN { MAGIC + *zero_point as f32 } else { MAGIC };
        Self { magic, zero_point: *zero_point as i16, min: range.min, max: range.max, mode }
    }

    /// One of [`mode`].
    pub(crate) fn mode(&self) -> u8 {
        self.mode
    }

    /// Four registers of accumulators as bytes, in their order.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(crate) fn bytes<const MODE: u8>(&self, acc: [int32x4_t; 4], scale: [float32x4_t; 4]) -> uint8x16_t {
        let mut rounded = acc;
        for q in 0..4 {
            let real = vmulq_f32(vcvtq_f32_s32(acc[q]), scale[q]);
            rounded[q] = if MODE == mode::ANY {
                vcvtnq_s32_f32(real)
            } else {
                vreinterpretq_s32_f32(vaddq_f32(real, vdupq_n_f32(self.magic)))
            };
        }
        let (mut low, mut high) = if MODE == mode::ANY {
            (narrow(rounded[0], rounded[1]), narrow(rounded[2], rounded[3]))
        } else {
            (halves(rounded[0], rounded[1]), halves(rounded[2], rounded[3]))
        };
        if MODE != mode::EVEN {
            let zero_point = vdupq_n_s16(self.zero_point);
            (low, high) = (vqaddq_s16(low, zero_point), vqaddq_s16(high, zero_point));
        }
        let bytes = vqmovun_high_s16(vqmovun_s16(low), high);
        if MODE == mode::WHOLE || MODE == mode::EVEN {
            return bytes;
        }
        vmaxq_u8(vminq_u8(bytes, vdupq_n_u8(self.max)), vdupq_n_u8(self.min))
    }
}

/// Saturated to 16 bits.
#[inline]
#[target_feature(enable = "neon")]
fn narrow(low: int32x4_t, high: int32x4_t) -> int16x8_t {
    vqmovn_high_s32(vqmovn_s32(low), high)
}

/// The low 16 bits of each number.
#[inline]
#[target_feature(enable = "neon")]
fn halves(low: int32x4_t, high: int32x4_t) -> int16x8_t {
    vuzp1q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high))
}
