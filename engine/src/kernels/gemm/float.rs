//! Float32 products: tiles of rows × channels whose sums stay in registers.
//!
//! Channels are packed in groups of one to three registers, k by k. Sums run along k in order, so
//! that results do not depend on threads; they differ in the last bits between instruction sets with
//! and without fused multiply-add.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::{Matrix, Rows};
use crate::error::Result;
use crate::graph::Activation;
use crate::kernels::Isa;
use crate::kernels::activation::float_range;
use crate::kernels::simd::{self, Job, Vector};
use crate::lowering::Lower;

/// Where results are clamped: the fused activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FloatRange {
    pub(crate) min: f32,
    pub(crate) max: f32,
}

impl FloatRange {
    /// The range of a fused activation.
    pub(crate) fn new(ctx: &Lower<'_>, activation: Activation) -> Result<Self> {
        let (min, max) = float_range(ctx, activation)?;
        Ok(Self { min, max })
    }

    /// A NaN stays one.
    #[inline(always)]
    pub(crate) fn clamp(self, value: f32) -> f32 {
        let value = if value < self.min { self.min } else { value };
        if value > self.max { self.max } else { value }
    }
}

/// Divisible by the rows of every tile.
const TILE_ROWS: usize = 24;
/// Floats of a cache line: weights begin at one.
const LINE: usize = 16;
/// Bytes of activations that are multiplied with all groups of channels before the next ones come, so
/// that they stay in the second-level cache while a group's weights stay in the first.
const STRIP_BYTES: usize = 192 << 10;
/// Bytes of activations and results of a strip where all weights stay in the first-level cache: results
/// are written group by group, and should still be at hand for the next group.
const SMALL_STRIP_BYTES: usize = 48 << 10;
/// What counts as small.
const SMALL_WEIGHTS: usize = 24 << 10;

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Adjacent channels that are computed together.
struct Group {
    registers: usize,
    channel: usize,
    channels: usize,
    /// Index of the first weight.
    weights: usize,
}

/// Packed float weights with bias and activation.
pub(crate) struct GemmF32 {
    groups: Vec<Group>,
    /// Of each group a vector of biases, then [k][registers × lanes] weights.
    weights: Vec<Line>,
    n: usize,
    k: usize,
    range: FloatRange,
    isa: Isa,
}

impl GemmF32 {
    /// Packs `weights` for the vectors that [`simd::dispatch`] takes for `isa`.
    pub(crate) fn new(isa: Isa, weights: &Matrix<f32>, bias: &[f32], range: FloatRange) -> Self {
        let &Matrix { n, k, .. } = weights;
        let (lanes, available) = simd::registers(isa);
        let mut gemm = Self { groups: Vec::new(), weights: Vec::new(), n, k, range, isa };
        let mut channel = 0;
        let mut registers_left = n.div_ceil(lanes);
        while registers_left > 0 {
            // Pairs make the largest tiles. Three take the place of a pair and a single where tiles of
            // three leave registers for the operands.
            let registers = match (registers_left, available) {
                (1, _) => 1,
                (3, 32) => 3,
                _ => 2,
            };
            let channels = (registers * lanes).min(n - channel);
            let first = gemm.weights.len() * LINE;
            gemm.groups.push(Group { registers, channel, channels, weights: first });
            let width = registers * lanes;
            gemm.weights.resize((first + (k + 1) * width).div_ceil(LINE), Line([0.0; LINE]));
            let packed = &mut bytemuck::must_cast_slice_mut::<_, f32>(&mut gemm.weights)[first..];
            for (lane, n) in (channel..channel + channels).enumerate() {
                packed[lane] = bias.get(n).copied().unwrap_or(0.0);
                for (to, &w) in packed[lane..].iter_mut().step_by(width).skip(1).zip(weights.row(n)) {
                    *to = w;
                }
            }
            channel += channels;
            registers_left -= registers;
        }
        gemm
    }

