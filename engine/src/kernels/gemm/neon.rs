//! NEON without dot products: `smull` and `smlal` on signed bytes, two products to a 16-bit lane, added
//! up in pairs.
//!
//! Weights within ±127 keep both products of a lane within 16 bits: 2 × 128 × 127 = 32512.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

super::q128::gemm_on_neon! {
    features: "neon",
    available: std::arch::is_aarch64_feature_detected!("neon"),
    names: ["aarch64-u8i8-neon", "aarch64-u8u8-neon"],
    flips: true,
    depth: 16,
    limits: -127..=127,
    tiles: [4 2 1],
}

/// Channels that are multiplied together.
const HALF: usize = CHANNELS / 2;

/// Sixteen products of a channel side by side; the first four channels of all blocks, then the others.
fn slot(steps: usize, channel: usize, k: usize) -> usize {
    (channel / HALF * steps + k / DEPTH) * (HALF * DEPTH) + channel % HALF * DEPTH + k % DEPTH
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
    k.next_multiple_of(DEPTH) * rows
}

/// Where the rows' bytes for a block of weights lie in a packed tile.
fn block_offset(block: usize, rows: usize) -> usize {
    block * DEPTH * rows
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

/// Packs R rows as [k ÷ 16][R][16].
///
/// # Safety
/// `to` has room for them; `WHOLE` is no more than the source's.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn pack<const R: usize, const WHOLE: bool>(source: &Source<'_>, k: usize, to: *mut u8) {
    let flip = vdupq_n_u8(0x80);
    for block in (0..k).step_by(DEPTH) {
        for r in 0..R {
            // SAFETY: rows of the source; the caller's room for every step of all rows.
            unsafe {
                let bytes = veorq_u8(source.sixteen::<WHOLE>(r, block), flip);
                vst1q_u8(to.add(block * R + r * DEPTH), bytes);
            }
        }
    }
}

/// acc + the products of R rows with eight channels.
///
/// # Safety
/// `steps` blocks lie at `weights`, and the rows' bytes for them at `a`; the caller has the features.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn products<const R: usize, const PAIRS: usize>(
    mut acc: [[int32x4_t; 4]; PAIRS],
    a: *const u8,
    weights: *const i8,
    steps: usize,
) -> [[int32x4_t; 4]; PAIRS] {
    // SAFETY: the caller's; the second half of the weights lies behind the first.
    let halves =
        unsafe { [half::<R>(a, weights, steps), half::<R>(a, weights.add(steps * HALF * DEPTH), steps)] };
    for r in 0..R {
        for half in 0..2 {
            let q = r % 2 * 2 + half;
            acc[r / 2][q] = vaddq_s32(acc[r / 2][q], halves[half][r]);
        }
    }
    acc
}

/// The products of R rows with half of the channels.
///
/// # Safety
/// `steps` half blocks lie at `weights`, and the rows' bytes for them at `a`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn half<const R: usize>(a: *const u8, weights: *const i8, steps: usize) -> [int32x4_t; R] {
    let (mut a, mut w) = (a.cast::<i8>(), weights);
    // SAFETY: the caller's; there is a block at least.
    let mut sums = unsafe { step::<R, true>([[vdupq_n_s32(0); HALF]; R], a, w) };
    for _ in 1..steps {
        // SAFETY: the caller's.
        unsafe {
            (a, w) = (a.add(DEPTH * R), w.add(DEPTH * HALF));
            sums = step::<R, false>(sums, a, w);
        }
    }
    let mut channels = [vdupq_n_s32(0); R];
    for r in 0..R {
        let [a, b, c, d] = sums[r];
        channels[r] = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
    }
    channels
}

/// sums + the products of sixteen activations of R rows with half the channels, four partial sums of
/// each; the products alone for the `FIRST` of them.
///
/// # Safety
/// Half a block lies at `weights`, and the rows' bytes for it at `a`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn step<const R: usize, const FIRST: bool>(
    mut sums: [[int32x4_t; HALF]; R],
    a: *const i8,
    weights: *const i8,
) -> [[int32x4_t; HALF]; R] {
    // SAFETY: the caller's.
    unsafe {
        let mut x = [vdupq_n_s8(0); R];
        for r in 0..R {
            x[r] = vld1q_s8(a.add(DEPTH * r));
        }
        for c in 0..HALF {
            let w = vld1q_s8(weights.add(DEPTH * c));
            for r in 0..R {
                let products = vmull_s8(vget_low_s8(x[r]), vget_low_s8(w));
                let products = vmlal_high_s8(products, x[r], w);
                sums[r][c] = if FIRST { vpaddlq_s16(products) } else { vpadalq_s16(sums[r][c], products) };
            }
        }
    }
    sums
}
