//! Functions of one element beyond the activations of `lookup`: one table of functions, one kernel.
//!
//! On bytes each is a table of 256 entries, computed at load by TFLite's rule: the function in float32 of the real value,
//! rounded to the nearest step, halves away from zero. Others as in TFLite: ABS in fixed point, SQRT rounded down, and NEG of
//! int8 the negative of the stored number, whatever its zero point.

use super::Isa;
use super::fixed_point::Multiplier;
use super::lookup::{self, Table};
use super::math;
use super::simd::{self, Loops};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{DType, Unary};
use crate::lowering::{Affine, Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
use bytemuck::Pod;

/// A function of one element, in the types that LiteRT has it in.
pub(super) fn lower(ctx: &Lower<'_>, function: Unary) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => float(ctx, function, input),
        (DType::I32, DType::I32) => match function {
            Unary::Abs => task(ctx, input, "portable-i32-abs", i32::wrapping_abs),
            Unary::Neg => task(ctx, input, "portable-i32-neg", i32::wrapping_neg),
            Unary::Sign => task(ctx, input, "portable-i32-sign", i32::signum),
            Unary::Square => task(ctx, input, "portable-i32-square", |x: i32| x.wrapping_mul(x)),
            _ => Err(ctx.unsupported_types(&[input, output])),
        },
        (DType::I64, DType::I64) => match function {
            Unary::Abs => task(ctx, input, "portable-i64-abs", i64::wrapping_abs),
            Unary::Neg => task(ctx, input, "portable-i64-neg", i64::wrapping_neg),
            Unary::Sign => task(ctx, input, "portable-i64-sign", i64::signum),
            Unary::Square => task(ctx, input, "portable-i64-square", |x: i64| x.wrapping_mul(x)),
            _ => Err(ctx.unsupported_types(&[input, output])),
        },
        (DType::Bool, DType::Bool) if function == Unary::LogicalNot => {
            task(ctx, input, "portable-bool-not", |x: u8| u8::from(x == 0))
        }
        (DType::U8, DType::U8) | (DType::I8, DType::I8) => bytes(ctx, function, input, output),
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

fn float(ctx: &Lower<'_>, function: Unary, x: Operand<'_>) -> Result<Lowered> {
    match function {
        Unary::Abs => task(ctx, x, "portable-f32-abs", f32::abs),
        Unary::Ceil => task(ctx, x, "portable-f32-ceil", f32::ceil),
        Unary::Cos => task(ctx, x, "portable-f32-cos", f32::cos),
        Unary::Elu => task(ctx, x, "portable-f32-elu", elu),
        Unary::Exp => task(ctx, x, "portable-f32-exp", |x: f32| math::exp(x)),
        Unary::Floor => task(ctx, x, "portable-f32-floor", f32::floor),
        Unary::Gelu { approximate: true } => task(ctx, x, "portable-f32-gelu-tanh", gelu_tanh),
        Unary::Gelu { approximate: false } => task(ctx, x, "portable-f32-gelu", gelu),
        Unary::Log => task(ctx, x, "portable-f32-log", f32::ln),
        Unary::Neg => task(ctx, x, "portable-f32-neg", |x: f32| -x),
        Unary::Relu0To1 => task(ctx, x, "portable-f32-relu-0-1", |x: f32| x.clamp(0.0, 1.0)),
        Unary::ReluN1To1 => task(ctx, x, "portable-f32-relu-n1-1", |x: f32| x.clamp(-1.0, 1.0)),
        Unary::Round => task(ctx, x, "portable-f32-round", f32::round_ties_even),
        Unary::Rsqrt => task(ctx, x, "portable-f32-rsqrt", |x: f32| 1.0 / x.sqrt()),
        Unary::Sign => task(ctx, x, "portable-f32-sign", sign),
        Unary::Sin => task(ctx, x, "portable-f32-sin", f32::sin),
        Unary::Sqrt => task(ctx, x, "portable-f32-sqrt", f32::sqrt),
        Unary::Square => task(ctx, x, "portable-f32-square", |x: f32| x * x),
        Unary::LogicalNot => Err(ctx.unsupported_types(&[x])),
    }
}

fn bytes(ctx: &Lower<'_>, function: Unary, input: Operand<'_>, output: Operand<'_>) -> Result<Lowered> {
    let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
    let table = match function {
        Unary::Abs => abs(from, to),
        Unary::Elu => real(from, to, elu),
        Unary::Exp => real(from, to, f32::exp),
        Unary::Gelu { approximate: true } => real(from, to, gelu_tanh),
        Unary::Gelu { approximate: false } => real(from, to, gelu),
        Unary::Log => real(from, to, |x| if x > 0.0 { x.ln() } else { f32::NEG_INFINITY }),
        Unary::Neg if input.dtype() == DType::I8 => std::array::from_fn(|byte| (byte as u8).wrapping_neg()),
        Unary::Neg => real(from, to, |x| -x),
        Unary::Sqrt => stepwise(from, to, |x| x.max(0.0).sqrt(), |y| (y / to.scale).floor()),
        Unary::Relu0To1 => lookup::relu(from, to, (0.0, 1.0)),
        Unary::ReluN1To1 => lookup::relu(from, to, (-1.0, 1.0)),
        Unary::Rsqrt => real(from, to, |x| if x > 0.0 { 1.0 / x.sqrt() } else { f32::INFINITY }),
        _ => return Err(ctx.unsupported_types(&[input, output])),
    };
    lookup::by_table(ctx, input, table)
}

/// `f` of the real value, to the nearest step, halves away from zero.
fn real(from: Affine, to: Affine, f: impl Fn(f32) -> f32) -> Table {
    let inverse = 1.0 / to.scale;
    stepwise(from, to, f, |y| (y * inverse).round())
}

/// `f` of the real value, brought to steps by `steps`.
fn stepwise(from: Affine, to: Affine, f: impl Fn(f32) -> f32, steps: impl Fn(f32) -> f32) -> Table {
    std::array::from_fn(|byte| {
        let y = f(from.scale * (byte as i32 - from.zero_point) as f32);
        (steps(y) as i32).saturating_add(to.zero_point).clamp(0, 255) as u8
    })
}

fn abs(from: Affine, to: Affine) -> Table {
    let factor = Multiplier::new(f64::from(from.scale / to.scale));
    std::array::from_fn(|byte| {
        let x = (byte as i32 - from.zero_point).abs();
        let y = if from.scale == to.scale { x } else { factor.apply(x) };
        y.saturating_add(to.zero_point).clamp(0, 255) as u8
    })
}

/// eˣ − 1 below zero; by the exact function, since near zero the difference cancels.
fn elu(x: f32) -> f32 {
    if x < 0.0 { x.exp_m1() } else { x }
}

fn sign(x: f32) -> f32 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x
    }
}

