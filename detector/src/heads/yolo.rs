//! The YOLO family: a row for each box with centre, size and class scores, some with a score for
//! there being any object.

use super::{Decode, Fitted, HeadKind, Overlaps, Sought, are_logits, cells, centred, unit};
use crate::geometry::InputBox;
use crate::model::sigmoid;

/// Overlap from which the weaker box goes, in the authors' own programs.
const IOU: f32 = 0.45;
/// Strides of the feature maps, as the family's sizes have them.
const STRIDES: [&[usize]; 4] = [&[8, 16, 32], &[8, 16, 32, 64], &[4, 8, 16, 32], &[16, 32]];
/// Coordinates before the scores.
const BOX: usize = 4;
/// COCO's classes, which most published weights have.
const COCO: usize = 80;
/// Mask coefficients behind the classes of a segmenter.
const MASKS: usize = 32;
/// Coordinates behind the class of a model of poses: 17 points of three.
const POINTS: usize = 51;

/// A table of rows and columns, one of them a box.
#[derive(Debug, Clone, Copy)]
struct Table {
    rows: usize,
    columns: usize,
    /// Column after column in place of row after row.
    transposed: bool,
}

impl Table {
    fn at(self, row: usize, column: usize) -> usize {
        match self.transposed {
            true => column * self.rows + row,
            false => row * self.columns + column,
        }
    }

    fn column(self, values: &[f32], column: usize) -> impl Iterator<Item = &f32> {
        let (start, step, count) = match self.transposed {
            true => (column * self.rows, 1, self.rows),
            false => (column, self.columns, self.rows),
        };
        values.iter().skip(start).step_by(step).take(count)
    }
}

/// How many cells the maps of an input have, for each set of strides.
fn counts(sought: &Sought<'_>) -> impl Iterator<Item = (usize, &'static [usize])> {
    let (width, height) = (sought.width, sought.height);
    let count = move |strides: &&'static [usize]| -> (usize, &'static [usize]) {
        let cells = |&s: &usize| width.div_ceil(s) * height.div_ceil(s);
        (strides.iter().map(cells).sum(), *strides)
    };
    STRIDES.iter().map(count)
}

/// Rows and columns of an output whose rows are `per_cell` boxes a cell; the strides with them.
fn table(sought: &Sought<'_>, output: usize, per_cell: usize) -> Option<(Table, &'static [usize])> {
    let &[1, a, b] = sought.outputs[output].shape.as_slice() else { return None };
    let of = |rows: usize, strides| {
        if rows == a {
            Some((Table { rows: a, columns: b, transposed: false }, strides))
        } else if rows == b {
            Some((Table { rows: b, columns: a, transposed: true }, strides))
        } else {
            None
        }
    };
    counts(sought).find_map(|(cells, strides)| of(cells * per_cell, strides))
}

/// The classes of a head with `extra` columns before them, as far as labels tell.
fn classes(sought: &Sought<'_>, columns: usize, extra: usize) -> Option<usize> {
    let classes = columns.checked_sub(extra).filter(|&n| n > 0)?;
    let segments = || {
        let masks = |shape: &[usize]| matches!(shape, [1, _, _, MASKS]) || matches!(shape, [1, MASKS, _, _]);
        classes > MASKS && sought.outputs.iter().any(|o| masks(&o.shape))
    };
    match sought.labels {
        n if n > 0 && [n + MASKS, n + POINTS].contains(&classes) => Some(n),
        _ if segments() => Some(classes - MASKS),
        _ => Some(classes),
    }
}

/// YOLOv8 and its successors.
pub(super) fn v8(sought: &Sought<'_>) -> Option<Fitted> {
    let output = sought.first_table()?;
    let (table, _) = table(sought, output, 1)?;
    let classes = classes(sought, table.columns, BOX)?;
    let rival = !table.transposed && !sought.forced && is_x(sought, table.columns);
    if rival {
        return None;
    }
    let decode = Yolo::new(sought, table, classes, None);
    let note = (!table.transposed && !sought.forced && sought.labels != classes)
        .then(|| "the outputs could also be those of YOLOX; --head yolox reads them so".to_owned());
    Some(fitted(HeadKind::Yolov8, vec![output], table.rows, classes, decode, note))
}

/// Whether a table of one box a cell, row after row, is rather YOLOX's.
fn is_x(sought: &Sought<'_>, columns: usize) -> bool {
    match sought.labels {
        0 => columns != COCO + BOX,
        n => columns != n + BOX,
    }
}

/// YOLOv5 and 7.
pub(super) fn v5(sought: &Sought<'_>) -> Option<Fitted> {
    let output = sought.first_table()?;
    let (table, _) = table(sought, output, 3)?;
    let classes = classes(sought, table.columns, BOX + 1)?;
    let decode = Yolo { objectness: true, ..Yolo::new(sought, table, classes, None) };
    Some(fitted(HeadKind::Yolov5, vec![output], table.rows, classes, decode, None))
}

