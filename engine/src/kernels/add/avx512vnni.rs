//! AVX-512: the portable loops, compiled for wider registers.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::{QuantizedSum, float_slices};
use crate::kernels::Isa;
use crate::kernels::gemm::FloatRange;

pub(super) fn bytes(sum: &QuantizedSum, a: &[u8], b: &[u8], out: &mut [u8]) {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn run(sum: &QuantizedSum, a: &[u8], b: &[u8], out: &mut [u8]) {
        sum.slices(a, b, out);
    }
    assert!(Isa::Avx512Vnni.is_available(), "chosen only where the CPU has it");
    // SAFETY: the features were found on this CPU.
    unsafe { run(sum, a, b, out) }
}

pub(super) fn floats(range: FloatRange, a: &[f32], b: &[f32], out: &mut [f32]) {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn run(range: FloatRange, a: &[f32], b: &[f32], out: &mut [f32]) {
        float_slices(range, a, b, out);
    }
    assert!(Isa::Avx512Vnni.is_available(), "chosen only where the CPU has it");
    // SAFETY: the features were found on this CPU.
    unsafe { run(range, a, b, out) }
}
