//! Functions of two bytes: a table of all 65,536 pairs, computed at load, so that every rule of TFLite's fixed point
//! costs the same to run.

use super::Operands;
use super::Pairs;
use super::scalar::Pairwise;
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{Binary, DType};
use crate::kernels::activation::byte_range;
use crate::kernels::fixed_point::Multiplier;
use crate::kernels::requantize::ByteRange;
use crate::lowering::{Affine, Kernel, Lower, Lowered};
use crate::threads::Pool;

/// A function of two 8-bit tensors.
pub(super) fn lower(ctx: &Lower<'_>, function: Binary, operands: Operands<'_>) -> Result<Lowered> {
    let unsupported = || ctx.unsupported_types(&[operands.a, operands.b, operands.output]);
    // The arena's bytes have the order of the values that they stand for.
    match function {
        Binary::Maximum => return direct(ctx, operands, "portable-u8-maximum", u8::max),
        Binary::Minimum => return direct(ctx, operands, "portable-u8-minimum", u8::min),
        Binary::BitwiseXor => {
            let flip = if operands.a.dtype() == DType::I8 { 0x80 } else { 0 };
            return task(ctx, operands, "portable-u8-xor", move |a, b| a ^ b ^ flip);
        }
        // TFLite divides the stored numbers, whatever they stand for.
        Binary::FloorDiv | Binary::FloorMod if operands.a.dtype() == DType::I8 => {
            let quotient = function == Binary::FloorDiv;
            return task(ctx, operands, "portable-i8-floor", move |x, y| {
                let (x, y) = (i32::from(x) - 128, i32::from(y) - 128);
                let floor = x
                    .checked_div_euclid(y)
                    .map_or(0, |q| if y < 0 && x.rem_euclid(y) != 0 { q - 1 } else { q });
                let result = if quotient { floor } else { x - floor * y };
                (result as i8 as u8) ^ 0x80
            });
        }
        _ => {}
    }
    let (a, b) = (ctx.affine(operands.a)?, ctx.affine(operands.b)?);
    if function.is_comparison() {
        // TFLite compares in steps of 1/256 of the real value.
        let [fa, fb] = [a, b].map(|q| Multiplier::new(f64::from(q.scale)));
        let real = move |x: u8, q: Affine, factor: Multiplier| {
            let step = i32::from(x) - q.zero_point;
            if a == b { step } else { factor.apply(step << 8) }
        };
        let holds: fn(i32, i32) -> bool = match function {
            Binary::Equal => |a, b| a == b,
            Binary::NotEqual => |a, b| a != b,
            Binary::Less => |a, b| a < b,
            Binary::LessEqual => |a, b| a <= b,
            Binary::Greater => |a, b| a > b,
            Binary::GreaterEqual => |a, b| a >= b,
            _ => return Err(unsupported()),
        };
        let f = move |x: u8, y: u8| u8::from(holds(real(x, a, fa), real(y, b, fb)));
        return task(ctx, operands, "portable-u8-comparison", f);
    }
    let to = ctx.affine(operands.output)?;
    match function {
        Binary::SquaredDifference => {
            let f = squared_difference([a, b], to);
            task(ctx, operands, "portable-u8-squared-difference", f)
        }
        Binary::Div(activation) => {
            let (low, high) = byte_range(ctx, activation, to)?;
            let factor = f64::from(a.scale) / (f64::from(b.scale) * f64::from(to.scale));
            let f = move |x: u8, y: u8| {
                let quotient =
                    f64::from(i32::from(x) - a.zero_point) / f64::from(i32::from(y) - b.zero_point);
                let step = (quotient * factor).round() as i32;
                step.saturating_add(to.zero_point).clamp(low.into(), high.into()) as u8
            };
            task(ctx, operands, "portable-u8-div", f)
        }
        _ => Err(unsupported()),
    }
}

