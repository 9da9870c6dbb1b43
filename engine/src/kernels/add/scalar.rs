//! Portable.

use super::{QuantizedSum, float_slices};
use crate::kernels::gemm::FloatRange;

pub(super) fn bytes(sum: &QuantizedSum, a: &[u8], b: &[u8], out: &mut [u8]) {
    sum.slices(a, b, out);
}

pub(super) fn floats(range: FloatRange, a: &[f32], b: &[f32], out: &mut [f32]) {
    float_slices(range, a, b, out);
}
