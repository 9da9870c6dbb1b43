//! Quantizing activations as they come, for operators whose weights alone are 8-bit.
//!
//! Range and zero point are chosen as LiteRT does for such operators (asymmetric, zero always
//! representable), so that results are LiteRT's up to float rounding.

use super::Isa;
use super::rounding::Rounder;
use super::simd::{self, Loops};
use crate::threads::Pool;

/// How one image, or one row of a matrix, was quantized.
#[derive(Clone, Copy, PartialEq, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Dynamic {
    /// Real value of a step.
    pub(super) scale: f32,
    /// Steps in a unit.
    steps: f32,
    pub(super) zero_point: i32,
}

/// Smallest and largest value of a part, and zero.
type Extremes = [f32; 2];

/// Elements of a task.
const PIECE: usize = 16 << 10;
/// Extremes that are followed side by side: two registers of the widest vectors.
const LANES: usize = 32;
/// Behind the last of them, since rows of 16, 24 or 144 channels are common.
const FEW: usize = 8;

/// Bytes of scratch memory that [`Dynamic::shared`] wants for `elements`.
pub(super) fn scratch_bytes(elements: usize) -> usize {
    elements.div_ceil(PIECE) * size_of::<Extremes>()
}

impl Dynamic {
    /// What spans `extremes`.
    fn spanning([min, max]: Extremes) -> Self {
        let steps = if min == max { 1.0 } else { 255.0 / (max - min) };
        let (from_min, from_max) = (-128.0 + min * steps, 127.0 + max * steps);
        let zero_point = if from_min + from_max > 0.0 { -128.0 - min * steps } else { 127.0 - max * steps };
        let zero_point = zero_point.clamp(-128.0, 127.0).round_ties_even() as i32 + 128;
        Self { scale: 1.0 / steps, steps, zero_point }
    }

    /// For the range of `from` and zero.
    #[inline(always)]
    pub(super) fn of(from: &[f32]) -> Self {
        Self::spanning(extremes(from))
    }

    /// [`Dynamic::of`], found by all threads; `scratch` has [`scratch_bytes`].
    pub(super) fn shared(isa: Isa, from: &[f32], scratch: &mut [u8], pool: &Pool) -> Self {
        let parts: &mut [Extremes] = bytemuck::cast_slice_mut(&mut scratch[..scratch_bytes(from.len())]);
        pool.split(parts, 1, 1, &mut [], &|first, parts, _| {
            for (part, from) in parts.iter_mut().zip(from[first * PIECE..].chunks(PIECE)) {
                *part = simd::vectorize(isa, Measure(from));
            }
        });
        Self::spanning(parts.iter().fold([0.0; 2], |a, b| [lower(a[0], b[0]), upper(a[1], b[1])]))
    }

    #[inline(always)]
    fn rounder(self) -> Rounder {
        Rounder::new(self.zero_point, (0, 255))
    }

    /// Quantizes `from`.
    #[inline(always)]
    pub(super) fn quantize(self, from: &[f32], to: &mut [u8]) {
        let rounder = self.rounder();
        for (to, &from) in to.iter_mut().zip(from) {
            *to = rounder.round(from * self.steps);
        }
    }

    /// [`Dynamic::quantize`] by all threads.
    pub(super) fn quantize_shared(self, isa: Isa, from: &[f32], to: &mut [u8], pool: &Pool) {
        pool.split(to, 1, PIECE, &mut [], &|first, to, _| {
            simd::vectorize(isa, Quantize { dynamic: self, from: &from[first..][..to.len()], to });
        });
    }

    /// The real values that [`Dynamic::quantize`] would leave of `from`, each `copies` times, by all
    /// threads.
    pub(super) fn round_shared(self, isa: Isa, from: &[f32], copies: usize, to: &mut [f32], pool: &Pool) {
        pool.split(to, copies, PIECE.div_ceil(copies), &mut [], &|first, to, _| {
            let from = &from[first..][..to.len() / copies];
            simd::vectorize(isa, Round { dynamic: self, from, copies, to });
        });
    }
}

