//! NEON: `smlal` on 16-bit weights, 16 channels at a time.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::{RowKernel, TapRows, Taps};
use crate::kernels::requantize::Requantize;
use crate::kernels::window::Window;
use core::arch::aarch64::*;

/// Channels in a block.
const BLOCK: usize = 16;
/// Most taps, whose addresses are held in an array.
const MAX_TAPS: usize = 64;

pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// First channel of each block; the last block may overlap the one before.
    blocks: Vec<usize>,
    /// For each block, a row for each tap.
    weights: Vec<[i16; BLOCK]>,
    blank: [u8; BLOCK],
    requantize: Requantize,
}

impl Depthwise {
    /// `None` where this CPU cannot run it, or its arithmetic would not be exact.
    pub(super) fn new(taps: &Taps<'_, u8, i16>, requantize: &Requantize) -> Option<Self> {
        let Taps { window, channels, weights, blank } = *taps;
        if !std::arch::is_aarch64_feature_detected!("neon") || channels < BLOCK || window.taps() > MAX_TAPS {
            return None;
        }
        let mut blocks: Vec<usize> = (0..channels).step_by(BLOCK).collect();
        if let Some(last) = blocks.last_mut() {
            *last = channels - BLOCK;
        }
        let mut packed = Vec::with_capacity(blocks.len() * window.taps());
        for &block in &blocks {
            for tap in 0..window.taps() {
                let mut row = [0; BLOCK];
                row.copy_from_slice(&weights.row(tap)[block..][..BLOCK]);
                packed.push(row);
            }
        }
        let requantize = requantize.clone();
        Some(Self { window, channels, blocks, weights: packed, blank: [blank; BLOCK], requantize })
    }

    #[target_feature(enable = "neon")]
    fn run(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        let taps = self.window.taps();
        let mut pixels: [&[u8]; MAX_TAPS] = [&[]; MAX_TAPS];
        for (x, out) in out.chunks_exact_mut(self.channels).enumerate() {
            for (tap, pixel) in pixels[..taps].iter_mut().enumerate() {
                let column = self.window.input_column(x, tap % self.window.kernel.w);
                *pixel = match (rows[tap / self.window.kernel.w], column) {
                    (Some(row), Some(column)) => &row[column * self.channels..][..self.channels],
                    _ => &[],
                };
            }
            for (index, &block) in self.blocks.iter().enumerate() {
                let weights = &self.weights[index * taps..][..taps];
                self.block(&pixels[..taps], block, weights, &mut out[block..]);
            }
        }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn block(&self, pixels: &[&[u8]], channel: usize, weights: &[[i16; BLOCK]], out: &mut [u8]) {
        let Requantize { bias, scale, zero_point, range } = &self.requantize;
        let (bias, scale) = (&bias[channel..][..BLOCK], &scale[channel..][..BLOCK]);
        let mut acc = [vdupq_n_s32(0); 4];
        for q in 0..4 {
            // SAFETY: the slice holds 16 numbers.
            acc[q] = unsafe { vld1q_s32(bias.as_ptr().add(4 * q)) };
        }
        for (pixel, w) in pixels.iter().zip(weights) {
            let bytes = pixel.get(channel..channel + BLOCK).unwrap_or(&self.blank);
            // SAFETY: both hold 16 elements.
            let (bytes, low, high) =
                unsafe { (vld1q_u8(bytes.as_ptr()), vld1q_s16(w.as_ptr()), vld1q_s16(w.as_ptr().add(8))) };
            let x_low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes)));
            let x_high = vreinterpretq_s16_u16(vmovl_high_u8(bytes));
            acc[0] = vmlal_s16(acc[0], vget_low_s16(x_low), vget_low_s16(low));
            acc[1] = vmlal_high_s16(acc[1], x_low, low);
            acc[2] = vmlal_s16(acc[2], vget_low_s16(x_high), vget_low_s16(high));
            acc[3] = vmlal_high_s16(acc[3], x_high, high);
        }
        for q in 0..4 {
            // SAFETY: the slice holds 16 numbers.
            let scale = unsafe { vld1q_f32(scale.as_ptr().add(4 * q)) };
            acc[q] = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc[q]), scale));
        }
        let zero_point = vdupq_n_s16(*zero_point as i16);
        // Conversions saturate on the way, as the clamp does.
        let low = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(acc[0]), acc[1]), zero_point);
        let high = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(acc[2]), acc[3]), zero_point);
        let bytes = vqmovun_high_s16(vqmovun_s16(low), high);
        let bytes = vmaxq_u8(vminq_u8(bytes, vdupq_n_u8(range.max)), vdupq_n_u8(range.min));
        let out = &mut out[..BLOCK];
        // SAFETY: the slice holds 16 bytes.
        unsafe { vst1q_u8(out.as_mut_ptr(), bytes) };
    }
}

impl RowKernel<u8> for Depthwise {
    fn name(&self) -> &'static str {
        "aarch64-u8i16-neon"
    }

    fn row(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        // SAFETY: `new` found the feature on this CPU.
        unsafe { self.run(rows, out) }
    }
}
