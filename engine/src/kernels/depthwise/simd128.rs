//! WebAssembly's SIMD: two taps of eight channels side by side, multiplied and added up in pairs.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::addresses::{Addresses, Lines, MAX_TAPS};
use super::{RowKernel, TapRows, Taps};
use crate::graph::Size2;
use crate::kernels::requantize::Requantize;
use crate::kernels::requantize::simd128::Finish;
use crate::kernels::window::Window;
use core::arch::wasm32::*;

/// Channels in a block.
const BLOCK: usize = 8;
/// Taps of the window that is unrolled.
const NINE: usize = 9;

/// Weights of two taps, channel by channel.
type Pair = [v128; 2];

struct Block {
    /// The first channel. The last block may overlap the one before.
    channel: usize,
    /// The first pair of weights.
    weights: usize,
    bias: [v128; 2],
    scale: [v128; 2],
}

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    blocks: Vec<Block>,
    /// For each block, a pair for every two taps; where their number is odd the last has zeros.
    weights: Vec<Pair>,
    /// A row of the input's zero point.
    blank: Vec<u8>,
    finish: Finish,
}

impl Depthwise {
    /// `None` where a block does not fit.
    pub(super) fn new(taps: &Taps<'_, u8, i16>, requantize: &Requantize) -> Option<Self> {
        let Taps { window, channels, weights, blank } = *taps;
        if channels < BLOCK || window.taps() > MAX_TAPS {
            return None;
        }
        let (mut blocks, mut packed) = (Vec::new(), Vec::new());
        for first in (0..channels).step_by(BLOCK) {
            let channel = first.min(channels - BLOCK);
            let bias = &requantize.bias[channel..];
            let scale = &requantize.scale[channel..];
            blocks.push(Block {
                channel,
                weights: packed.len(),
                bias: [i32x4(bias[0], bias[1], bias[2], bias[3]), i32x4(bias[4], bias[5], bias[6], bias[7])],
                scale: [
                    f32x4(scale[0], scale[1], scale[2], scale[3]),
                    f32x4(scale[4], scale[5], scale[6], scale[7]),
                ],
            });
            for tap in (0..window.taps()).step_by(2) {
                let of = |tap: usize, c: usize| {
                    if tap < window.taps() { weights.row(tap)[channel + c] } else { 0 }
                };
                packed.push([0, 4].map(|half| {
                    let [a, b, c, d] = [0, 1, 2, 3].map(|i| [of(tap, half + i), of(tap + 1, half + i)]);
                    i16x8(a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1])
                }));
            }
        }
        let (blank, finish) = (vec![blank; window.input.w * channels], Finish::new(requantize));
        Some(Self { window, channels, blocks, weights: packed, blank, finish })
    }

    fn run(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        let Window { output, stride, .. } = self.window;
        assert!(out.len() >= output.w * self.channels, "whole rows");
        let lines = Lines::new(&self.window, self.channels, rows, &self.blank);
        let mut addresses = lines.blank();
        let interior = self.window.interior_columns();
        for x in (0..interior.start).chain(interior.end..output.w) {
            lines.taps(x, &mut addresses);
            for block in &self.blocks {
                let out = out[x * self.channels + block.channel..].as_mut_ptr();
                // SAFETY: eight bytes are readable from each address and this offset on, and writable.
                unsafe { self.pixels(block, &addresses, Steps { count: 1, step: 0 }, out) };
            }
        }
        if interior.is_empty() {
            return;
        }
        lines.interior_taps(interior.start, &mut addresses);
        let steps = Steps { count: interior.len(), step: stride.w * self.channels };
        for block in &self.blocks {
            let out = out[interior.start * self.channels + block.channel..].as_mut_ptr();
            // SAFETY: the taps of interior columns lie in their rows.
            unsafe { self.pixels(block, &addresses, steps, out) };
        }
    }

    /// Output pixels of a block of channels from left to right.
    ///
    /// # Safety
    /// Eight bytes are readable at each tap's address plus the block's channel and the offset of each
    /// pixel, and writable at its output.
    #[inline(always)]
    unsafe fn pixels(&self, block: &Block, addresses: &Addresses, steps: Steps, mut out: *mut u8) {
        let taps = self.window.taps();
        let weights = &self.weights[block.weights..][..taps.div_ceil(2)];
        let nine = self.window.kernel == Size2 { h: 3, w: 3 };
        let nine = addresses.first_chunk::<NINE>().filter(|_| nine).zip(weights.first_chunk::<5>());
        for index in 0..steps.count {
            let offset = block.channel + index * steps.step;
            // SAFETY: the caller's.
            unsafe {
                let acc = match nine {
                    Some((addresses, weights)) => sums(block.bias, addresses, weights, offset),
                    None => sums(block.bias, &addresses[..taps], weights, offset),
                };
                let [low, high] = [0, 1].map(|half| self.finish.levels(acc[half], block.scale[half]));
                v128_store64_lane::<0>(Finish::narrow([low, high, low, high]), out.cast());
                out = out.wrapping_add(self.channels);
            }
        }
    }
}

/// Output pixels in a row, and how far the taps of one lie from those of the next.
#[derive(Clone, Copy)]
struct Steps {
    count: usize,
    step: usize,
}

/// acc + the products of all taps of eight channels.
///
/// # Safety
/// Eight bytes are readable at each address plus `offset`.
#[inline(always)]
unsafe fn sums(mut acc: [v128; 2], addresses: &[*const u8], weights: &[Pair], offset: usize) -> [v128; 2] {
    for (taps, w) in addresses.chunks(2).zip(weights) {
        // The weights of a tap that is not there are zero.
        let other = taps.get(1).unwrap_or(&taps[0]);
        // SAFETY: the caller's.
        let (a, b) = unsafe {
            (u16x8_load_extend_u8x8(taps[0].add(offset)), u16x8_load_extend_u8x8(other.add(offset)))
        };
        let low = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a, b);
        let high = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a, b);
        acc[0] = i32x4_add(acc[0], i32x4_dot_i16x8(low, w[0]));
        acc[1] = i32x4_add(acc[1], i32x4_dot_i16x8(high, w[1]));
    }
    acc
}

impl RowKernel<u8> for Depthwise {
    fn name(&self) -> &'static str {
        "wasm32-u8i16-simd128"
    }

    fn row(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        self.run(rows, out);
    }
}
