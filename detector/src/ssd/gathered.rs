//! A head of another family at work: the outputs it reads as real numbers, its scores, its boxes.

use super::Candidate;
use crate::geometry::InputBox;
use crate::heads::{Decode, Fitted, Overlaps};
use crate::model::{HeadKind, Model, ModelError};
use crate::tensor::{TensorSpec, TensorView};
use ndarray::ArrayD;

/// How far apart cells may be that touch, in fractions of the input: rounding.
const TOUCH: f32 = 1e-4;

/// Scores and boxes of a run. Its memory is kept from frame to frame.
pub(crate) struct Gathered {
    kind: HeadKind,
    overlaps: Overlaps,
    decode: Box<dyn Decode>,
    /// Outputs, with what their numbers mean.
    outputs: Vec<(usize, (f32, i32))>,
    values: Vec<Vec<f32>>,
    /// Rows × classes.
    scores: ArrayD<f32>,
}

impl Gathered {
    pub(crate) fn new(outputs: &[TensorSpec], fitted: Fitted) -> Self {
        let affine = |&i: &usize| (i, outputs.get(i).map_or((1.0, 0), TensorSpec::affine));
        Self {
            kind: fitted.kind,
            overlaps: fitted.overlaps,
            decode: fitted.decode,
            values: vec![Vec::new(); fitted.outputs.len()],
            outputs: fitted.outputs.iter().map(affine).collect(),
            scores: ArrayD::zeros(vec![fitted.rows, fitted.classes]),
        }
    }

    pub(crate) fn kind(&self) -> HeadKind {
        self.kind
    }

    /// Takes the outputs of the last run over.
    ///
    /// # Errors
    /// [`ModelError`].
    pub(crate) fn read(&mut self, model: &dyn Model) -> Result<(), ModelError> {
        for (&(output, affine), values) in self.outputs.iter().zip(&mut self.values) {
            let view = model.output(output)?;
            values.clear();
            real(&view, affine, values);
            if values.len() != view.shape().iter().product::<usize>() {
                let name = model.outputs()[output].name.clone();
                return Err(ModelError::InvalidValues { name, dtype: view.dtype() });
            }
        }
        if let Some(scores) = self.scores.as_slice_mut() {
            self.decode.scores(&self.values, scores);
        }
        Ok(())
    }

    pub(crate) fn scores(&self) -> TensorView<'_> {
        TensorView::F32(self.scores.view())
    }

    pub(crate) fn rows(&self) -> usize {
        self.scores.shape()[0]
    }

    pub(crate) fn bbox(&self, row: usize) -> InputBox {
        self.decode.bbox(&self.values, row)
    }

    /// Whether boxes that touch are one object.
    pub(crate) fn fuses(&self) -> bool {
        self.overlaps == Overlaps::Fuse
    }

    /// Makes one candidate of those of a class whose boxes touch, with the greatest score; best first.
    pub(crate) fn fuse(&self, candidates: &mut Vec<Candidate>, max_detections: usize) {
        candidates.iter_mut().for_each(|c| c.bbox = self.bbox(c.anchor));
        let mut kept = 0;
        while kept < candidates.len() {
            let mut grown = candidates[kept];
            // What has been passed may touch the box once it has grown.
            loop {
                let before = candidates.len();
                let mut at = 0;
                candidates.retain(|c| {
                    at += 1;
                    let joins = at - 1 > kept && c.class_id == grown.class_id && touch(&grown.bbox, &c.bbox);
                    if joins {
                        grown.bbox = around(&grown.bbox, &c.bbox);
                        grown.score = grown.score.max(c.score);
                    }
                    !joins
                });
                if candidates.len() == before {
                    break;
                }
            }
            candidates[kept] = grown;
            kept += 1;
        }
        candidates.sort_unstable_by(Candidate::order);
        candidates.truncate(max_detections);
    }
}

/// Whether two boxes share an edge, a corner or more.
fn touch(a: &InputBox, b: &InputBox) -> bool {
    let meet = |low: f32, high: f32, other_low: f32, other_high: f32| {
        low <= other_high + TOUCH && other_low <= high + TOUCH
    };
    meet(a.x_min, a.x_max, b.x_min, b.x_max) && meet(a.y_min, a.y_max, b.y_min, b.y_max)
}

fn around(a: &InputBox, b: &InputBox) -> InputBox {
    InputBox::from_edges([
        a.x_min.min(b.x_min),
        a.y_min.min(b.y_min),
        a.x_max.max(b.x_max),
        a.y_max.max(b.y_max),
    ])
}

/// Appends what the numbers mean.
fn real(view: &TensorView<'_>, (scale, zero_point): (f32, i32), values: &mut Vec<f32>) {
    let affine = |v: f32| (v - zero_point as f32) * scale;
    match view {
        TensorView::F32(a) => values.extend(a.iter()),
        TensorView::U8(a) => values.extend(a.iter().map(|v| affine(f32::from(*v)))),
        TensorView::I8(a) => values.extend(a.iter().map(|v| affine(f32::from(*v)))),
        TensorView::I16(a) => values.extend(a.iter().map(|v| affine(f32::from(*v)))),
        TensorView::I32(a) => values.extend(a.iter().map(|v| affine(*v as f32))),
        TensorView::I64(a) => values.extend(a.iter().map(|v| *v as f32)),
        TensorView::Bool(_) => {}
    }
}
