//! AVX-512 VNNI: four taps of 64 channels are interleaved byte by byte, so that `vpdpbusd` adds up
//! four taps of each channel.
//!
//! Windows of three columns slide: a column, once interleaved, serves the outputs that share it. Of
//! images with few channels a register holds several pixels. A weight that is too large for a
//! signed byte is split in two.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

mod weights;

use super::{RowKernel, TapRows};
use crate::graph::Size2;
use crate::kernels::window::Window;
use core::arch::{asm, x86_64::*};
use std::ops::Range;

/// Channels in a block: the bytes of a register.
const BLOCK: usize = 64;
/// Products that `vpdpbusd` adds up.
const DEPTH: usize = 4;
/// Most taps of the general kernel, whose addresses are held in an array.
const MAX_TAPS: usize = 64;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Vector([i8; 64]);

/// A number for each lane of four registers.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Lanes<T>([T; BLOCK]);

/// Weights of four interleaved taps, in the four registers that interleaving makes.
type Quad = [Vector; 4];

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// First channel of each block; the last block may overlap the one before.
    blocks: Vec<usize>,
    /// Adjacent pixels of a register; more than one only where a single block holds all channels.
    pixels: usize,
    /// `quads` for each block: columns of taps where the window slides, else runs of four taps.
    weights: Vec<Quad>,
    /// What is left over of weights that exceed a signed byte.
    rest: Vec<Option<Box<Quad>>>,
    quads: usize,
    sliding: bool,
    /// One for each block.
    bias: Vec<Lanes<i32>>,
    scale: Vec<Lanes<f32>>,
    zero_point: i16,
    min: u8,
    max: u8,
    blank: Vector,
    /// An image row of blanks, for taps above and below the image.
    blank_row: Vec<u8>,
}

impl Depthwise {
    /// Columns of the image from one register of outputs to the next.
    fn advance(&self) -> usize {
        self.window.stride.w * self.pixels
    }

    /// Registers of outputs whose taps can be read as 64 bytes each from the block's first channel on,
    /// and which hold whole numbers of pixels.
    fn interior(&self, block: usize) -> Range<usize> {
        let Window { output, kernel, dilation, pad, .. } = self.window;
        let start = pad.w.div_ceil(self.advance());
        let reach = (kernel.w - 1) * dilation.w;
        let last_column = self.blank_row.len().checked_sub(BLOCK + block).map(|last| last / self.channels);
        let last = last_column.and_then(|column| (column + pad.w).checked_sub(reach));
        let end = last.map_or(0, |last| last / self.advance() + 1);
        start..end.min(output.w / self.pixels).max(start)
    }

    /// Bytes of a register that hold a channel.
    fn mask(&self, block: usize) -> u64 {
        let bytes = if self.pixels > 1 { self.pixels * self.channels } else { self.channels - block };
        u64::MAX >> (BLOCK - bytes.min(BLOCK))
    }
}

/// Row and column of the tap at `depth` of a quad, where there is one.
fn tap(window: &Window, sliding: bool, quad: usize, depth: usize) -> Option<(usize, usize)> {
    let Size2 { h, w } = window.kernel;
    if sliding {
        (depth < h).then_some((depth, quad))
    } else {
        Some(quad * DEPTH + depth).filter(|tap| *tap < h * w).map(|tap| (tap / w, tap % w))
    }
}

/// Constants of a block of channels.
#[derive(Clone, Copy)]
struct Block<'a> {
    channel: usize,
    weights: &'a [Quad],
    rest: &'a [Option<Box<Quad>>],
    bias: &'a Lanes<i32>,
    scale: &'a Lanes<f32>,
    /// Bytes that hold a channel.
    mask: u64,
}

