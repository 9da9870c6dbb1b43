//! NEON: packed and two-plane frames with two taps on each axis, and packed frames with many, in
//! the scalar code's arithmetic.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::axis::{Axis, TAP_BLOCK};
use super::color::{self, NEUTRAL, SAMPLE_BITS, ToRgb};
use super::rows::{self, Biplanar, Packed, Taps, blocks, check_across};
use std::arch::aarch64::*;

/// Exists only where the CPU has NEON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neon(());

const ACROSS_SHIFT: i32 = rows::ACROSS_SHIFT as i32;
const DOWN_SHIFT: i32 = rows::DOWN_SHIFT as i32;
const COLOR_SHIFT: i32 = color::COLOR_SHIFT as i32;
const LEVEL_SHIFT: i32 = SAMPLE_BITS as i32;

/// Gives zero in a table lookup.
const NONE: u8 = 255;

impl Neon {
    pub(super) fn new() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    /// See [`super::rows::Kernel::across`].
    pub(super) fn across(self, source: &[u8], step: usize, axis: &Axis, out: [&mut [i16]; 3]) {
        // SAFETY: `self` exists, so the CPU has NEON.
        unsafe { across(source, step, axis, out) }
    }

    /// See [`super::rows::Kernel::packed`].
    pub(super) fn packed(self, rows: &Packed<'_>, out: &mut [u8]) {
        // SAFETY: `self` exists, so the CPU has NEON.
        unsafe { packed(rows, out) }
    }

    /// See [`super::rows::Kernel::biplanar`].
    pub(super) fn biplanar(self, rows: &Biplanar<'_>, out: &mut [u8]) {
        // SAFETY: `self` exists, so the CPU has NEON.
        unsafe { biplanar(rows, out) }
    }
}

#[target_feature(enable = "neon")]
fn table<const N: usize>(bytes: [u8; N]) -> uint8x16_t {
    let mut table = [NONE; 16];
    table[..N].copy_from_slice(&bytes);
    // SAFETY: `table` has 16 bytes.
    unsafe { vld1q_u8(table.as_ptr()) }
}

/// Four taps at a time, for four channels side by side.
#[target_feature(enable = "neon")]
fn across(source: &[u8], step: usize, axis: &Axis, out: [&mut [i16]; 3]) {
    let (taps, len) = (axis.taps, check_across(source, step, axis, &out));
    let [first, second, third] = out;
    let pixels_apart = match step {
        4 => table([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        _ => table([0, 1, 2, NONE, 3, 4, 5, NONE, 6, 7, 8, NONE, 9, 10, 11, NONE]),
    };
    for column in 0..len {
        let start = axis.starts[column] as usize * step;
        let mut sums = vdupq_n_s32(0);
        for block in (0..taps).step_by(TAP_BLOCK) {
            // SAFETY: the checked length covers 16 bytes from the last block of the last start,
            // and there are `taps` weights a column.
            let (pixels, weights) = unsafe {
                (
                    vld1q_u8(source.as_ptr().add(start + block * step)),
                    vld1_s16(axis.weights.as_ptr().add(column * taps + block)),
                )
            };
            let pixels = vqtbl1q_u8(pixels, pixels_apart);
            let near = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(pixels)));
            let far = vreinterpretq_s16_u16(vmovl_high_u8(pixels));
            sums = vmlal_lane_s16::<0>(sums, vget_low_s16(near), weights);
            sums = vmlal_lane_s16::<1>(sums, vget_high_s16(near), weights);
            sums = vmlal_lane_s16::<2>(sums, vget_low_s16(far), weights);
            sums = vmlal_lane_s16::<3>(sums, vget_high_s16(far), weights);
        }
        let samples = vrshrn_n_s32::<ACROSS_SHIFT>(sums);
        first[column] = vget_lane_s16::<0>(samples);
        second[column] = vget_lane_s16::<1>(samples);
        third[column] = vget_lane_s16::<2>(samples);
    }
}

