//! NEON with dot products: `udot`, on weights shifted into unsigned bytes.
//!
//! Activations are unsigned, and `sdot` and `udot` want both sides alike: shifting the weights costs
//! a sum for each row of activations, flipping the activations would cost an instruction for every
//! load of them.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::packing::shift_into_u8;
use core::arch::asm;

super::q128::gemm_on_neon! {
    features: "neon,dotprod",
    available: std::arch::is_aarch64_feature_detected!("dotprod"),
    name: "aarch64-u8u8-dotprod",
    shifted_name: "aarch64-u8u8-dotprod",
    k_multiple: 4,
    weight: u8,
    shift: shift_into_u8,
    slot: slot,
    accumulate: accumulate,
}

/// Four products of a channel side by side.
fn slot(channel: usize, k: usize) -> usize {
    channel * K_MULTIPLE + k
}

/// acc + dot products of four bytes each. The intrinsic is not stable yet.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn udot(acc: int32x4_t, w: uint8x16_t, x: uint8x16_t) -> int32x4_t {
    let mut sum = acc;
    // SAFETY: one instruction on registers; the feature is enabled.
    unsafe {
        asm!("udot {sum:v}.4s, {w:v}.16b, {x:v}.16b", sum = inout(vreg) sum, w = in(vreg) w, x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// # Safety
/// R rows, `stride` bytes apart, of 4 bytes for each block of weights.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn accumulate<const R: usize>(
    acc: &mut [[int32x4_t; 4]; R],
    a: *const u8,
    stride: usize,
    weights: &[[u8; CHANNELS * K_MULTIPLE]],
) {
    let mut sums = *acc;
    for (step, weights) in weights.iter().enumerate() {
        let mut w = [vdupq_n_u8(0); 4];
        for q in 0..4 {
            // SAFETY: a block holds 4 × 16 weights.
            w[q] = unsafe { vld1q_u8(weights.as_ptr().add(16 * q)) };
        }
        for r in 0..R {
            // SAFETY: the caller's rows reach this far.
            let x = unsafe { a.add(r * stride + step * K_MULTIPLE).cast::<u32>().read_unaligned() };
            let x = vreinterpretq_u8_u32(vdupq_n_u32(x));
            for q in 0..4 {
                sums[r][q] = udot(sums[r][q], w[q], x);
            }
        }
    }
    *acc = sums;
}
