//! GATHER.

use super::{PIECE, by_width, width};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Kernel, Lower, Lowered};
use crate::threads::Pool;
use bytemuck::Pod;

/// GATHER along an axis by int32 or int64 indices.
///
/// Constant indices are checked at load. Indices computed at run time are clamped into range, since
/// a run cannot fail.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>, axis: i32, batch_dims: i32) -> Result<Lowered> {
    let (input, output, indices) = (ctx.input(0)?, ctx.output(0)?, ctx.input(1)?);
    let axis = ctx.axis(axis.into(), input.shape().len())?;
    let batch_rank = indices.shape().len() as i64;
    let batch = if batch_dims < 0 { i64::from(batch_dims) + batch_rank } else { batch_dims.into() };
    let batch = usize::try_from(batch)
        .ok()
        .filter(|&b| b <= axis && b <= indices.shape().len() && input.shape()[..b] == indices.shape()[..b])
        .ok_or_else(|| ctx.invalid(format!("{batch_dims} batch dimensions, axis {axis}")))?;
    let shape = [&input.shape()[..axis], &indices.shape()[batch..], &input.shape()[axis + 1..]].concat();
    ctx.ensure_shape(output, &shape)?;
    let extent = input.shape()[axis];
    ctx.ensure(extent > 0 || output.elements() == 0, || "it gathers from nothing".into())?;
    if indices.constant().is_some() {
        let values = ctx.integers(indices)?;
        let outside = values.iter().find(|&&i| i < 0 || i >= extent as i64);
        ctx.ensure(outside.is_none(), || format!("index {outside:?} of {extent}"))?;
    }
    if !matches!(indices.dtype(), DType::I32 | DType::I64) {
        return Err(ctx.unsupported_types(&[input, indices]));
    }
    let product = |dims: &[usize]| dims.iter().fold(1usize, |n, &d| n.saturating_mul(d));
    let kernel = Gather {
        width: width(ctx, &[input, output])?,
        wide_indices: indices.dtype() == DType::I64,
        outer: product(&input.shape()[batch..axis]),
        extent,
        indices: product(&indices.shape()[batch..]),
        inner: product(&input.shape()[axis + 1..]),
    };
    ctx.task(kernel, &[input, indices])
}

struct Gather {
    width: usize,
    wide_indices: bool,
    outer: usize,
    extent: usize,
    indices: usize,
    inner: usize,
}

impl Kernel for Gather {
    fn name(&self) -> &'static str {
        "portable-gather"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        if io.output::<u8>(0).is_empty() {
            return;
        }
        if self.wide_indices {
            let indices = io.input::<i64>(1);
            by_width!(self.width, gather(self, io, pool, |i| indices[i]));
        } else {
            let indices = io.input::<i32>(1);
            by_width!(self.width, gather(self, io, pool, |i| indices[i].into()));
        }
    }
}

fn gather<T: Pod + Send + Sync>(
    g: &Gather,
    io: &mut Io<'_>,
    pool: &Pool,
    index: impl Fn(usize) -> i64 + Sync,
) {
    let from = io.input::<T>(0);
    let multiple = PIECE.div_ceil(g.inner * size_of::<T>());
    pool.split(io.output::<T>(0), g.inner, multiple, &mut [], &|first, to, _| {
        for (row, to) in (first..).zip(to.chunks_exact_mut(g.inner)) {
            let (slab, i) = (row / g.indices, row % g.indices);
            let index = index(slab / g.outer * g.indices + i).clamp(0, g.extent as i64 - 1) as usize;
            to.copy_from_slice(&from[(slab * g.extent + index) * g.inner..][..g.inner]);
        }
    });
}
