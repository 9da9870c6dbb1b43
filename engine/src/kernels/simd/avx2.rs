//! 256-bit registers and fused multiply-add.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::{Job, Vector};
use core::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(super) struct F32x8(__m256);

/// Runs `job` with AVX2 and FMA enabled.
#[target_feature(enable = "avx2,fma")]
pub(super) fn run<J: Job>(job: J) -> J::Output {
    // SAFETY: the features are enabled here.
    unsafe { job.run::<F32x8>() }
}

impl Vector for F32x8 {
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller has the features.
        Self(unsafe { _mm256_set1_ps(x) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller has the features, and the elements are readable.
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller has the features, and the elements are writable.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    /// In halves: `vmaskmovps` takes a dozen cycles and more on AMD's cores before Zen 4.
    #[inline(always)]
    unsafe fn store_first(self, mut to: *mut f32, count: usize) {
        // SAFETY: the caller has the features, and `count` elements are writable.
        unsafe {
            let mut rest = _mm256_castps256_ps128(self.0);
            if count & 4 != 0 {
                _mm_storeu_ps(to, rest);
                rest = _mm256_extractf128_ps::<1>(self.0);
                to = to.add(4);
            }
            if count & 2 != 0 {
                _mm_storel_pd(to.cast(), _mm_castps_pd(rest));
                rest = _mm_movehl_ps(rest, rest);
                to = to.add(2);
            }
            if count & 1 != 0 {
                _mm_store_ss(to, rest);
            }
        }
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: the caller has the features.
        Self(unsafe { _mm256_fmadd_ps(a.0, b.0, self.0) })
    }

    /// The second operand of `vmaxps` and `vminps` is the result where one is not a number.
    #[inline(always)]
    unsafe fn clamp(self, min: Self, max: Self) -> Self {
        // SAFETY: the caller has the features.
        Self(unsafe { _mm256_min_ps(max.0, _mm256_max_ps(min.0, self.0)) })
    }
}
