//! NEON with matrix products: `usmmla` multiplies two rows of eight activations with two channels of
//! eight weights.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::packing::shift_into_i8;
use core::arch::asm;

super::q128::gemm_on_neon! {
    features: "neon,i8mm",
    available: std::arch::is_aarch64_feature_detected!("i8mm"),
    name: "aarch64-u8i8-i8mm",
    shifted_name: "aarch64-u8u8-i8mm",
    k_multiple: 8,
    weight: i8,
    shift: shift_into_i8,
    slot: slot,
    accumulate: accumulate,
}

/// Eight products of a channel side by side.
fn slot(channel: usize, k: usize) -> usize {
    channel * K_MULTIPLE + k
}

/// acc + the 2 × 2 products of rows of eight. The intrinsic is not stable yet.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn usmmla(acc: int32x4_t, x: uint8x16_t, w: int8x16_t) -> int32x4_t {
    let mut sum = acc;
    // SAFETY: one instruction on registers; the feature is enabled.
    unsafe {
        asm!("usmmla {sum:v}.4s, {x:v}.16b, {w:v}.16b", sum = inout(vreg) sum, x = in(vreg) x, w = in(vreg) w,
            options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// # Safety
/// R rows, `stride` bytes apart, of 8 bytes for each block of weights.
#[inline]
#[target_feature(enable = "neon,i8mm")]
unsafe fn accumulate<const R: usize>(
    acc: &mut [[int32x4_t; 4]; R],
    a: *const u8,
    stride: usize,
    weights: &[[i8; CHANNELS * K_MULTIPLE]],
) {
    // Pairs of rows; an odd one is its own partner.
    let pairs = R.div_ceil(2);
    let mut sums = [[vdupq_n_s32(0); 8]; R];
    for (step, weights) in weights.iter().enumerate() {
        let mut x = [vdupq_n_u8(0); R];
        for pair in 0..pairs {
            let (upper, lower) = (2 * pair, if 2 * pair + 1 < R { 2 * pair + 1 } else { 2 * pair });
            // SAFETY: the caller's rows reach this far.
            x[pair] = unsafe {
                vcombine_u8(
                    vld1_u8(a.add(upper * stride + step * K_MULTIPLE)),
                    vld1_u8(a.add(lower * stride + step * K_MULTIPLE)),
                )
            };
        }
        for two in 0..8 {
            // SAFETY: a block holds 8 × 16 weights.
            let w = unsafe { vld1q_s8(weights.as_ptr().add(16 * two)) };
            for pair in 0..pairs {
                sums[pair][two] = usmmla(sums[pair][two], x[pair], w);
            }
        }
    }
    for pair in 0..pairs {
        for q in 0..4 {
            let left = vreinterpretq_s64_s32(sums[pair][2 * q]);
            let right = vreinterpretq_s64_s32(sums[pair][2 * q + 1]);
            let upper = vreinterpretq_s32_s64(vzip1q_s64(left, right));
            acc[2 * pair][q] = vaddq_s32(acc[2 * pair][q], upper);
            if 2 * pair + 1 < R {
                let lower = vreinterpretq_s32_s64(vzip2q_s64(left, right));
                acc[2 * pair + 1][q] = vaddq_s32(acc[2 * pair + 1][q], lower);
            }
        }
    }
}
