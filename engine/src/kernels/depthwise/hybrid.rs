//! Float activations, 8-bit weights: what LiteRT computes with integers, up to float rounding.
//!
//! Weights are widened at load. Each image is rounded to 8 bits as it comes and widened again, since
//! float32 taps are as fast here as integers and need no second set of kernels.

use super::DepthwiseConv;
use crate::arena::{Io, align};
use crate::kernels::Isa;
use crate::kernels::dynamic::{self, Dynamic};
use crate::lowering::Kernel;
use crate::threads::Pool;

pub(super) struct Hybrid {
    pub(super) conv: DepthwiseConv<f32>,
    pub(super) isa: Isa,
}

impl Hybrid {
    /// Bytes of the rounded input, at the start of the scratch memory.
    fn rounded_bytes(&self) -> usize {
        let window = &self.conv.window;
        let pixels = window.batch.saturating_mul(window.input.h).saturating_mul(window.input.w);
        align(pixels.saturating_mul(self.conv.channels).saturating_mul(size_of::<f32>()))
    }

    /// Bytes of scratch memory.
    pub(super) fn scratch(&self) -> usize {
        let rounded = self.rounded_bytes();
        rounded.saturating_add(dynamic::scratch_bytes(rounded / size_of::<f32>()))
    }
}

impl Kernel for Hybrid {
    fn name(&self) -> &'static str {
        self.conv.kernel.name()
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let input = io.input::<f32>(0);
        let ([out], scratch) = io.outputs_and_scratch();
        let (rounded, scratch) = scratch.split_at_mut(self.rounded_bytes());
        let copies = self.conv.multiplier;
        let rounded: &mut [f32] =
            bytemuck::cast_slice_mut(&mut rounded[..input.len() * copies * size_of::<f32>()]);
        let image_len = input.len() / self.conv.window.batch.max(1);
        if image_len == 0 {
            return;
        }
        for (image, rounded) in
            input.chunks_exact(image_len).zip(rounded.chunks_exact_mut(image_len * copies))
        {
            let dynamic = Dynamic::shared(self.isa, image, scratch, pool);
            dynamic.round_shared(self.isa, image, copies, rounded, pool);
        }
        self.conv.rows(rounded, bytemuck::cast_slice_mut(out), pool);
    }
}
