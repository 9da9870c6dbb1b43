//! Plain Rust: the oracle of the others, and what runs where no instruction set is known.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::Vector;

#[derive(Clone, Copy)]
pub(super) struct F32x4([f32; 4]);

impl Vector for F32x4 {
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller says that the elements are readable.
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller says that the elements are writable.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        for (i, &x) in self.0.iter().enumerate().take(count) {
            // SAFETY: the caller says that `count` elements are writable.
            unsafe { *to.add(i) = x };
        }
    }

    #[inline(always)]
    unsafe fn add_product(mut self, a: Self, b: Self) -> Self {
        for (acc, (a, b)) in self.0.iter_mut().zip(a.0.into_iter().zip(b.0)) {
            *acc += a * b;
        }
        self
    }

    #[inline(always)]
    unsafe fn clamp(mut self, min: Self, max: Self) -> Self {
        for (x, (min, max)) in self.0.iter_mut().zip(min.0.into_iter().zip(max.0)) {
            *x = if *x < min { min } else { *x };
            *x = if *x > max { max } else { *x };
        }
        self
    }
}