impl Depthwise {
    fn block(&self, index: usize) -> Block<'_> {
        let channel = self.blocks[index];
        let quads = index * self.quads..(index + 1) * self.quads;
        Block {
            channel,
            weights: &self.weights[quads.clone()],
            rest: &self.rest[quads],
            bias: &self.bias[index],
            scale: &self.scale[index],
            mask: self.mask(channel),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn run(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        let Window { output, kernel, dilation, pad, .. } = self.window;
        assert!(out.len() >= output.w * self.channels, "the output holds the row");
        assert_eq!(rows.len(), kernel.h, "a row for each row of taps");
        // Where there is no tap weights are zero, and any row will do.
        let mut taps = [Tap { row: &self.blank_row, column: 0usize.wrapping_sub(pad.w) }; MAX_TAPS];
        for (i, to) in taps[..self.quads * DEPTH].iter_mut().enumerate() {
            if let Some((row, column)) = tap(&self.window, self.sliding, i / DEPTH, i % DEPTH) {
                to.column = to.column.wrapping_add(column * dilation.w);
                to.row = rows[row].unwrap_or(&self.blank_row);
                assert!(to.row.len() >= self.blank_row.len(), "the input row is whole");
            }
        }
        let quads = &taps.as_chunks().0[..self.quads];
        for index in 0..self.blocks.len() {
            let block = self.block(index);
            let interior = self.interior(block.channel);
            let count = output.w.div_ceil(self.pixels);
            for index in (0..count.min(interior.start)).chain(interior.end..count) {
                self.edge(quads, &block, index, out);
            }
            match (quads, self.advance()) {
                ([left, ..], 1) if self.sliding => self.slide::<1>(left, &block, interior, out),
                ([left, ..], 2) if self.sliding => self.slide::<2>(left, &block, interior, out),
                _ => self.whole(quads, &block, interior, out),
            }
        }
    }

    /// A register of outputs whose taps reach beyond the image, or to within 64 bytes of its end.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn edge(&self, quads: &[[Tap<'_>; DEPTH]], block: &Block<'_>, index: usize, out: &mut [u8]) {
        // SAFETY: a vector is 64 bytes.
        let blank = unsafe { _mm512_load_si512(self.blank.0.as_ptr().cast()) };
        let pixel = if self.pixels > 1 { u64::MAX >> (BLOCK - self.channels) } else { block.mask };
        let mut acc = bias(block);
        for (quad, taps) in quads.iter().enumerate() {
            let mut bytes = [blank; DEPTH];
            for (bytes, tap) in bytes.iter_mut().zip(taps) {
                let column = tap.column.wrapping_add(index * self.advance());
                let mut mask = 0;
                for at in 0..self.pixels {
                    if column.wrapping_add(at) < self.window.input.w {
                        mask |= pixel << (at * self.channels);
                    }
                }
                let from = column.wrapping_mul(self.channels).wrapping_add(block.channel);
                // SAFETY: the mask covers channels of pixels in the row alone.
                *bytes = unsafe {
                    _mm512_mask_loadu_epi8(blank, mask, tap.row.as_ptr().wrapping_add(from).cast())
                };
            }
            self.accumulate(&mut acc, interleave(bytes), block, quad);
        }
        let x = index * self.pixels;
        let mask = match self.window.output.w - x {
            left if left < self.pixels => u64::MAX >> (BLOCK - left * self.channels),
            _ => block.mask,
        };
        self.store(acc, block, x, mask, out);
    }

    /// Interior windows of three columns, each register of outputs `ADVANCE` columns after the one
    /// before.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn slide<const ADVANCE: usize>(
        &self,
        left: &[Tap<'_>; DEPTH],
        block: &Block<'_>,
        interior: Range<usize>,
        out: &mut [u8],
    ) {
        if interior.is_empty() || block.weights.len() != 3 {
            return;
        }
        let first = left[0].column.wrapping_add(interior.start * ADVANCE);
        let bases = left.map(|tap| tap.row[first * self.channels + block.channel..].as_ptr());
        // SAFETY: `interior` counts registers whose three columns lie in the rows, each readable for
        // 64 bytes.
        let column = |at: usize| unsafe { load(bases, at * self.channels) };
        let (mut left, mut middle) = (column(0), column(1));
        for (step, index) in interior.clone().enumerate() {
            let right = column(step * ADVANCE + 2);
            let mut acc = bias(block);
            self.accumulate(&mut acc, left, block, 0);
            self.accumulate(&mut acc, middle, block, 1);
            self.accumulate(&mut acc, right, block, 2);
            self.store(acc, block, index * self.pixels, block.mask, out);
            (left, middle) = (middle, right);
            if ADVANCE == 2 && index + 1 < interior.end {
                (left, middle) = (right, column(step * ADVANCE + 3));
            }
        }
    }

