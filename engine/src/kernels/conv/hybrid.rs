//! Float activations, 8-bit weights: activations are quantized as they come.
//!
//! As in LiteRT's default kernels every pixel of a 1×1 convolution, like every row of a fully connected
//! layer, has a range of its own, while larger windows share one for each image. (LiteRT's reference
//! kernels give 1×1 convolutions one range too, and are less precise.)

use super::patches::Patches;
use super::product::Extents;
use crate::arena::{ALIGN, Io, align};
use crate::error::Result;
use crate::kernels::Isa;
use crate::kernels::dynamic::{self, Dynamic};
use crate::kernels::gemm::{self, Dequantize, FloatRange, GemmU8, Matrix, Reals, Rows};
use crate::kernels::requantize::{ByteRange, Requantize};
use crate::kernels::simd::{self, Loops};
use crate::kernels::weights::{self, QuantizedWeights};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::{Pool, scratch_bytes};

/// Rows that are quantized before they are multiplied, in tiles of the kernel's.
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
    // Only real results are asked of the kernel.
    let requantize =
        Requantize { bias: vec![0; n], scale: vec![0.0; n], zero_point: 0, range: ByteRange::FULL };
    let gemm = gemm::quantized(ctx.isa, &matrix, requantize);
    let row_len = k.next_multiple_of(gemm.k_multiple());
    let stride = patches.stride(channels, row_len);
    let multiple = gemm.row_multiple();
    let strip = (STRIP_BYTES / stride.max(1) / multiple * multiple).max(multiple);
    let per_row = stride.saturating_add(size_of::<Dynamic>());
    let share = strip.saturating_mul(per_row).saturating_add(2 * ALIGN);
    let image_len = match patches {
        Patches::Direct => 0,
        Patches::Window(_) | Patches::Transposed(_) => align(input.elements()),
    };
    let images = match patches {
        Patches::Direct => 1,
        Patches::Window(window) | Patches::Transposed(window) => window.batch.max(1),
    };
    let scratch = image_len
        .saturating_add(align(dynamic::scratch_bytes(image_len)))
        .saturating_add(scratch_bytes(share, ctx.threads));
    let macs = (rows as u64).saturating_mul(n as u64).saturating_mul(k as u64);
    let output = Dequantize::new(sums, weights.scales, bias, range);
    let isa = ctx.isa;
    let kernel = Hybrid {
        gemm,
        patches,
        rows,
        n,
        k,
        channels,
        row_len,
        stride,
        images,
        strip,
        image_len,
        output,
        isa,
    };
    ctx.task_with(kernel, &[input], scratch, macs)
}

struct Hybrid {
    gemm: Box<dyn GemmU8>,
    patches: Patches,
    rows: usize,
    n: usize,
    k: usize,
    channels: usize,
    row_len: usize,
    /// Bytes from one row of patches to the next.
    stride: usize,
    /// Images of the batch, where each is quantized as a whole.
    images: usize,
    strip: usize,
    /// Bytes at the start of the scratch memory that hold the quantized images.
    image_len: usize,
    output: Dequantize,
    isa: Isa,
}

impl Kernel for Hybrid {
    fn name(&self) -> &'static str {
        self.gemm.name()
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let input = io.input::<f32>(0);
        let ([out], scratch) = io.outputs_and_scratch();
        let out: &mut [f32] = bytemuck::cast_slice_mut(out);
        if matches!(self.patches, Patches::Direct) {
            return self.pixels(input, out, scratch, pool);
        }
        let (bytes, scratch) = scratch.split_at_mut(self.image_len);
        let (extremes, scratch) = scratch.split_at_mut(align(dynamic::scratch_bytes(self.image_len)));
        let (image_len, out_len) = (input.len() / self.images, out.len() / self.images);
        if image_len == 0 || out_len == 0 {
            return;
        }
        for (input, out) in input.chunks_exact(image_len).zip(out.chunks_exact_mut(out_len)) {
            let dynamic = Dynamic::shared(self.isa, input, extremes, pool);
            let image = &mut bytes[..image_len];
            dynamic.quantize_shared(self.isa, input, image, pool);
            self.windows(dynamic, image, out, scratch, pool);
        }
    }
}

impl Hybrid {
    /// Every pixel is a row with a range of its own, quantized by the thread that multiplies it.
    fn pixels(&self, input: &[f32], out: &mut [f32], scratch: &mut [u8], pool: &Pool) {
        let &Self { n, k, row_len, isa, .. } = self;
        debug_assert_eq!(input.len(), self.rows * k);
        pool.split(out, n, self.gemm.row_multiple(), scratch, &|first, out, scratch| {
            let (rows, ranges) = self.share(scratch);
            for (index, out) in out.chunks_mut(self.strip * n).enumerate() {
                let count = out.len() / n;
                let from = &input[(first + index * self.strip) * k..][..count * k];
                let (to, ranges) = (&mut rows[..count * row_len], &mut ranges[..count]);
                simd::vectorize(isa, QuantizeRows { from, k, to: &mut *to, row_len, ranges: &mut *ranges });
                let to = Reals { output: &self.output, ranges, out };
                self.gemm.real(Rows { data: rows, stride: row_len, count }, to);
            }
        });
    }

    /// The windows of an image that has one range.
    fn windows(&self, dynamic: Dynamic, image: &[u8], out: &mut [f32], scratch: &mut [u8], pool: &Pool) {
        let &Self { n, stride, .. } = self;
        let (blank, one) = (dynamic.zero_point as u8, [dynamic]);
        pool.split(out, n, self.gemm.row_multiple(), scratch, &|first, out, scratch| {
            let (rows, _) = self.share(scratch);
            for (index, out) in out.chunks_mut(self.strip * n).enumerate() {
                let count = out.len() / n;
                let data = &mut rows[..count * stride];
                self.patches.fill(
                    image,
                    self.channels,
                    first + index * self.strip,
                    self.row_len,
                    data,
                    blank,
                );
                self.gemm
                    .real(Rows { data, stride, count }, Reals { output: &self.output, ranges: &one, out });
            }
        });
    }

    /// A thread's scratch memory, divided: quantized rows, and how each was quantized.
    fn share<'a>(&self, scratch: &'a mut [u8]) -> (&'a mut [u8], &'a mut [Dynamic]) {
        let (rows, ranges) = scratch.split_at_mut(align(self.strip * self.stride));
        (rows, bytemuck::cast_slice_mut(&mut ranges[..self.strip * size_of::<Dynamic>()]))
    }
}

/// Quantizes rows of `k` floats, each for itself, into rows of `row_len` bytes.
struct QuantizeRows<'a> {
    from: &'a [f32],
    k: usize,
    to: &'a mut [u8],
    row_len: usize,
    ranges: &'a mut [Dynamic],
}

impl Loops for QuantizeRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (m, range) in self.ranges.iter_mut().enumerate() {
            let from = &self.from[m * self.k..][..self.k];
            let (to, padding) = self.to[m * self.row_len..][..self.row_len].split_at_mut(self.k);
            *range = Dynamic::of(from);
            range.quantize(from, to);
            padding.fill(0);
        }
    }
}
