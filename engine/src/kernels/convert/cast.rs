//! CAST: numbers as they are stored, without their quantization.

use super::PIECE;
use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Kernel, Lower, Lowered};
use crate::threads::Pool;
use std::marker::PhantomData;

/// CAST between float32, integers and booleans. What does not fit an integer saturates (from
/// float32) or wraps (from a wider integer); every number but zero is true.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    macro_rules! to {
        ($from:ty) => {
            match output.dtype() {
                DType::F32 => ctx.task(Cast::<$from, f32>(PhantomData), &[input]),
                DType::U8 => ctx.task(Cast::<$from, u8>(PhantomData), &[input]),
                DType::I8 => ctx.task(Cast::<$from, Int8>(PhantomData), &[input]),
                DType::I16 => ctx.task(Cast::<$from, i16>(PhantomData), &[input]),
                DType::I32 => ctx.task(Cast::<$from, i32>(PhantomData), &[input]),
                DType::I64 => ctx.task(Cast::<$from, i64>(PhantomData), &[input]),
                DType::Bool => ctx.task(Cast::<$from, Truth>(PhantomData), &[input]),
                _ => Err(ctx.unsupported_types(&[input, output])),
            }
        };
    }
    match input.dtype() {
        DType::F32 => to!(f32),
        DType::U8 => to!(u8),
        DType::I8 => to!(Int8),
        DType::I16 => to!(i16),
        DType::I32 => to!(i32),
        DType::I64 => to!(i64),
        DType::Bool => to!(Truth),
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

/// An int8 as the arena holds it.
struct Int8;
/// A boolean, one byte.
struct Truth;

/// A number on its way between two types.
enum Number {
    Float(f32),
    Int(i64),
}

trait Stored: Send + Sync + 'static {
    type Bits: bytemuck::Pod + Send + Sync;
    fn read(bits: Self::Bits) -> Number;
    fn write(number: Number) -> Self::Bits;
}

macro_rules! plain {
    ($($t:ty),*) => {$(
        impl Stored for $t {
            type Bits = $t;
            fn read(bits: $t) -> Number {
                Number::Int(bits.into())
            }
            fn write(number: Number) -> $t {
                match number {
                    Number::Float(x) => x as $t,
                    Number::Int(x) => x as $t,
                }
            }
        }
    )*};
}
plain!(u8, i16, i32, i64);

impl Stored for f32 {
    type Bits = f32;
    fn read(bits: f32) -> Number {
        Number::Float(bits)
    }
    fn write(number: Number) -> f32 {
        match number {
            Number::Float(x) => x,
            Number::Int(x) => x as f32,
        }
    }
}

impl Stored for Int8 {
    type Bits = u8;
    fn read(bits: u8) -> Number {
        Number::Int(((bits ^ 0x80) as i8).into())
    }
    fn write(number: Number) -> u8 {
        let value = match number {
            Number::Float(x) => x as i8,
            Number::Int(x) => x as i8,
        };
        value as u8 ^ 0x80
    }
}

impl Stored for Truth {
    type Bits = u8;
    fn read(bits: u8) -> Number {
        Number::Int((bits != 0).into())
    }
    fn write(number: Number) -> u8 {
        let truth = match number {
            Number::Float(x) => x != 0.0,
            Number::Int(x) => x != 0,
        };
        truth.into()
    }
}

struct Cast<A, B>(PhantomData<(A, B)>);

impl<A: Stored, B: Stored> Kernel for Cast<A, B> {
    fn name(&self) -> &'static str {
        "portable-cast"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<A::Bits>(0);
        pool.split(io.output::<B::Bits>(0), 1, PIECE, &mut [], &|first, to, _| {
            for (to, &from) in to.iter_mut().zip(&from[first..]) {
                *to = B::write(A::read(from));
            }
        });
    }
}
