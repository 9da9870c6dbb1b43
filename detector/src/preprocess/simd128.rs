//! WebAssembly's SIMD: packed and two-plane frames with two taps on each axis, and packed frames with
//! many, in the scalar code's arithmetic.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::axis::{Axis, TAP_BLOCK};
use super::color::{self, NEUTRAL, SAMPLE_BITS, ToRgb};
use super::rows::{self, Biplanar, Packed, Taps, blocks, check_across};
use std::arch::wasm32::*;

/// Everywhere, since a module runs only where all its instructions exist.
#[derive(Debug, Clone, Copy)]
pub(super) struct Simd128;

/// Gives zero in a table lookup.
const NONE: u8 = 255;

fn table<const N: usize>(bytes: [u8; N]) -> v128 {
    let mut table = [NONE; 16];
    table[..N].copy_from_slice(&bytes);
    // SAFETY: `table` has 16 bytes.
    unsafe { v128_load(table.as_ptr().cast()) }
}

#[inline(always)]
fn rounded<const SHIFT: u32>(sums: v128) -> v128 {
    i32x4_shr(i32x4_add(sums, i32x4_splat(1 << (SHIFT - 1))), SHIFT)
}

/// Two 16-bit weights in every 32-bit lane.
#[inline(always)]
fn both([first, second]: [i16; 2]) -> v128 {
    i32x4_splat(i32::from(first as u16) | i32::from(second) << 16)
}

/// The low halves of `first` and of `second` side by side.
#[inline(always)]
fn pairs(first: v128, second: v128) -> v128 {
    v128_or(v128_and(first, i32x4_splat(0xffff)), i32x4_shl(second, 16))
}

/// Two rows resampled across to one of Q6 samples.
#[inline(always)]
fn down(top: v128, bottom: v128, weights: v128) -> v128 {
    rounded::<{ rows::DOWN_SHIFT }>(i32x4_dot_i16x8(pairs(top, bottom), weights))
}

impl Simd128 {
    /// See [`super::fast::Kernel::across`].
    pub(super) fn across(self, source: &[u8], step: usize, axis: &Axis, out: [&mut [i16]; 3]) {
        let (taps, len) = (axis.taps, check_across(source, step, axis, &out));
        let [first, second, third] = out;
        // Two pixels side by side, channel by channel.
        let near = match step {
            4 => table([0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15]),
            _ => table([0, 3, 1, 4, 2, 5, NONE, NONE, 6, 9, 7, 10, 8, 11]),
        };
        for column in 0..len {
            let start = axis.starts[column] as usize * step;
            let mut sums = i32x4_splat(0);
            for block in (0..taps).step_by(TAP_BLOCK) {
                // SAFETY: the checked length covers 16 bytes from the last block of the last start,
                // and there are `taps` weights a column.
                let (pixels, low, high) = unsafe {
                    let weights = axis.weights.as_ptr().add(column * taps + block);
                    (
                        v128_load(source.as_ptr().add(start + block * step).cast()),
                        v128_load32_splat(weights.cast()),
                        v128_load32_splat(weights.add(2).cast()),
                    )
                };
                let pixels = i8x16_swizzle(pixels, near);
                sums = i32x4_add(sums, i32x4_dot_i16x8(u16x8_extend_low_u8x16(pixels), low));
                sums = i32x4_add(sums, i32x4_dot_i16x8(u16x8_extend_high_u8x16(pixels), high));
            }
            let sums = rounded::<{ rows::ACROSS_SHIFT }>(sums);
            first[column] = i32x4_extract_lane::<0>(sums) as i16;
            second[column] = i32x4_extract_lane::<1>(sums) as i16;
            third[column] = i32x4_extract_lane::<2>(sums) as i16;
        }
    }

