//! Functions of two elements beyond SUB, MUL and PRELU: one table of functions, with NumPy's broadcasting.

use super::byte_pairs;
use super::scalar::Pairwise;
use super::{Operands, Pairs};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{Binary, DType};
use crate::kernels::activation::float_range;
use crate::lowering::{Kernel, Lower, Lowered};
use crate::threads::Pool;
use bytemuck::Pod;
use std::marker::PhantomData;

/// A function of two tensors, in the types that LiteRT has it in.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>, function: Binary) -> Result<Lowered> {
    let operands = Operands::of(ctx)?;
    let (a, b, output) = (operands.a, operands.b, operands.output);
    let unsupported = || ctx.unsupported_types(&[a, b, output]);
    if a.dtype() != b.dtype() {
        return Err(unsupported());
    }
    if function.is_comparison() {
        if output.dtype() != DType::Bool {
            return Err(unsupported());
        }
        return match a.dtype() {
            DType::F32 => compare::<f32>(ctx, function, operands),
            DType::I16 => compare::<i16>(ctx, function, operands),
            DType::I32 => compare::<i32>(ctx, function, operands),
            DType::I64 => compare::<i64>(ctx, function, operands),
            DType::Bool => match function {
                Binary::LogicalAnd => holds(ctx, operands, |a: u8, b| a != 0 && b != 0),
                Binary::LogicalOr => holds(ctx, operands, |a: u8, b| a != 0 || b != 0),
                Binary::Equal => holds(ctx, operands, |a: u8, b| (a != 0) == (b != 0)),
                Binary::NotEqual => holds(ctx, operands, |a: u8, b| (a != 0) != (b != 0)),
                _ => Err(unsupported()),
            },
            DType::U8 | DType::I8 => byte_pairs::lower(ctx, function, operands),
            _ => Err(unsupported()),
        };
    }
    match operands.dtype(ctx)? {
        DType::F32 => float(ctx, function, operands),
        DType::I32 => int32(ctx, function, operands),
        DType::I64 => int64(ctx, function, operands),
        DType::I16 => match function {
            Binary::Maximum => apply(ctx, operands, "portable-i16-maximum", i16::max),
            Binary::Minimum => apply(ctx, operands, "portable-i16-minimum", i16::min),
            Binary::BitwiseXor => apply(ctx, operands, "portable-i16-xor", |a: i16, b: i16| a ^ b),
            _ => Err(unsupported()),
        },
        DType::U8 | DType::I8 => byte_pairs::lower(ctx, function, operands),
        _ => Err(unsupported()),
    }
}

fn apply<T: Pod + Send + Sync>(
    ctx: &Lower<'_>,
    operands: Operands<'_>,
    name: &'static str,
    f: impl Fn(T, T) -> T + Send + Sync + 'static,
) -> Result<Lowered> {
    operands.task(ctx, |pairs| Pairwise::new(name, pairs, f))
}

fn float(ctx: &Lower<'_>, function: Binary, o: Operands<'_>) -> Result<Lowered> {
    match function {
        Binary::Atan2 => apply(ctx, o, "portable-f32-atan2", f32::atan2),
        Binary::Div(activation) => {
            let (low, high) = float_range(ctx, activation)?;
            let unlimited = (low, high) == (f32::NEG_INFINITY, f32::INFINITY);
            let limited = move |quotient: f32| {
                let raised = if quotient < low { low } else { quotient };
                if raised > high { high } else { raised }
            };
            match unlimited {
                true => apply(ctx, o, "portable-f32-div", |a: f32, b: f32| a / b),
                false => apply(ctx, o, "portable-f32-div", move |a: f32, b: f32| limited(a / b)),
            }
        }
        Binary::FloorDiv => apply(ctx, o, "portable-f32-floor-div", |a: f32, b: f32| (a / b).floor()),
        Binary::FloorMod => apply(ctx, o, "portable-f32-floor-mod", float_mod),
        Binary::Maximum => apply(ctx, o, "portable-f32-maximum", |a: f32, b| if a > b { a } else { b }),
        Binary::Minimum => apply(ctx, o, "portable-f32-minimum", |a: f32, b| if a < b { a } else { b }),
        Binary::Pow => apply(ctx, o, "portable-f32-pow", f32::powf),
        Binary::SquaredDifference => {
            apply(ctx, o, "portable-f32-squared-difference", |a: f32, b: f32| (a - b) * (a - b))
        }
        _ => Err(ctx.unsupported_types(&[o.a, o.b, o.output])),
    }
}

/// The remainder with the divisor's sign.
fn float_mod(a: f32, b: f32) -> f32 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

