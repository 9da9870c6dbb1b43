//! AVX-VNNI: four taps of 32 channels are interleaved byte by byte, so that `vpdpbusd` adds up
//! four taps of each channel.
//!
//! Windows of three columns slide: a column, once interleaved, serves the outputs that share it.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::{RowKernel, TapRows, Taps};
use crate::kernels::requantize::Requantize;
use crate::kernels::window::Window;
use core::arch::x86_64::*;

/// Channels in a block: the bytes of a register.
const BLOCK: usize = 32;
/// Products that `vpdpbusd` adds up.
const DEPTH: usize = 4;
/// Most taps of the general kernel, whose addresses are held in an array.
const MAX_TAPS: usize = 64;

#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Vector([i8; 32]);

/// Weights of four interleaved taps, in the four registers that interleaving makes.
type Quad = [Vector; 4];

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// First channel of each block; the last block may overlap the one before.
    blocks: Vec<usize>,
    /// `quads` for each block: columns of taps where the window slides, else runs of four taps.
    weights: Vec<Quad>,
    quads: usize,
    sliding: bool,
    bias: Vec<i32>,
    scale: Vec<f32>,
    zero_point: i16,
    min: u8,
    max: u8,
    /// What all activations of a block's windows are multiplied with besides their weights, to take
    /// back the shift that made its weights fit in signed bytes; zero for most blocks.
    unshift: Vec<i8>,
    blank: Vector,
}

impl Depthwise {
    /// `None` where this CPU cannot run it, or its arithmetic would not be exact.
    pub(super) fn new(taps: &Taps<'_, u8, i16>, requantize: &Requantize) -> Option<Self> {
        let Taps { window, channels, weights, blank } = *taps;
        let bound = window.taps() as f64 * 255.0 * 255.0;
        let converts = requantize.bias.iter().zip(&requantize.scale).all(|(&bias, &scale)| {
            (bound + f64::from(bias.unsigned_abs())) * f64::from(scale) < f64::from(1 << 30)
        });
        let available = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("avxvnni");
        if !available || !converts || window.taps() > MAX_TAPS || channels == 0 {
            return None;
        }
        let sliding = window.kernel.w == 3
            && window.kernel.h <= DEPTH
            && window.dilation.w == 1
            && window.stride.w <= 2;
        let mut blocks: Vec<usize> = (0..channels).step_by(BLOCK).collect();
        if let Some(last) = blocks.last_mut() {
            *last = (*last).min(channels.saturating_sub(BLOCK));
        }
        let tap = |quad: usize, depth: usize| {
            if sliding {
                (depth < window.kernel.h).then_some(depth * window.kernel.w + quad)
            } else {
                Some(quad * DEPTH + depth).filter(|&tap| tap < window.taps())
            }
        };
        let quads = if sliding { window.kernel.w } else { window.taps().div_ceil(DEPTH) };
        let mut packed = Vec::with_capacity(blocks.len() * quads);
        let mut unshift = Vec::with_capacity(blocks.len());
        for &block in &blocks {
            let of_block = || {
                (0..weights.n).flat_map(|tap| &weights.row(tap)[block..channels.min(block + BLOCK)]).copied()
            };
            let (min, max) = (of_block().min()?, of_block().max()?);
            // The shift closest to zero with all weights + shift in −128..=127.
            let shift = 0i16.clamp(-128 - min, (127 - max).max(-128 - min));
            if max + shift > 127 {
                return None;
            }
            unshift.push(i8::try_from(-shift).ok()?);
            for quad in 0..quads {
                let mut vectors = [Vector([0; 32]); 4];
                for (i, c) in order(block).enumerate().filter(|&(_, c)| c < channels) {
                    for depth in 0..DEPTH {
                        if let Some(tap) = tap(quad, depth) {
                            vectors[i / 8].0[i % 8 * DEPTH + depth] = (weights.row(tap)[c] + shift) as i8;
                        }
                    }
                }
                packed.push(vectors);
            }
        }
        let channel_order = || blocks.iter().flat_map(|&block| order(block));
        Some(Self {
            window,
            channels,
            weights: packed,
            quads,
            sliding,
            bias: channel_order().map(|c| requantize.bias.get(c).copied().unwrap_or(0)).collect(),
            scale: channel_order().map(|c| requantize.scale.get(c).copied().unwrap_or(0.0)).collect(),
            zero_point: requantize.zero_point as i16,
            min: requantize.range.min,
            max: requantize.range.max,
            unshift,
            blank: Vector([blank as i8; 32]),
            blocks,
        })
    }
}

/// Channels of a block in the order that interleaving gives the lanes of four registers.
fn order(block: usize) -> impl Iterator<Item = usize> {
    (0..BLOCK).map(move |i| {
        let (register, element) = (i / 8, i % 8);
        block + element / 4 * 16 + register * 4 + element % 4
    })
}

/// A row of pixels, or the blank that stands for all its pixels.
#[derive(Clone, Copy)]
struct Source {
    base: *const u8,
    /// Bytes between pixels; zero for the blank.
    step: usize,
}

