//! DYNAMIC_UPDATE_SLICE, READ_VARIABLE and ASSIGN_VARIABLE: tensors that are copied and changed in part.

use super::{index, wide};
use crate::arena::Io;
use crate::error::Result;
use crate::kernels::movement::{by_width, width};
use crate::kernels::nest::{Dim, Nest, row_major};
use crate::lowering::{Kernel, Lower, Lowered, Operand, Task};
use crate::threads::Pool;
use bytemuck::Pod;

/// DYNAMIC_UPDATE_SLICE: a copy of the operand with a block of it replaced; the block is moved to lie inside.
pub(in crate::kernels) fn dynamic_update_slice(ctx: &Lower<'_>) -> Result<Lowered> {
    let (operand, update, starts, output) = (ctx.input(0)?, ctx.input(1)?, ctx.input(2)?, ctx.output(0)?);
    ctx.ensure_shape(output, operand.shape())?;
    let rank = operand.shape().len();
    let inside =
        update.shape().len() == rank && update.shape().iter().zip(operand.shape()).all(|(u, o)| u <= o);
    ctx.ensure(inside && starts.elements() == rank, || {
        format!("{:?} into {:?}", update.shape(), operand.shape())
    })?;
    let (from, to) = (row_major(update.shape()), row_major(operand.shape()));
    let dims: Vec<_> =
        (0..rank).map(|d| Dim { count: update.shape()[d], strides: [from[d], to[d]] }).collect();
    let nest = Nest::new(&dims, [0, 0], [update.elements(), operand.elements()])
        .ok_or_else(|| ctx.unsupported(format!("{:?} into {:?}", update.shape(), operand.shape())))?;
    let room = operand.shape().iter().zip(update.shape()).map(|(o, u)| o - u);
    let axes = room.zip(&to).map(|(room, &stride)| (room, stride as usize)).collect();
    let kernel =
        Update { width: width(ctx, &[operand, update, output])?, wide: wide(ctx, starts)?, nest, axes };
    ctx.task(kernel, &[operand, update, starts])
}

struct Update {
    width: usize,
    wide: bool,
    /// From the block to where it lies if it starts at zero.
    nest: Nest<2>,
    /// The last start and the stride of each axis.
    axes: Vec<(usize, usize)>,
}

impl Kernel for Update {
    fn name(&self) -> &'static str {
        "portable-update-slice"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        by_width!(self.width, update(self, io));
    }
}

fn update<T: Pod>(u: &Update, io: &mut Io<'_>) {
    let mut start = 0;
    for (d, &(last, stride)) in u.axes.iter().enumerate() {
        start += index(io, 2, u.wide, d).clamp(0, last as i64) as usize * stride;
    }
    let (operand, block) = (io.input::<T>(0), io.input::<T>(1));
    let output = io.output::<T>(0);
    output.copy_from_slice(operand);
    let Dim { count, strides: [from_step, to_step] } = u.nest.inner();
    u.nest.for_each(|[mut f, t]| {
        let mut t = t + start;
        for _ in 0..count {
            output[t] = block[f];
            f = f.wrapping_add_signed(from_step);
            t = t.wrapping_add_signed(to_step);
        }
    });
}

/// READ_VARIABLE: a copy, since the variable may be assigned before the copy is used.
pub(in crate::kernels) fn read(ctx: &Lower<'_>) -> Result<Lowered> {
    let (variable, output) = ctx.unary()?;
    is_variable(ctx, variable)?;
    ctx.ensure_shape(output, variable.shape())?;
    ctx.ensure(variable.dtype() == output.dtype(), || format!("{} as {}", variable.dtype(), output.dtype()))?;
    ctx.task(Copy, &[variable])
}

/// ASSIGN_VARIABLE.
pub(in crate::kernels) fn assign(ctx: &Lower<'_>) -> Result<Lowered> {
    let (variable, value) = (ctx.input(0)?, ctx.input(1)?);
    is_variable(ctx, variable)?;
    let alike = variable.dtype() == value.dtype() && variable.shape() == value.shape();
    ctx.ensure(alike, || format!("{} {:?} into {:?}", value.dtype(), value.shape(), variable.shape()))?;
    Ok(Lowered::Task(Task {
        kernel: Box::new(Copy),
        inputs: vec![value.id],
        outputs: vec![variable.id],
        scratch: 0,
        macs: 0,
        absorbed: Vec::new(),
    }))
}

fn is_variable(ctx: &Lower<'_>, t: Operand<'_>) -> Result<()> {
    ctx.ensure(t.info.is_variable, || format!("\"{}\" is not a variable that VAR_HANDLE names", t.info.name))
}

struct Copy;

impl Kernel for Copy {
    fn name(&self) -> &'static str {
        "portable-copy"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let from = io.input::<u8>(0);
        io.output::<u8>(0).copy_from_slice(from);
    }
}
