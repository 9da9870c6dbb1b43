//! Edge Impulse's FOMO: a coarse grid of class probabilities, the background first. Cells of a class
//! that touch are one object.

use super::{Decode, Fitted, HeadKind, Overlaps, Sought, are_logits};
use crate::geometry::InputBox;

/// Pixels of the input for a cell.
const REDUCTIONS: [usize; 3] = [8, 4, 16];

pub(super) fn fit(sought: &Sought<'_>) -> Option<Fitted> {
    let [output] = sought.outputs else { return None };
    let &[1, rows, columns, depth] = output.shape.as_slice() else { return None };
    if depth < 2 {
        return None;
    }
    let cell = |by: usize| (rows, columns) == (sought.height / by, sought.width / by);
    if !sought.forced && !REDUCTIONS.into_iter().any(cell) {
        return None;
    }
    let classes = depth - 1;
    Some(Fitted {
        kind: HeadKind::Fomo,
        outputs: vec![0],
        rows: rows * columns,
        classes,
        overlaps: Overlaps::Fuse,
        decode: Box::new(Fomo { rows, columns, classes }),
        note: None,
    })
}

struct Fomo {
    rows: usize,
    columns: usize,
    classes: usize,
}

impl Decode for Fomo {
    fn scores(&mut self, values: &[Vec<f32>], scores: &mut [f32]) {
        let Some(grid) = values.first() else { return };
        let logits = are_logits(grid);
        for (cell, scores) in grid.chunks_exact(self.classes + 1).zip(scores.chunks_exact_mut(self.classes)) {
            scores.copy_from_slice(&cell[1..]);
            if logits {
                let top = cell.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = cell.iter().map(|v| (v - top).exp()).sum();
                scores.iter_mut().for_each(|s| *s = (*s - top).exp() / sum);
            }
        }
    }

    fn bbox(&self, _: &[Vec<f32>], row: usize) -> InputBox {
        let (x, y) = ((row % self.columns) as f32, (row / self.columns) as f32);
        let (w, h) = (self.columns as f32, self.rows as f32);
        InputBox::from_edges([x / w, y / h, (x + 1.0) / w, (y + 1.0) / h])
    }
}
