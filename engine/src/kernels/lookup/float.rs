//! The same functions on float32, within 10⁻⁶ of their real value.

use crate::arena::Io;
use crate::error::Result;
use crate::graph::Op;
use crate::kernels::Isa;
use crate::kernels::math;
use crate::kernels::simd::{self, Loops};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;

pub(super) fn lower(ctx: &Lower<'_>, input: Operand<'_>) -> Result<Lowered> {
    let isa = ctx.isa;
    match ctx.node.op {
        Op::Logistic => {
            ctx.task(Map { name: "portable-f32-logistic", isa, f: |x| math::logistic(x) }, &[input])
        }
        Op::Tanh => ctx.task(Map { name: "portable-f32-tanh", isa, f: |x| math::tanh(x) }, &[input]),
        Op::HardSwish => {
            ctx.task(Map { name: "portable-f32-hard-swish", isa, f: |x| math::hard_swish(x) }, &[input])
        }
        Op::LeakyRelu { alpha } => {
            let f = move |x: f32| if x < 0.0 { x * alpha } else { x };
            ctx.task(Map { name: "portable-f32-leaky-relu", isa, f }, &[input])
        }
        Op::Relu => ctx.task(Map { name: "portable-f32-relu", isa, f: |x: f32| x.max(0.0) }, &[input]),
        Op::Relu6 => {
            ctx.task(Map { name: "portable-f32-relu6", isa, f: |x: f32| x.clamp(0.0, 6.0) }, &[input])
        }
        _ => Err(ctx.unsupported_types(&[input])),
    }
}

/// Fewest elements of a task.
const PIECE: usize = 4 << 10;

struct Map<F> {
    name: &'static str,
    isa: Isa,
    f: F,
}

struct Piece<'a, F> {
    f: &'a F,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl<F: Fn(f32) -> f32> Loops for Piece<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to = (self.f)(from);
        }
    }
}

impl<F: Fn(f32) -> f32 + Send + Sync> Kernel for Map<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<f32>(0);
        pool.split(io.output::<f32>(0), 1, PIECE, &mut [], &|first, to, _| {
            simd::vectorize(self.isa, Piece { f: &self.f, from: &from[first..][..to.len()], to });
        });
    }
}
