//! Portable means: every element of the input is added where its place in the output is.

use crate::arena::Io;
use crate::kernels::nest::{Dim, Nest};
use crate::kernels::rounding::Rounder;
use crate::lowering::Kernel;
use crate::threads::Pool;
use std::ops::AddAssign;

fn sum<T: Copy, S: Copy + AddAssign>(nest: &Nest<2>, from: &[T], sums: &mut [S], widen: impl Fn(T) -> S) {
    let Dim { count, strides } = nest.inner();
    nest.for_each(|[f, s]| match strides {
        [1, 1] => {
            sums[s..s + count].iter_mut().zip(&from[f..f + count]).for_each(|(sum, &x)| *sum += widen(x));
        }
        [step, to] => {
            let (mut f, mut s) = (f, s);
            for _ in 0..count {
                sums[s] += widen(from[f]);
                f = f.wrapping_add_signed(step);
                s = s.wrapping_add_signed(to);
            }
        }
    });
}

pub(super) struct MeanF32 {
    pub(super) nest: Nest<2>,
    pub(super) count: usize,
}

impl Kernel for MeanF32 {
    fn name(&self) -> &'static str {
        "portable-f32-mean"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let from = io.input::<f32>(0);
        let to = io.output::<f32>(0);
        to.fill(0.0);
        sum(&self.nest, from, to, |x| x);
        let inverse = 1.0 / self.count as f32;
        to.iter_mut().for_each(|x| *x *= inverse);
    }
}

pub(super) struct MeanU8 {
    pub(super) nest: Nest<2>,
    /// What the sum is where every element stands for zero.
    pub(super) zero_sum: i32,
    pub(super) factor: f32,
    pub(super) rounder: Rounder,
}

impl Kernel for MeanU8 {
    fn name(&self) -> &'static str {
        "portable-u8-mean"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let from = io.input::<u8>(0);
        let ([to], scratch) = io.outputs_and_scratch::<1>();
        let sums: &mut [i32] = bytemuck::cast_slice_mut(scratch);
        sums.fill(-self.zero_sum);
        sum(&self.nest, from, sums, i32::from);
        for (to, &sum) in to.iter_mut().zip(sums.iter()) {
            *to = self.rounder.round(sum as f32 * self.factor);
        }
    }
}
