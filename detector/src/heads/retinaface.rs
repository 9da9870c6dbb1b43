//! RetinaFace: a box correction, two class scores and five landmarks for each of two square priors a
//! cell.

use super::{Decode, Fitted, HeadKind, Overlaps, Sought, are_logits, cells, centred};
use crate::geometry::InputBox;
use crate::model::sigmoid;

/// Overlap from which the weaker box goes, in the authors' program.
const IOU: f32 = 0.4;
/// Strides with the sides of their priors.
const MAPS: [(usize, [f32; 2]); 3] = [(8, [16.0, 32.0]), (16, [64.0, 128.0]), (32, [256.0, 512.0])];
/// Factors of centres and of logarithms of sizes.
const VARIANCES: [f32; 2] = [0.1, 0.2];

pub(super) fn fit(sought: &Sought<'_>) -> Option<Fitted> {
    let rows = match sought.outputs {
        [a, _, _] => match *a.shape.as_slice() {
            [1, rows, _] => rows,
            _ => return None,
        },
        _ => return None,
    };
    let find = |width: usize| sought.outputs.iter().position(|o| o.shape == [1, rows, width]);
    let (boxes, scores, _) = (find(4)?, find(2)?, find(10)?);
    let (w, h) = (sought.width as f32, sought.height as f32);
    let mut priors = Vec::new();
    for (stride, sides) in MAPS {
        for [x, y, step] in cells(sought.width, sought.height, &[stride]) {
            let centre = [(x + 0.5) * step / w, (y + 0.5) * step / h];
            priors.extend(sides.iter().map(|side| [centre[0], centre[1], side / w, side / h]));
        }
    }
    (priors.len() == rows).then(|| Fitted {
        kind: HeadKind::Retinaface,
        outputs: vec![boxes, scores],
        rows,
        classes: 1,
        overlaps: Overlaps::Suppress(IOU),
        decode: Box::new(Retinaface { priors }),
        note: None,
    })
}

struct Retinaface {
    /// Centre x and y, width, height, in fractions of the input.
    priors: Vec<[f32; 4]>,
}

impl Decode for Retinaface {
    fn scores(&mut self, values: &[Vec<f32>], scores: &mut [f32]) {
        let Some(table) = values.get(1) else { return };
        let logits = are_logits(table);
        for (score, pair) in scores.iter_mut().zip(table.as_chunks::<2>().0) {
            *score = if logits { sigmoid(pair[1] - pair[0]) } else { pair[1] };
        }
    }

    fn bbox(&self, values: &[Vec<f32>], row: usize) -> InputBox {
        let Some(&[x, y, w, h]) = values.first().and_then(|b| b.as_chunks::<4>().0.get(row)) else {
            return InputBox::default();
        };
        let [cx, cy, pw, ph] = self.priors[row];
        let [centre, size] = VARIANCES;
        centred([cx + x * centre * pw, cy + y * centre * ph, pw * (w * size).exp(), ph * (h * size).exp()])
    }
}
