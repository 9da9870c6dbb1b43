//! Distribution focal heads: for each cell the class scores, and for each side a distribution over its
//! distance. NanoDet puts both into one table, PicoDet has outputs for each stride.

use super::{Decode, Fitted, HeadKind, Overlaps, Sought, are_logits, cells};
use crate::geometry::InputBox;
use crate::model::sigmoid;

/// Overlap from which the weaker box goes, in the authors' programs.
const IOU: f32 = 0.6;
/// Bins of a side's distance.
const BINS: [usize; 2] = [8, 16];
const SIDES: usize = 4;
const STRIDES: [&[usize]; 2] = [&[8, 16, 32, 64], &[8, 16, 32]];

/// Where the parts of a stride's cells are: outputs of scores and of distances.
#[derive(Debug, Clone, Copy)]
struct Part {
    scores: usize,
    sides: usize,
    rows: usize,
}

pub(super) fn fit(sought: &Sought<'_>) -> Option<Fitted> {
    STRIDES.iter().find_map(|strides| joined(sought, strides).or_else(|| by_stride(sought, strides)))
}

fn count(sought: &Sought<'_>, strides: &[usize]) -> usize {
    strides.iter().map(|s| sought.width.div_ceil(*s) * sought.height.div_ceil(*s)).sum()
}

/// One table with scores and distances.
fn joined(sought: &Sought<'_>, strides: &'static [usize]) -> Option<Fitted> {
    let output = sought.first_table()?;
    let &[1, rows, columns] = sought.outputs[output].shape.as_slice() else { return None };
    let classes = columns.checked_sub(SIDES * BINS[0]).filter(|&n| n > 0)?;
    if rows != count(sought, strides) || (sought.labels != classes && !sought.forced && classes != 80) {
        return None;
    }
    let part = Part { scores: 0, sides: 0, rows };
    // NanoDet-Plus, with its four strides, counts from the cell's corner.
    let centre = if strides.len() == 4 { 0.0 } else { 0.5 };
    Some(fitted(sought, vec![output], vec![part], strides, [classes, BINS[0]], centre))
}

/// Outputs of their own for each stride.
fn by_stride(sought: &Sought<'_>, strides: &'static [usize]) -> Option<Fitted> {
    if sought.outputs.len() != 2 * strides.len() {
        return None;
    }
    let shape = |i: usize| match *sought.outputs[i].shape.as_slice() {
        [1, rows, columns] => Some([rows, columns]),
        [1, h, w, columns] => Some([h * w, columns]),
        _ => None,
    };
    BINS.into_iter().find_map(|bins| {
        let (mut outputs, mut parts, mut classes) = (Vec::new(), Vec::new(), None);
        for stride in strides {
            let rows = count(sought, &[*stride]);
            let of_stride = || (0..sought.outputs.len()).filter(|&i| shape(i).is_some_and(|s| s[0] == rows));
            let sides = of_stride().find(|&i| shape(i) == Some([rows, SIDES * bins]))?;
            let scores = of_stride().find(|&i| i != sides)?;
            let columns = shape(scores)?[1];
            if *classes.get_or_insert(columns) != columns {
                return None;
            }
            parts.push(Part { scores: outputs.len(), sides: outputs.len() + 1, rows });
            outputs.extend([scores, sides]);
        }
        Some(fitted(sought, outputs, parts, strides, [classes?, bins], 0.5))
    })
}

fn fitted(
    sought: &Sought<'_>,
    outputs: Vec<usize>,
    parts: Vec<Part>,
    strides: &[usize],
    [classes, bins]: [usize; 2],
    centre: f32,
) -> Fitted {
    let cells = cells(sought.width, sought.height, strides);
    let size = [sought.width as f32, sought.height as f32];
    Fitted {
        kind: HeadKind::Dfl,
        outputs,
        rows: cells.len(),
        classes,
        overlaps: Overlaps::Suppress(IOU),
        decode: Box::new(Dfl { parts, cells, classes, bins, centre, size }),
        note: None,
    }
}

struct Dfl {
    parts: Vec<Part>,
    cells: Vec<[f32; 3]>,
    classes: usize,
    bins: usize,
    /// Where in its cell a box's centre is counted from.
    centre: f32,
    size: [f32; 2],
}

impl Dfl {
    /// Scores and distances share a table.
    fn is_joined(part: Part) -> bool {
        part.scores == part.sides
    }
}

impl Decode for Dfl {
    fn scores(&mut self, values: &[Vec<f32>], scores: &mut [f32]) {
        let mut first = 0;
        for &part in &self.parts {
            let width = self.classes + if Self::is_joined(part) { SIDES * self.bins } else { 0 };
            let rows = || values[part.scores].chunks_exact(width).map(|row| &row[..self.classes]);
            let logits = are_logits(rows().flatten());
            let to = &mut scores[first * self.classes..(first + part.rows) * self.classes];
            for (to, from) in to.chunks_exact_mut(self.classes).zip(rows()) {
                to.iter_mut().zip(from).for_each(|(t, &f)| *t = if logits { sigmoid(f) } else { f });
            }
            first += part.rows;
        }
    }

    fn bbox(&self, values: &[Vec<f32>], row: usize) -> InputBox {
        let mut in_part = row;
        let part = self.parts.iter().find(|p| {
            let here = in_part < p.rows;
            in_part -= if here { 0 } else { p.rows };
            here
        });
        let Some(&part) = part else { return InputBox::default() };
        let before = if Self::is_joined(part) { self.classes } else { 0 };
        let at = in_part * (before + SIDES * self.bins) + before;
        let sides = &values[part.sides][at..at + SIDES * self.bins];
        let mut distances = sides.chunks_exact(self.bins).map(expectation);
        let [left, up, right, down] = std::array::from_fn(|_| distances.next().unwrap_or_default());
        let ([x, y, stride], [width, height]) = (self.cells[row], self.size);
        let (x, y) = (x + self.centre, y + self.centre);
        InputBox::from_edges([
            (x - left) * stride / width,
            (y - up) * stride / height,
            (x + right) * stride / width,
            (y + down) * stride / height,
        ])
    }
}

/// The mean bin of a distribution given by logits.
fn expectation(logits: &[f32]) -> f32 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (bin, logit) in logits.iter().enumerate() {
        let weight = (logit - top).exp();
        sum += weight;
        weighted += weight * bin as f32;
    }
    weighted / sum
}