#[target_feature(enable = "neon")]
fn packed(rows: &Packed<'_>, out: &mut [u8]) {
    let Packed { top, bottom, step, blue_first, taps, down } = *rows;
    let len = taps.check(8, step, top.len().min(bottom.len()));
    assert!(len >= 4 && out.len() >= len * 3 + 4, "room for whole blocks");
    let pixels_apart = match step {
        4 => table([0, 1, 2, 3, 4, 5, 6, 7]),
        _ => table([0, 1, 2, NONE, 3, 4, 5, NONE]),
    };
    let pixels_apart = vget_low_u8(pixels_apart);
    let rgb = match blue_first {
        true => table([2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12]),
        false => table([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14]),
    };
    // Four channels of one column, as Q6 samples.
    let one_column = |column: usize| {
        let at = taps.starts[column] as usize * step;
        let weights = [taps.weights[column * 2], taps.weights[column * 2 + 1]];
        let across = |row: &[u8]| {
            // SAFETY: `check` has seen that eight bytes from every start lie within both rows.
            let pixels = vtbl1_u8(unsafe { vld1_u8(row.as_ptr().add(at)) }, pixels_apart);
            let samples = vreinterpretq_s16_u16(vmovl_u8(pixels));
            let sums = vmull_n_s16(vget_low_s16(samples), weights[0]);
            vrshrn_n_s32::<ACROSS_SHIFT>(vmlal_n_s16(sums, vget_high_s16(samples), weights[1]))
        };
        let sums = vmlal_n_s16(vmull_n_s16(across(top), down[0]), across(bottom), down[1]);
        vrshrn_n_s32::<DOWN_SHIFT>(sums)
    };
    let two_columns =
        |column| vqrshrun_n_s16::<LEVEL_SHIFT>(vcombine_s16(one_column(column), one_column(column + 1)));
    for column in blocks(len, 4) {
        let levels = vqtbl1q_u8(vcombine_u8(two_columns(column), two_columns(column + 2)), rgb);
        // SAFETY: 16 bytes from three times a column, at most `len - 4`, end within `len * 3 + 4`.
        unsafe { vst1q_u8(out.as_mut_ptr().add(column * 3), levels) }
    }
}

/// Sixteen-bit sums of eight pairs of samples, weighted and brought to a row's precision.
#[target_feature(enable = "neon")]
fn weighted<const SHIFT: i32>(first: int16x8_t, second: int16x8_t, weights: int16x8x2_t) -> int16x8_t {
    let low = vmull_s16(vget_low_s16(first), vget_low_s16(weights.0));
    let low = vmlal_s16(low, vget_low_s16(second), vget_low_s16(weights.1));
    let high = vmlal_high_s16(vmull_high_s16(first, weights.0), second, weights.1);
    vrshrn_high_n_s32::<SHIFT>(vrshrn_n_s32::<SHIFT>(low), high)
}

/// The low and the high bytes of eight numbers.
#[target_feature(enable = "neon")]
fn bytes(pairs: uint16x8_t) -> [int16x8_t; 2] {
    let low = vandq_u16(pairs, vdupq_n_u16(0xff));
    [low, vshrq_n_u16::<8>(pairs)].map(|b| vreinterpretq_s16_u16(b))
}

/// Weights of both samples of eight columns.
#[target_feature(enable = "neon")]
fn column_weights(taps: &Taps<'_>, column: usize) -> int16x8x2_t {
    let weights = &taps.weights[column * 2..][..16];
    // SAFETY: sixteen weights, as the slice says.
    unsafe { vld2q_s16(weights.as_ptr()) }
}

#[target_feature(enable = "neon")]
fn row_weights([top, bottom]: [i16; 2]) -> int16x8x2_t {
    int16x8x2_t(vdupq_n_s16(top), vdupq_n_s16(bottom))
}