/// x · Φ(x), Φ of the normal distribution (Hendrycks & Gimpel, arXiv:1606.08415).
fn gelu(x: f32) -> f32 {
    let x = f64::from(x);
    (0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2))) as f32
}

/// The same paper's approximation.
fn gelu_tanh(x: f32) -> f32 {
    const FACTOR: f32 = 0.797_884_6;
    0.5 * x * (1.0 + (FACTOR * (x + 0.044_715 * x * x * x)).tanh())
}

/// The error function, within 10⁻¹⁰: its Maclaurin series near zero, else the continued fraction of its complement.
fn erf(x: f64) -> f64 {
    let square = x * x;
    if square < 6.25 {
        let (mut term, mut sum) = (x, x);
        for n in 1..60 {
            term *= -square / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    // erfc x = e^(−x²) ÷ √π · 1 ÷ (x + ½ ÷ (x + 1 ÷ (x + 3/2 ÷ …)))
    let fraction = (1..60).rev().fold(x.abs(), |rest, n| x.abs() + f64::from(n) / 2.0 / rest);
    let complement = (-square).exp() / fraction * std::f64::consts::FRAC_2_SQRT_PI / 2.0;
    if x.is_nan() { x } else { (1.0 - complement).copysign(x) }
}

fn task<T: Pod + Send + Sync>(
    ctx: &Lower<'_>,
    input: Operand<'_>,
    name: &'static str,
    f: impl Fn(T) -> T + Send + Sync + 'static,
) -> Result<Lowered> {
    ctx.task(Map { name, isa: ctx.isa, f, element: std::marker::PhantomData::<T> }, &[input])
}

/// Fewest elements of a task.
const PIECE: usize = 8 << 10;

struct Map<T, F> {
    name: &'static str,
    isa: Isa,
    f: F,
    element: std::marker::PhantomData<T>,
}

struct Piece<'a, T, F> {
    f: &'a F,
    from: &'a [T],
    to: &'a mut [T],
}

impl<T: Copy, F: Fn(T) -> T> Loops for Piece<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to = (self.f)(from);
        }
    }
}

impl<T: Pod + Send + Sync, F: Fn(T) -> T + Send + Sync> Kernel for Map<T, F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<T>(0);
        pool.split(io.output::<T>(0), 1, PIECE, &mut [], &|first, to, _| {
            simd::vectorize(self.isa, Piece { f: &self.f, from: &from[first..][..to.len()], to });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        type Case = (&'static str, fn(f32) -> f32, f32, f32);
        let cases: [Case; 9] = [
            ("elu", elu, -1.0, -0.632_120_56),
            ("elu", elu, 2.5, 2.5),
            ("gelu", gelu, 1.0, 0.841_344_8),
            ("gelu", gelu, -3.5, -0.000_814_2),
            ("gelu", gelu, 6.0, 6.0),
            ("gelu_tanh", gelu_tanh, 1.0, 0.841_192),
            ("sign", sign, -0.3, -1.0),
            ("sign", sign, 0.0, 0.0),
            ("gelu", gelu, 0.0, 0.0),
        ];
        for (name, f, x, expected) in cases {
            assert!((f(x) - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{name}({x}) = {}", f(x));
        }
        assert!(gelu(f32::NAN).is_nan() && erf(30.0) == 1.0 && erf(-30.0) == -1.0);
        assert!((erf(2.499_999) - erf(2.500_001)).abs() < 1e-7);
    }

    #[test]
    fn tables_round_to_the_nearest_step() {
        let (from, to) = (Affine { scale: 0.05, zero_point: 120 }, Affine { scale: 0.04, zero_point: 90 });
        for (f, table) in [(f32::exp as fn(f32) -> f32, real(from, to, f32::exp)), (f32::abs, abs(from, to))]
        {
            for (byte, &y) in table.iter().enumerate() {
                let exact = (f((byte as f32 - 120.0) * 0.05) / 0.04 + 90.0).clamp(0.0, 255.0);
                assert!((f32::from(y) - exact).abs() <= 0.501, "{byte}: {y}, not {exact}");
            }
        }
    }

    #[test]
    fn absurd_scales_do_not_panic() {
        for (a, b) in [(f32::MAX, f32::MIN_POSITIVE), (1e-45, 1e38), (0.0, 0.0), (1.0, 0.0)] {
            let (from, to) = (Affine { scale: a, zero_point: 255 }, Affine { scale: b, zero_point: 0 });
            abs(from, to);
            for f in [f32::exp, f32::ln, elu, gelu] {
                real(from, to, f);
            }
        }
    }
}
