//! Tensors from little: FILL, RANGE, ONE_HOT, ZEROS_LIKE, WHERE.

use super::{extents, index, product, single, wide};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::kernels::movement::{by_width, width};
use crate::lowering::{Kernel, Lower, Lowered};
use crate::threads::Pool;
use bytemuck::Pod;

/// FILL of a constant shape with a scalar.
pub(in crate::kernels) fn fill(ctx: &Lower<'_>) -> Result<Lowered> {
    let (value, output) = (ctx.input(1)?, ctx.output(0)?);
    ctx.ensure_shape(output, &extents(ctx, ctx.input(0)?)?)?;
    ctx.ensure(value.elements() == 1, || format!("a value of shape {:?}", value.shape()))?;
    ctx.task(Fill { width: width(ctx, &[value, output])? }, &[value])
}

struct Fill {
    width: usize,
}

impl Kernel for Fill {
    fn name(&self) -> &'static str {
        "portable-fill"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        by_width!(self.width, fill_with(io));
    }
}

fn fill_with<T: Pod>(io: &mut Io<'_>) {
    let value = io.input::<T>(0)[0];
    io.output::<T>(0).fill(value);
}

/// ZEROS_LIKE, which is known at load.
pub(in crate::kernels) fn zeros_like(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    Ok(Lowered::Known { output: output.id, bytes: vec![0; output.info.bytes()] })
}

/// RANGE of constant start, limit and step, known at load.
pub(in crate::kernels) fn range(ctx: &Lower<'_>) -> Result<Lowered> {
    let output = ctx.output(0)?;
    let operands = [ctx.input(0)?, ctx.input(1)?, ctx.input(2)?];
    let bytes: Vec<u8>;
    let count: usize;
    match output.dtype() {
        DType::I32 | DType::I64 => {
            let [start, limit, step] = operands.map(|t| single(ctx, t));
            let (start, limit, step) = (start?, limit?, step?);
            count = length(ctx, limit.wrapping_sub(start) as f64 / step as f64)?;
            ctx.ensure_shape(output, &[count])?;
            let values = (0..count as i64).map(|i| start.wrapping_add(step.wrapping_mul(i)));
            bytes = match output.dtype() {
                DType::I32 => values.flat_map(|v| (v as i32).to_le_bytes()).collect(),
                _ => values.flat_map(i64::to_le_bytes).collect(),
            };
        }
        DType::F32 => {
            let one = |t| match ctx.floats(t)?[..] {
                [value] => Ok(value),
                _ => Err(ctx.invalid("not one number".into())),
            };
            let [start, limit, step] = operands.map(one);
            let (start, limit, step) = (start?, limit?, step?);
            count = length(ctx, f64::from((limit - start) / step))?;
            ctx.ensure_shape(output, &[count])?;
            bytes = (0..count).flat_map(|i| (start + i as f32 * step).to_le_bytes()).collect();
        }
        _ => return Err(ctx.unsupported_types(&[operands[0], output])),
    }
    Ok(Lowered::Known { output: output.id, bytes })
}

/// Longest RANGE.
const MAX_RANGE: f64 = (1u64 << 24) as f64;

fn length(ctx: &Lower<'_>, steps: f64) -> Result<usize> {
    ctx.ensure(steps <= MAX_RANGE, || format!("a range of {steps} numbers"))?;
    Ok(steps.ceil().max(0.0) as usize)
}

/// WHERE of a constant condition: the places that hold true, known at load. Of others nobody knows how many there are.
pub(in crate::kernels) fn true_places(ctx: &Lower<'_>) -> Result<Lowered> {
    let (condition, output) = ctx.unary()?;
    let Some(bytes) = condition.constant().filter(|_| condition.dtype() == DType::Bool) else {
        return Err(ctx.unsupported("how many places it finds depends on the data".into()));
    };
    ctx.ensure(output.dtype() == DType::I64, || format!("places as {}", output.dtype()))?;
    let shape = condition.shape();
    let found: Vec<usize> = bytes.iter().enumerate().filter(|(_, b)| **b != 0).map(|(i, _)| i).collect();
    ctx.ensure_shape(output, &[found.len(), shape.len()])?;
    let mut bytes = Vec::with_capacity(output.info.bytes());
    for place in found {
        for d in 0..shape.len() {
            let coordinate = place / product(&shape[d + 1..]) % shape[d];
            bytes.extend((coordinate as i64).to_le_bytes());
        }
    }
    Ok(Lowered::Known { output: output.id, bytes })
}

/// ONE_HOT: a constant depth; values for on and off of any type.
pub(in crate::kernels) fn one_hot(ctx: &Lower<'_>, axis: i32) -> Result<Lowered> {
    let (indices, output) = (ctx.input(0)?, ctx.output(0)?);
    let (on, off) = (ctx.input(2)?, ctx.input(3)?);
    let depth = single(ctx, ctx.input(1)?)?;
    let depth = usize::try_from(depth).map_err(|_| ctx.invalid(format!("depth {depth}")))?;
    let axis = ctx.axis(axis.into(), indices.shape().len() + 1)?;
    let mut shape = indices.shape().to_vec();
    shape.insert(axis, depth);
    ctx.ensure_shape(output, &shape)?;
    ctx.ensure(on.elements() == 1 && off.elements() == 1, || "on and off are not one number each".into())?;
    let kernel = OneHot {
        width: width(ctx, &[on, off, output])?,
        wide: wide(ctx, indices)?,
        depth,
        inner: product(&shape[axis + 1..]),
    };
    ctx.task(kernel, &[indices, on, off])
}

struct OneHot {
    width: usize,
    wide: bool,
    depth: usize,
    inner: usize,
}

impl Kernel for OneHot {
    fn name(&self) -> &'static str {
        "portable-one-hot"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        by_width!(self.width, hot(self, io));
    }
}

fn hot<T: Pod>(o: &OneHot, io: &mut Io<'_>) {
    let (on, off) = (io.input::<T>(1)[0], io.input::<T>(2)[0]);
    io.output::<T>(0).fill(off);
    let count = io.output::<T>(0).len() / o.depth.max(1);
    for i in 0..count {
        let place = usize::try_from(index(io, 0, o.wide, i)).ok().filter(|&p| p < o.depth);
        if let Some(place) = place {
            io.output::<T>(0)[(i / o.inner * o.depth + place) * o.inner + i % o.inner] = on;
        }
    }
}