    /// See [`super::fast::Kernel::packed`].
    pub(super) fn packed(self, rows: &Packed<'_>, out: &mut [u8]) {
        let Packed { top, bottom, step, blue_first, taps, down: down_weights } = *rows;
        let len = taps.check(8, step, top.len().min(bottom.len()));
        assert!(len >= 4 && out.len() >= len * 3 + 4, "room for whole blocks");
        let side_by_side = match step {
            4 => table([0, 4, 1, 5, 2, 6, 3, 7]),
            _ => table([0, 3, 1, 4, 2, 5, NONE, NONE]),
        };
        let rgb = match blue_first {
            true => table([2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12]),
            false => table([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14]),
        };
        let down_weights = both(down_weights);
        // Four channels of one column, as levels.
        let one_column = |column: usize| {
            let at = taps.starts[column] as usize * step;
            let weights = both([taps.weights[column * 2], taps.weights[column * 2 + 1]]);
            let [top, bottom] = [top, bottom].map(|row| {
                // SAFETY: `check` has seen that eight bytes from every start lie within both rows.
                let pixels = unsafe { v128_load64_zero(row.as_ptr().add(at).cast()) };
                let samples = u16x8_extend_low_u8x16(i8x16_swizzle(pixels, side_by_side));
                rounded::<{ rows::ACROSS_SHIFT }>(i32x4_dot_i16x8(samples, weights))
            });
            rounded::<SAMPLE_BITS>(down(top, bottom, down_weights))
        };
        for column in blocks(len, 4) {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| one_column(column + i));
            let levels = u8x16_narrow_i16x8(i16x8_narrow_i32x4(a, b), i16x8_narrow_i32x4(c, d));
            // SAFETY: 16 bytes from three times a column, at most `len - 4`, end within `len * 3 + 4`.
            unsafe { v128_store(out.as_mut_ptr().add(column * 3).cast(), i8x16_swizzle(levels, rgb)) }
        }
    }

    /// See [`super::fast::Kernel::biplanar`].
    pub(super) fn biplanar(self, rows: &Biplanar<'_>, out: &mut [u8]) {
        let Biplanar { luma, luma_taps, luma_down, chroma, chroma_taps, chroma_down, cr_first, color } =
            *rows;
        let len = luma_taps.check(4, 1, luma[0].len().min(luma[1].len()));
        let chroma_len = chroma_taps.check(4, 2, chroma[0].len().min(chroma[1].len()));
        assert!(len >= 8 && len == chroma_len && out.len() >= len * 3 + 4, "room for whole blocks");
        // The first and second byte of each 32 bits, or every other one, as 16-bit numbers.
        let adjacent = table([0, NONE, 1, NONE, 4, NONE, 5, NONE, 8, NONE, 9, NONE, 12, NONE, 13]);
        let even = table([0, NONE, 2, NONE, 4, NONE, 6, NONE, 8, NONE, 10, NONE, 12, NONE, 14]);
        let odd = table([1, NONE, 3, NONE, 5, NONE, 7, NONE, 9, NONE, 11, NONE, 13, NONE, 15]);
        let (cb, cr) = if cr_first { (odd, even) } else { (even, odd) };
        let (luma_down, chroma_down) = (both(luma_down), both(chroma_down));
        let across = |bytes: v128, which: v128, weights: v128| {
            rounded::<{ rows::ACROSS_SHIFT }>(i32x4_dot_i16x8(i8x16_swizzle(bytes, which), weights))
        };
        for column in blocks(len, 4) {
            let (y_weights, c_weights) = (weights(&luma_taps, column), weights(&chroma_taps, column));
            let y = luma.map(|row| across(gathered(row, &luma_taps, column, 1), adjacent, y_weights));
            let c = chroma.map(|row| gathered(row, &chroma_taps, column, 2));
            let [u, v] = [cb, cr].map(|which| {
                let [top, bottom] = c.map(|bytes| across(bytes, which, c_weights));
                down(top, bottom, chroma_down)
            });
            let pixels = convert(&color, down(y[0], y[1], luma_down), u, v);
            // SAFETY: 16 bytes from three times a column, at most `len - 4`, end within `len * 3 + 4`.
            unsafe { v128_store(out.as_mut_ptr().add(column * 3).cast(), pixels) }
        }
    }
}

/// Weights of both samples of four columns.
#[inline(always)]
fn weights(taps: &Taps<'_>, column: usize) -> v128 {
    let weights = &taps.weights[column * 2..][..8];
    // SAFETY: eight weights, as the slice says.
    unsafe { v128_load(weights.as_ptr().cast()) }
}

/// Four bytes from the starts of four columns, which count in `step` bytes.
#[inline(always)]
fn gathered(row: &[u8], taps: &Taps<'_>, column: usize, step: usize) -> v128 {
    let starts = &taps.starts[column..][..4];
    let at = |i: usize| row.as_ptr().wrapping_add(starts[i] as usize * step).cast();
    // SAFETY: `Taps::check` has seen that four bytes from every start lie within the row.
    unsafe {
        let bytes = v128_load32_zero(at(0));
        let bytes = v128_load32_lane::<1>(bytes, at(1));
        let bytes = v128_load32_lane::<2>(bytes, at(2));
        v128_load32_lane::<3>(bytes, at(3))
    }
}

/// [`ToRgb`] for four pixels, in the first twelve bytes.
#[inline(always)]
fn convert(color: &ToRgb, y: v128, u: v128, v: v128) -> v128 {
    let y = i32x4_sub(y, i32x4_splat(i32::from(color.black)));
    let (u, v) =
        (i32x4_sub(u, i32x4_splat(i32::from(NEUTRAL))), i32x4_sub(v, i32x4_splat(i32::from(NEUTRAL))));
    let (yu, yv) = (pairs(y, u), pairs(y, v));
    let red = i32x4_dot_i16x8(yv, both([color.y, color.rv]));
    let green = i32x4_dot_i16x8(yu, both([color.y, color.gu]));
    let green = i32x4_add(green, i32x4_dot_i16x8(v, both([color.gv, 0])));
    let blue = i32x4_dot_i16x8(yu, both([color.y, color.bu]));
    let [red, green, blue] = [red, green, blue].map(|sums| rounded::<{ color::COLOR_SHIFT }>(sums));
    let levels = u8x16_narrow_i16x8(i16x8_narrow_i32x4(red, green), i16x8_narrow_i32x4(blue, blue));
    i8x16_swizzle(levels, table([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]))
}
