//! GATHER_ND and SCATTER_ND: each row of an index tensor names a slice.

use super::{extents, index, product, wide};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::kernels::movement::{by_width, width};
use crate::kernels::nest::row_major;
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
use bytemuck::Pod;

/// How rows of indices name slices of a tensor.
struct Slices {
    /// Which input holds the indices.
    input: usize,
    wide: bool,
    rows: usize,
    /// Extent and stride, in elements, of each indexed axis.
    axes: Vec<(usize, usize)>,
    /// Elements of a slice.
    len: usize,
}

impl Slices {
    fn new(ctx: &Lower<'_>, input: usize, indices: Operand<'_>, shape: &[usize]) -> Result<Self> {
        let Some((&depth, outer)) = indices.shape().split_last() else {
            return Err(ctx.invalid("indices are a scalar".into()));
        };
        ctx.ensure(depth <= shape.len(), || format!("{depth} indices into {shape:?}"))?;
        let strides = row_major(shape);
        let axes = (0..depth).map(|d| (shape[d], strides[d] as usize)).collect();
        let slices = Self {
            input,
            wide: wide(ctx, indices)?,
            rows: product(outer),
            axes,
            len: product(&shape[depth..]),
        };
        if indices.constant().is_some() {
            let values = ctx.integers(indices)?;
            let mut inside = values.chunks_exact(depth.max(1)).flat_map(|row| row.iter().zip(&slices.axes));
            let outside = inside.find(|&(&i, &(extent, _))| i < 0 || i >= extent as i64);
            ctx.ensure(outside.is_none(), || format!("an index outside {shape:?}: {outside:?}"))?;
        }
        Ok(slices)
    }

    /// The first element of the slice that row `row` names. `None` if it lies outside.
    fn start(&self, io: &Io<'_>, row: usize) -> Option<usize> {
        let mut at = 0;
        for (d, &(extent, stride)) in self.axes.iter().enumerate() {
            let i = index(io, self.input, self.wide, row * self.axes.len() + d);
            at += usize::try_from(i).ok().filter(|&i| i < extent)? * stride;
        }
        Some(at)
    }
}

/// GATHER_ND. An index computed at run time that lies outside gives zeros, since a run cannot fail.
pub(in crate::kernels) fn gather_nd(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output, indices) = (ctx.input(0)?, ctx.output(0)?, ctx.input(1)?);
    let slices = Slices::new(ctx, 1, indices, input.shape())?;
    let outer = &indices.shape()[..indices.shape().len() - 1];
    ctx.ensure_shape(output, &[outer, &input.shape()[slices.axes.len()..]].concat())?;
    ctx.task(GatherNd { width: width(ctx, &[input, output])?, slices }, &[input, indices])
}

struct GatherNd {
    width: usize,
    slices: Slices,
}

impl Kernel for GatherNd {
    fn name(&self) -> &'static str {
        "portable-gather-nd"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        by_width!(self.width, gather(&self.slices, io));
    }
}

fn gather<T: Pod>(slices: &Slices, io: &mut Io<'_>) {
    let from = io.input::<T>(0);
    for row in 0..slices.rows {
        let start = slices.start(io, row);
        let to = &mut io.output::<T>(0)[row * slices.len..][..slices.len];
        match start {
            Some(at) => to.copy_from_slice(&from[at..at + slices.len]),
            None => to.fill(T::zeroed()),
        }
    }
}

/// SCATTER_ND into zeros of a constant shape; what meets in one place is added. Indices outside are left out.
pub(in crate::kernels) fn scatter_nd(ctx: &Lower<'_>) -> Result<Lowered> {
    let (indices, updates, output) = (ctx.input(0)?, ctx.input(1)?, ctx.output(0)?);
    let shape = extents(ctx, ctx.input(2)?)?;
    ctx.ensure_shape(output, &shape)?;
    let slices = Slices::new(ctx, 0, indices, &shape)?;
    ctx.ensure(updates.elements() == slices.rows.saturating_mul(slices.len), || {
        format!("{:?} at {:?} of {shape:?}", updates.shape(), indices.shape())
    })?;
    macro_rules! task {
        ($t:ty, $zero:expr, $add:expr) => {
            ctx.task(ScatterNd { slices, zero: $zero, add: $add as fn($t, $t) -> $t }, &[indices, updates])
        };
    }
    match (updates.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => task!(f32, 0.0, |a, b| a + b),
        (DType::I32, DType::I32) => task!(i32, 0, i32::wrapping_add),
        (DType::I64, DType::I64) => task!(i64, 0, i64::wrapping_add),
        (DType::U8, DType::U8) => task!(u8, 0, u8::wrapping_add),
        // As the arena holds them.
        (DType::I8, DType::I8) => task!(u8, 0x80, |a, b| a.wrapping_add(b) ^ 0x80),
        (DType::Bool, DType::Bool) => task!(u8, 0, |a, b| a | b),
        _ => Err(ctx.unsupported_types(&[indices, updates, output])),
    }
}

struct ScatterNd<T> {
    slices: Slices,
    zero: T,
    add: fn(T, T) -> T,
}

impl<T: Pod + Send + Sync> Kernel for ScatterNd<T> {
    fn name(&self) -> &'static str {
        "portable-scatter-nd"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let updates = io.input::<T>(1);
        io.output::<T>(0).fill(self.zero);
        let len = self.slices.len;
        for row in 0..self.slices.rows {
            let Some(at) = self.slices.start(io, row) else { continue };
            let to = &mut io.output::<T>(0)[at..at + len];
            for (to, &from) in to.iter_mut().zip(&updates[row * len..][..len]) {
                *to = (self.add)(*to, from);
            }
        }
    }
}