/// The integer types share their functions. Division by zero, which LiteRT refuses as it runs, gives zero.
macro_rules! integers {
    ($name:ident, $t:ty, $prefix:literal) => {
        fn $name(ctx: &Lower<'_>, function: Binary, o: Operands<'_>) -> Result<Lowered> {
            let floor_div = |a: $t, b: $t| {
                let quotient = a.checked_div(b).unwrap_or(0);
                let exact = a.checked_rem(b).is_none_or(|rest| rest == 0);
                if !exact && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
            };
            let floor_mod = |a: $t, b: $t| {
                let rest = a.checked_rem(b).unwrap_or(0);
                if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
            };
            match function {
                Binary::BitwiseXor => apply(ctx, o, concat!($prefix, "-xor"), |a: $t, b: $t| a ^ b),
                Binary::Div(crate::graph::Activation::None) => {
                    apply(ctx, o, concat!($prefix, "-div"), |a: $t, b: $t| a.checked_div(b).unwrap_or(0))
                }
                Binary::FloorDiv => apply(ctx, o, concat!($prefix, "-floor-div"), floor_div),
                Binary::FloorMod => apply(ctx, o, concat!($prefix, "-floor-mod"), floor_mod),
                Binary::Maximum => apply(ctx, o, concat!($prefix, "-maximum"), <$t>::max),
                Binary::Minimum => apply(ctx, o, concat!($prefix, "-minimum"), <$t>::min),
                Binary::Pow => apply(ctx, o, concat!($prefix, "-pow"), |a: $t, b: $t| {
                    u32::try_from(b).map_or(0, |exponent| a.wrapping_pow(exponent))
                }),
                Binary::RightShift => apply(ctx, o, concat!($prefix, "-right-shift"), |a: $t, b: $t| {
                    a >> b.clamp(0, <$t>::BITS as $t - 1)
                }),
                Binary::SquaredDifference => {
                    apply(ctx, o, concat!($prefix, "-squared-difference"), |a: $t, b: $t| {
                        let difference = a.wrapping_sub(b);
                        difference.wrapping_mul(difference)
                    })
                }
                _ => Err(ctx.unsupported_types(&[o.a, o.b, o.output])),
            }
        }
    };
}
integers!(int32, i32, "portable-i32");
integers!(int64, i64, "portable-i64");

fn compare<T: Pod + PartialOrd + Send + Sync>(
    ctx: &Lower<'_>,
    function: Binary,
    operands: Operands<'_>,
) -> Result<Lowered> {
    match function {
        Binary::Equal => holds(ctx, operands, |a: T, b| a == b),
        Binary::NotEqual => holds(ctx, operands, |a: T, b| a != b),
        Binary::Less => holds(ctx, operands, |a: T, b| a < b),
        Binary::LessEqual => holds(ctx, operands, |a: T, b| a <= b),
        Binary::Greater => holds(ctx, operands, |a: T, b| a > b),
        Binary::GreaterEqual => holds(ctx, operands, |a: T, b| a >= b),
        _ => Err(ctx.unsupported_types(&[operands.a, operands.b, operands.output])),
    }
}

fn holds<T: Pod + Send + Sync>(
    ctx: &Lower<'_>,
    operands: Operands<'_>,
    f: impl Fn(T, T) -> bool + Send + Sync + 'static,
) -> Result<Lowered> {
    operands.task(ctx, |pairs| Holds { pairs, f, element: PhantomData::<T> })
}

/// Whether a relation holds between two elements.
struct Holds<T, F> {
    pairs: Pairs,
    f: F,
    element: PhantomData<T>,
}

impl<T: Pod + Send + Sync, F: Fn(T, T) -> bool + Send + Sync> Kernel for Holds<T, F> {
    fn name(&self) -> &'static str {
        "portable-comparison"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let operands = [io.input::<T>(0), io.input(1)];
        self.pairs.apply(operands, io.output::<u8>(0), pool, |a, b| (self.f)(a, b).into());
    }
}

#[cfg(test)]
mod tests {
    use super::float_mod;

    #[test]
    fn remainders_have_the_sign_of_the_divisor() {
        for (a, b, expected) in
            [(7.0, 3.0, 1.0), (-7.0, 3.0, 2.0), (7.0, -3.0, -2.0), (-7.0, -3.0, -1.0), (6.0, -3.0, 0.0)]
        {
            assert_eq!(float_mod(a, b), expected, "{a} mod {b}");
        }
        assert!(float_mod(1.0, 0.0).is_nan());
    }
}