/// TFLite's rule: both sides in steps of 1/128 of twice the larger scale, squared.
fn squared_difference([a, b]: [Affine; 2], to: Affine) -> impl Fn(u8, u8) -> u8 + Send + Sync + 'static {
    let twice = 2.0 * f64::from(a.scale.max(b.scale));
    let [fa, fb] = [a, b].map(|q| Multiplier::new(f64::from(q.scale) / twice));
    let result = Multiplier::new(twice * twice / (f64::from(1 << 14) * f64::from(to.scale)));
    move |x, y| {
        let x = fa.apply((i32::from(x) - a.zero_point) << 7);
        let y = fb.apply((i32::from(y) - b.zero_point) << 7);
        let difference = x.saturating_sub(y);
        let step = result.apply(difference.saturating_mul(difference));
        step.saturating_add(to.zero_point).clamp(0, 255) as u8
    }
}

/// The sum, or with `signs` −1 the difference, by TFLite's fixed point, for scales that are too far apart for the rule of
/// [`QuantizedSum`](crate::kernels::quantized_sum::QuantizedSum).
pub(in crate::kernels) fn sum(
    ctx: &Lower<'_>,
    signs: [i32; 2],
    inputs: [Affine; 2],
    to: Affine,
    range: ByteRange,
) -> Result<Lowered> {
    let twice = 2.0 * f64::from(inputs[0].scale.max(inputs[1].scale));
    let factors = inputs.map(|q| Multiplier::new(f64::from(q.scale) / twice));
    let result = Multiplier::new(twice / (f64::from(1 << 20) * f64::from(to.scale)));
    let part = move |i: usize, x: u8| {
        signs[i].saturating_mul(factors[i].apply((i32::from(x) - inputs[i].zero_point) << 20))
    };
    let f = move |x: u8, y: u8| {
        let step = result.apply(part(0, x).saturating_add(part(1, y))).saturating_add(to.zero_point);
        step.clamp(range.min.into(), range.max.into()) as u8
    };
    task(ctx, Operands::of(ctx)?, "portable-u8-sum", f)
}

fn task(
    ctx: &Lower<'_>,
    operands: Operands<'_>,
    name: &'static str,
    f: impl Fn(u8, u8) -> u8 + Send + Sync + 'static,
) -> Result<Lowered> {
    let table = (0..=u16::MAX).map(|pair| f((pair >> 8) as u8, pair as u8)).collect();
    operands.task(ctx, |pairs| BytePairs { name, pairs, table })
}

/// A function that vectors have an instruction for.
fn direct(
    ctx: &Lower<'_>,
    operands: Operands<'_>,
    name: &'static str,
    f: impl Fn(u8, u8) -> u8 + Send + Sync + 'static,
) -> Result<Lowered> {
    operands.task(ctx, |pairs| Pairwise::new(name, pairs, f))
}

struct BytePairs {
    name: &'static str,
    pairs: Pairs,
    /// Results by first and second byte.
    table: Box<[u8]>,
}

impl Kernel for BytePairs {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        self.pairs.apply([io.input::<u8>(0), io.input(1)], io.output::<u8>(0), pool, |a, b| {
            self.table[usize::from(a) << 8 | usize::from(b)]
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squared_differences_are_near_the_real_ones() {
        let affine = |scale, zero_point| Affine { scale, zero_point };
        let (a, b, to) = (affine(0.031, 7), affine(0.011, 200), affine(0.4, 20));
        let f = squared_difference([a, b], to);
        for (x, y) in (0..=255u8).flat_map(|x| (0..=255u8).map(move |y| (x, y))) {
            let real = (f64::from(x) - 7.0) * 0.031 - (f64::from(y) - 200.0) * 0.011;
            let exact = (real * real / 0.4 + 20.0).clamp(0.0, 255.0);
            assert!((f64::from(f(x, y)) - exact).abs() < 0.6, "{x} {y}");
        }
    }

    #[test]
    fn absurd_scales_do_not_panic() {
        for (s, t) in [(1e-45, 1e38), (1e38, 1e-45), (0.0, 0.0)] {
            let q = |scale| Affine { scale, zero_point: 255 };
            let f = squared_difference([q(s), q(t)], q(s));
            f(0, 255);
            f(255, 0);
        }
    }
}
