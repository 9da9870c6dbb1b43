//! TOPK_V2 and CUMSUM: along an axis, in order.

use super::{product, single};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Kernel, Lower, Lowered, Operand, Task};
use crate::threads::Pool;
use bytemuck::Pod;
use std::cmp::Ordering;
use std::marker::PhantomData;

/// TOPK_V2 along the last axis, k constant: values and their places, of equal values the first first.
pub(in crate::kernels) fn top_k(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, values, places) = (ctx.input(0)?, ctx.output(0)?, ctx.output(1)?);
    let k = single(ctx, ctx.input(1)?)?;
    let Some((&extent, outer)) = input.shape().split_last() else {
        return Err(ctx.invalid("the largest of a scalar".into()));
    };
    let k = usize::try_from(k).ok().filter(|&k| k <= extent);
    let k = k.ok_or_else(|| ctx.invalid(format!("the largest {k:?} of {extent}")))?;
    let shape = [outer, &[k]].concat();
    ctx.ensure_shape(values, &shape)?;
    ctx.ensure_shape(places, &shape)?;
    ctx.ensure(values.dtype() == input.dtype(), || format!("{} from {}", values.dtype(), input.dtype()))?;
    if places.dtype() != DType::I32 {
        return Err(ctx.unsupported_types(&[input, places]));
    }
    match input.dtype() {
        DType::F32 => task::<f32>(ctx, input, extent, k),
        DType::U8 | DType::I8 => task::<u8>(ctx, input, extent, k),
        DType::I16 => task::<i16>(ctx, input, extent, k),
        DType::I32 => task::<i32>(ctx, input, extent, k),
        DType::I64 => task::<i64>(ctx, input, extent, k),
        _ => Err(ctx.unsupported_types(&[input])),
    }
}

fn task<T: Pod + PartialOrd + Send + Sync>(
    ctx: &Lower<'_>,
    input: Operand<'_>,
    extent: usize,
    k: usize,
) -> Result<Lowered> {
    Ok(Lowered::Task(Task {
        kernel: Box::new(TopK::<T> { extent, k, element: PhantomData }),
        inputs: vec![input.id],
        outputs: ctx.node.outputs.clone(),
        scratch: extent.saturating_mul(size_of::<u32>()),
        macs: 0,
        absorbed: Vec::new(),
    }))
}

struct TopK<T> {
    extent: usize,
    k: usize,
    element: PhantomData<T>,
}

impl<T: Pod + PartialOrd + Send + Sync> Kernel for TopK<T> {
    fn name(&self) -> &'static str {
        "portable-top-k"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let input = io.input::<T>(0);
        let ([values, places], scratch) = io.outputs_and_scratch::<2>();
        let (values, places): (&mut [T], &mut [i32]) =
            (bytemuck::cast_slice_mut(values), bytemuck::cast_slice_mut(places));
        let order: &mut [u32] = bytemuck::cast_slice_mut(scratch);
        if self.k == 0 {
            return;
        }
        let rows = values.chunks_exact_mut(self.k).zip(places.chunks_exact_mut(self.k));
        for (row, (values, places)) in input.chunks_exact(self.extent).zip(rows) {
            order.iter_mut().enumerate().for_each(|(i, o)| *o = i as u32);
            // A total order even of what is no number: those come last.
            let sound = |i: u32| row[i as usize].partial_cmp(&row[i as usize]).is_some();
            let before = |&i: &u32, &j: &u32| {
                let by_value = row[j as usize].partial_cmp(&row[i as usize]);
                by_value.unwrap_or_else(|| sound(j).cmp(&sound(i))).then(i.cmp(&j))
            };
            if self.k < order.len() {
                order.select_nth_unstable_by(self.k - 1, before);
            }
            order[..self.k].sort_unstable_by(|a, b| -> Ordering { before(a, b) });
            for ((value, place), &i) in values.iter_mut().zip(places).zip(order.iter()) {
                (*value, *place) = (row[i as usize], i as i32);
            }
        }
    }
}

/// CUMSUM along a constant axis.
pub(in crate::kernels) fn cumulative_sum(ctx: &Lower<'_>, exclusive: bool, reverse: bool) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    let axis = ctx.axis(single(ctx, ctx.input(1)?)?, input.shape().len())?;
    let (extent, inner) = (input.shape()[axis], product(&input.shape()[axis + 1..]));
    macro_rules! task {
        ($t:ty, $zero:expr, $add:expr) => {
            ctx.task(CumSum::<$t> { extent, inner, exclusive, reverse, zero: $zero, add: $add }, &[input])
        };
    }
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => task!(f32, 0.0, |a, b| a + b),
        (DType::I32, DType::I32) => task!(i32, 0, i32::wrapping_add),
        (DType::I64, DType::I64) => task!(i64, 0, i64::wrapping_add),
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

struct CumSum<T> {
    extent: usize,
    inner: usize,
    /// An element's sum leaves out the element itself.
    exclusive: bool,
    /// From the end.
    reverse: bool,
    zero: T,
    add: fn(T, T) -> T,
}

impl<T: Pod + Send + Sync> Kernel for CumSum<T> {
    fn name(&self) -> &'static str {
        "portable-cumsum"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let (from, to) = (io.input::<T>(0), io.output::<T>(0));
        let slab = self.extent * self.inner;
        for line in 0..from.len() / self.extent.max(1) {
            let start = line / self.inner.max(1) * slab + line % self.inner.max(1);
            let mut sum = self.zero;
            for i in 0..self.extent {
                let i = if self.reverse { self.extent - 1 - i } else { i };
                let at = start + i * self.inner;
                let next = (self.add)(sum, from[at]);
                to[at] = if self.exclusive { sum } else { next };
                sum = next;
            }
        }
    }
}
