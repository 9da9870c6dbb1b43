//! Portable softmax.

use crate::arena::Io;
use crate::kernels::Isa;
use crate::kernels::math;
use crate::kernels::simd::{self, Loops};
use crate::lowering::{Affine, Kernel};
use crate::threads::Pool;

/// Fewest elements of a task.
const PIECE: usize = 2 << 10;

pub(super) struct SoftmaxF32 {
    pub(super) beta: f32,
    pub(super) depth: usize,
    pub(super) isa: Isa,
}

impl Kernel for SoftmaxF32 {
    fn name(&self) -> &'static str {
        "portable-f32-softmax"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let (input, depth) = (io.input::<f32>(0), self.depth.max(1));
        pool.split(io.output::<f32>(0), depth, PIECE.div_ceil(depth), &mut [], &|first, out, _| {
            let input = &input[first * depth..][..out.len()];
            simd::vectorize(self.isa, Rows { beta: self.beta, depth, input, out });
        });
    }
}

/// Rows of `depth` values.
struct Rows<'a> {
    beta: f32,
    depth: usize,
    input: &'a [f32],
    out: &'a mut [f32],
}

impl Loops for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let rows = self.input.chunks_exact(self.depth).zip(self.out.chunks_exact_mut(self.depth));
        for (from, to) in rows {
            let max = from.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for (y, &x) in to.iter_mut().zip(from) {
                *y = math::exp((x - max) * self.beta);
            }
            let inverse = 1.0 / to.iter().sum::<f32>();
            to.iter_mut().for_each(|y| *y *= inverse);
        }
    }
}

pub(super) struct SoftmaxU8 {
    /// e^(−β·scale·d) for values d steps below the largest.
    exponentials: Box<[f32; 256]>,
    to: Affine,
    depth: usize,
}

impl SoftmaxU8 {
    pub(super) fn new(from: Affine, to: Affine, beta: f32, depth: usize) -> Self {
        let below = |d: usize| (-(from.scale * beta) * d as f32).exp();
        Self { exponentials: Box::new(std::array::from_fn(below)), to, depth }
    }
}

impl Kernel for SoftmaxU8 {
    fn name(&self) -> &'static str {
        "portable-u8-softmax"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let (input, depth) = (io.input::<u8>(0), self.depth.max(1));
        pool.split(io.output::<u8>(0), depth, PIECE.div_ceil(depth), &mut [], &|first, out, _| {
            self.rows(&input[first * depth..][..out.len()], out);
        });
    }
}

impl SoftmaxU8 {
    fn rows(&self, input: &[u8], out: &mut [u8]) {
        let depth = self.depth.max(1);
        for (from, to) in input.chunks_exact(depth).zip(out.chunks_exact_mut(depth)) {
            let max = from.iter().copied().max().unwrap_or(0);
            let exponential = |x: u8| self.exponentials[usize::from(max - x)];
            let sum: f32 = from.iter().map(|&x| exponential(x)).sum();
            let inverse = 1.0 / (sum * self.to.scale);
            for (y, &x) in to.iter_mut().zip(from) {
                let step = (exponential(x) * inverse + 0.5) as i32;
                *y = step.saturating_add(self.to.zero_point).clamp(0, 255) as u8;
            }
        }
    }
}
