//! The oracle: any format, any filter, one sample at a time. Instruction sets must give its very
//! bytes.

use super::axis::{Axis, WEIGHT_BITS};
use super::color::{self, SAMPLE_BITS, ToRgb};
use super::plan::Plan;
use crate::frame::{Component, Components, Frame};

/// Fraction bits between the two passes: 8 + 7 bits leave an i16 its sign.
pub(super) const HALFWAY_BITS: u32 = 7;

/// Rows already resampled across, since neighbouring output rows share them.
#[derive(Debug, Clone, Default)]
pub(super) struct RowCache {
    /// As many rows as an output row needs; source row `r` lies at `r % rows`.
    samples: Vec<i16>,
    /// The source row that each slot holds.
    held: Vec<Option<u32>>,
}

impl RowCache {
    fn reset(&mut self, rows: usize, len: usize) {
        self.samples.resize(rows * len, 0);
        self.held.clear();
        self.held.resize(rows, None);
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Scalar {
    caches: [RowCache; 3],
    rows: [Vec<i16>; 3],
}

impl Scalar {
    /// Gives `row` the number of each output row, in the order of rows in memory, and its levels:
    /// red, green, blue in turn.
    pub(super) fn run(
        &mut self,
        frame: &Frame<'_>,
        plan: &Plan,
        rgb: &mut Vec<u8>,
        mut row: impl FnMut(usize, &[u8]),
    ) {
        let components = frame.components();
        for (i, _) in components.as_slice().iter().enumerate() {
            let axes = plan.axes(&components, i);
            self.caches[i].reset(axes.down.taps, axes.across.len());
            self.rows[i].resize(axes.across.len(), 0);
        }
        rgb.resize(plan.columns() * 3, 0);
        for index in 0..plan.rows() {
            for (i, component) in components.as_slice().iter().enumerate() {
                let axes = plan.axes(&components, i);
                resample(component, axes.across, axes.down, index, &mut self.caches[i], &mut self.rows[i]);
            }
            self.to_rgb(&components, rgb);
            row(index, rgb);
        }
    }

    fn to_rgb(&self, components: &Components<'_>, rgb: &mut [u8]) {
        let [first, second, third] = &self.rows;
        let pixels = rgb.chunks_exact_mut(3);
        match components {
            Components::Gray(_) => {
                for (pixel, y) in pixels.zip(first) {
                    pixel.fill(color::level(*y));
                }
            }
            Components::Rgb(_) => {
                for (((pixel, r), g), b) in pixels.zip(first).zip(second).zip(third) {
                    pixel.copy_from_slice(&[color::level(*r), color::level(*g), color::level(*b)]);
                }
            }
            Components::Yuv(_, yuv) => {
                let to_rgb = ToRgb::new(*yuv);
                for (((pixel, y), u), v) in pixels.zip(first).zip(second).zip(third) {
                    pixel.copy_from_slice(&to_rgb.convert(*y, *u, *v));
                }
            }
        }
    }
}

fn resample(
    component: &Component<'_>,
    across: &Axis,
    down: &Axis,
    index: usize,
    cache: &mut RowCache,
    out: &mut [i16],
) {
    let (start, len) = (down.starts[index] as usize, across.len());
    for row in start..start + down.taps {
        let slot = row % down.taps;
        if cache.held[slot] != Some(row as u32) {
            cache.held[slot] = Some(row as u32);
            let source = &component.data[row * component.stride..];
            resample_row(source, component.step, across, &mut cache.samples[slot * len..][..len]);
        }
    }
    let weights = down.weights(index);
    for (i, sample) in out.iter_mut().enumerate() {
        let sum: i32 = (start..start + down.taps)
            .zip(weights)
            .map(|(row, weight)| i32::from(cache.samples[row % down.taps * len + i]) * i32::from(*weight))
            .sum();
        const SHIFT: u32 = HALFWAY_BITS + WEIGHT_BITS - SAMPLE_BITS;
        *sample = ((sum + (1 << (SHIFT - 1))) >> SHIFT) as i16;
    }
}

fn resample_row(source: &[u8], step: usize, across: &Axis, out: &mut [i16]) {
    const SHIFT: u32 = WEIGHT_BITS - HALFWAY_BITS;
    let taps = across.weights.chunks_exact(across.taps);
    for ((sample, start), weights) in out.iter_mut().zip(&across.starts).zip(taps) {
        let samples = source[*start as usize * step..].iter().step_by(step);
        let sum: i32 = samples.zip(weights).map(|(s, w)| i32::from(*s) * i32::from(*w)).sum();
        *sample = ((sum + (1 << (SHIFT - 1))) >> SHIFT) as i16;
    }
}
