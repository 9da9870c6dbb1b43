//! WebAssembly's 128-bit registers, without fused multiply-add.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::{Job, Vector};
use core::arch::wasm32::*;

#[derive(Clone, Copy)]
pub(super) struct F32x4(v128);

/// Runs `job`.
pub(super) fn run<J: Job>(job: J) -> J::Output {
    // SAFETY: a module runs only where all instructions that it was compiled for exist.
    unsafe { job.run::<F32x4>() }
}

impl Vector for F32x4 {
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self(f32x4_splat(x))
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller says that the elements are readable.
        Self(unsafe { v128_load(from.cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller says that the elements are writable.
        unsafe { v128_store(to.cast(), self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, mut to: *mut f32, count: usize) {
        let mut rest = self.0;
        // SAFETY: the caller says that `count` elements are writable.
        unsafe {
            if count & 2 != 0 {
                v128_store64_lane::<0>(rest, to.cast());
                rest = i64x2_shuffle::<1, 1>(rest, rest);
                to = to.add(2);
            }
            if count & 1 != 0 {
                v128_store32_lane::<0>(rest, to.cast());
            }
        }
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        Self(f32x4_add(self.0, f32x4_mul(a.0, b.0)))
    }

    /// The first operand of `pmax` and `pmin` is the result where one is not a number.
    #[inline(always)]
    unsafe fn clamp(self, min: Self, max: Self) -> Self {
        Self(f32x4_pmin(f32x4_pmax(self.0, min.0), max.0))
    }
}
