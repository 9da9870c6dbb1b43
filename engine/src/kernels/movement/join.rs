//! CONCATENATION and PACK: several inputs side by side along an axis.
//!
//! Bytes whose quantization differs from the output's go through a table that rounds to the nearest
//! step of the output, as TFLite's uint8 kernel does. Converters write int8 concatenations with one
//! quantization throughout.

use super::{PIECE, width};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{Activation, DType};
use crate::kernels::activation::ensure_none;
use crate::kernels::lookup::{self, Table};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;

/// CONCATENATION.
pub(in crate::kernels) fn concatenation(
    ctx: &Lower<'_>,
    axis: i32,
    activation: Activation,
) -> Result<Lowered> {
    ensure_none(ctx, activation)?;
    let inputs = inputs(ctx)?;
    let output = ctx.output(0)?;
    let axis = ctx.axis(axis.into(), inputs[0].shape().len())?;
    let mut shape = inputs[0].shape().to_vec();
    shape[axis] = 0;
    for input in &inputs {
        let fits = input.shape().len() == shape.len()
            && input.shape().iter().zip(&shape).enumerate().all(|(d, (a, b))| d == axis || a == b);
        ctx.ensure(fits, || format!("{:?} beside {:?}", input.shape(), inputs[0].shape()))?;
        shape[axis] = shape[axis].saturating_add(input.shape()[axis]);
    }
    ctx.ensure_shape(output, &shape)?;
    join(ctx, "portable-concatenation", &inputs, output, axis)
}

/// PACK: the inputs along a new axis.
pub(in crate::kernels) fn pack(ctx: &Lower<'_>, axis: i32) -> Result<Lowered> {
    let inputs = inputs(ctx)?;
    let output = ctx.output(0)?;
    let axis = ctx.axis(axis.into(), inputs[0].shape().len() + 1)?;
    for input in &inputs {
        ctx.ensure_shape(*input, inputs[0].shape())?;
    }
    let mut shape = inputs[0].shape().to_vec();
    shape.insert(axis, inputs.len());
    ctx.ensure_shape(output, &shape)?;
    join(ctx, "portable-pack", &inputs, output, axis)
}

fn inputs<'g>(ctx: &Lower<'g>) -> Result<Vec<Operand<'g>>> {
    ctx.ensure(!ctx.node.inputs.is_empty(), || "no inputs".into())?;
    (0..ctx.node.inputs.len()).map(|i| ctx.input(i)).collect()
}

fn join(
    ctx: &Lower<'_>,
    name: &'static str,
    inputs: &[Operand<'_>],
    output: Operand<'_>,
    axis: usize,
) -> Result<Lowered> {
    let outer: usize = output.shape()[..axis].iter().product();
    let mut parts = Vec::with_capacity(inputs.len());
    for &input in inputs {
        let width = width(ctx, &[input, output])?;
        let table = match input.dtype() {
            DType::U8 | DType::I8 if input.info.quantization.is_some() => {
                lookup::rescaling(ctx, input, output)?.map(Box::new)
            }
            _ => None,
        };
        parts.push(Part { bytes: input.elements() / outer.max(1) * width, table });
    }
    ctx.task(Join { name, outer, parts: parts.into() }, inputs)
}

/// What an input contributes to each row of the output.
struct Part {
    bytes: usize,
    table: Option<Box<Table>>,
}

impl Part {
    fn write(&self, from: &[u8], to: &mut [u8]) {
        match &self.table {
            None => to.copy_from_slice(from),
            Some(table) => to.iter_mut().zip(from).for_each(|(t, &f)| *t = table[usize::from(f)]),
        }
    }
}

/// Most inputs of rows that threads share.
const MAX_SHARED: usize = 16;

struct Join {
    name: &'static str,
    outer: usize,
    parts: Box<[Part]>,
}

impl Kernel for Join {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        if self.outer > 1 && self.parts.len() <= MAX_SHARED {
            let mut inputs: [&[u8]; MAX_SHARED] = [&[]; MAX_SHARED];
            for (i, input) in inputs.iter_mut().enumerate().take(self.parts.len()) {
                *input = io.input(i);
            }
            let row_len: usize = self.parts.iter().map(|part| part.bytes).sum();
            let multiple = PIECE.div_ceil(row_len.max(1));
            pool.split(io.output::<u8>(0), row_len, multiple, &mut [], &|first, out, _| {
                for (row, mut out) in out.chunks_exact_mut(row_len).enumerate() {
                    for (part, input) in self.parts.iter().zip(inputs) {
                        let (to, rest) = out.split_at_mut(part.bytes);
                        part.write(&input[(first + row) * part.bytes..][..part.bytes], to);
                        out = rest;
                    }
                }
            });
            return;
        }
        let mut written = 0;
        for row in 0..self.outer {
            for (i, part) in self.parts.iter().enumerate() {
                let from = &io.input::<u8>(i)[row * part.bytes..][..part.bytes];
                let to = &mut io.output::<u8>(0)[written..][..part.bytes];
                written += part.bytes;
                pool.split(to, 1, PIECE, &mut [], &|first, to, _| part.write(&from[first..][..to.len()], to));
            }
        }
    }
}
