//! NEON with dot products: `sdot` by lane, on activations flipped to signed bytes while they are packed.
//!
//! A register of activations holds eight bytes of two rows; each of its four lanes multiplies with
//! four channels, so that six loads of activations and four of weights feed 48 multiplications.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::q128::Source;
use core::arch::asm;

super::q128::gemm_on_neon! {
    features: "neon,dotprod",
    available: std::arch::is_aarch64_feature_detected!("dotprod"),
    names: ["aarch64-u8i8-dotprod", "aarch64-u8u8-dotprod"],
    flips: true,
    depth: 8,
    limits: -128..=127,
    tiles: [8 4 2 1],
}

/// Four products of a channel side by side, the eight channels one after another.
fn slot(_steps: usize, channel: usize, k: usize) -> usize {
    k / 4 * (4 * CHANNELS) + channel * 4 + k % 4
}

/// Registers of channels 0..4 and 4..8 of the first row, then of the second.
fn lane(lane: usize) -> usize {
    lane % CHANNELS
}

fn row_of(lane: usize) -> usize {
    lane / CHANNELS
}

/// Bytes of a packed tile.
fn tile_bytes(k: usize, rows: usize) -> usize {
    k.next_multiple_of(2 * DEPTH) * rows.next_multiple_of(2)
}

/// Where the rows' bytes for a block of weights lie in a packed tile.
fn block_offset(block: usize, rows: usize) -> usize {
    block * DEPTH * rows.next_multiple_of(2)
}

#[inline]
#[target_feature(enable = "neon")]
fn registers(numbers: &[i32; 2 * CHANNELS]) -> [int32x4_t; 4] {
    // SAFETY: two registers of the sixteen numbers; the second row's are the same.
    let (low, high) = unsafe { (vld1q_s32(numbers.as_ptr()), vld1q_s32(numbers.as_ptr().add(4))) };
    [low, high, low, high]
}

/// The bytes of two rows in one register, which is how they lie already.
#[inline]
fn by_rows(bytes: uint8x16_t) -> uint8x16_t {
    bytes
}

/// Packs R rows from `first` on as [k ÷ 8][R ÷ 2][2][8].
///
/// # Safety
/// `to` has room for them.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn pack<const R: usize>(rows: &Rows<'_, u8>, first: usize, k: usize, to: *mut u8) {
    let source = Source::new(rows, first, R, k);
    let flip = vdupq_n_u8(0x80);
    let step = R.next_multiple_of(2) * DEPTH;
    for r in (0..R).step_by(2) {
        let lower = (r + 1).min(R - 1);
        for block in (0..k).step_by(2 * DEPTH) {
            // SAFETY: rows of the source; the caller's room for two steps of all pairs.
            unsafe {
                let upper = vreinterpretq_u64_u8(veorq_u8(source.sixteen(r, block), flip));
                let lower = vreinterpretq_u64_u8(veorq_u8(source.sixteen(lower, block), flip));
                let to = to.add(block / DEPTH * step + r * DEPTH);
                vst1q_u64(to.cast(), vzip1q_u64(upper, lower));
                vst1q_u64(to.add(step).cast(), vzip2q_u64(upper, lower));
            }
        }
    }
}

/// acc + the dot products of four bytes of w with those in a lane of x. The intrinsic is not stable yet.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot<const LANE: i32>(acc: int32x4_t, w: int8x16_t, x: int8x16_t) -> int32x4_t {
    let mut sum = acc;
    // SAFETY: one instruction on registers; the feature is enabled.
    unsafe {
        asm!("sdot {sum:v}.4s, {w:v}.16b, {x:v}.4b[{lane}]", sum = inout(vreg) sum, w = in(vreg) w, x = in(vreg) x,
            lane = const LANE, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// acc + the products of R rows with eight channels.
///
/// # Safety
/// `steps` blocks lie at `weights`, and the rows' bytes for them at `a`; the caller has the features.
#[inline(always)]
unsafe fn products<const R: usize, const PAIRS: usize>(
    mut acc: [[int32x4_t; 4]; PAIRS],
    a: *const u8,
    weights: *const i8,
    steps: usize,
) -> [[int32x4_t; 4]; PAIRS] {
    let (mut a, mut weights, mut left) = (a.cast::<i8>(), weights, steps);
    // SAFETY: the caller's.
    unsafe {
        while left >= 2 {
            step::<R, PAIRS>(&mut acc, a, weights);
            step::<R, PAIRS>(&mut acc, a.add(16 * PAIRS), weights.add(BLOCK));
            (a, weights, left) = (a.add(32 * PAIRS), weights.add(2 * BLOCK), left - 2);
        }
        if left > 0 {
            step::<R, PAIRS>(&mut acc, a, weights);
        }
    }
    acc
}

/// # Safety
/// A block lies at `weights`, and the rows' bytes for it at `a`.
#[inline(always)]
unsafe fn step<const R: usize, const PAIRS: usize>(
    acc: &mut [[int32x4_t; 4]; PAIRS],
    a: *const i8,
    weights: *const i8,
) {
    // SAFETY: the caller's; features as above.
    unsafe {
        let (w0, w1) = (vld1q_s8(weights), vld1q_s8(weights.add(16)));
        let mut x = [w0; PAIRS];
        for p in 0..PAIRS {
            x[p] = vld1q_s8(a.add(16 * p));
        }
        for p in 0..PAIRS {
            acc[p][0] = sdot::<0>(acc[p][0], w0, x[p]);
            acc[p][1] = sdot::<0>(acc[p][1], w1, x[p]);
            if 2 * p + 1 < R {
                acc[p][2] = sdot::<2>(acc[p][2], w0, x[p]);
                acc[p][3] = sdot::<2>(acc[p][3], w1, x[p]);
            }
        }
        let (w0, w1) = (vld1q_s8(weights.add(32)), vld1q_s8(weights.add(48)));
        for p in 0..PAIRS {
            acc[p][0] = sdot::<1>(acc[p][0], w0, x[p]);
            acc[p][1] = sdot::<1>(acc[p][1], w1, x[p]);
            if 2 * p + 1 < R {
                acc[p][2] = sdot::<3>(acc[p][2], w0, x[p]);
                acc[p][3] = sdot::<3>(acc[p][3], w1, x[p]);
            }
        }
    }
}