/// Constants of a block of channels.
#[derive(Clone, Copy)]
struct Block<'a> {
    channel: usize,
    weights: &'a [Quad],
    bias: [__m256i; 4],
    scale: [__m256; 4],
    unshift: i8,
}

impl Depthwise {
    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    fn block(&self, index: usize) -> Block<'_> {
        let channel = self.blocks[index];
        let bias = &self.bias[index * BLOCK..][..BLOCK];
        let scale = &self.scale[index * BLOCK..][..BLOCK];
        let mut block = Block {
            channel,
            weights: &self.weights[index * self.quads..][..self.quads],
            bias: [_mm256_setzero_si256(); 4],
            scale: [_mm256_setzero_ps(); 4],
            unshift: self.unshift[index],
        };
        for q in 0..4 {
            // SAFETY: both slices hold 4 × 8 numbers.
            unsafe {
                block.bias[q] = _mm256_loadu_si256(bias.as_ptr().add(q * 8).cast());
                block.scale[q] = _mm256_loadu_ps(scale.as_ptr().add(q * 8));
            }
        }
        block
    }

    #[target_feature(enable = "avx2,avxvnni")]
    fn run(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        assert!(out.len() >= self.window.output.w * self.channels, "the output holds the row");
        assert_eq!(rows.len(), self.window.kernel.h, "a row for each row of taps");
        let row_len = self.window.input.w * self.channels;
        let blank = Source { base: self.blank.0.as_ptr().cast(), step: 0 };
        let mut sources = [blank; MAX_TAPS];
        for (source, row) in sources.iter_mut().zip(rows) {
            if let Some(row) = row {
                assert!(row.len() >= row_len, "the input row is whole");
                *source = Source { base: row.as_ptr(), step: self.channels };
            }
        }
        if !self.sliding {
            self.taps(&sources[..rows.len()], out);
            return;
        }
        let mut columns = [blank; DEPTH];
        columns[..rows.len()].copy_from_slice(&sources[..rows.len()]);
        for index in 0..self.blocks.len() {
            let block = self.block(index);
            match (self.window.stride.w, block.unshift) {
                (1, 0) => self.slide::<1, false>(&columns, block, out),
                (1, _) => self.slide::<1, true>(&columns, block, out),
                (_, 0) => self.slide::<2, false>(&columns, block, out),
                (_, _) => self.slide::<2, true>(&columns, block, out),
            }
        }
    }

    /// 32 bytes of a pixel's channels; the blank where the column lies beyond the image.
    ///
    /// # Safety
    /// `source` has `Window::input.w` pixels of `channels` bytes, or is the blank.
    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    unsafe fn load(&self, source: Source, column: usize, block: &Block<'_>) -> __m256i {
        let inside = column < self.window.input.w;
        let mut at = self.blank.0.as_ptr().cast();
        let mut end = [0; BLOCK];
        if inside && source.step > 0 {
            let offset = column * source.step + block.channel;
            let left = self.window.input.w * source.step - offset;
            at = source.base.wrapping_add(offset);
            if left < BLOCK {
                // SAFETY: as many bytes are left of the row.
                unsafe { at.copy_to_nonoverlapping(end.as_mut_ptr(), left) };
                at = end.as_ptr();
            }
        }
        // SAFETY: 32 bytes lie in the row, in its copied end, or in the blank.
        unsafe { _mm256_loadu_si256(at.cast()) }
    }

    /// One column of taps, interleaved.
    ///
    /// # Safety
    /// As for `load`.
    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    unsafe fn column(&self, rows: &[Source; DEPTH], column: usize, block: &Block<'_>) -> [__m256i; 4] {
        let zero = _mm256_setzero_si256();
        let height = self.window.kernel.h;
        // SAFETY: passed on.
        unsafe {
            let a = self.load(rows[0], column, block);
            let b = if height > 1 { self.load(rows[1], column, block) } else { zero };
            let c = if height > 2 { self.load(rows[2], column, block) } else { zero };
            let d = if height > 3 { self.load(rows[3], column, block) } else { zero };
            interleave(a, b, c, d)
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    fn slide<const STRIDE: usize, const UNSHIFT: bool>(
        &self,
        rows: &[Source; DEPTH],
        block: Block<'_>,
        out: &mut [u8],
    ) {
        let &[left_weights, middle_weights, right_weights] = block.weights else { return };
        let weights = [left_weights, middle_weights, right_weights];
        let pad = self.window.pad.w;
        // Columns left of the image wrap to numbers beyond its right end.
        let at = |x: usize, tap: usize| (x * STRIDE + tap).wrapping_sub(pad);
        // SAFETY: `run` checked the rows.
        let (mut left, mut middle) =
            unsafe { (self.column(rows, at(0, 0), &block), self.column(rows, at(0, 1), &block)) };
        for x in 0..self.window.output.w {
            // SAFETY: as above.
            let right = unsafe { self.column(rows, at(x, 2), &block) };
            let mut acc = block.bias;
            for (column, weights) in [left, middle, right].iter().zip(&weights) {
                accumulate::<UNSHIFT>(&mut acc, column, weights, block.unshift);
            }
            self.store(acc, &block, x, out);
            if STRIDE == 1 {
                (left, middle) = (middle, right);
            } else {
                left = right;
                // SAFETY: as above.
                middle = unsafe { self.column(rows, at(x + 1, 1), &block) };
            }
        }
    }

    /// Any window: runs of four taps.
    #[target_feature(enable = "avx2,avxvnni")]
    fn taps(&self, rows: &[Source], out: &mut [u8]) {
        let taps = self.window.taps();
        let blank = Source { base: self.blank.0.as_ptr().cast(), step: 0 };
        let mut sources = [(blank, 0usize); MAX_TAPS + DEPTH];
        for x in 0..self.window.output.w {
            for (tap, source) in sources[..taps].iter_mut().enumerate() {
                let (row, tap) = (tap / self.window.kernel.w, tap % self.window.kernel.w);
                let column = self.window.input_column(x, tap);
                *source = column.map_or((blank, 0), |column| (rows[row], column));
            }
            for index in 0..self.blocks.len() {
                let block = self.block(index);
                let mut acc = block.bias;
                for (quad, weights) in block.weights.iter().enumerate() {
                    let first = quad * DEPTH;
                    let mut bytes = [_mm256_setzero_si256(); DEPTH];
                    for (depth, bytes) in bytes.iter_mut().enumerate().take(taps - first) {
                        let (source, column) = sources[first + depth];
                        // SAFETY: `run` checked the rows, `input_column` the column.
                        *bytes = unsafe { self.load(source, column, &block) };
                    }
                    let [a, b, c, d] = bytes;
                    let column = interleave(a, b, c, d);
                    if block.unshift == 0 {
                        accumulate::<false>(&mut acc, &column, weights, 0);
                    } else {
                        accumulate::<true>(&mut acc, &column, weights, block.unshift);
                    }
                }
                self.store(acc, &block, x, out);
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    fn store(&self, acc: [__m256i; 4], block: &Block<'_>, x: usize, out: &mut [u8]) {
        let zero_point = _mm256_set1_epi16(self.zero_point);
        let mut rounded = acc;
        for q in 0..4 {
            let real = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[q]), block.scale[q]);
            rounded[q] = _mm256_cvtps_epi32(real);
        }
        let [a, b, c, d] = rounded;
        // Saturation on the way is part of the clamp.
        let low = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point);
        let high = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero_point);
        let bytes = _mm256_packus_epi16(low, high);
        let bytes = _mm256_min_epu8(bytes, _mm256_set1_epi8(self.max as i8));
        let bytes = _mm256_max_epu8(bytes, _mm256_set1_epi8(self.min as i8));
        let at = x * self.channels + block.channel;
        match out[at..].first_chunk_mut::<BLOCK>() {
            // SAFETY: the array has 32 bytes. Of fewer channels those beyond are the next pixel's, which
            // is written later.
            Some(out) => unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), bytes) },
            None => {
                let mut end = [0; BLOCK];
                // SAFETY: as above.
                unsafe { _mm256_storeu_si256(end.as_mut_ptr().cast(), bytes) };
                let left = out.len() - at;
                out[at..].copy_from_slice(&end[..left]);
            }
        }
    }
}

