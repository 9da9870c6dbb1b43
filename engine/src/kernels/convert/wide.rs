//! QUANTIZE and DEQUANTIZE of int16.

use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::kernels::fixed_point::Multiplier;
use crate::lowering::{Affine, Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
use bytemuck::Pod;

/// QUANTIZE with int16 on one side at least: from float32 by 1 ÷ scale, else by TFLite's fixed point.
pub(super) fn quantize(ctx: &Lower<'_>, input: Operand<'_>, output: Operand<'_>) -> Result<Lowered> {
    let to = ctx.affine(output)?;
    if input.dtype() == DType::F32 && output.dtype() == DType::I16 {
        return ctx.task(FromFloat { inverse_scale: 1.0 / to.scale, zero_point: to.zero_point }, &[input]);
    }
    let from = ctx.affine(input)?;
    let step = Requantized { from, to, factor: Multiplier::new(f64::from(from.scale) / f64::from(to.scale)) };
    match (input.dtype(), output.dtype()) {
        (DType::I16, DType::I16) => {
            ctx.task(Rescale { step, store: store_i16, load: i32::from as fn(i16) -> i32 }, &[input])
        }
        (DType::I16, DType::U8 | DType::I8) => {
            ctx.task(Rescale { step, store: store_u8, load: i32::from as fn(i16) -> i32 }, &[input])
        }
        (DType::U8 | DType::I8, DType::I16) => {
            ctx.task(Rescale { step, store: store_i16, load: i32::from as fn(u8) -> i32 }, &[input])
        }
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

fn store_i16(step: i32) -> i16 {
    step.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

fn store_u8(step: i32) -> u8 {
    step.clamp(0, 255) as u8
}

struct FromFloat {
    inverse_scale: f32,
    zero_point: i32,
}

impl Kernel for FromFloat {
    fn name(&self) -> &'static str {
        "portable-f32i16-quantize"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let from = io.input::<f32>(0);
        for (to, &x) in io.output::<i16>(0).iter_mut().zip(from) {
            *to = store_i16(((x * self.inverse_scale).round() as i32).saturating_add(self.zero_point));
        }
    }
}

/// A step of one quantization as the nearest of another.
struct Requantized {
    from: Affine,
    to: Affine,
    factor: Multiplier,
}

struct Rescale<A, B> {
    step: Requantized,
    load: fn(A) -> i32,
    store: fn(i32) -> B,
}

impl<A: Pod + Send + Sync, B: Pod + Send + Sync> Kernel for Rescale<A, B> {
    fn name(&self) -> &'static str {
        "portable-i16-requantize"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let Requantized { from, to, factor } = &self.step;
        let values = io.input::<A>(0);
        for (out, &x) in io.output::<B>(0).iter_mut().zip(values) {
            let step = factor.apply((self.load)(x).saturating_sub(from.zero_point));
            *out = (self.store)(step.saturating_add(to.zero_point));
        }
    }
}

/// DEQUANTIZE of int16.
pub(super) fn dequantize(ctx: &Lower<'_>, input: Operand<'_>) -> Result<Lowered> {
    ctx.task(ToFloat { from: ctx.affine(input)? }, &[input])
}

struct ToFloat {
    from: Affine,
}

impl Kernel for ToFloat {
    fn name(&self) -> &'static str {
        "portable-i16f32-dequantize"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let from = io.input::<i16>(0);
        for (to, &x) in io.output::<f32>(0).iter_mut().zip(from) {
            *to = i32::from(x).saturating_sub(self.from.zero_point) as f32 * self.from.scale;
        }
    }
}
