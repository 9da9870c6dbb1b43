//! AVX2: packed and two-plane frames with two taps on each axis, and packed frames with many, in
//! the scalar code's arithmetic.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::axis::{Axis, TAP_BLOCK};
use super::color::{self, NEUTRAL, SAMPLE_BITS, ToRgb};
use super::rows::{self, Biplanar, Packed, blocks, check_across};
use std::arch::x86_64::*;

/// Exists only where the CPU has AVX2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

const ACROSS_SHIFT: i32 = rows::ACROSS_SHIFT as i32;
const DOWN_SHIFT: i32 = rows::DOWN_SHIFT as i32;
const COLOR_SHIFT: i32 = color::COLOR_SHIFT as i32;
const LEVEL_SHIFT: i32 = SAMPLE_BITS as i32;

impl Avx2 {
    pub(super) fn new() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// See [`super::rows::Kernel::across`].
    pub(super) fn across(self, source: &[u8], step: usize, axis: &Axis, out: [&mut [i16]; 3]) {
        // SAFETY: `self` exists, so the CPU has AVX2.
        unsafe { across(source, step, axis, out) }
    }

    /// See [`super::rows::Kernel::packed`].
    pub(super) fn packed(self, rows: &Packed<'_>, out: &mut [u8]) {
        // SAFETY: `self` exists, so the CPU has AVX2.
        unsafe { packed(rows, out) }
    }

    /// See [`super::rows::Kernel::biplanar`].
    pub(super) fn biplanar(self, rows: &Biplanar<'_>, out: &mut [u8]) {
        // SAFETY: `self` exists, so the CPU has AVX2.
        unsafe { biplanar(rows, out) }
    }
}

/// Four taps at a time, for four channels side by side.
#[target_feature(enable = "avx2")]
fn across(source: &[u8], step: usize, axis: &Axis, out: [&mut [i16]; 3]) {
    let (taps, len) = (axis.taps, check_across(source, step, axis, &out));
    let [first, second, third] = out;
    let pairs = match step {
        4 => _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15),
        _ => _mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 6, 9, 7, 10, 8, 11, -1, -1),
    };
    let spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    for column in 0..len {
        let start = axis.starts[column] as usize * step;
        let mut sums = _mm256_setzero_si256();
        for block in (0..taps).step_by(TAP_BLOCK) {
            // SAFETY: the checked length covers 16 bytes from the last block of the last start,
            // and there are `taps` weights a column.
            let (pixels, weights) = unsafe {
                (
                    _mm_loadu_si128(source.as_ptr().add(start + block * step).cast()),
                    _mm_loadl_epi64(axis.weights.as_ptr().add(column * taps + block).cast()),
                )
            };
            let samples = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(pixels, pairs));
            let weights = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(weights), spread);
            sums = _mm256_add_epi32(sums, _mm256_madd_epi16(samples, weights));
        }
        let sums = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let sums = _mm_add_epi32(sums, _mm_set1_epi32(1 << (ACROSS_SHIFT - 1)));
        let sums = _mm_srai_epi32::<ACROSS_SHIFT>(sums);
        first[column] = _mm_extract_epi16::<0>(sums) as i16;
        second[column] = _mm_extract_epi16::<2>(sums) as i16;
        third[column] = _mm_extract_epi16::<4>(sums) as i16;
    }
}

#[target_feature(enable = "avx2")]
fn rounded<const SHIFT: i32>(sums: __m256i) -> __m256i {
    _mm256_srai_epi32::<SHIFT>(_mm256_add_epi32(sums, _mm256_set1_epi32(1 << (SHIFT - 1))))
}

/// Two rows resampled across, 15 bits each, to one of Q6 samples.
#[target_feature(enable = "avx2")]
fn down(top: __m256i, bottom: __m256i, weights: __m256i) -> __m256i {
    let pairs = _mm256_or_si256(top, _mm256_slli_epi32::<16>(bottom));
    rounded::<DOWN_SHIFT>(_mm256_madd_epi16(pairs, weights))
}