/// Unlike `f32::min` free of a case for NaN, which is passed over as the second operand.
#[inline(always)]
fn lower(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

#[inline(always)]
fn upper(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

#[inline(always)]
fn extremes(from: &[f32]) -> Extremes {
    let (mut lows, mut highs) = ([0.0f32; LANES], [0.0f32; LANES]);
    let (chunks, rest) = from.as_chunks::<LANES>();
    for chunk in chunks {
        for j in 0..LANES {
            lows[j] = lower(lows[j], chunk[j]);
            highs[j] = upper(highs[j], chunk[j]);
        }
    }
    halve::<16>(&mut lows, &mut highs);
    halve::<FEW>(&mut lows, &mut highs);
    let (chunks, rest) = rest.as_chunks::<FEW>();
    for chunk in chunks {
        for j in 0..FEW {
            lows[j] = lower(lows[j], chunk[j]);
            highs[j] = upper(highs[j], chunk[j]);
        }
    }
    halve::<4>(&mut lows, &mut highs);
    halve::<2>(&mut lows, &mut highs);
    halve::<1>(&mut lows, &mut highs);
    let (mut min, mut max) = (lows[0], highs[0]);
    for &x in rest {
        (min, max) = (lower(min, x), upper(max, x));
    }
    [min, max]
}

/// Leaves the extremes of twice as many lanes in the first `HALF`.
#[inline(always)]
fn halve<const HALF: usize>(lows: &mut [f32; LANES], highs: &mut [f32; LANES]) {
    for j in 0..HALF {
        lows[j] = lower(lows[j], lows[j + HALF]);
        highs[j] = upper(highs[j], highs[j + HALF]);
    }
}

struct Measure<'a>(&'a [f32]);

impl Loops for Measure<'_> {
    type Output = Extremes;

    #[inline(always)]
    fn run(self) -> Extremes {
        extremes(self.0)
    }
}

struct Quantize<'a> {
    dynamic: Dynamic,
    from: &'a [f32],
    to: &'a mut [u8],
}

impl Loops for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.dynamic.quantize(self.from, self.to);
    }
}

struct Round<'a> {
    dynamic: Dynamic,
    from: &'a [f32],
    copies: usize,
    to: &'a mut [f32],
}

impl Loops for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { dynamic, from, copies, to } = self;
        let rounder = dynamic.rounder();
        let real = |x: f32| {
            (i32::from(rounder.round(x * dynamic.steps)) - dynamic.zero_point) as f32 * dynamic.scale
        };
        if copies == 1 {
            for (to, &from) in to.iter_mut().zip(from) {
                *to = real(from);
            }
            return;
        }
        for (to, &from) in to.chunks_exact_mut(copies).zip(from) {
            to.fill(real(from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_exact_and_the_range_is_used() {
        let from = [-1.0, 0.0, 0.5, 3.0, 2.0, 0.1, -0.2, 1.0, 2.9];
        let mut to = [0; 9];
        let dynamic = Dynamic::of(&from);
        dynamic.quantize(&from, &mut to);
        assert_eq!(i32::from(to[1]), dynamic.zero_point);
        assert_eq!((to[0], to[3]), (0, 255));
        for (real, byte) in from.iter().zip(to) {
            let back = (i32::from(byte) - dynamic.zero_point) as f32 * dynamic.scale;
            assert!((real - back).abs() <= dynamic.scale);
        }
    }

    #[test]
    fn threads_and_instruction_sets_do_not_change_a_bit() {
        let from: Vec<f32> = (0..3 * PIECE + 77).map(|i| ((i * 7919) % 1009) as f32 * 0.01 - 3.3).collect();
        let dynamic = Dynamic::of(&from);
        let mut bytes = vec![0; from.len()];
        dynamic.quantize(&from, &mut bytes);
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            for threads in 1..4 {
                let pool = Pool::new(threads);
                assert_eq!(
                    Dynamic::shared(isa, &from, &mut vec![0; scratch_bytes(from.len())], &pool),
                    dynamic
                );
                let mut to = vec![0; from.len()];
                dynamic.quantize_shared(isa, &from, &mut to, &pool);
                assert_eq!(to, bytes);
                let mut real = vec![0.0; 2 * from.len()];
                dynamic.round_shared(isa, &from, 2, &mut real, &pool);
                for (pair, &byte) in real.chunks(2).zip(&bytes) {
                    let exact = (i32::from(byte) - dynamic.zero_point) as f32 * dynamic.scale;
                    assert_eq!(pair, [exact; 2]);
                }
            }
        }
    }

    #[test]
    fn strange_values_do_not_panic() {
        for from in
            [[0.0; 3], [f32::NAN; 3], [f32::INFINITY, f32::NEG_INFINITY, 1.0], [f32::MAX, f32::MIN, 0.0]]
        {
            Dynamic::of(&from).quantize(&from, &mut [0; 3]);
        }
    }
}
