//! MediaPipe's detectors of faces, palms and bodies: a box and key points for each anchor, in pixels from the
//! anchor's centre, and a logit.

use super::{Decode, Fitted, HeadKind, Overlaps, Sought, cells, centred};
use crate::geometry::InputBox;
use crate::model::sigmoid;

/// Overlap at which MediaPipe blends boxes; here the best one stays.
const IOU: f32 = 0.3;
/// Logits are clipped to ± this before the sigmoid.
const CLIP: f32 = 100.0;
/// Stride of each map with its anchors a cell, as MediaPipe's graphs list them.
const MAPS: [&[(usize, usize)]; 4] =
    [&[(8, 2), (16, 6)], &[(16, 2), (32, 6)], &[(8, 2), (16, 2), (32, 6)], &[(4, 1)]];

pub(super) fn fit(sought: &Sought<'_>) -> Option<Fitted> {
    let find = |wide: bool| {
        sought.outputs.iter().position(|o| match *o.shape.as_slice() {
            [1, _, width] => {
                if wide {
                    matches!(width, 12 | 16 | 18)
                } else {
                    width == 1
                }
            }
            _ => false,
        })
    };
    let (boxes, scores) = (find(true)?, find(false)?);
    let [_, rows, width] = *sought.outputs[boxes].shape.as_slice() else { return None };
    if sought.outputs[scores].shape[1] != rows {
        return None;
    }
    let (w, h) = (sought.width, sought.height);
    let centres = |maps: &&[(usize, usize)]| -> Vec<[f32; 2]> {
        let of = |&(stride, per_cell): &(usize, usize)| {
            let (columns, lines) = (w.div_ceil(stride) as f32, h.div_ceil(stride) as f32);
            let centre = move |[x, y, _]: [f32; 3]| [(x + 0.5) / columns, (y + 0.5) / lines];
            cells(w, h, &[stride])
                .into_iter()
                .flat_map(move |cell| std::iter::repeat_n(centre(cell), per_cell))
                .collect::<Vec<_>>()
        };
        maps.iter().flat_map(of).collect()
    };
    let centres = MAPS.iter().map(centres).find(|c| c.len() == rows)?;
    Some(Fitted {
        kind: HeadKind::Blazeface,
        outputs: vec![boxes, scores],
        rows,
        classes: 1,
        overlaps: Overlaps::Suppress(IOU),
        decode: Box::new(Blazeface { centres, columns: width, size: [w as f32, h as f32] }),
        note: None,
    })
}

struct Blazeface {
    centres: Vec<[f32; 2]>,
    columns: usize,
    size: [f32; 2],
}

impl Decode for Blazeface {
    fn scores(&mut self, values: &[Vec<f32>], scores: &mut [f32]) {
        let logits = values.iter().skip(1).flatten();
        scores.iter_mut().zip(logits).for_each(|(s, l)| *s = sigmoid(l.clamp(-CLIP, CLIP)));
    }

    fn bbox(&self, values: &[Vec<f32>], row: usize) -> InputBox {
        let at = row * self.columns;
        let Some(&[x, y, w, h]) = values.first().and_then(|b| b.get(at..at + 4)?.first_chunk()) else {
            return InputBox::default();
        };
        let ([cx, cy], [width, height]) = (self.centres[row], self.size);
        centred([x / width + cx, y / height + cy, w / width, h / height])
    }
}
