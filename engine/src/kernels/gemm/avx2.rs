//! AVX2 and FMA.

use super::{GemmF32, Rows};
use crate::kernels::Isa;

/// Float products on 256-bit registers; `None` where this CPU lacks them.
pub(super) fn float(gemm: &GemmF32, rows: Rows<'_, f32>, out: &mut [f32]) -> Option<()> {
    #[target_feature(enable = "avx2,fma")]
    fn run(gemm: &GemmF32, rows: Rows<'_, f32>, out: &mut [f32]) {
        gemm.body::<6, true>(rows, out);
    }
    // SAFETY: the features were found on this CPU.
    Isa::Avx2.is_available().then(|| unsafe { run(gemm, rows, out) })
}
