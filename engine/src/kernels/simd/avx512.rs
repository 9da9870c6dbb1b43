//! 512-bit registers and fused multiply-add.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::{Job, Vector};
use core::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(super) struct F32x16(__m512);

/// Runs `job` with AVX-512 enabled.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512vl")]
pub(super) fn run<J: Job>(job: J) -> J::Output {
    // SAFETY: the features are enabled here.
    unsafe { job.run::<F32x16>() }
}

impl Vector for F32x16 {
    const LANES: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller has the features.
        Self(unsafe { _mm512_set1_ps(x) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller has the features, and the elements are readable.
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller has the features, and the elements are writable.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: the caller has the features; masked elements are not touched.
        unsafe { _mm512_mask_storeu_ps(to, (1u16 << count) - 1, self.0) }
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: the caller has the features.
        Self(unsafe { _mm512_fmadd_ps(a.0, b.0, self.0) })
    }

    /// The second operand of `vmaxps` and `vminps` is the result where one is not a number.
    #[inline(always)]
    unsafe fn clamp(self, min: Self, max: Self) -> Self {
        // SAFETY: the caller has the features.
        Self(unsafe { _mm512_min_ps(max.0, _mm512_max_ps(min.0, self.0)) })
    }
}
