//! Float activations, 8-bit weights: activations are quantized as they come.
//!
//! As in LiteRT's default kernels every pixel of a 1×1 convolution, like every row of a fully connected
//! layer, has a range of its own, while larger windows share one for each image. (LiteRT's reference
//! kernels give 1×1 convolutions one range too, and are less precise.)

use super::patches::Patches;
use super::product::Extents;
use crate::arena::{Io, align};
use crate::error::Result;
use crate::kernels::dynamic::Dynamic;
use crate::kernels::gemm::{self, FloatRange, GemmU8, Matrix, Rows};
use crate::kernels::requantize::{ByteRange, Requantize};
use crate::kernels::weights::{self, QuantizedWeights};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
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
    let ranges = match patches {
        Patches::Direct => rows,
        Patches::Window(window) | Patches::Transposed(window) => window.batch,
    };
    let stride = patches.stride(channels, row_len);
    let multiple = gemm.row_multiple();
    let strip = (STRIP_BYTES / stride.max(n * size_of::<i32>()).max(1) / multiple * multiple).max(multiple);
    let share =
        align(strip.saturating_mul(stride)).saturating_add(strip.saturating_mul(n * size_of::<i32>()));
    let quantized_len = align(input.elements());
    let ranges_len = align(ranges.saturating_mul(size_of::<Dynamic>()));
    let scratch = quantized_len.saturating_add(ranges_len).saturating_add(scratch_bytes(share, ctx.threads));
    let macs = (rows as u64).saturating_mul(n as u64).saturating_mul(k as u64);
    let kernel = Hybrid {
        gemm,
        patches,
        rows,
        n,
        channels,
        row_len,
        stride,
        ranges: ranges.max(1),
        strip,
        quantized_len,
        ranges_len,
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
    /// Parts of the input that are quantized each by itself.
    ranges: usize,
    strip: usize,
    /// Bytes at the start of the scratch memory that hold the quantized input.
    quantized_len: usize,
    /// Bytes behind them that hold how each part was quantized.
    ranges_len: usize,
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
        let (ranges, scratch) = scratch.split_at_mut(self.ranges_len);
        let quantized = &mut quantized[..image.len()];
        let ranges: &mut [Dynamic] =
            bytemuck::cast_slice_mut(&mut ranges[..self.ranges * size_of::<Dynamic>()]);
        let (part_len, rows) = (image.len() / self.ranges, self.rows / self.ranges);
        if part_len == 0 || rows == 0 {
            return;
        }
        let parts = image.chunks_exact(part_len).zip(quantized.chunks_exact_mut(part_len));
        for ((part, quantized), range) in parts.zip(ranges.iter_mut()) {
            *range = Dynamic::quantize(part, quantized);
        }
        if matches!(self.patches, Patches::Direct) {
            return self.product(ranges, quantized, out, scratch, pool);
        }
        let images = quantized.chunks_exact(part_len).zip(out.chunks_exact_mut(rows * self.n));
        for (range, (image, out)) in ranges.chunks_exact(1).zip(images) {
            self.product(range, image, out, scratch, pool);
        }
    }
}

impl Hybrid {
    /// The product for rows that all have one range, or each its own.
    fn product(&self, ranges: &[Dynamic], image: &[u8], out: &mut [f32], scratch: &mut [u8], pool: &Pool) {
        let n = self.n;
        pool.split(out, n, self.gemm.row_multiple(), scratch, &|first, out, scratch| {
            let (rows, sums) = scratch.split_at_mut(align(self.strip * self.stride));
            for (index, out) in out.chunks_mut(self.strip * n).enumerate() {
                let count = out.len() / n;
                let data = &mut rows[..count * self.stride];
                let sums: &mut [i32] = bytemuck::cast_slice_mut(&mut sums[..out.len() * size_of::<i32>()]);
                let first = first + index * self.strip;
                let blank = ranges[0].zero_point as u8;
                self.patches.fill(image, self.channels, first, self.row_len, data, blank);
                self.gemm.accumulated(Rows { data, stride: self.stride, count }, sums);
                for (row, (out, sums)) in out.chunks_exact_mut(n).zip(sums.chunks_exact(n)).enumerate() {
                    self.real(ranges[if ranges.len() == 1 { 0 } else { first + row }], sums, out);
                }
            }
        });
    }

    fn real(&self, range: Dynamic, acc: &[i32], out: &mut [f32]) {
        let channels = self.sums.iter().zip(&self.scales).zip(&self.bias);
        for ((out, &acc), ((&sum, &scale), &bias)) in out.iter_mut().zip(acc).zip(channels) {
            let acc = acc.wrapping_sub(sum.wrapping_mul(range.zero_point));
            *out = self.range.clamp(acc as f32 * range.scale * scale + bias);
        }
    }
}