fn pair([first, second]: [i16; 2]) -> i32 {
    i32::from(first as u16) | i32::from(second) << 16
}

#[target_feature(enable = "avx2")]
fn packed(rows: &Packed<'_>, out: &mut [u8]) {
    let Packed { top, bottom, step, blue_first, taps, down: down_weights } = *rows;
    let len = taps.check(8, step, top.len().min(bottom.len()));
    assert!(len >= 4 && out.len() >= len * 3 + 4, "room for whole blocks");
    let pairs = match step {
        4 => _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15),
        _ => _mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 8, 11, 9, 12, 10, 13, -1, -1),
    };
    let rgb = match blue_first {
        true => _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1),
        false => _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1),
    };
    let spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    let down_weights = _mm256_set1_epi32(pair(down_weights));
    let two_columns = |column: usize| {
        let at = |i: usize| taps.starts[column + i] as usize * step;
        // SAFETY: `check` has seen that eight bytes from every start lie within both rows, and that
        // there are two weights a column; the callers stay below its length.
        let (rows, weights) = unsafe {
            let load = |row: &[u8], i| _mm_loadl_epi64(row.as_ptr().add(at(i)).cast());
            (
                [top, bottom].map(|row| _mm_unpacklo_epi64(load(row, 0), load(row, 1))),
                _mm_loadl_epi64(taps.weights.as_ptr().add(column * 2).cast()),
            )
        };
        let weights = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(weights), spread);
        let [top, bottom] = rows.map(|row| {
            let samples = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(row, pairs));
            rounded::<ACROSS_SHIFT>(_mm256_madd_epi16(samples, weights))
        });
        rounded::<LEVEL_SHIFT>(down(top, bottom, down_weights))
    };
    for column in blocks(len, 4) {
        let levels = _mm256_packus_epi32(two_columns(column), two_columns(column + 2));
        let levels = _mm256_packus_epi16(levels, levels);
        // The lanes hold columns 0, 2 and 1, 3.
        let (even, odd) = (_mm256_castsi256_si128(levels), _mm256_extracti128_si256::<1>(levels));
        let levels = _mm_shuffle_epi8(_mm_unpacklo_epi32(even, odd), rgb);
        // SAFETY: 16 bytes from three times a column, at most `len - 4`, end within `len * 3 + 4`.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().add(column * 3).cast(), levels) }
    }
}

