//! NEON without dot products: `smull` and `smlal` on signed bytes, two taps to a 16-bit lane, 16 channels
//! at a time.
//!
//! Weights within ±127 keep both products of a lane within 16 bits: 2 × 128 × 127 = 32512.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::addresses::{Addresses, Lines, MAX_TAPS};
use super::{RowKernel, TapRows, Taps};
use crate::graph::Size2;
use crate::kernels::gemm::{extremes, split_within};
use crate::kernels::requantize::Requantize;
use crate::kernels::requantize::neon::{Finish, mode};
use crate::kernels::window::Window;
use core::arch::aarch64::*;

/// Channels in a block.
const BLOCK: usize = 16;
/// Taps of the window that is unrolled.
const NINE: usize = 9;

struct Block {
    /// The first channel. The last block may overlap the one before.
    channel: usize,
    /// Where its rows of weights begin.
    weights: usize,
    /// Where those begin that are left of weights beyond a signed byte.
    rest: Option<usize>,
    bias: [i32; BLOCK],
    scale: [f32; BLOCK],
}

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    blocks: Vec<Block>,
    /// A row for each tap of a block, and one of zeros where their number is odd.
    weights: Vec<[i8; BLOCK]>,
    /// A row of the input's zero point.
    blank: Vec<u8>,
    finish: Finish,
}

impl Depthwise {
    /// `None` where this CPU cannot run it, or its arithmetic would not be exact.
    pub(super) fn new(taps: &Taps<'_, u8, i16>, requantize: &Requantize) -> Option<Self> {
        let Taps { window, channels, weights, blank } = *taps;
        let exact = requantize.scale.iter().all(|scale| scale.is_finite());
        let fits = channels >= BLOCK && window.taps() <= MAX_TAPS;
        if !exact || !fits || !std::arch::is_aarch64_feature_detected!("neon") {
            return None;
        }
        let rows = window.taps().next_multiple_of(2);
        let (mut blocks, mut packed) = (Vec::new(), Vec::new());
        for first in (0..channels).step_by(BLOCK) {
            let channel = first.min(channels - BLOCK);
            let (mut own, mut left) = (vec![[0; BLOCK]; rows], vec![[0; BLOCK]; rows]);
            let mut bias: [i32; BLOCK] = std::array::from_fn(|c| requantize.bias[channel + c]);
            for tap in 0..window.taps() {
                for c in 0..BLOCK {
                    let w = weights.row(tap)[channel + c];
                    (own[tap][c], left[tap][c]) = split_within(w, -127..=127)?;
                    // Activations that are flipped to signed bytes are 128 less.
                    bias[c] = bias[c].wrapping_add(128 * i32::from(w));
                }
            }
            let scale = std::array::from_fn(|c| requantize.scale[channel + c]);
            let splits = left.as_flattened().iter().any(|&w| w != 0);
            let weights = packed.len();
            packed.append(&mut own);
            let rest = splits.then_some(packed.len());
            if splits {
                packed.append(&mut left);
            }
            blocks.push(Block { channel, weights, rest, bias, scale });
        }
        let of = |c: usize| extremes(weights.data.iter().skip(c).step_by(channels));
        let finish = Finish::new(requantize, of);
        let blank = vec![blank; window.input.w * channels];
        Some(Self { window, channels, blocks, weights: packed, blank, finish })
    }

    #[target_feature(enable = "neon")]
    fn run<const MODE: u8>(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        let Window { output, kernel, stride, .. } = self.window;
        assert!(out.len() >= output.w * self.channels, "whole rows");
        let lines = Lines::new(&self.window, self.channels, rows, &self.blank);
        let mut addresses = lines.blank();
        let interior = self.window.interior_columns();
        let nine = kernel == Size2 { h: 3, w: 3 };
        for x in (0..interior.start).chain(interior.end..output.w) {
            lines.taps(x, &mut addresses);
            for block in &self.blocks {
                let out = out[x * self.channels + block.channel..].as_mut_ptr();
                // SAFETY: sixteen bytes are readable from each address and this offset on.
                unsafe {
                    Pixel { depthwise: self, block, out }.run::<MODE>(&addresses, block.channel, 1, 0, nine)
                };
            }
        }
        if interior.is_empty() {
            return;
        }
        lines.interior_taps(interior.start, &mut addresses);
        let step = stride.w * self.channels;
        for block in &self.blocks {
            let out = out[interior.start * self.channels + block.channel..].as_mut_ptr();
            // SAFETY: the taps of interior columns lie in their rows.
            unsafe {
                Pixel { depthwise: self, block, out }.run::<MODE>(
                    &addresses,
                    block.channel,
                    interior.len(),
                    step,
                    nine,
                );
            }
        }
    }
}

/// Output pixels of a block of channels from left to right.
struct Pixel<'a> {
    depthwise: &'a Depthwise,
    block: &'a Block,
    out: *mut u8,
}

