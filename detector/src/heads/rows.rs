//! Detections that the model has already made: a row for each, or an output for each part.

use super::{Decode, Fitted, HeadKind, Overlaps, Sought, unit};
use crate::geometry::InputBox;

/// Most rows of a list of detections; more are a table of raw boxes.
const MAX_ROWS: usize = 2000;
/// Classes that are told apart where no label says how many there are.
const UNKNOWN_CLASSES: usize = 256;

fn classes(sought: &Sought<'_>) -> (usize, Option<String>) {
    match sought.labels {
        0 => (UNKNOWN_CLASSES, Some("nothing says how many classes there are; they go by number".to_owned())),
        n => (n, None),
    }
}

/// Corners, score and class in one row.
pub(super) fn end_to_end(sought: &Sought<'_>) -> Option<Fitted> {
    // A single row of seven is rather a classifier's.
    let output = sought
        .outputs
        .iter()
        .position(|o| matches!(o.shape.as_slice(), [1, 1..=MAX_ROWS, 6 | 7] | [2..=MAX_ROWS, 6 | 7]))?;
    let (&columns, rest) = sought.outputs[output].shape.split_last()?;
    let rows = rest.iter().product();
    let (classes, note) = classes(sought);
    let decode = Rows { columns, classes, width: sought.width, height: sought.height, unit: [1.0; 2] };
    Some(Fitted {
        kind: HeadKind::EndToEnd,
        outputs: vec![output],
        rows,
        classes,
        overlaps: Overlaps::Settled,
        decode: Box::new(decode),
        note,
    })
}

struct Rows {
    /// 6: corners, score, class; 7: picture, class, score, corners.
    columns: usize,
    classes: usize,
    width: usize,
    height: usize,
    unit: [f32; 2],
}

impl Rows {
    /// Columns of the corners' first, of the score and of the class.
    fn places(&self) -> [usize; 3] {
        if self.columns == 7 { [3, 2, 1] } else { [0, 4, 5] }
    }
}

impl Decode for Rows {
    fn scores(&mut self, values: &[Vec<f32>], scores: &mut [f32]) {
        let Some(table) = values.first() else { return };
        let [corners, score, class] = self.places();
        let rows = || table.chunks_exact(self.columns);
        self.unit = unit(rows().flat_map(|r| &r[corners..corners + 4]), self.width, self.height);
        scores.fill(0.0);
        for (row, scores) in rows().zip(scores.chunks_exact_mut(self.classes)) {
            if let Some(slot) = class_of(row[class]).and_then(|c| scores.get_mut(c)) {
                *slot = row[score];
            }
        }
    }

    fn bbox(&self, values: &[Vec<f32>], row: usize) -> InputBox {
        let Some(table) = values.first() else { return InputBox::default() };
        let [first, ..] = self.places();
        let at = row * self.columns + first;
        let [x, y] = self.unit;
        InputBox::from_edges([table[at] * x, table[at + 1] * y, table[at + 2] * x, table[at + 3] * y])
    }
}

/// The number of a class; `None` where it is none.
fn class_of(value: f32) -> Option<usize> {
    (0.0..65_536.0).contains(&value).then(|| value.round() as usize)
}

/// Boxes, classes, scores and perhaps their number as outputs of their own, in any order.
pub(super) fn detections(sought: &Sought<'_>) -> Option<Fitted> {
    let outputs = sought.outputs;
    let boxes = outputs.iter().position(|o| matches!(o.shape.as_slice(), [1, 1..=MAX_ROWS, 4]))?;
    let rows = outputs[boxes].shape[1];
    let list = |shape: &[usize]| matches!(shape, [1, n] | [1, n, 1] if *n == rows) || shape == [rows];
    let lists: Vec<usize> = (0..outputs.len()).filter(|&i| list(&outputs[i].shape)).collect();
    let &[a, b] = lists.as_slice() else { return None };
    let count = (0..outputs.len())
        .find(|i| ![a, b, boxes].contains(i) && outputs[*i].shape.iter().product::<usize>() == 1);
    let named = |i: usize, words: &[&str]| words.iter().any(|w| outputs[i].name.to_lowercase().contains(w));
    let classes_of = |i| named(i, &["class", "categor", "label"]) && !named(i, &["score", "prob"]);
    let order = match (classes_of(a), classes_of(b)) {
        (true, false) => Some(0),
        (false, true) => Some(1),
        _ => None,
    };
    let (classes, note) = classes(sought);
    let decode = Parts { order, classes, width: sought.width, height: sought.height, unit: [1.0; 2] };
    Some(Fitted {
        kind: HeadKind::Detections,
        outputs: [boxes, a, b].into_iter().chain(count).collect(),
        rows,
        classes,
        overlaps: Overlaps::Settled,
        decode: Box::new(decode),
        note,
    })
}

struct Parts {
    /// Which of the two lists holds classes, where names tell.
    order: Option<usize>,
    classes: usize,
    width: usize,
    height: usize,
    unit: [f32; 2],
}

impl Decode for Parts {
    fn scores(&mut self, values: &[Vec<f32>], scores: &mut [f32]) {
        let [boxes, a, b, count @ ..] = values else { return };
        self.unit = unit(boxes, self.width, self.height);
        // Scores lie in 0..1 and are seldom whole; class numbers are whole.
        let whole = |list: &[f32]| list.iter().all(|v| v.fract() == 0.0);
        let order =
            self.order.unwrap_or_else(|| usize::from(!whole(a) || (whole(b) && b.iter().any(|v| *v > 1.0))));
        let (classes, likely) = if order == 0 { (a, b) } else { (b, a) };
        let used = count.first().and_then(|c| c.first()).map_or(usize::MAX, |n| n.max(0.0) as usize);
        scores.fill(0.0);
        let rows = classes.iter().zip(likely).take(used);
        for ((class, score), scores) in rows.zip(scores.chunks_exact_mut(self.classes)) {
            if let Some(slot) = class_of(*class).and_then(|c| scores.get_mut(c)) {
                *slot = *score;
            }
        }
    }

    fn bbox(&self, values: &[Vec<f32>], row: usize) -> InputBox {
        let Some(b) = values.first().and_then(|boxes| boxes.get(4 * row..4 * row + 4)) else {
            return InputBox::default();
        };
        let [x, y] = self.unit;
        InputBox::from_yxyx([b[0] * y, b[1] * x, b[2] * y, b[3] * x])
    }
}
