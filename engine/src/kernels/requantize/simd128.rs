//! Requantization of accumulators that lie in registers of WebAssembly.

use super::Requantize;
use crate::kernels::rounding::Rounder;
use core::arch::wasm32::*;

/// What of a [`Requantize`] is common to all channels.
#[derive(Clone, Copy)]
pub(crate) struct Finish {
    low: v128,
    high: v128,
    magic: v128,
    bias: v128,
}

impl Finish {
    pub(crate) fn new(requantize: &Requantize) -> Self {
        let Requantize { zero_point, range, .. } = requantize;
        let rounder = Rounder::new(*zero_point, (range.min, range.max));
        let (low, high) = rounder.limits();
        Self {
            low: f32x4_splat(low),
            high: f32x4_splat(high),
            magic: f32x4_splat(Rounder::MAGIC),
            bias: i32x4_splat(rounder.bias()),
        }
    }

    /// [`Requantize::byte`] of four accumulators, in 32 bits each.
    #[inline(always)]
    pub(crate) fn levels(&self, acc: v128, scale: v128) -> v128 {
        let real = f32x4_mul(f32x4_convert_i32x4(acc), scale);
        // In this order a result that is no number becomes the lowest.
        let clamped = f32x4_pmin(self.high, f32x4_pmax(self.low, real));
        i32x4_add(f32x4_add(clamped, self.magic), self.bias)
    }

    /// Sixteen levels as bytes, in their order.
    #[inline(always)]
    pub(crate) fn narrow([a, b, c, d]: [v128; 4]) -> v128 {
        u8x16_narrow_i16x8(i16x8_narrow_i32x4(a, b), i16x8_narrow_i32x4(c, d))
    }
}