#[target_feature(enable = "neon")]
fn biplanar(rows: &Biplanar<'_>, out: &mut [u8]) {
    let Biplanar { luma, luma_taps, luma_down, chroma, chroma_taps, chroma_down, cr_first, color } = *rows;
    let len = luma_taps.check(4, 1, luma[0].len().min(luma[1].len()));
    let chroma_len = chroma_taps.check(4, 2, chroma[0].len().min(chroma[1].len()));
    assert!(len >= 8 && len == chroma_len && out.len() >= len * 3, "room for whole blocks");
    let (luma_down, chroma_down) = (row_weights(luma_down), row_weights(chroma_down));
    for column in blocks(len, 8) {
        let (y_weights, c_weights) =
            (column_weights(&luma_taps, column), column_weights(&chroma_taps, column));
        let y = luma.map(|row| {
            let [first, second] = bytes(luma_pairs(row, &luma_taps.starts[column..][..8]));
            weighted::<ACROSS_SHIFT>(first, second, y_weights)
        });
        let c = chroma.map(|row| {
            let [first, second] = chroma_pairs(row, &chroma_taps.starts[column..][..8]).map(|p| bytes(p));
            [0, 1].map(|i| weighted::<ACROSS_SHIFT>(first[i], second[i], c_weights))
        });
        let y = weighted::<DOWN_SHIFT>(y[0], y[1], luma_down);
        let [even, odd] = [0, 1].map(|i| weighted::<DOWN_SHIFT>(c[0][i], c[1][i], chroma_down));
        let (u, v) = if cr_first { (odd, even) } else { (even, odd) };
        let pixels = convert(&color, y, u, v);
        // SAFETY: 24 bytes from three times a column, at most `len - 8`, end within `len * 3`.
        unsafe { vst3_u8(out.as_mut_ptr().add(column * 3), pixels) }
    }
}

/// Two neighbouring bytes from each of eight starts.
#[target_feature(enable = "neon")]
fn luma_pairs(row: &[u8], starts: &[u32]) -> uint16x8_t {
    let mut pairs = [0u16; 8];
    for (pair, start) in pairs.iter_mut().zip(starts) {
        // SAFETY: `Taps::check` has seen that four bytes from every start lie within the row.
        *pair = unsafe { row.as_ptr().add(*start as usize).cast::<u16>().read_unaligned() };
    }
    // SAFETY: eight numbers.
    unsafe { vld1q_u16(pairs.as_ptr()) }
}

/// From each of eight starts, which count in pairs, the pair there and the one behind it.
#[target_feature(enable = "neon")]
fn chroma_pairs(row: &[u8], starts: &[u32]) -> [uint16x8_t; 2] {
    let mut pairs = [0u32; 8];
    for (pair, start) in pairs.iter_mut().zip(starts) {
        // SAFETY: `Taps::check` has seen that four bytes from every start lie within the row.
        *pair = unsafe { row.as_ptr().add(*start as usize * 2).cast::<u32>().read_unaligned() };
    }
    // SAFETY: eight numbers.
    let (low, high) = unsafe { (vld1q_u32(pairs.as_ptr()), vld1q_u32(pairs.as_ptr().add(4))) };
    let (low, high) = (vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high));
    [vuzp1q_u16(low, high), vuzp2q_u16(low, high)]
}

/// [`ToRgb`] for eight pixels.
#[target_feature(enable = "neon")]
fn convert(color: &ToRgb, y: int16x8_t, u: int16x8_t, v: int16x8_t) -> uint8x8x3_t {
    let y = vsubq_s16(y, vdupq_n_s16(color.black));
    let (u, v) = (vsubq_s16(u, vdupq_n_s16(NEUTRAL)), vsubq_s16(v, vdupq_n_s16(NEUTRAL)));
    let level = |u_weight: i16, v_weight: i16| {
        let low = vmull_n_s16(vget_low_s16(y), color.y);
        let low = vmlal_n_s16(low, vget_low_s16(u), u_weight);
        let low = vmlal_n_s16(low, vget_low_s16(v), v_weight);
        let high = vmull_high_n_s16(y, color.y);
        let high = vmlal_high_n_s16(vmlal_high_n_s16(high, u, u_weight), v, v_weight);
        let [low, high] = [low, high].map(|sum| vqmovun_s32(vrshrq_n_s32::<COLOR_SHIFT>(sum)));
        vqmovn_u16(vcombine_u16(low, high))
    };
    uint8x8x3_t(level(0, color.rv), level(color.gu, color.gv), level(color.bu, 0))
}
