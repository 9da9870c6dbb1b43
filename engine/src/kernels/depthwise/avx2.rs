//! AVX2.

#![allow(unsafe_code, reason = "a function with the CPU's features enabled is called")]

use super::{RowKernel, TapRows, Taps, scalar};
use crate::kernels::Isa;
use crate::kernels::requantize::Requantize;

/// The portable loops on 256-bit registers.
pub(super) struct Depthwise(scalar::Depthwise);

impl Depthwise {
    /// `None` where this CPU cannot run it.
    pub(super) fn new(taps: &Taps<'_, u8, i16>, requantize: &Requantize) -> Option<Self> {
        Isa::Avx2.is_available().then(|| Self(scalar::Depthwise::new(taps, requantize.clone())))
    }
}

impl RowKernel<u8> for Depthwise {
    fn name(&self) -> &'static str {
        "x86_64-u8i16-avx2"
    }

    fn row(&self, rows: &TapRows<'_, u8>, out: &mut [u8]) {
        #[target_feature(enable = "avx2")]
        fn run(kernel: &scalar::Depthwise, rows: &TapRows<'_, u8>, out: &mut [u8]) {
            kernel.body(rows, out);
        }
        // SAFETY: `new` found the features on this CPU.
        unsafe { run(&self.0, rows, out) }
    }
}
