//! NEON with matrix products: `usmmla` multiplies two rows of eight activations with two channels of
//! eight weights.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use core::arch::asm;

super::q128::gemm_on_neon! {
    features: "neon,i8mm",
    available: std::arch::is_aarch64_feature_detected!("i8mm"),
    names: ["aarch64-u8i8-i8mm", "aarch64-u8u8-i8mm"],
    flips: false,
    depth: 8,
    limits: -128..=127,
    tiles: [12 8 4 2 1],
}

/// Eight products of a channel side by side.
fn slot(_steps: usize, channel: usize, k: usize) -> usize {
    k / DEPTH * BLOCK + channel * DEPTH + k % DEPTH
}

/// Two channels of the first row, then of the second, in each of four registers.
fn lane(lane: usize) -> usize {
    lane / 4 * 2 + lane % 2
}

fn row_of(lane: usize) -> usize {
    lane % 4 / 2
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
    let mut registers = [vdupq_n_s32(0); 4];
    for q in 0..4 {
        // SAFETY: four registers of the sixteen numbers.
        registers[q] = unsafe { vld1q_s32(numbers.as_ptr().add(4 * q)) };
    }
    registers
}

/// The first row's channels 0..4 and 4..8, then the second's.
#[inline]
#[target_feature(enable = "neon")]
fn in_order(acc: [int32x4_t; 4]) -> [int32x4_t; 4] {
    let [a, b, c, d] = acc.map(|v| vreinterpretq_s64_s32(v));
    let rows = [vzip1q_s64(a, b), vzip1q_s64(c, d), vzip2q_s64(a, b), vzip2q_s64(c, d)];
    rows.map(|v| vreinterpretq_s32_s64(v))
}

/// The bytes of the first row, then those of the second.
#[inline]
#[target_feature(enable = "neon")]
fn by_rows(bytes: uint8x16_t) -> uint8x16_t {
    let pairs = vreinterpretq_u16_u8(bytes);
    let (upper, lower) = (vuzp1q_u16(pairs, pairs), vuzp2q_u16(pairs, pairs));
    vreinterpretq_u8_u64(vzip1q_u64(vreinterpretq_u64_u16(upper), vreinterpretq_u64_u16(lower)))
}

/// Packs R rows as [k ÷ 8][R ÷ 2][2][8].
///
/// # Safety
/// `to` has room for them; `WHOLE` is no more than the source's.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn pack<const R: usize, const WHOLE: bool>(source: &Source<'_>, k: usize, to: *mut u8) {
    let step = R.next_multiple_of(2) * DEPTH;
    for block in (0..k).step_by(2 * DEPTH) {
        let to = to.wrapping_add(block / DEPTH * step);
        for r in (0..R.next_multiple_of(2)).step_by(2) {
            // SAFETY: rows of the source, an odd one with itself; the caller's room for two steps of
            // all pairs.
            unsafe {
                let upper = source.sixteen::<WHOLE>(r, block);
                let lower = source.sixteen::<WHOLE>((r + 1).min(R - 1), block);
                let (upper, lower) = (vreinterpretq_u64_u8(upper), vreinterpretq_u64_u8(lower));
                let to = to.add(r * DEPTH);
                vst1q_u64(to.cast(), vzip1q_u64(upper, lower));
                vst1q_u64(to.add(step).cast(), vzip2q_u64(upper, lower));
            }
        }
    }
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
    let (mut a, mut weights, mut left) = (a, weights, steps);
    // SAFETY: the caller's.
    unsafe {
        while left >= 2 {
            step::<PAIRS>(&mut acc, a, weights);
            step::<PAIRS>(&mut acc, a.add(16 * PAIRS), weights.add(BLOCK));
            (a, weights, left) = (a.add(32 * PAIRS), weights.add(2 * BLOCK), left - 2);
        }
        if left > 0 {
            step::<PAIRS>(&mut acc, a, weights);
        }
    }
    acc
}

/// # Safety
/// A block lies at `weights`, and the rows' bytes for it at `a`.
#[inline(always)]
unsafe fn step<const PAIRS: usize>(acc: &mut [[int32x4_t; 4]; PAIRS], a: *const u8, weights: *const i8) {
    // SAFETY: the caller's; features as above.
    unsafe {
        let mut x = [vdupq_n_u8(0); PAIRS];
        for p in 0..PAIRS {
            x[p] = vld1q_u8(a.add(16 * p));
        }
        for q in 0..4 {
            let w = vld1q_s8(weights.add(16 * q));
            for p in 0..PAIRS {
                acc[p][q] = usmmla(acc[p][q], x[p], w);
            }
        }
    }
}
