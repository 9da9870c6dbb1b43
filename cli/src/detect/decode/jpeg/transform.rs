//! The inverse cosine transform of a block's first coefficients, to 1, 2, 4 or 8 samples on a side.
//!
//! With all coefficients, pixel X of 8 is ½ Σ k(u) F(u) cos((2X + 1) u π / 16) along each axis, with
//! k(0) = 1/√2 and k(u) = 1 otherwise (ITU-T T.81, A.3.3). Sample x of n is the mean of its 8 / n pixels, as
//! far as the coefficients u < n tell it: as if the picture had been decoded and then made smaller by
//! areas, which neither sharpens nor rings.

use std::f64::consts::{FRAC_1_SQRT_2, PI};
use std::sync::LazyLock;

/// Bits behind the point in the factors.
const BITS: u32 = 11;
/// Bits behind the point between the passes.
const MIDDLE: u32 = 3;
/// No sound coefficient is larger; it keeps the sums of damaged files within 32 bits.
const LARGEST: i32 = 4095;

/// Column and row, as column + 8 · row, of each coefficient in the order of the file.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Factors for 1, 2, 4 and 8 samples: [log2 n][sample][coefficient].
static FACTORS: LazyLock<[[[i32; 8]; 8]; 4]> = LazyLock::new(|| {
    std::array::from_fn(|log2| {
        let n = 1 << log2;
        std::array::from_fn(|x| {
            std::array::from_fn(|u| {
                if u >= n || x >= n {
                    return 0;
                }
                let k = if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
                let pixels = 8 / n * x..8 / n * (x + 1);
                let mean = pixels.map(|p| (((2 * p + 1) * u) as f64 * PI / 16.0).cos()).sum::<f64>()
                    * n as f64
                    / 8.0;
                (0.5 * k * mean * f64::from(1 << BITS)).round() as i32
            })
        })
    })
});

/// The transform of one component's blocks.
pub(super) struct Transform {
    /// Samples of a block, across and down: 1, 2, 4 or 8.
    pub(super) size: (usize, usize),
    /// The last coefficient that counts, in zigzag order.
    pub(super) last: usize,
    /// In zigzag order.
    quantization: [i32; 64],
    factors: &'static [[[i32; 8]; 8]; 4],
}

impl Transform {
    pub(super) fn new(size: (usize, usize), quantization: &[u16; 64]) -> Self {
        let counts = |position: u8| usize::from(position % 8) < size.0 && usize::from(position / 8) < size.1;
        let last = ZIGZAG.iter().rposition(|&p| counts(p)).unwrap_or(0);
        Self { size, last, quantization: quantization.map(i32::from), factors: &FACTORS }
    }

    /// The one sample of a block of which only the first coefficient counts.
    #[inline(always)]
    pub(super) fn mean(&self, coefficient: i32) -> u8 {
        let value = (coefficient * self.quantization[0]).clamp(-LARGEST, LARGEST);
        // An eighth of it, rounded, around the middle.
        (((value + 4) >> 3) + 128).clamp(0, 255) as u8
    }

    /// Sets the samples of a block whose upper left one is `out[0]`.
    #[inline(always)]
    pub(super) fn block(&self, coefficients: &[i16; 64], out: &mut [u8], stride: usize) {
        match self.size {
            (1 | 2, 1 | 2) => self.small(coefficients, out, stride),
            // The usual sizes: with constants the loops are unrolled.
            (4, 4) => self.general(coefficients, out, stride, (4, 4)),
            (8, 8) => self.general(coefficients, out, stride, (8, 8)),
            size => self.general(coefficients, out, stride, size),
        }
    }

    fn coefficient(&self, coefficients: &[i16; 64], k: usize) -> i32 {
        (i32::from(coefficients[k]) * self.quantization[k]).clamp(-LARGEST, LARGEST)
    }

    /// One or two samples on each side: one factor for each of the four coefficients.
    #[inline(always)]
    fn small(&self, coefficients: &[i16; 64], out: &mut [u8], stride: usize) {
        let (width, height) = self.size;
        // In the order of the file: mean, across, down, and after two others both.
        let [mean, across, down, both] = [0, 1, 2, 4].map(|k| self.coefficient(coefficients, k));
        // 1/8, and with the mean of cos(π/16), cos(3π/16), cos(5π/16) and cos(7π/16), in 16 bits behind
        // the point.
        let (mean, across, down, both) = (8192 * mean, 7423 * across, 7423 * down, 6726 * both);
        let sample = |sum: i32| (((sum + (1 << 15)) >> 16) + 128).clamp(0, 255) as u8;
        match (width, height) {
            (2, 1) => [out[0], out[1]] = [mean + across, mean - across].map(sample),
            (1, 2) => [out[0], out[stride]] = [mean + down, mean - down].map(sample),
            (2, 2) => {
                [out[0], out[1]] = [mean + across + down + both, mean - across + down - both].map(sample);
                [out[stride], out[stride + 1]] =
                    [mean + across - down - both, mean - across - down + both].map(sample);
            }
            _ => out[0] = sample(mean),
        }
    }

    #[inline(always)]
    fn general(
        &self,
        coefficients: &[i16; 64],
        out: &mut [u8],
        stride: usize,
        (width, height): (usize, usize),
    ) {
        let mut block = [0i32; 64];
        for k in 0..=self.last {
            block[usize::from(ZIGZAG[k])] = self.coefficient(coefficients, k);
        }
        let (across, down) = (&self.factors[log2(width)], &self.factors[log2(height)]);
        // Columns, then rows.
        let mut middle = [[0i32; 8]; 8];
        for (row, f) in middle.iter_mut().zip(down).take(height) {
            for (u, value) in row.iter_mut().enumerate().take(width) {
                let sum: i32 = (0..height).map(|v| f[v] * block[8 * v + u]).sum();
                *value = (sum + (1 << (BITS - MIDDLE - 1))) >> (BITS - MIDDLE);
            }
        }
        for (out, row) in out.chunks_mut(stride).zip(&middle).take(height) {
            for (sample, f) in out.iter_mut().zip(across).take(width) {
                let sum: i32 = (0..width).map(|u| f[u] * row[u]).sum();
                let value = (sum + (1 << (BITS + MIDDLE - 1))) >> (BITS + MIDDLE);
                *sample = (value + 128).clamp(0, 255) as u8;
            }
        }
    }
}

fn log2(n: usize) -> usize {
    n.trailing_zeros() as usize & 3
}
