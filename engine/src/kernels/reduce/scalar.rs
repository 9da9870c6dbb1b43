//! Portable means: every element of the input is added where its place in the output is.

use crate::arena::Io;
use crate::kernels::Isa;
use crate::kernels::nest::{Dim, Nest};
use crate::kernels::rounding::Rounder;
use crate::kernels::simd::{self, Loops};
use crate::lowering::Kernel;
use crate::threads::Pool;
use std::ops::AddAssign;

/// Fewest elements that a task adds.
const PIECE: usize = 8 << 10;

/// Which elements make up which sum.
pub(super) struct Sums {
    pub(super) nest: Nest<2>,
    pub(super) isa: Isa,
}

impl Sums {
    /// Sums that threads may compute each by itself: as many as are not fewer than what a fork costs.
    /// All of them where the elements of a sum are no row of the innermost loop.
    fn multiple(&self, sums: usize) -> usize {
        let by_channel =
            self.nest.inner().strides == [1, 1] && self.nest.outer().iter().all(|d| d.strides[1] == 0);
        let each = self.nest.len() / sums.max(1);
        if by_channel { PIECE.div_ceil(each.max(1)).next_multiple_of(CHANNELS) } else { sums.max(1) }
    }

    /// Adds to `sums`, which are those from `first` on.
    fn add<T: Copy, S: Copy + AddAssign + From<T>>(&self, from: &[T], first: usize, sums: &mut [S]) {
        simd::vectorize(self.isa, Add { nest: &self.nest, from, first, sums });
    }
}

/// Pieces begin at multiples of this: a cache line of bytes.
const CHANNELS: usize = 64;

struct Add<'a, T, S> {
    nest: &'a Nest<2>,
    from: &'a [T],
    first: usize,
    sums: &'a mut [S],
}

impl<T: Copy, S: Copy + AddAssign + From<T>> Loops for Add<'_, T, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { nest, from, first, sums } = self;
        let Dim { count, strides } = nest.inner();
        nest.for_each(|[f, s]| match strides {
            [1, 1] => {
                // Where sums are divided among threads, this run is all of them.
                let count = count.min(sums.len());
                let from = &from[f + first..][..count];
                sums[s..s + count].iter_mut().zip(from).for_each(|(sum, &x)| *sum += x.into());
            }
            [step, to] => {
                let (mut f, mut s) = (f, s);
                for _ in 0..count {
                    sums[s] += from[f].into();
                    f = f.wrapping_add_signed(step);
                    s = s.wrapping_add_signed(to);
                }
            }
        });
    }
}

pub(super) struct MeanF32 {
    pub(super) sums: Sums,
    pub(super) count: usize,
}

impl Kernel for MeanF32 {
    fn name(&self) -> &'static str {
        "portable-f32-mean"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<f32>(0);
        let to = io.output::<f32>(0);
        let inverse = 1.0 / self.count as f32;
        let multiple = self.sums.multiple(to.len());
        pool.split(to, 1, multiple, &mut [], &|first, to, _| {
            to.fill(0.0);
            self.sums.add(from, first, to);
            to.iter_mut().for_each(|x| *x *= inverse);
        });
    }
}

/// A sum times a factor: a mean, or a sum in another quantization.
pub(super) struct MeanU8 {
    pub(super) name: &'static str,
    pub(super) sums: Sums,
    /// What the sum is where every element stands for zero.
    pub(super) zero_sum: i32,
    pub(super) factor: f32,
    pub(super) rounder: Rounder,
}

impl Kernel for MeanU8 {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<u8>(0);
        let ([to], scratch) = io.outputs_and_scratch::<1>();
        let multiple = self.sums.multiple(to.len());
        pool.split(to, 1, multiple, scratch, &|first, to, scratch| {
            let sums: &mut [i32] = bytemuck::cast_slice_mut(&mut scratch[..to.len() * size_of::<i32>()]);
            sums.fill(-self.zero_sum);
            self.sums.add(from, first, sums);
            for (to, &sum) in to.iter_mut().zip(sums.iter()) {
                *to = self.rounder.round(sum as f32 * self.factor);
            }
        });
    }
}
