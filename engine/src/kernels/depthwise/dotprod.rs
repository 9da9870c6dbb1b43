//! NEON with dot products: 3×3 windows with a stride of 1, two output rows at a time.
//!
//! Four input rows are interleaved so that each 32-bit lane holds a channel's column of four pixels;
//! one `sdot` then gives three products of the upper output row (weights w0 w1 w2 0) or of the lower
//! one (0 w0 w1 w2). Columns stay in registers while the window slides over them.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::{RowKernel, TapRows, Taps};
use crate::graph::Size2;
use crate::kernels::gemm::{extremes, split};
use crate::kernels::requantize::Requantize;
use crate::kernels::requantize::neon::{Finish, mode};
use crate::kernels::window::Window;
use core::arch::aarch64::*;
use core::arch::asm;

/// Channels of a block.
const BLOCK: usize = 8;
/// For each column of taps and each output row, two registers.
const WEIGHTS: usize = 3 * 2 * 2;

type Column = [int8x16_t; 2];

struct Block {
    /// The first channel. The last block may overlap the one before.
    channel: usize,
    weights: [[i8; 16]; WEIGHTS],
    /// What is left of weights beyond a signed byte.
    rest: Option<Box<[[i8; 16]; WEIGHTS]>>,
    bias: [i32; BLOCK],
    scale: [f32; BLOCK],
}

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    blocks: Vec<Block>,
    /// A row of the input's zero point.
    blank: Vec<u8>,
    finish: Finish,
}

/// Where the byte of a channel lies for tap (`y`, `x`) of output row `row`.
fn slot(channel: usize, y: usize, x: usize, row: usize) -> (usize, usize) {
    ((x * 2 + row) * 2 + channel / 4, channel % 4 * 4 + y + row)
}

impl Depthwise {
    /// `None` for other windows, and where this CPU cannot run it or its arithmetic would not be exact.
    pub(super) fn new(taps: &Taps<'_, u8, i16>, requantize: &Requantize) -> Option<Self> {
        let Taps { window, channels, weights, blank } = *taps;
        let one = Size2 { h: 1, w: 1 };
        let fits = window.kernel == Size2 { h: 3, w: 3 } && window.stride == one && window.dilation == one;
        let exact = requantize.scale.iter().all(|scale| scale.is_finite());
        if !fits || !exact || channels < BLOCK || !std::arch::is_aarch64_feature_detected!("dotprod") {
            return None;
        }
        let mut blocks = Vec::with_capacity(channels.div_ceil(BLOCK));
        for first in (0..channels).step_by(BLOCK) {
            let channel = first.min(channels - BLOCK);
            let (mut packed, mut rest) = ([[0; 16]; WEIGHTS], [[0; 16]; WEIGHTS]);
            let mut bias = [0; BLOCK];
            for c in 0..BLOCK {
                // Activations that are flipped to signed bytes are 128 less.
                let sum: i32 = (0..9).map(|tap| i32::from(weights.row(tap)[channel + c])).sum();
                bias[c] = requantize.bias[channel + c].wrapping_add(128 * sum);
                for tap in 0..9 {
                    let (first, left) = split(weights.row(tap)[channel + c])?;
                    for row in 0..2 {
                        let (register, byte) = slot(c, tap / 3, tap % 3, row);
                        (packed[register][byte], rest[register][byte]) = (first, left);
                    }
                }
            }
            let rest = rest.as_flattened().iter().any(|&w| w != 0).then(|| Box::new(rest));
            let scale = std::array::from_fn(|c| requantize.scale[channel + c]);
            blocks.push(Block { channel, weights: packed, rest, bias, scale });
        }
        let of = |c: usize| extremes(weights.data.iter().skip(c).step_by(channels));
        let finish = Finish::new(requantize, of);
        let blank = vec![blank; window.input.w * channels];
        Some(Self { window, channels, blocks, blank, finish })
    }

    /// The output row whose window begins with `rows`, and the next one where `out` has two.
    #[target_feature(enable = "neon,dotprod")]
    fn run(&self, rows: [Option<&[u8]>; 4], out: &mut [u8]) {
        let row = self.window.output.w * self.channels;
        assert!(out.len() == row || out.len() == 2 * row, "one row or two");
        let mut lines = [self.blank.as_ptr(); 4];
        for (line, row) in lines.iter_mut().zip(rows) {
            if let Some(row) = row {
                assert!(row.len() >= self.blank.len(), "a whole row");
                *line = row.as_ptr();
            }
        }
        let upper = out.as_mut_ptr();
        // Where there is no lower row, the upper one is stored over it.
        let lower = if out.len() == row { upper } else { upper.wrapping_add(row) };
        for block in &self.blocks {
            let lines = lines.map(|line| line.wrapping_add(block.channel));
            let out = [upper.wrapping_add(block.channel), lower.wrapping_add(block.channel)];
            // SAFETY: rows of whole pixels, as checked above.
            unsafe {
                match (self.finish.mode(), &block.rest) {
                    (_, Some(rest)) => self.block::<{ mode::ANY }>(block, Some(rest), lines, out),
                    (mode::EVEN, None) => self.block::<{ mode::EVEN }>(block, None, lines, out),
                    (mode::WHOLE, None) => self.block::<{ mode::WHOLE }>(block, None, lines, out),
                    (mode::NARROW, None) => self.block::<{ mode::NARROW }>(block, None, lines, out),
                    (_, None) => self.block::<{ mode::ANY }>(block, None, lines, out),
                }
            }
        }
    }