    pub(crate) fn name(&self) -> &'static str {
        simd::kernel_name(self.isa)
    }

    /// Rows of a strip.
    fn strip(&self) -> usize {
        let floats = |bytes: usize| bytes / size_of::<f32>();
        let strip = if self.weights.len() * size_of::<Line>() <= SMALL_WEIGHTS {
            floats(SMALL_STRIP_BYTES) / (self.k + self.n)
        } else {
            floats(STRIP_BYTES) / self.k.max(1)
        };
        (strip / TILE_ROWS * TILE_ROWS).max(TILE_ROWS)
    }

    /// Writes each row's results, channels adjacent, rows one after another.
    pub(crate) fn run(&self, rows: Rows<'_, f32>, out: &mut [f32]) {
        rows.check(self.k);
        assert!(out.len() >= rows.count * self.n, "{} rows of {} results", rows.count, self.n);
        simd::dispatch(self.isa, Product { gemm: self, rows, out });
    }

    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    /// Channels of a row of results.
    pub(crate) fn channels(&self) -> usize {
        self.n
    }

    /// Groups of channels, each with weights of its own.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Writes the results of one group of channels for `run`.
    ///
    /// # Safety
    /// The CPU has the instruction set of `V`, which is the one that [`simd::dispatch`] takes for
    /// [`GemmF32::isa`].
    #[inline(always)]
    pub(crate) unsafe fn group<V: Vector>(&self, group: usize, run: &Run<'_>, data: &[f32], out: &mut [f32]) {
        let Some(last) = run.count.checked_sub(1) else { return };
        for piece in run.pieces {
            assert!(piece.at + last * run.stride + run.len <= data.len(), "rows lie in the data");
            assert!(piece.k + run.len <= self.k, "pieces lie in a row of weights");
        }
        assert!(run.out + last * run.out_stride + self.n <= out.len(), "results lie in the output");
        let group = &self.groups[group];
        let mut tiles = Tiles { gemm: self, group, run, data, out };
        // SAFETY: the caller's; `new` packed for as many lanes, and the asserts above hold.
        unsafe {
            match (V::LANES, V::REGISTERS, group.registers) {
                (16, _, 1) => tiles.all::<V, 12, 1>(),
                (16, _, 2) => tiles.all::<V, 12, 2>(),
                (16, _, _) => tiles.all::<V, 8, 3>(),
                (_, 32, 3) => tiles.all::<V, 6, 3>(),
                (_, _, 1) => tiles.all::<V, 8, 1>(),
                (_, _, _) => tiles.all::<V, 6, 2>(),
            }
        }
    }
}

/// Rows at equal distances, each read in pieces, as windows of an image are.
pub(crate) struct Run<'a> {
    /// Pieces of the first row.
    pub(crate) pieces: &'a [Piece],
    /// Elements of a piece.
    pub(crate) len: usize,
    /// From a row to the next.
    pub(crate) stride: usize,
    /// Rows.
    pub(crate) count: usize,
    /// Where the first row's results begin, and how far apart those of two rows are.
    pub(crate) out: usize,
    pub(crate) out_stride: usize,
}

/// A part of a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Piece {
    /// Its first element in the data.
    pub(crate) at: usize,
    /// Its first element in a row of weights.
    pub(crate) k: usize,
}

struct Product<'a> {
    gemm: &'a GemmF32,
    rows: Rows<'a, f32>,
    out: &'a mut [f32],
}

impl Job for Product<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { gemm, rows: Rows { data, stride, count }, out } = self;
        let strip = gemm.strip();
        for first in (0..count).step_by(strip) {
            let pieces = [Piece { at: first * stride, k: 0 }];
            let run = Run {
                pieces: &pieces,
                len: gemm.k,
                stride,
                count: strip.min(count - first),
                out: first * gemm.n,
                out_stride: gemm.n,
            };
            for group in 0..gemm.groups.len() {
                // SAFETY: the caller has the instruction set of `V`.
                unsafe { gemm.group::<V>(group, &run, data, out) };
            }
        }
    }
}

/// The results of one group of channels.
struct Tiles<'a> {
    gemm: &'a GemmF32,
    group: &'a Group,
    run: &'a Run<'a>,
    data: &'a [f32],
    out: &'a mut [f32],
}

