//! AVX2 and FMA.

use super::TapRows;
use super::float;
use crate::kernels::Isa;

/// Float windows on 256-bit registers; `None` where this CPU lacks them.
pub(super) fn float(kernel: &float::Depthwise, rows: &TapRows<'_, f32>, out: &mut [f32]) -> Option<()> {
    #[target_feature(enable = "avx2,fma")]
    fn run(kernel: &float::Depthwise, rows: &TapRows<'_, f32>, out: &mut [f32]) {
        kernel.body::<true>(rows, out);
    }
    // SAFETY: the features were found on this CPU.
    Isa::Avx2.is_available().then(|| unsafe { run(kernel, rows, out) })
}
