//! RFFT2D and COMPLEX_ABS: the spectrum of real signals, as audio models compute it from a window of samples.
//!
//! Cooley and Tukey's transform of radix two, in float64, as LiteRT's is.

use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Kernel, Lower, Lowered};
use crate::threads::Pool;
use std::f64::consts::TAU;

/// A complex number: real and imaginary part.
type Complex = [f64; 2];

/// Longest transform.
const MAX_LENGTH: usize = 1 << 20;

/// RFFT2D over the last two axes, cut or filled with zeros to a constant length; lengths are powers of two.
pub(super) fn rfft2d(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let lengths = ctx.integers(ctx.input(1)?)?;
    let power = |&n: &i64| usize::try_from(n).ok().filter(|n| n.is_power_of_two() && *n <= MAX_LENGTH);
    let sizes: Vec<usize> = lengths.iter().filter_map(power).collect();
    let (&[rows, columns], Some((outer, &[in_rows, in_columns]))) =
        (sizes.as_slice(), input.shape().split_last_chunk::<2>())
    else {
        return Err(ctx.invalid(format!("lengths {lengths:?} of {:?}", input.shape())));
    };
    ctx.ensure_shape(output, &[outer, &[rows, columns / 2 + 1]].concat())?;
    if (input.dtype(), output.dtype()) != (DType::F32, DType::C64) {
        return Err(ctx.unsupported_types(&[input, output]));
    }
    let longest = rows.max(columns);
    let turn = |i: usize| {
        let angle = -TAU * i as f64 / longest as f64;
        [angle.cos(), angle.sin()]
    };
    let kernel = Rfft2d {
        input: [in_rows, in_columns],
        size: [rows, columns],
        turns: (0..longest / 2).map(turn).collect(),
        longest,
    };
    let numbers = rows.saturating_mul(columns / 2 + 1).saturating_add(longest);
    ctx.task_with(kernel, &[input], numbers.saturating_mul(size_of::<Complex>()), 0)
}

struct Rfft2d {
    input: [usize; 2],
    size: [usize; 2],
    /// e^(−2πi·k ÷ longest).
    turns: Box<[Complex]>,
    longest: usize,
}

impl Rfft2d {
    /// Transforms in place a number of values that is a power of two.
    fn transform(&self, values: &mut [Complex]) {
        let n = values.len();
        let bits = n.trailing_zeros();
        for i in 0..n {
            let j = if bits == 0 { 0 } else { i.reverse_bits() >> (usize::BITS - bits) };
            if i < j {
                values.swap(i, j);
            }
        }
        let mut half = 1;
        while half < n {
            let step = self.longest / (2 * half);
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for (i, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let t = self.turns[i * step];
                    let product = [b[0] * t[0] - b[1] * t[1], b[0] * t[1] + b[1] * t[0]];
                    *b = [a[0] - product[0], a[1] - product[1]];
                    *a = [a[0] + product[0], a[1] + product[1]];
                }
            }
            half *= 2;
        }
    }
}

impl Kernel for Rfft2d {
    fn name(&self) -> &'static str {
        "portable-f32-rfft2d"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let ([rows, columns], [in_rows, in_columns]) = (self.size, self.input);
        let kept = columns / 2 + 1;
        let signal = io.input::<f32>(0);
        let ([out], scratch) = io.outputs_and_scratch::<1>();
        let out: &mut [[f32; 2]] = bytemuck::cast_slice_mut(out);
        let (grid, line) = bytemuck::cast_slice_mut::<u8, Complex>(scratch).split_at_mut(rows * kept);
        for (i, out) in out.chunks_exact_mut(rows * kept).enumerate() {
            for (r, spectrum) in grid.chunks_exact_mut(kept).enumerate() {
                let line = &mut line[..columns];
                line.fill([0.0; 2]);
                if r < in_rows {
                    let samples = &signal[(i * in_rows + r) * in_columns..][..in_columns];
                    line.iter_mut().zip(samples).for_each(|(x, &s)| x[0] = s.into());
                }
                self.transform(line);
                spectrum.copy_from_slice(&line[..kept]);
            }
            for c in 0..if rows > 1 { kept } else { 0 } {
                let line = &mut line[..rows];
                line.iter_mut().enumerate().for_each(|(r, x)| *x = grid[r * kept + c]);
                self.transform(line);
                line.iter().enumerate().for_each(|(r, x)| grid[r * kept + c] = *x);
            }
            out.iter_mut().zip(grid.iter()).for_each(|(to, x)| *to = x.map(|part| part as f32));
        }
    }
}

/// COMPLEX_ABS.
pub(super) fn magnitude(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    match (input.dtype(), output.dtype()) {
        (DType::C64, DType::F32) => ctx.task(Magnitude, &[input]),
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

struct Magnitude;

impl Kernel for Magnitude {
    fn name(&self) -> &'static str {
        "portable-c64-abs"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let from = io.input::<[f32; 2]>(0);
        io.output::<f32>(0).iter_mut().zip(from).for_each(|(to, [re, im])| *to = re.hypot(*im));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_definition() {
        for n in [1usize, 2, 4, 16, 64] {
            let turns =
                (0..n / 2).map(|i| (-TAU * i as f64 / n as f64).sin_cos()).map(|(s, c)| [c, s]).collect();
            let fft = Rfft2d { input: [1, n], size: [1, n], turns, longest: n };
            let signal: Vec<f64> = (0..n).map(|i| ((i * i * 7 + 3) % 11) as f64 - 5.0).collect();
            let mut values: Vec<Complex> = signal.iter().map(|&x| [x, 0.0]).collect();
            fft.transform(&mut values);
            for (k, value) in values.iter().enumerate() {
                let angle = |i: usize| -TAU * (i * k) as f64 / n as f64;
                let sum = |f: fn(f64) -> f64| -> f64 {
                    signal.iter().enumerate().map(|(i, x)| x * f(angle(i))).sum()
                };
                assert!((value[0] - sum(f64::cos)).abs() < 1e-9 && (value[1] - sum(f64::sin)).abs() < 1e-9);
            }
        }
    }
}