#[target_feature(enable = "avx2")]
fn biplanar(rows: &Biplanar<'_>, out: &mut [u8]) {
    let Biplanar { luma, luma_taps, luma_down, chroma, chroma_taps, chroma_down, cr_first, color } = *rows;
    let len = luma_taps.check(4, 1, luma[0].len().min(luma[1].len()));
    let chroma_len = chroma_taps.check(4, 2, chroma[0].len().min(chroma[1].len()));
    assert!(len >= 8 && len == chroma_len && out.len() >= len * 3 + 4, "room for whole blocks");
    // The first and second byte of each 32 bits, or every other one, as 16-bit numbers.
    let adjacent =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
    let even =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 2, -1, 4, -1, 6, -1, 8, -1, 10, -1, 12, -1, 14, -1));
    let odd =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(1, -1, 3, -1, 5, -1, 7, -1, 9, -1, 11, -1, 13, -1, 15, -1));
    let (cb, cr) = if cr_first { (odd, even) } else { (even, odd) };
    let luma_down = _mm256_set1_epi32(pair(luma_down));
    let chroma_down = _mm256_set1_epi32(pair(chroma_down));
    let across = |bytes: __m256i, which: __m256i, weights: __m256i| {
        rounded::<ACROSS_SHIFT>(_mm256_madd_epi16(_mm256_shuffle_epi8(bytes, which), weights))
    };
    let convert = Convert::new(&color);
    for column in blocks(len, 8) {
        // SAFETY: `check` has seen that four bytes from every start lie within both rows, that
        // there are as many starts as its length and two weights for each; blocks stay below it.
        let (y, c, y_weights, c_weights) = unsafe {
            let load = |from: *const u8| _mm256_loadu_si256(from.cast());
            let y_at = load(luma_taps.starts.as_ptr().add(column).cast());
            let c_at = load(chroma_taps.starts.as_ptr().add(column).cast());
            (
                luma.map(|row| _mm256_i32gather_epi32::<1>(row.as_ptr().cast(), y_at)),
                chroma.map(|row| _mm256_i32gather_epi32::<2>(row.as_ptr().cast(), c_at)),
                load(luma_taps.weights.as_ptr().add(column * 2).cast()),
                load(chroma_taps.weights.as_ptr().add(column * 2).cast()),
            )
        };
        let y = y.map(|row| across(row, adjacent, y_weights));
        let u = c.map(|row| across(row, cb, c_weights));
        let v = c.map(|row| across(row, cr, c_weights));
        let pixels = convert.run(
            down(y[0], y[1], luma_down),
            down(u[0], u[1], chroma_down),
            down(v[0], v[1], chroma_down),
        );
        // SAFETY: 16 bytes from four columns on, at most `len - 4`, end within `len * 3 + 4`.
        unsafe {
            let to = out.as_mut_ptr().add(column * 3);
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(pixels));
            _mm_storeu_si128(to.add(12).cast(), _mm256_extracti128_si256::<1>(pixels));
        }
    }
}

/// [`ToRgb`] for eight pixels.
struct Convert {
    black: __m256i,
    neutral: __m256i,
    red: __m256i,
    green_u: __m256i,
    green_v: __m256i,
    blue: __m256i,
    bytes: __m256i,
}

impl Convert {
    #[target_feature(enable = "avx2")]
    fn new(color: &ToRgb) -> Self {
        let both = |first, second| _mm256_set1_epi32(pair([first, second]));
        Self {
            black: _mm256_set1_epi32(i32::from(color.black)),
            neutral: _mm256_set1_epi32(i32::from(NEUTRAL)),
            red: both(color.y, color.rv),
            green_u: both(color.y, color.gu),
            green_v: both(color.gv, 0),
            blue: both(color.y, color.bu),
            bytes: _mm256_broadcastsi128_si256(_mm_setr_epi8(
                0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1,
            )),
        }
    }

    /// Red, green and blue of four pixels in the low 12 bytes of each half.
    #[target_feature(enable = "avx2")]
    fn run(&self, y: __m256i, u: __m256i, v: __m256i) -> __m256i {
        let y = _mm256_sub_epi32(y, self.black);
        let (u, v) = (_mm256_sub_epi32(u, self.neutral), _mm256_sub_epi32(v, self.neutral));
        let yu = _mm256_blend_epi16::<0b1010_1010>(y, _mm256_slli_epi32::<16>(u));
        let yv = _mm256_blend_epi16::<0b1010_1010>(y, _mm256_slli_epi32::<16>(v));
        let level = |sum: __m256i| {
            let level = rounded::<COLOR_SHIFT>(sum);
            _mm256_min_epi32(_mm256_max_epi32(level, _mm256_setzero_si256()), _mm256_set1_epi32(255))
        };
        let red = level(_mm256_madd_epi16(yv, self.red));
        let green =
            level(_mm256_add_epi32(_mm256_madd_epi16(yu, self.green_u), _mm256_madd_epi16(v, self.green_v)));
        let blue = level(_mm256_madd_epi16(yu, self.blue));
        let pixels = _mm256_or_si256(
            red,
            _mm256_or_si256(_mm256_slli_epi32::<8>(green), _mm256_slli_epi32::<16>(blue)),
        );
        _mm256_shuffle_epi8(pixels, self.bytes)
    }
}
