//! SELECT and SELECT_V2: by a condition from one of two tensors.

use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::kernels::movement::{by_width, width};
use crate::kernels::nest::{Dim, Nest, row_major};
use crate::lowering::{Kernel, Lower, Lowered};
use crate::threads::Pool;
use bytemuck::Pod;

/// Version 2 broadcasts all three; version 1 knows a condition of the values' shape, a scalar, or one for each index of
/// the first axis.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>, version: u8) -> Result<Lowered> {
    let (condition, a, b, output) = (ctx.input(0)?, ctx.input(1)?, ctx.input(2)?, ctx.output(0)?);
    if condition.dtype() != DType::Bool {
        return Err(ctx.unsupported_types(&[condition, a, b]));
    }
    let mut shapes = [condition.shape().to_vec(), a.shape().to_vec(), b.shape().to_vec()];
    if version == 1 && shapes[0].len() == 1 && shapes[1].first() == shapes[0].first() {
        shapes[0].resize(shapes[1].len(), 1);
    }
    let rank = shapes.iter().map(Vec::len).max().unwrap_or(0);
    for shape in &mut shapes {
        shape.splice(0..0, std::iter::repeat_n(1, rank - shape.len()));
    }
    let mut shape = Vec::with_capacity(rank);
    for d in 0..rank {
        let extent = shapes.iter().map(|s| s[d]).find(|&e| e != 1).unwrap_or(1);
        ctx.ensure(shapes.iter().all(|s| s[d] == extent || s[d] == 1), || format!("{shapes:?} together"))?;
        shape.push(extent);
    }
    ctx.ensure_shape(output, &shape)?;
    let own = row_major(&shape);
    let strides = shapes.each_ref().map(|s| row_major(s));
    let step = |k: usize, d: usize| if shapes[k][d] == 1 { 0 } else { strides[k][d] };
    let dims: Vec<_> = (0..rank)
        .map(|d| Dim { count: shape[d], strides: [step(0, d), step(1, d), step(2, d), own[d]] })
        .collect();
    let lens = [condition, a, b, output].map(|t| t.elements());
    let nest =
        Nest::new(&dims, [0; 4], lens).ok_or_else(|| ctx.unsupported(format!("{shapes:?} together")))?;
    ctx.task(Select { width: width(ctx, &[a, b, output])?, nest }, &[condition, a, b])
}

struct Select {
    width: usize,
    nest: Nest<4>,
}

impl Kernel for Select {
    fn name(&self) -> &'static str {
        "portable-select"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        by_width!(self.width, select(&self.nest, io));
    }
}

fn select<T: Pod>(nest: &Nest<4>, io: &mut Io<'_>) {
    let (condition, a, b) = (io.input::<u8>(0), io.input::<T>(1), io.input::<T>(2));
    let output = io.output::<T>(0);
    let Dim { count, strides: [step_c, step_a, step_b, _] } = nest.inner();
    nest.for_each(|[mut c, mut i, mut j, to]| {
        for to in &mut output[to..to + count] {
            *to = if condition[c] != 0 { a[i] } else { b[j] };
            c = c.wrapping_add_signed(step_c);
            i = i.wrapping_add_signed(step_a);
            j = j.wrapping_add_signed(step_b);
        }
    });
}
