//! NEON with dot products: `sdot` by lane, on activations flipped to signed bytes while they are packed.
//!
//! A register of activations holds eight bytes of two rows; each of its four lanes multiplies with
//! four channels, so that six loads of activations and four of weights feed 48 multiplications.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use core::arch::asm;

super::q128::gemm_on_neon! {
    features: "neon,dotprod",
    available: std::arch::is_aarch64_feature_detected!("dotprod"),
    names: ["aarch64-u8i8-dotprod", "aarch64-u8u8-dotprod"],
    flips: true,
    depth: 8,
    limits: -128..=127,
    tiles: [12 8 4 2 1],
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

/// The four registers as halves of rows, which is how they lie already.
#[inline]
fn in_order(acc: [int32x4_t; 4]) -> [int32x4_t; 4] {
    acc
}

/// The bytes of two rows in one register, which is how they lie already.
#[inline]
fn by_rows(bytes: uint8x16_t) -> uint8x16_t {
    bytes
}

/// Packs R rows as [k ÷ 8][R ÷ 2][2][8].
///
/// # Safety
/// `to` has room for them; `WHOLE` is no more than the source's.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn pack<const R: usize, const WHOLE: bool>(source: &Source<'_>, k: usize, to: *mut u8) {
    let flip = vdupq_n_u8(0x80);
    let step = R.next_multiple_of(2) * DEPTH;
    for block in (0..k).step_by(2 * DEPTH) {
        let to = to.wrapping_add(block / DEPTH * step);
        for r in (0..R.next_multiple_of(2)).step_by(2) {
            // SAFETY: rows of the source, an odd one with itself; the caller's room for two steps of
            // all pairs.
            unsafe {
                let upper = veorq_u8(source.sixteen::<WHOLE>(r, block), flip);
                let lower = veorq_u8(source.sixteen::<WHOLE>((r + 1).min(R - 1), block), flip);
                let (upper, lower) = (vreinterpretq_u64_u8(upper), vreinterpretq_u64_u8(lower));
                let to = to.add(r * DEPTH);
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
    if R == 12 {
        // SAFETY: the caller's; there is a block at least.
        return unsafe { twelve(acc, a, weights, steps) };
    }
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

/// acc + the products of twelve rows with eight channels: 24 sums, six registers of activations and
/// two of weights take all 32 registers, which LLVM does not manage without moves and spills.
///
/// # Safety
/// `steps` blocks lie at `weights`, one at least, and the rows' bytes for them at `a`.
#[inline(always)]
unsafe fn twelve<const PAIRS: usize>(
    mut acc: [[int32x4_t; 4]; PAIRS],
    a: *const u8,
    weights: *const i8,
    steps: usize,
) -> [[int32x4_t; 4]; PAIRS] {
    // SAFETY: the caller's; reads memory and changes the registers that are named.
    unsafe {
        asm!(
            "2:",
            "ldp {x0:q}, {x1:q}, [{a}], #96",
            "ldp {w0:q}, {w1:q}, [{w}], #64",
            "subs {n}, {n}, #1",
            "sdot {c00:v}.4s, {w0:v}.16b, {x0:v}.4b[0]",
            "sdot {c01:v}.4s, {w1:v}.16b, {x0:v}.4b[0]",
            "sdot {c02:v}.4s, {w0:v}.16b, {x0:v}.4b[2]",
            "sdot {c03:v}.4s, {w1:v}.16b, {x0:v}.4b[2]",
            "ldp {x2:q}, {x3:q}, [{a}, #-64]",
            "sdot {c10:v}.4s, {w0:v}.16b, {x1:v}.4b[0]",
            "sdot {c11:v}.4s, {w1:v}.16b, {x1:v}.4b[0]",
            "sdot {c12:v}.4s, {w0:v}.16b, {x1:v}.4b[2]",
            "sdot {c13:v}.4s, {w1:v}.16b, {x1:v}.4b[2]",
            "ldp {x4:q}, {x5:q}, [{a}, #-32]",
            "sdot {c20:v}.4s, {w0:v}.16b, {x2:v}.4b[0]",
            "sdot {c21:v}.4s, {w1:v}.16b, {x2:v}.4b[0]",
            "sdot {c22:v}.4s, {w0:v}.16b, {x2:v}.4b[2]",
            "sdot {c23:v}.4s, {w1:v}.16b, {x2:v}.4b[2]",
            "sdot {c30:v}.4s, {w0:v}.16b, {x3:v}.4b[0]",
            "sdot {c31:v}.4s, {w1:v}.16b, {x3:v}.4b[0]",
            "sdot {c32:v}.4s, {w0:v}.16b, {x3:v}.4b[2]",
            "sdot {c33:v}.4s, {w1:v}.16b, {x3:v}.4b[2]",
            "sdot {c40:v}.4s, {w0:v}.16b, {x4:v}.4b[0]",
            "sdot {c41:v}.4s, {w1:v}.16b, {x4:v}.4b[0]",
            "sdot {c42:v}.4s, {w0:v}.16b, {x4:v}.4b[2]",
            "sdot {c43:v}.4s, {w1:v}.16b, {x4:v}.4b[2]",
            "sdot {c50:v}.4s, {w0:v}.16b, {x5:v}.4b[0]",
            "sdot {c51:v}.4s, {w1:v}.16b, {x5:v}.4b[0]",
            "sdot {c52:v}.4s, {w0:v}.16b, {x5:v}.4b[2]",
            "sdot {c53:v}.4s, {w1:v}.16b, {x5:v}.4b[2]",
            "ldp {w0:q}, {w1:q}, [{w}, #-32]",
            "sdot {c00:v}.4s, {w0:v}.16b, {x0:v}.4b[1]",
            "sdot {c01:v}.4s, {w1:v}.16b, {x0:v}.4b[1]",
            "sdot {c02:v}.4s, {w0:v}.16b, {x0:v}.4b[3]",
            "sdot {c03:v}.4s, {w1:v}.16b, {x0:v}.4b[3]",
            "sdot {c10:v}.4s, {w0:v}.16b, {x1:v}.4b[1]",
            "sdot {c11:v}.4s, {w1:v}.16b, {x1:v}.4b[1]",
            "sdot {c12:v}.4s, {w0:v}.16b, {x1:v}.4b[3]",
            "sdot {c13:v}.4s, {w1:v}.16b, {x1:v}.4b[3]",
            "sdot {c20:v}.4s, {w0:v}.16b, {x2:v}.4b[1]",
            "sdot {c21:v}.4s, {w1:v}.16b, {x2:v}.4b[1]",
            "sdot {c22:v}.4s, {w0:v}.16b, {x2:v}.4b[3]",
            "sdot {c23:v}.4s, {w1:v}.16b, {x2:v}.4b[3]",
            "sdot {c30:v}.4s, {w0:v}.16b, {x3:v}.4b[1]",
            "sdot {c31:v}.4s, {w1:v}.16b, {x3:v}.4b[1]",
            "sdot {c32:v}.4s, {w0:v}.16b, {x3:v}.4b[3]",
            "sdot {c33:v}.4s, {w1:v}.16b, {x3:v}.4b[3]",
            "sdot {c40:v}.4s, {w0:v}.16b, {x4:v}.4b[1]",
            "sdot {c41:v}.4s, {w1:v}.16b, {x4:v}.4b[1]",
            "sdot {c42:v}.4s, {w0:v}.16b, {x4:v}.4b[3]",
            "sdot {c43:v}.4s, {w1:v}.16b, {x4:v}.4b[3]",
            "sdot {c50:v}.4s, {w0:v}.16b, {x5:v}.4b[1]",
            "sdot {c51:v}.4s, {w1:v}.16b, {x5:v}.4b[1]",
            "sdot {c52:v}.4s, {w0:v}.16b, {x5:v}.4b[3]",
            "sdot {c53:v}.4s, {w1:v}.16b, {x5:v}.4b[3]",
            "b.ne 2b",
            a = inout(reg) a => _,
            w = inout(reg) weights => _,
            n = inout(reg) steps => _,
            c00 = inout(vreg) acc[0][0],
            c01 = inout(vreg) acc[0][1],
            c02 = inout(vreg) acc[0][2],
            c03 = inout(vreg) acc[0][3],
            c10 = inout(vreg) acc[1][0],
            c11 = inout(vreg) acc[1][1],
            c12 = inout(vreg) acc[1][2],
            c13 = inout(vreg) acc[1][3],
            c20 = inout(vreg) acc[2][0],
            c21 = inout(vreg) acc[2][1],
            c22 = inout(vreg) acc[2][2],
            c23 = inout(vreg) acc[2][3],
            c30 = inout(vreg) acc[3][0],
            c31 = inout(vreg) acc[3][1],
            c32 = inout(vreg) acc[3][2],
            c33 = inout(vreg) acc[3][3],
            c40 = inout(vreg) acc[4][0],
            c41 = inout(vreg) acc[4][1],
            c42 = inout(vreg) acc[4][2],
            c43 = inout(vreg) acc[4][3],
            c50 = inout(vreg) acc[5][0],
            c51 = inout(vreg) acc[5][1],
            c52 = inout(vreg) acc[5][2],
            c53 = inout(vreg) acc[5][3],
            x0 = out(vreg) _,
            x1 = out(vreg) _,
            x2 = out(vreg) _,
            x3 = out(vreg) _,
            x4 = out(vreg) _,
            x5 = out(vreg) _,
            w0 = out(vreg) _,
            w1 = out(vreg) _,
            options(readonly, nostack),
        );
    }
    acc
}
