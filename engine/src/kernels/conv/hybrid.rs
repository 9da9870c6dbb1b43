//! Float activations, 8-bit weights: each image of a batch is quantized as it comes.

use super::patches::Patches;
use super::product::Extents;
use crate::arena::{Io, align};
use crate::compile::{Kernel, Lower, Lowered, Operand};
use crate::error::Result;
use crate::kernels::dynamic::Dynamic;
use crate::kernels::gemm::{self, FloatRange, GemmU8, Matrix, Rows};
use crate::kernels::requantize::{ByteRange, Requantize};
use crate::kernels::weights::{self, QuantizedWeights};
use crate::threads::{Pool, scratch_bytes};

/// Rows whose accumulators are held at once, in tiles of the kernel's.
const STRIP_BYTES: usize = 32 << 10;

pub(super) fn lower(
    ctx: &Lower<'_>,
    input: Operand<'_>,
    weights: QuantizedWeights,
    bias: Vec<f32>,
    range: FloatRange,
    patches: Patches,
    extents: Extents,
) -> Result<Lowered> {
    let Extents { rows, n, k, channels } = extents;
    let matrix = Matrix { data: weights.values, n, k };
    let sums = weights::row_sums(&matrix);
    // Only accumulators are asked of the kernel.
    let requantize =
        Requantize { bias: vec![0; n], scale: vec![0.0; n], zero_point: 0, range: ByteRange::FULL };
    let gemm = gemm::quantized(ctx.isa, &matrix, requantize);
    let row_len = k.next_multiple_of(gemm.k_multiple());
    // Fully connected layers quantize every row by itself, images as a whole.
    let batches = match patches {
        Patches::Direct if input.shape().len() != 4 => rows,
        Patches::Direct => input.shape()[0],
        Patches::Window(window) | Patches::Transposed(window) => window.batch,
    };
    let stride = patches.stride(channels, row_len);
    let multiple = gemm.row_multiple();
    let strip = (STRIP_BYTES / stride.max(n * size_of::<i32>()).max(1) / multiple * multiple).max(multiple);
    let share =
        align(strip.saturating_mul(stride)).saturating_add(strip.saturating_mul(n * size_of::<i32>()));
    let quantized_len = align(input.elements());
    let scratch = quantized_len.saturating_add(scratch_bytes(share, ctx.threads));
    let macs = (rows as u64).saturating_mul(n as u64).saturating_mul(k as u64);
    let kernel = Hybrid {
        gemm,
        patches,
        rows,
        n,
        channels,
        row_len,
        stride,
        batches: batches.max(1),
        strip,
        quantized_len,
        sums,
        scales: weights.scales,
        bias,
        range,
    };
    ctx.task_with(kernel, &[input], scratch, macs)
}

struct Hybrid {
    gemm: Box<dyn GemmU8>,
    patches: Patches,
    rows: usize,
    n: usize,
    channels: usize,
    row_len: usize,
    /// Bytes from one row of patches to the next.
    stride: usize,
    batches: usize,
    strip: usize,
    /// Bytes at the start of the scratch memory that hold the quantized input.
    quantized_len: usize,
    /// Each channel's weights added up.
    sums: Vec<i32>,
    scales: Vec<f32>,
    bias: Vec<f32>,
    range: FloatRange,
}

impl Kernel for Hybrid {
    fn name(&self) -> &'static str {
        self.gemm.name()
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let image = io.input::<f32>(0);
        let ([out], scratch) = io.outputs_and_scratch();
        let out: &mut [f32] = bytemuck::cast_slice_mut(out);
        let (quantized, scratch) = scratch.split_at_mut(self.quantized_len);
        let quantized = &mut quantized[..image.len()];
        let (image_len, rows) = (image.len() / self.batches, self.rows / self.batches);
        if image_len == 0 || rows == 0 {
            return;
        }
        let images = image.chunks_exact(image_len).zip(quantized.chunks_exact_mut(image_len));
        for ((image, quantized), out) in images.zip(out.chunks_exact_mut(rows * self.n)) {
            let dynamic = Dynamic::quantize(image, quantized);
            self.image(dynamic, quantized, out, scratch, pool);
        }
    }
}

impl Hybrid {
    /// The product for one image of the batch.
    fn image(&self, dynamic: Dynamic, image: &[u8], out: &mut [f32], scratch: &mut [u8], pool: &Pool) {
        let n = self.n;
        pool.split(out, n, self.gemm.row_multiple(), scratch, &|first, out, scratch| {
            let (rows, sums) = scratch.split_at_mut(align(self.strip * self.stride));
            for (index, out) in out.chunks_mut(self.strip * n).enumerate() {
                let count = out.len() / n;
                let data = &mut rows[..count * self.stride];
                let sums: &mut [i32] = bytemuck::cast_slice_mut(&mut sums[..out.len() * size_of::<i32>()]);
                let first = first + index * self.strip;
                self.patches.fill(image, self.channels, first, self.row_len, data, dynamic.zero_point as u8);
                self.gemm.accumulated(Rows { data, stride: self.stride, count }, sums);
                self.real(dynamic, sums, out);
            }
        });
    }

    fn real(&self, dynamic: Dynamic, sums: &[i32], out: &mut [f32]) {
        for (out, acc) in out.chunks_exact_mut(self.n).zip(sums.chunks_exact(self.n)) {
            let channels = self.sums.iter().zip(&self.scales).zip(&self.bias);
            for ((out, &acc), ((&sum, &scale), &bias)) in out.iter_mut().zip(acc).zip(channels) {
                let acc = acc.wrapping_sub(sum.wrapping_mul(dynamic.zero_point));
                *out = self.range.clamp(acc as f32 * dynamic.scale * scale + bias);
            }
        }
    }
}
