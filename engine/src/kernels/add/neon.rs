//! NEON: sixteen sums at a time, each byte widened to a 32-bit lane by one table lookup.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::QuantizedSum;
use core::arch::aarch64::*;

/// Sums of a turn.
const LANES: usize = 16;

pub(super) fn bytes(sum: &QuantizedSum, a: &[u8], b: &[u8], out: &mut [u8]) {
    let len = out.len();
    assert!(a.len() == len && b.len() == len, "slices of equal length");
    if len < LANES {
        return sum.slices(a, b, out);
    }
    // SAFETY: every 64-bit Arm CPU has NEON.
    unsafe { run(sum, a, b, out) }
}

/// At least [`LANES`] sums.
#[target_feature(enable = "neon")]
fn run(sum: &QuantizedSum, a: &[u8], b: &[u8], out: &mut [u8]) {
    // For each quarter of sixteen bytes, which byte goes to which; beyond 15 stands for zero.
    let index: [[u8; LANES]; 4] = std::array::from_fn(|quarter| {
        std::array::from_fn(|at| if at % 4 == 0 { (4 * quarter + at / 4) as u8 } else { u8::MAX })
    });
    // SAFETY: arrays of sixteen bytes.
    let index = unsafe { [0, 1, 2, 3].map(|quarter: usize| vld1q_u8(index[quarter].as_ptr())) };
    let (bias, shift) = (vdupq_n_s32(sum.bias), vdupq_n_s32(-(sum.shift as i32)));
    let zero_point = vdupq_n_s16(sum.zero_point as i16);
    let (min, max) = (vdupq_n_u8(sum.range.min), vdupq_n_u8(sum.range.max));
    let last = out.len() - LANES;
    for at in (0..out.len()).step_by(LANES) {
        // The last turn begins early where fewer sums are left.
        let at = at.min(last);
        // SAFETY: `run`'s caller made sure that all slices hold sixteen bytes from `last` on.
        let (x, y) = unsafe { (vld1q_u8(a.as_ptr().add(at)), vld1q_u8(b.as_ptr().add(at))) };
        let mut sums = [bias; 4];
        for quarter in 0..4 {
            let x = vreinterpretq_s32_u8(vqtbl1q_u8(x, index[quarter]));
            let y = vreinterpretq_s32_u8(vqtbl1q_u8(y, index[quarter]));
            let total = vmlaq_n_s32(vmlaq_n_s32(bias, x, sum.multipliers[0]), y, sum.multipliers[1]);
            sums[quarter] = vshlq_s32(total, shift);
        }
        // Saturation on the way is part of the clamp.
        let low = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(sums[0]), sums[1]), zero_point);
        let high = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(sums[2]), sums[3]), zero_point);
        let bytes = vmaxq_u8(vminq_u8(vqmovun_high_s16(vqmovun_s16(low), high), max), min);
        // SAFETY: as above.
        unsafe { vst1q_u8(out.as_mut_ptr().add(at), bytes) };
    }
}
