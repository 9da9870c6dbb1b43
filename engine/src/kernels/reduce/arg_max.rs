//! ARG_MAX and ARG_MIN.

use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Kernel, Lower, Lowered};
use crate::threads::Pool;
use bytemuck::Pod;
use std::marker::PhantomData;

/// ARG_MAX, or ARG_MIN for the `smallest`, along a constant axis, as int32 or int64; of equal values the first.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>, smallest: bool) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let axis = match ctx.integers(ctx.input(1)?)?[..] {
        [axis] => ctx.axis(axis, input.shape().len())?,
        ref axes => return Err(ctx.invalid(format!("axes {axes:?}"))),
    };
    let mut shape = input.shape().to_vec();
    let extent = shape.remove(axis);
    ctx.ensure_shape(output, &shape)?;
    ctx.ensure(extent > 0, || "the largest of nothing".into())?;
    let inner = input.shape()[axis + 1..].iter().fold(1usize, |n, &d| n.saturating_mul(d));
    let wide = match output.dtype() {
        DType::I32 => false,
        DType::I64 => true,
        _ => return Err(ctx.unsupported_types(&[input, output])),
    };
    macro_rules! task {
        ($t:ty) => {
            ctx.task(ArgMax::<$t> { extent, inner, wide, smallest, element: PhantomData }, &[input])
        };
    }
    match input.dtype() {
        DType::F32 => task!(f32),
        // The arena's bytes have the order of the values that they stand for.
        DType::U8 | DType::I8 => task!(u8),
        DType::I32 => task!(i32),
        DType::I64 => task!(i64),
        DType::Bool => task!(u8),
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

struct ArgMax<T> {
    extent: usize,
    inner: usize,
    wide: bool,
    smallest: bool,
    element: PhantomData<T>,
}

/// Fewest elements of a task.
const PIECE: usize = 8 << 10;

impl<T: Pod + PartialOrd> ArgMax<T> {
    /// Calls `store` with the index and the result of `count` outputs from `first` on.
    #[inline(always)]
    fn each(&self, from: &[T], first: usize, count: usize, mut store: impl FnMut(usize, usize)) {
        for i in 0..count {
            let (slab, inner) = ((first + i) / self.inner, (first + i) % self.inner);
            let values = &from[slab * self.extent * self.inner..][..self.extent * self.inner];
            let (mut best, mut found) = (0, values[inner]);
            for (j, &value) in values[inner..].iter().step_by(self.inner).enumerate() {
                let better = if self.smallest { value < found } else { value > found };
                if better {
                    (best, found) = (j, value);
                }
            }
            store(i, best);
        }
    }
}

impl<T: Pod + PartialOrd + Send + Sync> Kernel for ArgMax<T> {
    fn name(&self) -> &'static str {
        "portable-arg-max"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<T>(0);
        let multiple = PIECE.div_ceil(self.extent);
        if self.wide {
            pool.split(io.output::<i64>(0), 1, multiple, &mut [], &|first, out, _| {
                self.each(from, first, out.len(), |i, best| out[i] = best as i64);
            });
        } else {
            pool.split(io.output::<i32>(0), 1, multiple, &mut [], &|first, out, _| {
                self.each(from, first, out.len(), |i, best| out[i] = best as i32);
            });
        }
    }
}
