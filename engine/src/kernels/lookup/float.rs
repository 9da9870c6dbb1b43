//! The same functions on float32, within 10⁻⁶ of their real value.

use crate::arena::Io;
use crate::error::Result;
use crate::graph::Op;
use crate::kernels::math;
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;

pub(super) fn lower(ctx: &Lower<'_>, input: Operand<'_>) -> Result<Lowered> {
    match ctx.node.op {
        Op::Logistic => ctx.task(Map { name: "portable-f32-logistic", f: |x| math::logistic(x) }, &[input]),
        Op::Tanh => ctx.task(Map { name: "portable-f32-tanh", f: |x| math::tanh(x) }, &[input]),
        Op::HardSwish => {
            ctx.task(Map { name: "portable-f32-hard-swish", f: |x| math::hard_swish(x) }, &[input])
        }
        Op::LeakyRelu { alpha } => {
            let f = move |x: f32| if x < 0.0 { x * alpha } else { x };
            ctx.task(Map { name: "portable-f32-leaky-relu", f }, &[input])
        }
        Op::Relu => ctx.task(Map { name: "portable-f32-relu", f: |x: f32| x.max(0.0) }, &[input]),
        Op::Relu6 => ctx.task(Map { name: "portable-f32-relu6", f: |x: f32| x.clamp(0.0, 6.0) }, &[input]),
        _ => Err(ctx.unsupported_types(&[input])),
    }
}

struct Map<F> {
    name: &'static str,
    f: F,
}

impl<F: Fn(f32) -> f32 + Send + Sync> Kernel for Map<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let from = io.input::<f32>(0);
        for (to, &from) in io.output::<f32>(0).iter_mut().zip(from) {
            *to = (self.f)(from);
        }
    }
}
