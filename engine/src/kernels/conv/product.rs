//! Kernels that are a matrix product over patches.

use super::patches::Patches;
use crate::arena::Io;
use crate::error::Result;
use crate::kernels::add::FusedSum;
use crate::kernels::gemm::{GemmF32, GemmU8, Rows};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::{Pool, scratch_bytes};

/// Patches of a strip of rows should stay below this, to stay in the first-level cache.
const STRIP_BYTES: usize = 16 << 10;
/// Rows whose results wait in the first-level cache for a residual.
const SUMMED_ROWS: usize = 96;
/// Rows of a strip of float patches are a multiple of this: the largest tile of the float kernels.
const FLOAT_ROWS: usize = 12;

/// Extents of the product: an image of pixels of `channels` becomes `rows` rows of `k`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extents {
    pub(crate) rows: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    /// Channels of a pixel of the input.
    pub(crate) channels: usize,
}

impl Extents {
    fn macs(&self) -> u64 {
        (self.rows as u64).saturating_mul(self.n as u64).saturating_mul(self.k as u64)
    }

    fn strip_rows(&self, row_bytes: usize, multiple: usize) -> usize {
        (STRIP_BYTES / row_bytes.max(1) / multiple * multiple).max(multiple)
    }
}

/// Bytes in, bytes out.
pub(crate) struct QuantizedProduct {
    gemm: Box<dyn GemmU8>,
    patches: Patches,
    extents: Extents,
    /// The input's zero point, which stands for zero beyond the image.
    blank: u8,
    /// What is added to the results before they are written.
    sum: Option<FusedSum>,
}

impl QuantizedProduct {
    pub(crate) fn lower(
        ctx: &Lower<'_>,
        input: Operand<'_>,
        gemm: Box<dyn GemmU8>,
        patches: Patches,
        extents: Extents,
        blank: u8,
    ) -> Result<Lowered> {
        let row_len = extents.k.next_multiple_of(gemm.k_multiple());
        // A pixel is a row only where no padding follows it.
        let direct = patches == Patches::Direct && row_len == extents.k;
        let stride = patches.stride(extents.channels, row_len);
        let strip = extents.strip_rows(stride, gemm.row_multiple());
        let mut scratch = if direct { 0 } else { scratch_bytes(strip.saturating_mul(stride), ctx.threads) };
        let mut kernel = Self { gemm, patches, extents, blank, sum: None };
        let Some((sum, residual)) = FusedSum::behind(ctx).filter(|_| direct) else {
            return ctx.task_with(kernel, &[input], scratch, extents.macs());
        };
        scratch = scratch_bytes(SUMMED_ROWS.saturating_mul(extents.n), ctx.threads);
        let (node, output) = (sum.node, sum.output);
        kernel.sum = Some(sum);
        Ok(ctx.task_with(kernel, &[input, residual], scratch, extents.macs())?.absorbing(vec![node], output))
    }

    /// Every pixel is a row; strip by strip the residual is added.
    fn run_summed(&self, sum: &FusedSum, io: &mut Io<'_>, pool: &Pool) {
        let Extents { n, k, .. } = self.extents;
        let (image, residual) = (io.input::<u8>(0), io.input::<u8>(1));
        let ([out], scratch) = io.outputs_and_scratch();
        pool.split(out, n, self.gemm.row_multiple(), scratch, &|first, out, scratch| {
            for (index, out) in out.chunks_mut(SUMMED_ROWS * n).enumerate() {
                let first = first + index * SUMMED_ROWS;
                let rows = Rows { data: &image[first * k..], stride: k, count: out.len() / n };
                let own = &mut scratch[..out.len()];
                self.gemm.requantized(rows, own);
                sum.slices(own, &residual[first * n..][..out.len()], out);
            }
        });
    }
}

impl Kernel for QuantizedProduct {
    fn name(&self) -> &'static str {
        self.gemm.name()
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        if let Some(sum) = &self.sum {
            return self.run_summed(sum, io, pool);
        }
        let Extents { n, k, channels, .. } = self.extents;
        let image = io.input::<u8>(0);
        let ([out], scratch) = io.outputs_and_scratch();
        let row_len = k.next_multiple_of(self.gemm.k_multiple());
        let multiple = self.gemm.row_multiple();
        if self.patches == Patches::Direct && row_len == k {
            pool.split(out, n, multiple, &mut [], &|first, out, _| {
                let rows = Rows { data: &image[first * k..], stride: k, count: out.len() / n };
                self.gemm.requantized(rows, out);
            });
            return;
        }
        let stride = self.patches.stride(channels, row_len);
        let strip = self.extents.strip_rows(stride, multiple);
        pool.split(out, n, multiple, scratch, &|first, out, scratch| {
            for (index, out) in out.chunks_mut(strip * n).enumerate() {
                let count = out.len() / n;
                let data = &mut scratch[..count * stride];
                self.patches.fill(image, channels, first + index * strip, row_len, data, self.blank);
                self.gemm.requantized(Rows { data, stride, count }, out);
            }
        });
    }
}

/// Floats in, floats out.
pub(crate) struct FloatProduct {
    gemm: GemmF32,
    patches: Patches,
    extents: Extents,
}

impl FloatProduct {
    pub(crate) fn lower(
        ctx: &Lower<'_>,
        input: Operand<'_>,
        gemm: GemmF32,
        patches: Patches,
        extents: Extents,
    ) -> Result<Lowered> {
        let row_bytes = patches.stride(extents.channels, extents.k).saturating_mul(size_of::<f32>());
        let share = extents.strip_rows(row_bytes, FLOAT_ROWS).saturating_mul(row_bytes);
        let scratch = if patches == Patches::Direct { 0 } else { scratch_bytes(share, ctx.threads) };
        ctx.task_with(Self { gemm, patches, extents }, &[input], scratch, extents.macs())
    }
}

impl Kernel for FloatProduct {
    fn name(&self) -> &'static str {
        self.gemm.name()
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let Extents { n, k, channels, .. } = self.extents;
        let image = io.input::<f32>(0);
        let ([out], scratch) = io.outputs_and_scratch();
        let out: &mut [f32] = bytemuck::cast_slice_mut(out);
        if self.patches == Patches::Direct {
            pool.split(out, n, FLOAT_ROWS, &mut [], &|first, out, _| {
                let rows = Rows { data: &image[first * k..], stride: k, count: out.len() / n };
                self.gemm.run(rows, out);
            });
            return;
        }
        let stride = self.patches.stride(channels, k);
        let strip = self.extents.strip_rows(stride * size_of::<f32>(), FLOAT_ROWS);
        pool.split(out, n, FLOAT_ROWS, scratch, &|first, out, scratch| {
            for (index, out) in out.chunks_mut(strip * n).enumerate() {
                let count = out.len() / n;
                let data: &mut [f32] =
                    bytemuck::cast_slice_mut(&mut scratch[..count * stride * size_of::<f32>()]);
                self.patches.fill(image, channels, first + index * strip, k, data, 0.0);
                self.gemm.run(Rows { data, stride, count }, out);
            }
        });
    }
}
