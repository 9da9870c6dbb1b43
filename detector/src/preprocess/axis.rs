//! Resampling along one axis: which samples make an output sample, and with what weights.

use super::Filter;
use std::ops::Range;

/// Fraction bits of a weight: sums of 255 × weights stay far inside 32 bits, and each fits an i16.
pub(crate) const WEIGHT_BITS: u32 = 14;

/// Many taps come in multiples of this, where the source has as many samples.
pub(crate) const TAP_BLOCK: usize = 4;

const ONE: i32 = 1 << WEIGHT_BITS;

/// For each output sample a first source sample and as many weights as all others have; they sum
/// to exactly one, so that flat areas keep their level.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub(crate) taps: usize,
    /// `start + taps` never exceeds the source.
    pub(crate) starts: Vec<u32>,
    /// The largest of them.
    pub(crate) last_start: u32,
    /// `taps` weights an output sample.
    pub(crate) weights: Vec<i16>,
}

impl Axis {
    /// Maps `window` (in samples; edges, not centres) of `source` samples to `len` samples.
    /// Samples outside the window but inside the source may weigh in at its edges, as in Pillow's
    /// `resize(box=…)`.
    pub(crate) fn new(filter: Filter, source: usize, window: Range<f64>, len: usize, reversed: bool) -> Self {
        let scale = (window.end - window.start) / len as f64;
        let kernel = Kernel::new(filter, scale);
        let taps = match kernel.max_taps() {
            few @ ..=2 => few,
            // Whole blocks for the kernels; the weights beyond are zero.
            more => more.next_multiple_of(TAP_BLOCK),
        };
        let taps = taps.min(source);
        let (starts, weights) = (Vec::with_capacity(len), Vec::with_capacity(len * taps));
        let mut axis = Self { taps, starts, last_start: 0, weights };
        let mut exact = Vec::with_capacity(taps);
        for index in 0..len {
            let index = if reversed { len - 1 - index } else { index };
            let center = window.start + (index as f64 + 0.5) * scale;
            let (low, high) = kernel.window(center, source);
            let start = low.min(source - taps);
            exact.clear();
            exact.extend((start..start + taps).map(|sample| match (low..high).contains(&sample) {
                true => kernel.weight(sample as f64 + 0.5 - center),
                false => 0.0,
            }));
            axis.starts.push(start as u32);
            axis.last_start = axis.last_start.max(start as u32);
            quantize(&exact, &mut axis.weights);
        }
        axis
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(crate) fn weights(&self, index: usize) -> &[i16] {
        &self.weights[index * self.taps..][..self.taps]
    }
}

enum Kernel {
    /// Triangle of this half width.
    Triangle { support: f64 },
    /// Box of this half width.
    Box { support: f64 },
}

impl Kernel {
    fn new(filter: Filter, scale: f64) -> Self {
        match filter {
            Filter::Bilinear => Self::Triangle { support: 1.0 },
            Filter::Antialiased => Self::Triangle { support: scale.max(1.0) },
            Filter::Area if scale > 1.0 => Self::Box { support: scale / 2.0 },
            Filter::Area => Self::Triangle { support: 1.0 },
        }
    }

    fn max_taps(&self) -> usize {
        match *self {
            // Two samples at most lie strictly within one of a point.
            Self::Triangle { support: 1.0 } => 2,
            Self::Triangle { support } => support.ceil() as usize * 2 + 1,
            Self::Box { support } => (support * 2.0).ceil() as usize + 1,
        }
    }

    /// The samples under the kernel; at least one.
    fn window(&self, center: f64, source: usize) -> (usize, usize) {
        let (low, high) = match *self {
            Self::Triangle { support: 1.0 } => {
                let first = (center - 0.5).floor();
                (first, first + 2.0)
            }
            // Rounded as in Pillow's precompute_coeffs.
            Self::Triangle { support } => {
                ((center - support + 0.5).trunc(), (center + support + 0.5).trunc())
            }
            Self::Box { support } => ((center - support).floor(), (center + support).ceil()),
        };
        let low = (low.max(0.0) as usize).min(source - 1);
        (low, (high.max(0.0) as usize).clamp(low + 1, source))
    }

    /// Weight, not normalised, of a sample whose centre lies `distance` away.
    fn weight(&self, distance: f64) -> f64 {
        match *self {
            Self::Triangle { support } => (1.0 - (distance / support).abs()).max(0.0),
            Self::Box { support } => (support.min(distance + 0.5) - (-support).max(distance - 0.5)).max(0.0),
        }
    }
}

/// Rounds so that errors cancel from tap to tap and the sum is exactly one.
fn quantize(exact: &[f64], weights: &mut Vec<i16>) {
    let sum: f64 = exact.iter().sum();
    let first = weights.len();
    if sum <= 0.0 {
        // The only sample is at the kernel's very edge.
        weights.extend(exact.iter().enumerate().map(|(i, _)| if i == 0 { ONE as i16 } else { 0 }));
        return;
    }
    let (mut running, mut given) = (0.0, 0);
    for weight in exact {
        running += weight / sum * f64::from(ONE);
        let upto = (running.round() as i32).min(ONE);
        weights.push((upto - given) as i16);
        given = upto;
    }
    let missing = (ONE - given) as i16;
    if let Some(largest) = weights[first..].iter_mut().max() {
        *largest += missing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_inside() {
        for filter in [Filter::Bilinear, Filter::Antialiased, Filter::Area] {
            for (source, window, len) in [
                (1, 0.0..1.0, 5),
                (2, 0.0..2.0, 1),
                (1920, 0.0..1920.0, 300),
                (7, 0.0..7.0, 31),
                (1080, 10.25..600.5, 299),
                (65_535, 0.0..65_535.0, 3),
                (100, 99.0..100.0, 10),
            ] {
                for reversed in [false, true] {
                    let axis = Axis::new(filter, source, window.clone(), len, reversed);
                    assert_eq!(axis.len(), len);
                    for index in 0..len {
                        assert!(axis.starts[index] as usize + axis.taps <= source);
                        let sum: i32 = axis.weights(index).iter().map(|w| i32::from(*w)).sum();
                        assert_eq!(sum, ONE, "{filter:?} {source} {window:?} {len} at {index}");
                        assert!(axis.weights(index).iter().all(|w| *w >= 0));
                    }
                }
            }
        }
    }

    #[test]
    fn area_halves_exactly() {
        let axis = Axis::new(Filter::Area, 8, 0.0..8.0, 4, false);
        for index in 0..4 {
            let start = axis.starts[index] as usize;
            let weights = axis.weights(index);
            for (tap, weight) in weights.iter().enumerate() {
                let inside = (2 * index..2 * index + 2).contains(&(start + tap));
                assert_eq!(*weight, if inside { 8192 } else { 0 });
            }
        }
    }
}
