//! Heads of detectors that are no SSD of TensorFlow's: which outputs hold boxes and scores, and how
//! a row of numbers becomes a box.
//!
//! [`choose`] looks at shapes, labels and what the caller names. What it finds is a [`Fitted`] head:
//! scores by row and class, and a box for each row that passes. Thresholds, suppression and
//! everything after them are shared with SSDs, and nobody outside this folder knows a layout.

mod blazeface;
mod choose;
mod dfl;
mod fomo;
mod outline;
mod retinaface;
mod rows;
#[cfg(test)]
mod tests;
mod yolo;

pub(crate) use choose::{Sought, choose, convention};
pub(crate) use outline::Outline;

use crate::geometry::InputBox;
use crate::model::HeadKind;

/// How a head's numbers become scores and boxes. `values` are the outputs that the head asked for,
/// in its order, as real numbers.
pub(crate) trait Decode: Send {
    /// Fills `scores`, rows × classes. What depends on the whole of the numbers, such as their unit,
    /// is settled here.
    fn scores(&mut self, values: &[Vec<f32>], scores: &mut [f32]);

    /// The box of a row.
    fn bbox(&self, values: &[Vec<f32>], row: usize) -> InputBox;
}

/// What becomes of boxes that lie over each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Overlaps {
    /// The best one stays, at this IoU, unless the caller has another.
    Suppress(f32),
    /// The model has suppressed them itself.
    Settled,
    /// Boxes of a class that touch are one object: cells of a grid.
    Fuse,
}

/// A head that fits a model.
pub(crate) struct Fitted {
    pub(crate) kind: HeadKind,
    /// Outputs that it reads, in its order.
    pub(crate) outputs: Vec<usize>,
    pub(crate) rows: usize,
    pub(crate) classes: usize,
    pub(crate) overlaps: Overlaps,
    pub(crate) decode: Box<dyn Decode>,
    /// What was assumed.
    pub(crate) note: Option<String>,
}

/// Whether numbers are logits: probabilities lie in 0..1, give or take what quantization adds.
fn are_logits<'a>(scores: impl IntoIterator<Item = &'a f32>) -> bool {
    scores.into_iter().any(|s| !(-0.02..=1.02).contains(s))
}

/// What brings coordinates to fractions of the input: nothing, or a division by its extent.
fn unit<'a>(coordinates: impl IntoIterator<Item = &'a f32>, width: usize, height: usize) -> [f32; 2] {
    // Boxes may reach beyond the edge, but not by a picture; pixels go far beyond two.
    match coordinates.into_iter().any(|c| *c > 2.0) {
        true => [1.0 / width as f32, 1.0 / height as f32],
        false => [1.0, 1.0],
    }
}

/// The box around a centre, all in fractions of the input.
fn centred([cx, cy, w, h]: [f32; 4]) -> InputBox {
    InputBox::from_edges([cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0])
}

/// The cells of feature maps at these strides, map by map and row by row: column, row, stride.
fn cells(width: usize, height: usize, strides: &[usize]) -> Vec<[f32; 3]> {
    let map = |&stride: &usize| {
        let columns = width.div_ceil(stride);
        let rows = height.div_ceil(stride);
        (0..rows).flat_map(move |y| (0..columns).map(move |x| [x as f32, y as f32, stride as f32]))
    };
    strides.iter().flat_map(map).collect()
}
