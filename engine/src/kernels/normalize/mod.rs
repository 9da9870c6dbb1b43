//! LOG_SOFTMAX and L2_NORMALIZATION: each row of the last axis by itself.

use super::activation::ensure_none;
use super::math;
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{Activation, DType};
use crate::lowering::{Affine, Kernel, Lower, Lowered};
use crate::threads::Pool;

/// LOG_SOFTMAX of float32 or bytes.
pub(super) fn log_softmax(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    let &depth = input.shape().last().ok_or_else(|| ctx.invalid("of a scalar".into()))?;
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => ctx.task(LogSoftmaxF32 { depth }, &[input]),
        (DType::U8, DType::U8) | (DType::I8, DType::I8) => {
            let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
            ctx.task(LogSoftmaxU8 { depth, from, to }, &[input])
        }
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

struct LogSoftmaxF32 {
    depth: usize,
}

impl Kernel for LogSoftmaxF32 {
    fn name(&self) -> &'static str {
        "portable-f32-log-softmax"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let (input, depth) = (io.input::<f32>(0), self.depth.max(1));
        for (from, to) in input.chunks_exact(depth).zip(io.output::<f32>(0).chunks_exact_mut(depth)) {
            let max = from.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = from.iter().map(|&x| math::exp(x - max)).sum();
            let log = sum.ln();
            to.iter_mut().zip(from).for_each(|(y, &x)| *y = x - max - log);
        }
    }
}

/// Bytes as their real values, the result rounded to the nearest step.
struct LogSoftmaxU8 {
    depth: usize,
    from: Affine,
    to: Affine,
}

impl Kernel for LogSoftmaxU8 {
    fn name(&self) -> &'static str {
        "portable-u8-log-softmax"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let (input, depth) = (io.input::<u8>(0), self.depth.max(1));
        let inverse = 1.0 / self.to.scale;
        for (from, to) in input.chunks_exact(depth).zip(io.output::<u8>(0).chunks_exact_mut(depth)) {
            let max = from.iter().copied().max().unwrap_or(0);
            let below = |x: u8| -(f32::from(max - x)) * self.from.scale;
            let sum: f32 = from.iter().map(|&x| below(x).exp()).sum();
            let log = sum.ln();
            for (y, &x) in to.iter_mut().zip(from) {
                let step = ((below(x) - log) * inverse).round() as i32;
                *y = step.saturating_add(self.to.zero_point).clamp(0, 255) as u8;
            }
        }
    }
}

/// L2_NORMALIZATION: each row divided by its Euclidean length.
pub(super) fn l2(ctx: &Lower<'_>, activation: Activation) -> Result<Lowered> {
    ensure_none(ctx, activation)?;
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    let &depth = input.shape().last().ok_or_else(|| ctx.invalid("of a scalar".into()))?;
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => ctx.task(L2F32 { depth }, &[input]),
        (DType::U8, DType::U8) | (DType::I8, DType::I8) => {
            let zero_point = ctx.affine(input)?.zero_point;
            ctx.task(L2U8 { depth, zero_point }, &[input])
        }
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

/// Shortest length that is divided by, TFLite's.
const EPSILON: f32 = 1e-6;

struct L2F32 {
    depth: usize,
}

impl Kernel for L2F32 {
    fn name(&self) -> &'static str {
        "portable-f32-l2"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let (input, depth) = (io.input::<f32>(0), self.depth.max(1));
        for (from, to) in input.chunks_exact(depth).zip(io.output::<f32>(0).chunks_exact_mut(depth)) {
            let length = from.iter().map(|x| x * x).sum::<f32>().sqrt().max(EPSILON);
            to.iter_mut().zip(from).for_each(|(y, &x)| *y = x / length);
        }
    }
}

/// Bytes: TFLite gives the result steps of 1/128 around 128, whatever the file says.
struct L2U8 {
    depth: usize,
    zero_point: i32,
}

impl Kernel for L2U8 {
    fn name(&self) -> &'static str {
        "portable-u8-l2"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let (input, depth) = (io.input::<u8>(0), self.depth.max(1));
        for (from, to) in input.chunks_exact(depth).zip(io.output::<u8>(0).chunks_exact_mut(depth)) {
            let steps = |x: u8| f64::from(i32::from(x) - self.zero_point);
            let length = from.iter().map(|&x| steps(x) * steps(x)).sum::<f64>().sqrt().max(EPSILON.into());
            for (y, &x) in to.iter_mut().zip(from) {
                *y = ((steps(x) / length * 128.0).round() as i32 + 128).clamp(0, 255) as u8;
            }
        }
    }
}
