//! ADD_N: the sum of any number of tensors of one shape.

use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
use bytemuck::Pod;

/// ADD_N of float32 or int32.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
    let output = ctx.output(0)?;
    let inputs: Vec<Operand<'_>> = (0..ctx.node.inputs.len()).map(|i| ctx.input(i)).collect::<Result<_>>()?;
    let first = ctx.input(0)?;
    ctx.ensure_shape(output, first.shape())?;
    for input in &inputs {
        ctx.ensure_shape(*input, first.shape())?;
        ctx.ensure(input.dtype() == output.dtype(), || {
            format!("{} in a sum of {}", input.dtype(), output.dtype())
        })?;
    }
    let count = inputs.len();
    match output.dtype() {
        DType::F32 => ctx.task(AddN { count, add: |a: f32, b| a + b }, &inputs),
        DType::I32 => ctx.task(AddN { count, add: i32::wrapping_add }, &inputs),
        _ => Err(ctx.unsupported_types(&inputs)),
    }
}

struct AddN<T> {
    count: usize,
    add: fn(T, T) -> T,
}

impl<T: Pod + Send + Sync> Kernel for AddN<T> {
    fn name(&self) -> &'static str {
        "portable-add-n"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let first = io.input::<T>(0);
        io.output::<T>(0).copy_from_slice(first);
        for i in 1..self.count {
            let from = io.input::<T>(i);
            io.output::<T>(0).iter_mut().zip(from).for_each(|(to, &x)| *to = (self.add)(*to, x));
        }
    }
}