    /// # Safety
    /// From `lines` on the pixels of four input rows are readable, and from `out` on those of two output
    /// rows writable.
    #[inline]
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn block<const MODE: u8>(
        &self,
        block: &Block,
        rest: Option<&[[i8; 16]; WEIGHTS]>,
        lines: [*const u8; 4],
        out: [*mut u8; 2],
    ) {
        let (width, columns, pad) = (self.window.output.w, self.window.input.w, self.window.pad.w);
        let blank = vreinterpretq_s8_u8(vdupq_n_u8(self.blank[0] ^ 0x80));
        let mut state = State { finish: self.finish, out, step: self.channels, block };
        // SAFETY: columns below `columns` are readable, and `width` pixels writable.
        unsafe {
            let at = |index: usize| match index.checked_sub(pad) {
                Some(x) if x < columns => column(lines, x * self.channels),
                _ => [blank; 2],
            };
            let (mut a, mut b, mut x) = (at(0), at(1), 0);
            if rest.is_none() {
                let whole = (columns + pad).saturating_sub(4).min(width.saturating_sub(2));
                while x < whole && x + 2 >= pad {
                    let first = (x + 2 - pad) * self.channels;
                    let c = column(lines, first);
                    state.pixel::<MODE>([a, b, c], None);
                    a = column(lines, first + self.channels);
                    state.pixel::<MODE>([b, c, a], None);
                    b = column(lines, first + 2 * self.channels);
                    state.pixel::<MODE>([c, a, b], None);
                    x += 3;
                }
            }
            while x < width {
                let c = at(x + 2);
                state.pixel::<MODE>([a, b, c], rest);
                (a, b, x) = (b, c, x + 1);
            }
        }
    }
}

/// Output pixels from left to right.
struct State<'a> {
    finish: Finish,
    out: [*mut u8; 2],
    step: usize,
    block: &'a Block,
}

impl State<'_> {
    /// One pixel of both rows.
    ///
    /// # Safety
    /// Eight bytes are writable at both outputs.
    #[inline]
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn pixel<const MODE: u8>(&mut self, columns: [Column; 3], rest: Option<&[[i8; 16]; WEIGHTS]>) {
        let Block { weights, bias, scale, .. } = self.block;
        // SAFETY: two registers of eight numbers each.
        let (bias, scale) = unsafe {
            let (bias, scale) = (bias.as_ptr(), scale.as_ptr());
            ([vld1q_s32(bias), vld1q_s32(bias.add(4))], [vld1q_f32(scale), vld1q_f32(scale.add(4))])
        };
        let mut acc = [bias[0], bias[1], bias[0], bias[1]];
        products(&mut acc, &columns, weights);
        if let Some(rest) = rest {
            products(&mut acc, &columns, rest);
        }
        let bytes = self.finish.bytes::<MODE>(acc, [scale[0], scale[1], scale[0], scale[1]]);
        // SAFETY: the caller's. The lower row first: the upper one may lie in its place.
        unsafe {
            vst1q_lane_u64::<1>(self.out[1].cast(), vreinterpretq_u64_u8(bytes));
            vst1_u8(self.out[0], vget_low_u8(bytes));
        }
        self.out = self.out.map(|out| out.wrapping_add(self.step));
    }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn products(acc: &mut [int32x4_t; 4], columns: &[Column; 3], weights: &[[i8; 16]; WEIGHTS]) {
    for x in 0..3 {
        for row in 0..2 {
            for quad in 0..2 {
                // SAFETY: an array of 16 bytes.
                let w = unsafe { vld1q_s8(weights[(x * 2 + row) * 2 + quad].as_ptr()) };
                acc[row * 2 + quad] = sdot(acc[row * 2 + quad], w, columns[x][quad]);
            }
        }
    }
}

/// The pixels of four rows at `offset`: for each of eight channels a lane of four bytes, flipped.
///
/// # Safety
/// Eight bytes are readable there.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn column(lines: [*const u8; 4], offset: usize) -> Column {
    let mut pixels = [vdupq_n_u8(0); 4];
    for (pixel, line) in pixels.iter_mut().zip(lines) {
        // SAFETY: the caller's.
        *pixel = unsafe { vcombine_u8(vld1_u8(line.add(offset)), vdup_n_u8(0)) };
    }
    let [a, b, c, d] = pixels;
    let (upper, lower) = (vzip1q_u8(a, b), vzip1q_u8(c, d));
    let (upper, lower) = (vreinterpretq_u16_u8(upper), vreinterpretq_u16_u8(lower));
    let flip = vdupq_n_u8(0x80);
    [vzip1q_u16(upper, lower), vzip2q_u16(upper, lower)]
        .map(|quad| vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u16(quad), flip)))
}

/// acc + dot products of four bytes each. The intrinsic is not stable yet.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(acc: int32x4_t, w: int8x16_t, x: int8x16_t) -> int32x4_t {
    let mut sum = acc;
    // SAFETY: one instruction on registers; the feature is enabled.
    unsafe {
        asm!("sdot {sum:v}.4s, {w:v}.16b, {x:v}.16b", sum = inout(vreg) sum, w = in(vreg) w, x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

impl RowKernel<u8> for Depthwise {
    fn name(&self) -> &'static str {
        "aarch64-u8i8-dotprod"
    }

    fn row(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        // SAFETY: `new` found the features on this CPU.
        unsafe { self.run([rows[0], rows[1], rows[2], None], out) }
    }

    fn computes_pairs(&self) -> bool {
        true
    }

    fn pair(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        // SAFETY: as above.
        unsafe { self.run([rows[0], rows[1], rows[2], rows[3]], out) }
    }
}
