//! SUM and the REDUCE_ operators: one table of functions, one kernel.
//!
//! SUM of bytes is the exact sum times one float32 factor, as MEAN is; extremes of bytes are bytes of the input.

use super::MAX_COUNT;
use super::axes::Axes;
use super::scalar::{MeanU8, Sums};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{DType, Reduction};
use crate::kernels::Isa;
use crate::kernels::nest::{Dim, Nest};
use crate::kernels::rounding::Rounder;
use crate::kernels::simd::{self, Loops};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::{Pool, scratch_bytes};
use bytemuck::Pod;

/// SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_ANY and REDUCE_ALL over constant axes.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>, reduction: Reduction, keep_dims: bool) -> Result<Lowered> {
    use Reduction::{All, Any, Max, Min, Prod, Sum};
    let (input, output, axes) = Axes::of(ctx, keep_dims)?;
    let unsupported = || ctx.unsupported_types(&[input, output]);
    if input.dtype() != output.dtype() {
        return Err(unsupported());
    }
    macro_rules! numbers {
        ($t:ty, $low:expr, $high:expr, $add:expr, $mul:expr) => {
            match reduction {
                Sum => fold(ctx, input, axes, 0 as $t, $add),
                Prod => fold(ctx, input, axes, 1 as $t, $mul),
                Max => fold(ctx, input, axes, $low, |a: $t, b| if b > a { b } else { a }),
                Min => fold(ctx, input, axes, $high, |a: $t, b| if b < a { b } else { a }),
                All | Any => Err(unsupported()),
            }
        };
    }
    match (input.dtype(), reduction) {
        (DType::F32, _) => {
            let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
            numbers!(f32, low, high, |a: f32, b: f32| a + b, |a: f32, b: f32| a * b)
        }
        (DType::I32, _) => numbers!(i32, i32::MIN, i32::MAX, i32::wrapping_add, i32::wrapping_mul),
        (DType::I64, _) => numbers!(i64, i64::MIN, i64::MAX, i64::wrapping_add, i64::wrapping_mul),
        (DType::I16, Max) => fold(ctx, input, axes, i16::MIN, i16::max),
        (DType::I16, Min) => fold(ctx, input, axes, i16::MAX, i16::min),
        (DType::Bool, Any) => fold(ctx, input, axes, 0u8, |a, b| a | u8::from(b != 0)),
        (DType::Bool, All) => fold(ctx, input, axes, 1u8, |a, b| a & u8::from(b != 0)),
        (DType::U8 | DType::I8, Max) => fold(ctx, input, axes, 0u8, u8::max),
        (DType::U8 | DType::I8, Min) => fold(ctx, input, axes, 255u8, u8::min),
        (DType::U8 | DType::I8, Sum) => {
            if axes.count > MAX_COUNT {
                return Err(ctx.unsupported(format!("a sum of {} elements", axes.count)));
            }
            let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
            let kernel = MeanU8 {
                name: "portable-u8-sum",
                sums: Sums { nest: axes.nest, isa: ctx.isa },
                zero_sum: from.zero_point.wrapping_mul(axes.count as i32),
                factor: from.scale / to.scale,
                rounder: Rounder::whole(to),
            };
            let sums = output.elements().saturating_mul(size_of::<i32>());
            ctx.task_with(kernel, &[input], scratch_bytes(sums, ctx.threads), 0)
        }
        _ => Err(unsupported()),
    }
}

fn fold<T: Pod + Send + Sync>(
    ctx: &Lower<'_>,
    input: Operand<'_>,
    axes: Axes,
    start: T,
    f: impl Fn(T, T) -> T + Send + Sync + 'static,
) -> Result<Lowered> {
    ctx.task(Fold { nest: axes.nest, isa: ctx.isa, start, f }, &[input])
}

struct Fold<T, F> {
    nest: Nest<2>,
    isa: Isa,
    /// The result of a reduction of nothing.
    start: T,
    f: F,
}

impl<T: Pod + Send + Sync, F: Fn(T, T) -> T + Send + Sync> Kernel for Fold<T, F> {
    fn name(&self) -> &'static str {
        "portable-reduce"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let from = io.input::<T>(0);
        let to = io.output::<T>(0);
        to.fill(self.start);
        simd::vectorize(self.isa, All { fold: self, from, to });
    }
}

/// Results that are gathered side by side along a run of elements: two registers of the widest vectors.
const LANES: usize = 32;

struct All<'a, T, F> {
    fold: &'a Fold<T, F>,
    from: &'a [T],
    to: &'a mut [T],
}

impl<T: Copy, F: Fn(T, T) -> T> Loops for All<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { fold: Fold { nest, start, f, .. }, from, to } = self;
        let Dim { count, strides } = nest.inner();
        nest.for_each(|[i, s]| match strides {
            [1, 1] => {
                to[s..s + count].iter_mut().zip(&from[i..i + count]).for_each(|(to, &x)| *to = f(*to, x));
            }
            [1, 0] => {
                let (chunks, rest) = from[i..i + count].as_chunks::<LANES>();
                let mut lanes = [*start; LANES];
                for chunk in chunks {
                    lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| *lane = f(*lane, x));
                }
                // With few elements only those lanes count that were filled.
                let filled = if chunks.is_empty() { &lanes[..0] } else { &lanes[..] };
                to[s] = filled.iter().chain(rest).fold(to[s], |all, &x| f(all, x));
            }
            [step, to_step] => {
                let (mut i, mut s) = (i, s);
                for _ in 0..count {
                    to[s] = f(to[s], from[i]);
                    i = i.wrapping_add_signed(step);
                    s = s.wrapping_add_signed(to_step);
                }
            }
        });
    }
}