/// Adds four taps of every channel.
#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn accumulate<const UNSHIFT: bool>(
    acc: &mut [__m256i; 4],
    column: &[__m256i; 4],
    weights: &Quad,
    unshift: i8,
) {
    for q in 0..4 {
        // SAFETY: a vector is 32 aligned bytes.
        let w = unsafe { _mm256_load_si256(weights[q].0.as_ptr().cast()) };
        acc[q] = _mm256_dpbusd_avx_epi32(acc[q], column[q], w);
        if UNSHIFT {
            acc[q] = _mm256_dpbusd_avx_epi32(acc[q], column[q], _mm256_set1_epi8(unshift));
        }
    }
}

/// Byte i of the four, for every i, side by side; channels in the order of [`order`].
#[inline]
#[target_feature(enable = "avx2")]
fn interleave(a: __m256i, b: __m256i, c: __m256i, d: __m256i) -> [__m256i; 4] {
    let (ab_low, ab_high) = (_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
    let (cd_low, cd_high) = (_mm256_unpacklo_epi8(c, d), _mm256_unpackhi_epi8(c, d));
    [
        _mm256_unpacklo_epi16(ab_low, cd_low),
        _mm256_unpackhi_epi16(ab_low, cd_low),
        _mm256_unpacklo_epi16(ab_high, cd_high),
        _mm256_unpackhi_epi16(ab_high, cd_high),
    ]
}

impl RowKernel<u8> for Depthwise {
    fn name(&self) -> &'static str {
        match (self.sliding, self.unshift.iter().all(|&unshift| unshift == 0)) {
            (true, true) => "x86_64-u8i8-avxvnni-sliding",
            (true, _) => "x86_64-u8u8-avxvnni-sliding",
            (false, true) => "x86_64-u8i8-avxvnni",
            (false, _) => "x86_64-u8u8-avxvnni",
        }
    }

    fn row(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        // SAFETY: `new` found the features on this CPU.
        unsafe { self.run(rows, out) }
    }
}