/// YOLOX, decoded in the graph or not.
pub(super) fn x(sought: &Sought<'_>) -> Option<Fitted> {
    let output = sought.first_table()?;
    let (table, strides) = table(sought, output, 1)?;
    if !sought.forced && (table.transposed || !is_x(sought, table.columns)) {
        return None;
    }
    let classes = classes(sought, table.columns, BOX + 1)?;
    let decode = Yolo { objectness: true, ..Yolo::new(sought, table, classes, Some(strides)) };
    let note = (!sought.forced && sought.labels == 0 && classes != COCO)
        .then(|| "the outputs could also be those of YOLOv8; --head yolov8 reads them so".to_owned());
    Some(fitted(HeadKind::Yolox, vec![output], table.rows, classes, decode, note))
}

/// YOLOv4, whose boxes and scores are outputs of their own.
pub(super) fn v4(sought: &Sought<'_>) -> Option<Fitted> {
    let split = |output: usize| table(sought, output, 3).filter(|(t, _)| !t.transposed);
    let tables = |i: usize| split(i).map(|(table, _)| (i, table));
    let all: Vec<(usize, Table)> = (0..sought.outputs.len()).filter_map(tables).collect();
    let (boxes, scores) = match *all.as_slice() {
        [a, b] if a.1.columns == BOX => (a, b),
        [a, b] if b.1.columns == BOX => (b, a),
        _ => return None,
    };
    let classes = scores.1.columns;
    let yolo = Yolo { scores_at: 0, scores: scores.1, ..Yolo::new(sought, boxes.1, classes, None) };
    Some(fitted(HeadKind::Yolov4, vec![boxes.0, scores.0], boxes.1.rows, classes, yolo, None))
}

fn fitted(
    kind: HeadKind,
    outputs: Vec<usize>,
    rows: usize,
    classes: usize,
    decode: Yolo,
    note: Option<String>,
) -> Fitted {
    Fitted { kind, outputs, rows, classes, overlaps: Overlaps::Suppress(IOU), decode: Box::new(decode), note }
}

#[derive(Debug)]
struct Yolo {
    boxes: Table,
    /// The table with the scores: the boxes' own, or the last output.
    scores: Table,
    /// Columns before the scores.
    scores_at: usize,
    classes: usize,
    objectness: bool,
    width: usize,
    height: usize,
    unit: [f32; 2],
    /// Cells that boxes are relative to, where the graph leaves them so.
    cells: Vec<[f32; 3]>,
    relative: bool,
}

impl Yolo {
    fn new(sought: &Sought<'_>, table: Table, classes: usize, strides: Option<&[usize]>) -> Self {
        let (width, height) = (sought.width, sought.height);
        Self {
            boxes: table,
            scores: table,
            scores_at: BOX,
            classes,
            objectness: false,
            width,
            height,
            unit: [1.0; 2],
            cells: strides.map(|s| cells(width, height, s)).unwrap_or_default(),
            relative: false,
        }
    }
}

impl Decode for Yolo {
    fn scores(&mut self, values: &[Vec<f32>], scores: &mut [f32]) {
        let (Some(boxes), Some(table)) = (values.first(), values.last()) else { return };
        let columns = |range: std::ops::Range<usize>| range.flat_map(|c| self.boxes.column(boxes, c));
        // Sizes are logarithms where the graph leaves boxes to be decoded; nothing else is negative.
        self.relative = !self.cells.is_empty() && columns(2..4).any(|v| *v < 0.0);
        self.unit = match self.relative {
            true => [1.0 / self.width as f32, 1.0 / self.height as f32],
            false => unit(columns(0..2), self.width, self.height),
        };
        let first = self.scores_at + usize::from(self.objectness);
        let last = first + self.classes;
        let all = (self.scores_at..last).flat_map(|c| self.scores.column(table, c));
        let logits = are_logits(all);
        let real = |v: f32| if logits { sigmoid(v) } else { v };
        for (class, column) in (first..last).enumerate() {
            let of_class = scores[class..].iter_mut().step_by(self.classes);
            self.scores.column(table, column).zip(of_class).for_each(|(v, score)| *score = real(*v));
        }
        if self.objectness {
            let objects = self.scores.column(table, self.scores_at);
            for (row, object) in scores.chunks_exact_mut(self.classes).zip(objects) {
                row.iter_mut().for_each(|score| *score *= real(*object));
            }
        }
    }

    fn bbox(&self, values: &[Vec<f32>], row: usize) -> InputBox {
        let Some(boxes) = values.first() else { return InputBox::default() };
        let [mut cx, mut cy, mut w, mut h] = std::array::from_fn(|c| boxes[self.boxes.at(row, c)]);
        if self.relative {
            let [x, y, stride] = self.cells[row];
            (cx, cy) = ((cx + x) * stride, (cy + y) * stride);
            (w, h) = (w.exp() * stride, h.exp() * stride);
        }
        let [sx, sy] = self.unit;
        centred([cx * sx, cy * sy, w * sx, h * sy])
    }
}
