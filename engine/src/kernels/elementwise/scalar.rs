//! Portable kernels of two inputs.

use super::Pairs;
use crate::arena::Io;
use crate::kernels::quantized_sum::QuantizedSum;
use crate::kernels::rounding::Rounder;
use crate::lowering::{Affine, Kernel};
use crate::threads::Pool;
use bytemuck::Pod;

/// Any function of two numbers of one type.
pub(super) struct Pairwise<T, F> {
    name: &'static str,
    pairs: Pairs,
    f: F,
    element: std::marker::PhantomData<T>,
}

impl<T, F: Fn(T, T) -> T> Pairwise<T, F> {
    pub(super) fn new(name: &'static str, pairs: Pairs, f: F) -> Self {
        Self { name, pairs, f, element: std::marker::PhantomData }
    }
}

impl<T: Pod + Send + Sync, F: Fn(T, T) -> T + Send + Sync> Kernel for Pairwise<T, F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        self.pairs.apply([io.input(0), io.input(1)], io.output(0), pool, &self.f);
    }
}

pub(super) struct MulU8 {
    pairs: Pairs,
    zero_points: [i32; 2],
    factor: f32,
    rounder: Rounder,
}

impl MulU8 {
    pub(super) fn new(pairs: Pairs, a: Affine, b: Affine, to: Affine, range: (u8, u8)) -> Self {
        Self {
            pairs,
            zero_points: [a.zero_point, b.zero_point],
            factor: a.scale * b.scale / to.scale,
            rounder: Rounder::new(to.zero_point, range),
        }
    }
}

impl Kernel for MulU8 {
    fn name(&self) -> &'static str {
        "portable-u8-mul"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let [za, zb] = self.zero_points;
        self.pairs.apply([io.input::<u8>(0), io.input(1)], io.output::<u8>(0), pool, |a, b| {
            let product = (i32::from(a) - za) * (i32::from(b) - zb);
            self.rounder.round(product as f32 * self.factor)
        });
    }
}

pub(super) struct SubU8 {
    pub(super) pairs: Pairs,
    pub(super) difference: QuantizedSum,
}

impl Kernel for SubU8 {
    fn name(&self) -> &'static str {
        "portable-u8-sub"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let difference = self.difference;
        let operands = [io.input::<u8>(0), io.input(1)];
        self.pairs.apply(operands, io.output::<u8>(0), pool, |a, b| difference.byte(a, b));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::requantize::ByteRange;

    #[test]
    fn extreme_scales_stay_within_one_step() {
        for exponent in -10..8 {
            for mantissa in [1.0f32, 1.5, 1.999_999_9] {
                let wide = Affine { scale: mantissa * 2f32.powi(exponent), zero_point: 255 };
                let one = Affine { scale: 1.0, zero_point: 0 };
                for inputs in [[wide, one], [one, wide], [wide, wide]] {
                    let Some(d) = QuantizedSum::difference(inputs, one, ByteRange::FULL) else { continue };
                    let real = |byte: u8, from: Affine| {
                        f64::from(i32::from(byte) - from.zero_point) * f64::from(from.scale)
                    };
                    for (x, y) in [(0, 0), (255, 0), (0, 255), (255, 255), (254, 1)] {
                        // An overflow would be off by far more, or panic in a build that checks.
                        let exact = (real(x, inputs[0]) - real(y, inputs[1])).clamp(0.0, 255.0);
                        let byte = d.byte(x, y);
                        assert!((f64::from(byte) - exact).abs() <= 1.0, "{inputs:?}: {x} - {y} gave {byte}");
                    }
                }
            }
        }
    }

    #[test]
    fn subtraction_is_within_one_step() {
        let affine = |scale, zero_point| Affine { scale, zero_point };
        let (a, b, to) = (affine(0.031, 7), affine(0.0021, 200), affine(0.04, 128));
        let difference = QuantizedSum::difference([a, b], to, ByteRange::FULL).unwrap();
        for (x, y) in (0..=255).flat_map(|x| (0..=255).map(move |y| (x, y))) {
            let real = (f32::from(x) - 7.0) * a.scale - (f32::from(y) - 200.0) * b.scale;
            let exact = (real / to.scale + 128.0).clamp(0.0, 255.0);
            assert!((f32::from(difference.byte(x, y)) - exact).abs() < 0.51, "{x} - {y}");
        }
    }
}
