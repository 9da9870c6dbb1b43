//! WebAssembly's relaxed SIMD: four byte products to a lane, added up in 32 bits, where the engine makes
//! one exact instruction of it.
//!
//! The standard promises the sum only for activations of seven bits. What an engine does with the
//! eighth is fixed for as long as it runs, and asked here once: x86 with VNNI takes activations as
//! unsigned, Arm with dot products as signed, and both are exact then. Others saturate on the way, and
//! are left to [`super::simd128`].

use super::packing::shift_into_i8;
use super::tiles::{self, Multiply};
use core::arch::wasm32::*;

pub(super) type Gemm<const SIGNED: bool> = tiles::Gemm<Products<SIGNED>, 1>;

/// Exists only where the engine takes a byte of activations as it is or, if `SIGNED`, as a number from
/// −128 on.
#[derive(Clone, Copy)]
pub(crate) struct Products<const SIGNED: bool>(());

impl<const SIGNED: bool> Products<SIGNED> {
    /// `None` where this engine does otherwise, or not exactly.
    pub(crate) fn new() -> Option<Self> {
        let bytes = [0u8, 1, 127, 128, 129, 254, 255, 255, 255, 255, 128, 128, 128, 128, 200, 77];
        let weights = [127i8, -128, 127, 127, -128, -128, 127, 127, -128, -128, -128, -128, 127, 127, 5, -99];
        // What the compiler could work out itself would say nothing of the engine.
        let (bytes, weights) = std::hint::black_box((bytes, weights));
        let exact = (0..bytes.len()).all(|turn| {
            let a: [u8; 16] = std::array::from_fn(|lane| bytes[(lane + turn) % bytes.len()]);
            let value = |a: u8| if SIGNED { i32::from(a as i8) } else { i32::from(a) };
            let expected: [i32; 4] = std::array::from_fn(|lane| {
                3 + (lane * 4..lane * 4 + 4).map(|i| value(a[i]) * i32::from(weights[i])).sum::<i32>()
            });
            lanes(dot(i32x4_splat(3), vector(&a), vector(&weights.map(|w| w as u8)))) == expected
        });
        exact.then_some(Self(()))
    }
}

fn vector(bytes: &[u8; 16]) -> v128 {
    let word = |i: usize| i32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
    i32x4(word(0), word(4), word(8), word(12))
}

fn lanes(v: v128) -> [i32; 4] {
    [
        i32x4_extract_lane::<0>(v),
        i32x4_extract_lane::<1>(v),
        i32x4_extract_lane::<2>(v),
        i32x4_extract_lane::<3>(v),
    ]
}

/// The operand of seven bits is the second.
#[inline(always)]
pub(crate) fn dot(acc: v128, activations: v128, weights: v128) -> v128 {
    i32x4_relaxed_dot_i8x16_i7x16_add(weights, activations, acc)
}

impl<const SIGNED: bool> Multiply<1> for Products<SIGNED> {
    const NAMES: [&'static str; 2] = ["wasm32-u8i8-relaxed-simd", "wasm32-u8u8-relaxed-simd"];
    const OFFSET: i32 = if SIGNED { 128 } else { 0 };

    fn new() -> Option<Self> {
        Self::new()
    }

    fn shift(weights: &[i16]) -> Option<i16> {
        shift_into_i8(weights)
    }

    fn pack(weights: &[[i16; 4]; 4]) -> [v128; 1] {
        let [a, b, c, d] = weights.map(|four| i32::from_le_bytes(four.map(|w| w as i8 as u8)));
        [i32x4(a, b, c, d)]
    }

    #[inline(always)]
    fn prepare(self, activations: v128) -> [v128; 1] {
        [if SIGNED { v128_xor(activations, u8x16_splat(0x80)) } else { activations }]
    }

    #[inline(always)]
    fn multiply(self, acc: v128, [activations]: [v128; 1], [weights]: [v128; 1]) -> v128 {
        dot(acc, activations, weights)
    }
}
