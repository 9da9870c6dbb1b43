//! 128-bit registers: `fmla` by element multiplies with any lane of a register, so that four steps of
//! k need one load of each row and nothing is broadcast.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

mod tile;

use super::{DEPTH, Job, Vector, steps};
use core::arch::aarch64::*;

#[derive(Clone, Copy)]
pub(super) struct F32x4(float32x4_t);

/// Runs `job` with NEON enabled.
#[target_feature(enable = "neon")]
pub(super) fn run<J: Job>(job: J) -> J::Output {
    // SAFETY: the features are enabled here.
    unsafe { job.run::<F32x4>() }
}

impl Vector for F32x4 {
    const LANES: usize = 4;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller has the features.
        Self(unsafe { vdupq_n_f32(x) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller has the features, and the elements are readable.
        Self(unsafe { vld1q_f32(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller has the features, and the elements are writable.
        unsafe { vst1q_f32(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, mut to: *mut f32, count: usize) {
        // SAFETY: the caller has the features, and `count` elements are writable.
        unsafe {
            let mut rest = vget_low_f32(self.0);
            if count & 2 != 0 {
                vst1_f32(to, rest);
                rest = vget_high_f32(self.0);
                to = to.add(2);
            }
            if count & 1 != 0 {
                vst1_lane_f32::<0>(to, rest);
            }
        }
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: the caller has the features.
        Self(unsafe { vfmaq_f32(self.0, a.0, b.0) })
    }

    #[inline(always)]
    unsafe fn clamp(self, min: Self, max: Self) -> Self {
        // SAFETY: the caller has the features.
        Self(unsafe { vminq_f32(vmaxq_f32(self.0, min.0), max.0) })
    }

    #[inline(always)]
    unsafe fn outer_products<const R: usize, const P: usize>(
        acc: &mut [[Self; P]; R],
        a: *const f32,
        stride: usize,
        w: *const f32,
    ) {
        // SAFETY: the caller's.
        unsafe {
            let mut x = [vdupq_n_f32(0.0); R];
            for r in 0..R {
                x[r] = vld1q_f32(a.add(r * stride));
            }
            by_lane::<R, P, 0>(acc, &x, w);
            by_lane::<R, P, 1>(acc, &x, w.add(P * Self::LANES));
            by_lane::<R, P, 2>(acc, &x, w.add(2 * P * Self::LANES));
            by_lane::<R, P, 3>(acc, &x, w.add((DEPTH - 1) * P * Self::LANES));
        }
    }

    #[inline(always)]
    unsafe fn products<const R: usize, const P: usize>(
        acc: &mut [[Self; P]; R],
        a: *const f32,
        stride: usize,
        w: *const f32,
        len: usize,
    ) {
        let turns = if (R, P) == (tile::ROWS, tile::REGISTERS) { len / tile::DEPTH } else { 0 };
        let done = turns * tile::DEPTH;
        // SAFETY: the caller's.
        unsafe {
            if turns > 0 {
                tile::products(acc, a, stride, w, turns);
            }
            steps(acc, a.add(done), stride, w.add(done * P * Self::LANES), len - done);
        }
    }
}

/// Adds the products of lane `LANE` of each row with `P` vectors from `w` on.
///
/// # Safety
/// The CPU has NEON, and `P` vectors are readable at `w`.
#[inline(always)]
unsafe fn by_lane<const R: usize, const P: usize, const LANE: i32>(
    acc: &mut [[F32x4; P]; R],
    x: &[float32x4_t; R],
    w: *const f32,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut weights = [vdupq_n_f32(0.0); P];
        for p in 0..P {
            weights[p] = vld1q_f32(w.add(p * F32x4::LANES));
        }
        for r in 0..R {
            for p in 0..P {
                acc[r][p].0 = vfmaq_laneq_f32::<LANE>(acc[r][p].0, weights[p], x[r]);
            }
        }
    }
}
