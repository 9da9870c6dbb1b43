//! AVX-512 VNNI: `vpdpbusd` on tiles of up to 24 accumulators, requantized in registers.
//!
//! Channels are taken in groups of P ≤ 4 registers. Within a group, register q holds in its
//! 128-bit lane L the channels 4·P·L + 4·q + 0..4: the order in which saturating packs put them
//! back side by side.
//!
//! A weight that is too large for a signed byte is split in two. Files of uint8 have one or a few in
//! a layer, so that what is left over takes few steps more.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

mod weights;

use super::{GemmU8, MAX_LINES, Reals, Rows, Target, Windows};
use core::arch::x86_64::*;

/// Channels in a register of accumulators.
const LANES: usize = 16;
/// Products that `vpdpbusd` adds up.
const DEPTH: usize = 4;
/// Bytes of activations that a strip of rows should stay below, to stay in the first-level cache.
const STRIP_BYTES: usize = 24 << 10;
/// Divisible by the rows of every tile.
const STRIP_MULTIPLE: usize = 24;
const STRIP_MAX: usize = 4 * STRIP_MULTIPLE;
/// Most rows in a tile.
const TILE_MAX: usize = 12;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Vector([i8; 64]);

/// Channels that are computed together.
struct Group {
    /// Registers, 1 to 4.
    registers: usize,
    /// First channel.
    channel: usize,
    /// Channels that exist.
    channels: usize,
    /// First vector of weights.
    weights: usize,
    /// Steps that are taken once more, with what was left over of their weights.
    rest: Vec<usize>,
    /// First vector of what was left over.
    rest_weights: usize,
    /// First element of bias and scale.
    constants: usize,
}

pub(super) struct Gemm {
    groups: Vec<Group>,
    weights: Vec<Vector>,
    bias: Vec<i32>,
    scale: Vec<f32>,
    zero_point: i16,
    min: u8,
    max: u8,
    n: usize,
    k: usize,
}

