//! WebAssembly's SIMD: `i32x4.dot_i16x8_s` on widened bytes, exact for every weight.

use super::tiles::{self, Multiply};
use core::arch::wasm32::*;

pub(super) type Gemm = tiles::Gemm<Dot, 2>;

/// Products of 16-bit numbers, added up in pairs.
#[derive(Clone, Copy)]
pub(super) struct Dot(());

impl Multiply<2> for Dot {
    const NAMES: [&'static str; 2] = ["wasm32-u8i16-simd128"; 2];
    const OFFSET: i32 = 0;

    fn new() -> Option<Self> {
        Some(Self(()))
    }

    fn shift(_: &[i16]) -> Option<i16> {
        Some(0)
    }

    /// Masking and shifting pairs of bytes separates the even activations from the odd ones.
    fn pack(&[a, b, c, d]: &[[i16; 4]; 4]) -> [v128; 2] {
        [
            i16x8(a[0], a[2], b[0], b[2], c[0], c[2], d[0], d[2]),
            i16x8(a[1], a[3], b[1], b[3], c[1], c[3], d[1], d[3]),
        ]
    }

    #[inline(always)]
    fn prepare(self, activations: v128) -> [v128; 2] {
        [v128_and(activations, u16x8_splat(0xff)), u16x8_shr(activations, 8)]
    }

    #[inline(always)]
    fn multiply(self, acc: v128, [even, odd]: [v128; 2], weights: [v128; 2]) -> v128 {
        let acc = i32x4_add(acc, i32x4_dot_i16x8(even, weights[0]));
        i32x4_add(acc, i32x4_dot_i16x8(odd, weights[1]))
    }
}