impl Tiles<'_> {
    /// All rows, `R` at a time.
    ///
    /// # Safety
    /// The CPU has the instruction set of `V`, the group has `P` of its registers, and all that
    /// [`GemmF32::group`] asserts holds.
    #[inline(always)]
    unsafe fn all<V: Vector, const R: usize, const P: usize>(&mut self) {
        let count = self.run.count;
        let mut m = 0;
        while m < count {
            if count >= R {
                // The last tile may compute rows of the one before once more.
                let first = m.min(count - R);
                // SAFETY: the caller's.
                unsafe { self.tile::<V, R, P>(first) };
                m += R;
            } else if count - m >= 2 {
                // SAFETY: the caller's.
                unsafe { self.tile::<V, 2, P>(m) };
                m += 2;
            } else {
                // SAFETY: the caller's.
                unsafe { self.tile::<V, 1, P>(m) };
                m += 1;
            }
        }
    }

    /// Rows `m..m + R`.
    ///
    /// # Safety
    /// As for [`Tiles::all`].
    #[inline(always)]
    unsafe fn tile<V: Vector, const R: usize, const P: usize>(&mut self, m: usize) {
        let &Run { pieces, len, stride, out, out_stride, .. } = self.run;
        let GemmF32 { weights, k, range, .. } = self.gemm;
        let width = P * V::LANES;
        let weights = &bytemuck::must_cast_slice::<_, f32>(weights)[self.group.weights..][..(k + 1) * width];
        // SAFETY: the caller's: pieces of `len` elements lie in the data and among the k vectors of
        // weights behind the biases.
        unsafe {
            let mut acc = [[V::splat(0.0); P]; R];
            for p in 0..P {
                let bias = V::load(weights.as_ptr().add(p * V::LANES));
                for r in 0..R {
                    acc[r][p] = bias;
                }
            }
            for piece in pieces {
                let a = self.data.as_ptr().add(piece.at + m * stride);
                let w = weights.as_ptr().add((piece.k + 1) * width);
                V::products(&mut acc, a, stride, w, len);
            }
            let (min, max) = (V::splat(range.min), V::splat(range.max));
            let mut out = self.out.as_mut_ptr().add(out + m * out_stride + self.group.channel);
            for r in 0..R {
                for p in 0..P {
                    let value = acc[r][p].clamp(min, max);
                    let left = self.group.channels - p * V::LANES;
                    if left >= V::LANES {
                        value.store(out.add(p * V::LANES));
                    } else {
                        value.store_first(out.add(p * V::LANES), left);
                    }
                }
                out = out.add(out_stride);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_instruction_set_agrees_with_plain_sums(
            m in 1usize..40, n in 1usize..110, k in 0usize..50, slack in 0usize..5, seed: u32,
        ) {
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            };
            let weights = Matrix { data: (0..n * k).map(|_| next()).collect(), n, k };
            let bias: Vec<f32> = (0..n).map(|_| next()).collect();
            let stride = k + slack;
            let a: Vec<f32> = (0..m * stride).map(|_| next()).collect();
            let range = FloatRange { min: -0.8, max: 0.9 };
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let mut out = vec![7.0; m * n + 20];
                let gemm = GemmF32::new(isa, &weights, &bias, range);
                gemm.run(Rows { data: &a, stride, count: m }, &mut out);
                prop_assert!(out[m * n..].iter().all(|&o| o == 7.0), "{isa}: writes beyond the results");
                for (i, &value) in out[..m * n].iter().enumerate() {
                    let (row, channel) = (&a[i / n * stride..][..k], weights.row(i % n));
                    let sum: f64 = row.iter().zip(channel).map(|(&a, &w)| f64::from(a * w)).sum();
                    let expected = (sum + f64::from(bias[i % n])).clamp(-0.8, 0.9);
                    prop_assert!((f64::from(value) - expected).abs() < 1e-5, "{isa}: {value} {expected}");
                }
            }
        }
    }
}