impl Gemm {
    fn padded_k(&self) -> usize {
        self.k.next_multiple_of(DEPTH)
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn rows(&self, rows: Rows<'_, u8>, out: Target<'_>) {
        rows.check(self.padded_k());
        let Rows { data, stride, count } = rows;
        self.strips(&Windows { lines: &[data], len: self.k, stride, count }, out);
    }

    /// Strips of rows, all groups over each, so that activations come from the first-level cache.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn strips(&self, windows: &Windows<'_>, mut out: Target<'_>) {
        let Windows { lines, len, stride, count } = *windows;
        let padded = len.next_multiple_of(DEPTH);
        assert!(lines.len() <= MAX_LINES && lines.len() * padded == self.padded_k(), "lines fit the weights");
        let reach = count.checked_sub(1).map_or(0, |last| last * stride + padded);
        let mut bases = [std::ptr::null(); MAX_LINES];
        for (base, line) in bases.iter_mut().zip(lines) {
            assert!(reach <= line.len(), "every line is readable to its end");
            *base = line.as_ptr();
        }
        let strip = (STRIP_BYTES / self.k.max(1)) / STRIP_MULTIPLE * STRIP_MULTIPLE;
        let strip = strip.clamp(STRIP_MULTIPLE, STRIP_MAX);
        for start in (0..count).step_by(strip) {
            let end = count.min(start + strip);
            let strip =
                Strip { bases: &bases[..lines.len()], line_steps: padded / DEPTH, stride, start, end };
            for group in &self.groups {
                // One line is a plain product: a single loop, which takes fewer general registers.
                match (group.registers, lines.len()) {
                    (1, 1) => self.group::<12, 1, 1>(group, &strip, &mut out),
                    (2, 1) => self.group::<8, 2, 1>(group, &strip, &mut out),
                    (3, 1) => self.group::<8, 3, 1>(group, &strip, &mut out),
                    (_, 1) => self.group::<6, 4, 1>(group, &strip, &mut out),
                    (1, 3) => self.group::<8, 1, 3>(group, &strip, &mut out),
                    (2, 3) => self.group::<8, 2, 3>(group, &strip, &mut out),
                    (1, _) => self.group::<8, 1, MAX_LINES>(group, &strip, &mut out),
                    (2, _) => self.group::<8, 2, MAX_LINES>(group, &strip, &mut out),
                    (3, _) => self.group::<8, 3, MAX_LINES>(group, &strip, &mut out),
                    (_, _) => self.group::<6, 4, MAX_LINES>(group, &strip, &mut out),
                }
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn group<const R: usize, const P: usize, const LINES: usize>(
        &self,
        group: &Group,
        strip: &Strip<'_>,
        out: &mut Target<'_>,
    ) {
        let mut m = strip.start;
        while m < strip.end {
            if m + R <= strip.end {
                self.tile::<R, P, LINES>(group, strip, m, out);
                m += R;
            } else if strip.end >= R {
                self.tile::<R, P, LINES>(group, strip, strip.end - R, out);
                break;
            } else if m + 4 <= strip.end {
                self.tile::<4, P, LINES>(group, strip, m, out);
                m += 4;
            } else {
                self.tile::<1, P, LINES>(group, strip, m, out);
                m += 1;
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn tile<const R: usize, const P: usize, const LINES: usize>(
        &self,
        group: &Group,
        strip: &Strip<'_>,
        m: usize,
        out: &mut Target<'_>,
    ) {
        let (stride, line_steps) = (strip.stride, strip.line_steps);
        let steps = line_steps * strip.bases.len();
        let weights = &self.weights[group.weights..][..steps * P];
        let rest = &self.weights[group.rest_weights..][..group.rest.len() * P];
        let bias = &self.bias[group.constants..][..P * LANES];
        let mut acc = [[_mm512_setzero_si512(); P]; R];
        for p in 0..P {
            // SAFETY: bias holds P × 16 numbers.
            let bias = unsafe { _mm512_loadu_si512(bias.as_ptr().add(p * LANES).cast()) };
            for r in 0..R {
                acc[r][p] = bias;
            }
        }
        for line in 0..LINES.min(strip.bases.len()) {
            // SAFETY: `strips` checked that row m begins within each line.
            let a = unsafe { strip.bases[line].add(m * stride) };
            // SAFETY: weights holds steps × P vectors.
            let weights = unsafe { weights.as_ptr().add(line * line_steps * P) };
            for step in 0..line_steps {
                // SAFETY: as above; `strips` checked that R rows from m on are readable for the
                // padded length of a line, and the four bytes at 4 × step lie within.
                unsafe { products(&mut acc, a.add(step * DEPTH), stride, weights.add(step * P)) };
            }
        }
        for (index, &step) in group.rest.iter().enumerate() {
            let (line, step) = if LINES == 1 { (0, step) } else { (step / line_steps, step % line_steps) };
            // SAFETY: as above; steps of the rest are steps of the weights, and for each there are
            // P vectors in `rest`.
            unsafe {
                let a = strip.bases[line].add(m * stride + step * DEPTH);
                products(&mut acc, a, stride, rest.as_ptr().add(index * P));
            }
        }
        let first = m * self.n + group.channel;
        match out {
            Target::Bytes(out) => {
                let out = &mut out[first..];
                assert!(out.len() >= (R - 1) * self.n + group.channels, "the tile lies in the output");
                let scale = self.scale::<P>(group);
                for r in (0..R).step_by(const { rows_per_pack(P) }) {
                    let bytes = self.pack(&acc, r, &scale);
                    // SAFETY: the rows from r on that are below R lie in the output.
                    unsafe {
                        store::<P>(bytes, R - r, group.channels, self.n, out.as_mut_ptr().add(r * self.n))
                    };
                }
            }
            // A copy, so that the accumulators themselves never leave their registers.
            Target::Reals(to) => self.store_reals(group, &{ acc }, to, m),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn store_reals<const R: usize, const P: usize>(
        &self,
        group: &Group,
        acc: &[[__m512i; P]; R],
        to: &mut Reals<'_>,
        m: usize,
    ) {
        let (sums, scales, bias) = to.output.from(group.channel);
        let range = to.output.range;
        let (min, max) = (_mm512_set1_ps(range.min), _mm512_set1_ps(range.max));
        for (r, row) in acc.iter().enumerate() {
            let quantized = to.range(m + r);
            let (zero_point, scale) =
                (_mm512_set1_epi32(quantized.zero_point), _mm512_set1_ps(quantized.scale));
            let out = &mut to.out[(m + r) * self.n + group.channel..][..group.channels];
            let in_order = in_order(row);
            for q in 0..P.min(group.channels.div_ceil(LANES)) {
                // SAFETY: from every channel on as many numbers are readable as a group has channels at
                // most, and the mask covers those that lie in the row.
                unsafe {
                    let at = q * LANES;
                    let sums = _mm512_loadu_si512(sums.as_ptr().add(at).cast());
                    let acc = _mm512_sub_epi32(in_order[q], _mm512_mullo_epi32(sums, zero_point));
                    let real = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale);
                    let real = _mm512_mul_ps(real, _mm512_loadu_ps(scales.as_ptr().add(at)));
                    let real = _mm512_add_ps(real, _mm512_loadu_ps(bias.as_ptr().add(at)));
                    let real = _mm512_min_ps(max, _mm512_max_ps(min, real));
                    let mask = u16::MAX >> LANES.saturating_sub(group.channels - at);
                    _mm512_mask_storeu_ps(out.as_mut_ptr().add(at), mask, real);
                }
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn scale<const P: usize>(&self, group: &Group) -> [__m512; P] {
        let scales = &self.scale[group.constants..][..P * LANES];
        let mut scale = [_mm512_setzero_ps(); P];
        for p in 0..P {
            // SAFETY: scales holds P × 16 numbers.
            scale[p] = unsafe { _mm512_loadu_ps(scales.as_ptr().add(p * LANES)) };
        }
        scale
    }

    /// Requantizes four registers from row `r` on and packs them into one, lane by lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn pack<const R: usize, const P: usize>(
        &self,
        acc: &[[__m512i; P]; R],
        r: usize,
        scale: &[__m512; P],
    ) -> __m512i {
        let mut rounded = [_mm512_setzero_si512(); 4];
        for q in 0..4 {
            // Where fewer rows or registers are left than a pack takes, the last one fills it up.
            let (row, p) = if P <= 2 { (r + q / P, q % P) } else { (r, if q < P { q } else { P - 1 }) };
            let row = if row < R { row } else { R - 1 };
            let real = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[row][p]), scale[p]);
            rounded[q] = _mm512_cvtps_epi32(real);
        }
        let [a, b, c, d] = rounded;
        // Saturation on the way is part of the clamp; all of it behind a ReLU6 with a quantization of
        // its own.
        let (low, high) = (_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
        if (self.zero_point, self.min, self.max) == (0, 0, u8::MAX) {
            return _mm512_packus_epi16(low, high);
        }
        let zero_point = _mm512_set1_epi16(self.zero_point);
        let bytes =
            _mm512_packus_epi16(_mm512_adds_epi16(low, zero_point), _mm512_adds_epi16(high, zero_point));
        let bytes = _mm512_min_epu8(bytes, _mm512_set1_epi8(self.max as i8));
        _mm512_max_epu8(bytes, _mm512_set1_epi8(self.min as i8))
    }
}

/// A row's P registers with their channels side by side.
///
/// ```text
/// P = 3     a = a0 a1 a2 a3     b = b0 b1 b2 b3     c = c0 c1 c2 c3     (lanes of four channels)
/// become        a0 b0 c0 a1         b1 c1 a2 b2         c2 a3 b3 c3
/// ```
#[inline]
#[target_feature(enable = "avx512f")]
fn in_order<const P: usize>(row: &[__m512i; P]) -> [__m512i; 4] {
    let [a, b, c, d] = [row[0], row[1 % P], row[2 % P], row[3 % P]];
    let choose = |a, order: [i64; 8], b| {
        let [o, p, q, r, s, t, u, v] = order;
        _mm512_permutex2var_epi64(a, _mm512_setr_epi64(o, p, q, r, s, t, u, v), b)
    };
    match P {
        1 => [a; 4],
        2 => {
            let first = choose(a, [0, 1, 8, 9, 2, 3, 10, 11], b);
            let second = choose(a, [4, 5, 12, 13, 6, 7, 14, 15], b);
            [first, second, first, second]
        }
        3 => {
            let first = choose(choose(a, [0, 1, 8, 9, 0, 0, 2, 3], b), [0, 1, 2, 3, 8, 9, 6, 7], c);
            let second = choose(choose(b, [2, 3, 0, 0, 12, 13, 4, 5], a), [0, 1, 10, 11, 4, 5, 6, 7], c);
            let third = choose(choose(a, [0, 0, 6, 7, 14, 15, 0, 0], b), [12, 13, 2, 3, 4, 5, 14, 15], c);
            [first, second, third, third]
        }
        _ => {
            let (low, high) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xEE>(a, b));
            let (next_low, next_high) =
                (_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xEE>(c, d));
            [
                _mm512_shuffle_i64x2::<0x88>(low, next_low),
                _mm512_shuffle_i64x2::<0xDD>(low, next_low),
                _mm512_shuffle_i64x2::<0x88>(high, next_high),
                _mm512_shuffle_i64x2::<0xDD>(high, next_high),
            ]
        }
    }
}

/// Rows that four registers hold, of P each.
const fn rows_per_pack(registers: usize) -> usize {
    if registers <= 2 { 4 / registers } else { 1 }
}

/// Stores the `channels` bytes of each row of a pack, of which `rows` are left; rows lie `n` apart.
///
/// # Safety
/// The rows are writable from `to` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn store<const P: usize>(bytes: __m512i, rows: usize, channels: usize, n: usize, to: *mut u8) {
    let mask = u64::MAX >> (64 - channels);
    // SAFETY: the caller's; the mask covers the channels of one row.
    unsafe {
        match P {
            1 => {
                let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
                let bytes = _mm512_permutexvar_epi32(order, bytes);
                let (low, high) = (_mm512_castsi512_si256(bytes), _mm512_extracti64x4_epi64::<1>(bytes));
                let quarters = [
                    _mm256_castsi256_si128(low),
                    _mm256_extracti128_si256::<1>(low),
                    _mm256_castsi256_si128(high),
                    _mm256_extracti128_si256::<1>(high),
                ];
                for (row, quarter) in quarters.into_iter().enumerate() {
                    if row < rows {
                        _mm_mask_storeu_epi8(to.add(row * n).cast(), mask as u16, quarter);
                    }
                }
            }
            2 => {
                let order = _mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
                let bytes = _mm512_permutexvar_epi32(order, bytes);
                let halves = [_mm512_castsi512_si256(bytes), _mm512_extracti64x4_epi64::<1>(bytes)];
                for (row, half) in halves.into_iter().enumerate() {
                    if row < rows {
                        _mm256_mask_storeu_epi8(to.add(row * n).cast(), mask as u32, half);
                    }
                }
            }
            3 => {
                let order = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0);
                _mm512_mask_storeu_epi8(to.cast(), mask, _mm512_permutexvar_epi32(order, bytes));
            }
            _ => _mm512_mask_storeu_epi8(to.cast(), mask, bytes),
        }
    }
}

struct Strip<'a> {
    /// Where each line of the windows begins.
    bases: &'a [*const u8],
    /// Steps of four products in a line.
    line_steps: usize,
    /// Bytes from one row to the next.
    stride: usize,
    start: usize,
    end: usize,
}

/// Adds the products of four activations of each of R rows with P vectors of weights.
///
/// # Safety
/// Four bytes are readable at `a` + r × `stride` for every r < R, and P vectors at `weights`.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn products<const R: usize, const P: usize>(
    acc: &mut [[__m512i; P]; R],
    a: *const u8,
    stride: usize,
    weights: *const Vector,
) {
    let mut w = [_mm512_setzero_si512(); P];
    for p in 0..P {
        // SAFETY: the caller's.
        w[p] = unsafe { _mm512_load_si512(weights.add(p).cast()) };
    }
    for r in 0..R {
        // SAFETY: the caller's.
        let x = unsafe { a.add(r * stride).cast::<i32>().read_unaligned() };
        let x = _mm512_set1_epi32(x);
        for p in 0..P {
            acc[r][p] = _mm512_dpbusd_epi32(acc[r][p], x, w[p]);
        }
    }
}

impl GemmU8 for Gemm {
    fn name(&self) -> &'static str {
        let signed = self.groups.iter().all(|group| group.rest.is_empty());
        if signed { "x86_64-u8i8-avx512vnni" } else { "x86_64-u8u8-avx512vnni" }
    }

    fn k_multiple(&self) -> usize {
        DEPTH
    }

    fn row_multiple(&self) -> usize {
        TILE_MAX
    }

    fn requantized(&self, rows: Rows<'_, u8>, out: &mut [u8]) {
        // SAFETY: `new` found the features on this CPU.
        unsafe { self.rows(rows, Target::Bytes(out)) }
    }

    fn reads_windows(&self) -> bool {
        true
    }

    fn windows(&self, windows: Windows<'_>, out: &mut [u8]) {
        // SAFETY: as above.
        unsafe { self.strips(&windows, Target::Bytes(out)) }
    }

    fn real(&self, rows: Rows<'_, u8>, to: Reals<'_>) {
        to.check(rows.count);
        // SAFETY: as above.
        unsafe { self.rows(rows, Target::Reals(to)) }
    }
}