    /// Interior windows of any kind.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn whole(&self, quads: &[[Tap<'_>; DEPTH]], block: &Block<'_>, interior: Range<usize>, out: &mut [u8]) {
        for index in interior {
            let mut acc = bias(block);
            for (quad, taps) in quads.iter().enumerate() {
                let mut bytes = [_mm512_setzero_si512(); DEPTH];
                for (bytes, tap) in bytes.iter_mut().zip(taps) {
                    let column = tap.column.wrapping_add(index * self.advance());
                    // SAFETY: `interior` counts registers whose columns lie in the rows, each
                    // readable for 64 bytes.
                    *bytes = unsafe {
                        _mm512_loadu_si512(
                            tap.row.as_ptr().add(column * self.channels + block.channel).cast(),
                        )
                    };
                }
                self.accumulate(&mut acc, interleave(bytes), block, quad);
            }
            self.store(acc, block, index * self.pixels, block.mask, out);
        }
    }

    /// Adds four taps of every channel.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn accumulate(&self, acc: &mut [__m512i; 4], taps: [__m512i; 4], block: &Block<'_>, quad: usize) {
        let add = |acc: &mut [__m512i; 4], weights: &Quad| {
            let weights = in_memory(weights);
            for q in 0..4 {
                // SAFETY: a vector is 64 aligned bytes.
                let w = unsafe { _mm512_load_si512(weights[q].0.as_ptr().cast()) };
                acc[q] = _mm512_dpbusd_epi32(acc[q], taps[q], w);
            }
        };
        add(acc, &block.weights[quad]);
        if let Some(rest) = &block.rest[quad] {
            add(acc, rest);
        }
    }

    /// Requantizes the outputs from pixel `x` on and writes those bytes that `mask` names.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn store(&self, acc: [__m512i; 4], block: &Block<'_>, x: usize, mask: u64, out: &mut [u8]) {
        let scale = in_memory(block.scale);
        let mut rounded = acc;
        for q in 0..4 {
            // SAFETY: four times 16 aligned numbers.
            let scale = unsafe { _mm512_load_ps(scale.0.as_ptr().add(16 * q)) };
            rounded[q] = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc[q]), scale));
        }
        let [a, b, c, d] = rounded;
        // Saturation on the way is part of the clamp, and often all of it.
        let (low, high) = (_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
        let bytes = if (self.zero_point, self.min, self.max) == (0, 0, u8::MAX) {
            _mm512_packus_epi16(low, high)
        } else {
            let zero_point = _mm512_set1_epi16(self.zero_point);
            let (low, high) = (_mm512_adds_epi16(low, zero_point), _mm512_adds_epi16(high, zero_point));
            let bytes = _mm512_min_epu8(_mm512_packus_epi16(low, high), _mm512_set1_epi8(self.max as i8));
            _mm512_max_epu8(bytes, _mm512_set1_epi8(self.min as i8))
        };
        // SAFETY: `run` checked that the output holds every pixel; the mask covers channels of pixels
        // that exist.
        unsafe {
            let to = out.as_mut_ptr().add(x * self.channels + block.channel);
            _mm512_mask_storeu_epi8(to.cast(), mask, bytes);
        }
    }
}

/// What accumulators begin with.
#[inline]
#[target_feature(enable = "avx512f")]
fn bias(block: &Block<'_>) -> [__m512i; 4] {
    let bias = in_memory(block.bias);
    let mut acc = [_mm512_setzero_si512(); 4];
    for q in 0..4 {
        // SAFETY: four times 16 aligned numbers.
        acc[q] = unsafe { _mm512_load_si512(bias.0.as_ptr().add(16 * q).cast()) };
    }
    acc
}

/// Keeps loads through the reference where they stand. Hoisted out of a loop there are more of them than
/// registers, and they end up on a stack that is not aligned for them: a third slower.
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read or written")]
fn in_memory<T>(reference: &T) -> &T {
    let mut address: *const T = reference;
    // SAFETY: no instruction, and the address stays as it is.
    unsafe {
        asm!("/* {0} */", inout(reg) address, options(nomem, nostack, preserves_flags));
        &*address
    }
}

/// A tap of the window: the row that it reads, and the column for the first register of outputs. Columns left
/// of the image are numbers beyond its right end, wrapped.
#[derive(Clone, Copy)]
struct Tap<'a> {
    row: &'a [u8],
    column: usize,
}

/// 64 bytes of four rows, interleaved.
///
/// # Safety
/// They are readable `offset` bytes after each base.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn load(bases: [*const u8; DEPTH], offset: usize) -> [__m512i; 4] {
    let mut bytes = [_mm512_setzero_si512(); DEPTH];
    for (bytes, base) in bytes.iter_mut().zip(bases) {
        // SAFETY: the caller's.
        *bytes = unsafe { _mm512_loadu_si512(base.add(offset).cast()) };
    }
    interleave(bytes)
}

/// Byte i of the four, for every i, side by side; channels in the order of [`order`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn interleave([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let (ab_low, ab_high) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
    let (cd_low, cd_high) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
    [
        _mm512_unpacklo_epi16(ab_low, cd_low),
        _mm512_unpackhi_epi16(ab_low, cd_low),
        _mm512_unpacklo_epi16(ab_high, cd_high),
        _mm512_unpackhi_epi16(ab_high, cd_high),
    ]
}

impl RowKernel<u8> for Depthwise {
    fn name(&self) -> &'static str {
        match (self.sliding, self.rest.iter().all(Option::is_none)) {
            (true, true) => "x86_64-u8i8-avx512vnni-sliding",
            (true, _) => "x86_64-u8u8-avx512vnni-sliding",
            (false, true) => "x86_64-u8i8-avx512vnni",
            (false, _) => "x86_64-u8u8-avx512vnni",
        }
    }

    fn row(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        // SAFETY: `new` found the features on this CPU.
        unsafe { self.run(rows, out) }
    }
}
