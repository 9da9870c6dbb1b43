//! The oracle: any format, any filter, one sample at a time. Instruction sets must give its very
//! bytes.

use super::axis::Axis;
use super::color::{self, ToRgb};
use super::fast::Kernel;
use super::plan::{Axes, Plan};
use super::rows::{ACROSS_SHIFT, DOWN_SHIFT};
use crate::frame::{Component, Components, Frame, PackedFormat, Pixels, Plane};

/// Rows already resampled across, since neighbouring output rows share them.
#[derive(Debug, Clone, Default)]
pub(super) struct RowCache {
    /// As many rows as an output row needs; source row `r` lies at `r % rows`.
    samples: Vec<i16>,
    /// The source row that each slot holds.
    held: Vec<Option<u32>>,
    /// Of the output row in the making.
    sums: Vec<i32>,
}

impl RowCache {
    fn reset(&mut self, rows: usize, len: usize) {
        self.samples.resize(rows * len, 0);
        self.held.clear();
        self.held.resize(rows, None);
    }

    /// Resamples those of the rows that output row `index` needs across which are not held yet.
    fn across(&mut self, component: &Component<'_>, axes: &Axes<'_>, index: usize) {
        let (start, len) = (axes.down.starts[index] as usize, axes.across.len());
        for row in start..start + axes.down.taps {
            let slot = row % axes.down.taps;
            if self.held[slot] != Some(row as u32) {
                self.held[slot] = Some(row as u32);
                let source = &component.data[row * component.stride..];
                let samples = &mut self.samples[slot * len..][..len];
                match component.step {
                    1 => across_one::<1>(source, axes.across, samples),
                    2 => across_one::<2>(source, axes.across, samples),
                    _ => across_one::<4>(source, axes.across, samples),
                }
            }
        }
    }

    /// Output row `index`, from rows that are all held.
    fn down(&mut self, axes: &Axes<'_>, index: usize, out: &mut [i16]) {
        let (start, len) = (axes.down.starts[index] as usize, axes.across.len());
        self.sums.clear();
        self.sums.resize(len, ROUNDING);
        for (row, weight) in (start..).zip(axes.down.weights(index)) {
            let samples = &self.samples[row % axes.down.taps * len..][..len];
            for (sum, sample) in self.sums.iter_mut().zip(samples) {
                *sum += i32::from(*sample) * i32::from(*weight);
            }
        }
        for (sample, sum) in out.iter_mut().zip(&self.sums) {
            *sample = (sum >> DOWN_SHIFT) as i16;
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Scalar {
    caches: [RowCache; 3],
    rows: [Vec<i16>; 3],
}

impl Scalar {
    /// Makes room for a frame, and forgets the one before.
    pub(super) fn prepare(&mut self, frame: &Frame<'_>, plan: &Plan) {
        let components = frame.components();
        for (i, _) in components.as_slice().iter().enumerate() {
            let axes = plan.axes(&components, i);
            self.caches[i].reset(axes.down.taps, axes.across.len());
            self.rows[i].resize(axes.across.len(), 0);
        }
    }

    /// Levels of output row `index`, counted as rows in memory: red, green, blue in turn.
    pub(super) fn row(
        &mut self,
        frame: &Frame<'_>,
        plan: &Plan,
        index: usize,
        kernel: Option<Kernel>,
        rgb: &mut [u8],
    ) {
        let components = frame.components();
        if let (Pixels::Packed { format, plane }, Components::Rgb(_)) = (frame.pixels(), &components) {
            let axes = plan.axes(&components, 0);
            self.across_packed(*format, plane, &axes, index, kernel);
        }
        for (i, component) in components.as_slice().iter().enumerate() {
            let axes = plan.axes(&components, i);
            self.caches[i].across(component, &axes, index);
            self.caches[i].down(&axes, index, &mut self.rows[i]);
        }
        self.to_rgb(&components, rgb);
    }

    /// Resamples the rows that output row `index` needs across, all three channels at once.
    fn across_packed(
        &mut self,
        format: PackedFormat,
        plane: &Plane<'_>,
        axes: &Axes<'_>,
        index: usize,
        kernel: Option<Kernel>,
    ) {
        let (start, len) = (axes.down.starts[index] as usize, axes.across.len());
        for row in start..start + axes.down.taps {
            let slot = row % axes.down.taps;
            if self.caches[0].held[slot] == Some(row as u32) {
                continue;
            }
            let source = &plane.data[row * plane.stride..];
            let [red, green, blue] = self.caches.each_mut().map(|cache| {
                cache.held[slot] = Some(row as u32);
                &mut cache.samples[slot * len..][..len]
            });
            let channels = match format.rgb_offsets() {
                [2, 1, 0] => [blue, green, red],
                _ => [red, green, blue],
            };
            match format.bytes_per_pixel() {
                3 => across_three::<3>(source, axes.across, kernel, channels),
                _ => across_three::<4>(source, axes.across, kernel, channels),
            }
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

const ROUNDING: i32 = 1 << (DOWN_SHIFT - 1);

fn across_one<const STEP: usize>(source: &[u8], across: &Axis, out: &mut [i16]) {
    let taps = across.taps;
    for ((sample, start), weights) in
        out.iter_mut().zip(&across.starts).zip(across.weights.chunks_exact(taps))
    {
        // The last sample has no whole step behind it.
        let samples = &source[*start as usize * STEP..][..(taps - 1) * STEP + 1];
        let mut sum = 1 << (ACROSS_SHIFT - 1);
        for (tap, weight) in weights.iter().enumerate() {
            sum += i32::from(samples[tap * STEP]) * i32::from(*weight);
        }
        *sample = (sum >> ACROSS_SHIFT) as i16;
    }
}

/// The first three channels of packed pixels, in the order of memory.
fn across_three<const STEP: usize>(
    source: &[u8],
    across: &Axis,
    kernel: Option<Kernel>,
    out: [&mut [i16]; 3],
) {
    let [first, second, third] = out;
    if kernel.is_some_and(|k| k.across(source, STEP, across, [&mut *first, &mut *second, &mut *third])) {
        return;
    }
    let taps = across.taps;
    for (column, start) in across.starts.iter().enumerate() {
        let pixels = source[*start as usize * STEP..][..taps * STEP].as_chunks::<STEP>().0;
        let mut sums = [1 << (ACROSS_SHIFT - 1); 3];
        for (pixel, weight) in pixels.iter().zip(across.weights(column)) {
            for (sum, sample) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(*sample) * i32::from(*weight);
            }
        }
        let [a, b, c] = sums.map(|sum| (sum >> ACROSS_SHIFT) as i16);
        (first[column], second[column], third[column]) = (a, b, c);
    }
}