impl Pixel<'_> {
    /// `count` pixels, whose taps lie `step` further from one to the next.
    ///
    /// # Safety
    /// Sixteen bytes are readable at each tap's address plus the offset of each pixel, and writable at
    /// its output.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn run<const MODE: u8>(
        &mut self,
        addresses: &Addresses,
        offset: usize,
        count: usize,
        step: usize,
        nine: bool,
    ) {
        match addresses.first_chunk::<NINE>() {
            Some(nine_addresses) if nine && self.block.rest.is_none() => {
                // A copy, which the stores to the output cannot change.
                let nine_addresses = *nine_addresses;
                for index in 0..count {
                    // SAFETY: the caller's.
                    unsafe { self.nine::<MODE>(&nine_addresses, offset + index * step) };
                }
            }
            _ => {
                for index in 0..count {
                    // SAFETY: as above.
                    unsafe { self.any::<MODE>(addresses, offset + index * step) };
                }
            }
        }
    }

    /// # Safety
    /// Sixteen bytes are readable at each tap's address plus `offset`, and writable at `out`.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn nine<const MODE: u8>(&mut self, addresses: &[*const u8; NINE], offset: usize) {
        let weights = self.depthwise.weights[self.block.weights..][..NINE + 1].as_ptr();
        let mut acc = self.bias();
        // SAFETY: the caller's; ten rows of weights.
        unsafe {
            let at = |tap: usize| addresses[tap].add(offset);
            for tap in [0, 2, 4, 6] {
                acc = two(acc, [at(tap), at(tap + 1)], weights.add(tap));
            }
            let (x, w) = (flipped(at(8)), vld1q_s8(weights.add(8).cast()));
            acc = widen(acc, vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_high_s8(x, w));
            self.store::<MODE>(acc);
        }
    }

    /// # Safety
    /// As for [`Pixel::nine`].
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn any<const MODE: u8>(&mut self, addresses: &Addresses, offset: usize) {
        let taps = self.depthwise.window.taps();
        let mut acc = self.bias();
        for first in [Some(self.block.weights), self.block.rest].into_iter().flatten() {
            let weights = self.depthwise.weights[first..][..taps.next_multiple_of(2)].as_ptr();
            for tap in (0..taps).step_by(2) {
                // The weights of a tap that is not there are zero.
                let other = if tap + 1 < taps { tap + 1 } else { tap };
                // SAFETY: the caller's; a row of weights for each tap.
                unsafe {
                    let pixels = [addresses[tap].add(offset), addresses[other].add(offset)];
                    acc = two(acc, pixels, weights.add(tap));
                }
            }
        }
        // SAFETY: the caller's.
        unsafe { self.store::<MODE>(acc) };
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn bias(&self) -> [int32x4_t; 4] {
        let mut acc = [vdupq_n_s32(0); 4];
        for q in 0..4 {
            // SAFETY: the bias is 16 numbers.
            acc[q] = unsafe { vld1q_s32(self.block.bias.as_ptr().add(4 * q)) };
        }
        acc
    }

    /// # Safety
    /// Sixteen bytes are writable at `out`.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn store<const MODE: u8>(&mut self, acc: [int32x4_t; 4]) {
        let mut scale = [vdupq_n_f32(0.0); 4];
        for q in 0..4 {
            // SAFETY: there are 16 scales.
            scale[q] = unsafe { vld1q_f32(self.block.scale.as_ptr().add(4 * q)) };
        }
        let bytes = self.depthwise.finish.bytes::<MODE>(acc, scale);
        // SAFETY: the caller's.
        unsafe { vst1q_u8(self.out, bytes) };
        self.out = self.out.wrapping_add(self.depthwise.channels);
    }
}

/// Sixteen activations as signed bytes.
///
/// # Safety
/// They are readable.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn flipped(from: *const u8) -> int8x16_t {
    // SAFETY: the caller's.
    vreinterpretq_s8_u8(veorq_u8(unsafe { vld1q_u8(from) }, vdupq_n_u8(0x80)))
}

/// acc + the products of two taps.
///
/// # Safety
/// Sixteen bytes are readable at both pixels, and two rows of weights.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn two(acc: [int32x4_t; 4], pixels: [*const u8; 2], weights: *const [i8; BLOCK]) -> [int32x4_t; 4] {
    // SAFETY: the caller's.
    let ([a, b], [v, w]) = unsafe {
        (
            [flipped(pixels[0]), flipped(pixels[1])],
            [vld1q_s8(weights.cast()), vld1q_s8(weights.add(1).cast())],
        )
    };
    let low = vmlal_s8(vmull_s8(vget_low_s8(a), vget_low_s8(v)), vget_low_s8(b), vget_low_s8(w));
    widen(acc, low, vmlal_high_s8(vmull_high_s8(a, v), b, w))
}

#[inline]
#[target_feature(enable = "neon")]
fn widen(acc: [int32x4_t; 4], low: int16x8_t, high: int16x8_t) -> [int32x4_t; 4] {
    [
        vaddw_s16(acc[0], vget_low_s16(low)),
        vaddw_high_s16(acc[1], low),
        vaddw_s16(acc[2], vget_low_s16(high)),
        vaddw_high_s16(acc[3], high),
    ]
}

impl RowKernel<u8> for Depthwise {
    fn name(&self) -> &'static str {
        "aarch64-u8i8-neon"
    }

    fn row(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        // SAFETY: `new` found the feature on this CPU.
        unsafe {
            match self.finish.mode() {
                mode::EVEN => self.run::<{ mode::EVEN }>(rows, out),
                mode::WHOLE => self.run::<{ mode::WHOLE }>(rows, out),
                mode::NARROW => self.run::<{ mode::NARROW }>(rows, out),
                _ => self.run::<{ mode::ANY }>(rows, out),
            }
        }
    }
}
