//! NON_MAX_SUPPRESSION_V4 and V5 of float32 boxes: greedy, by falling score (Bodla et al., arXiv:1704.04503, for the
//! soft scores of V5).

use super::single;
use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;

/// Boxes `[n, 4]` of two corners, scores `[n]`, a constant number of results, constant thresholds. The outputs have that
/// number of elements, zeros behind the count.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>, soft: bool) -> Result<Lowered> {
    let (boxes, scores) = (ctx.input(0)?, ctx.input(1)?);
    let &[n, 4] = boxes.shape() else {
        return Err(ctx.invalid(format!("boxes of shape {:?}", boxes.shape())));
    };
    ctx.ensure(scores.shape() == [n], || format!("{n} boxes, scores {:?}", scores.shape()))?;
    if [boxes, scores].iter().any(|t| t.dtype() != DType::F32) {
        return Err(ctx.unsupported_types(&[boxes, scores]));
    }
    let max = single(ctx, ctx.input(2)?)?;
    let max = usize::try_from(max).map_err(|_| ctx.invalid(format!("{max} results")))?;
    let number = |i: usize| match ctx.floats(ctx.input(i)?)?[..] {
        [value] => Ok(value),
        ref values => Err(ctx.invalid(format!("a threshold of {} numbers", values.len()))),
    };
    let (iou, score) = (number(3)?, number(4)?);
    let sigma = if soft { number(5)? } else { 0.0 };
    let outputs: Vec<Operand<'_>> =
        (0..ctx.node.outputs.len()).map(|i| ctx.output(i)).collect::<Result<_>>()?;
    let types: &[DType] =
        if soft { &[DType::I32, DType::F32, DType::I32] } else { &[DType::I32, DType::I32] };
    ctx.ensure(outputs.iter().map(|t| t.dtype()).eq(types.iter().copied()), || {
        "outputs of other types".into()
    })?;
    for (i, output) in outputs.iter().enumerate() {
        let shape: &[usize] = if i + 1 == outputs.len() { &[] } else { std::slice::from_ref(&max) };
        ctx.ensure_shape(*output, shape)?;
    }
    let kernel = Nms { max, iou, score, sigma, soft };
    ctx.task_with(kernel, &[boxes, scores], n.saturating_mul(size_of::<f32>()), 0)
}

struct Nms {
    max: usize,
    iou: f32,
    score: f32,
    /// Width of the Gaussian that lowers the scores of overlapping boxes; zero keeps or drops them.
    sigma: f32,
    soft: bool,
}

/// Overlap of two boxes whose corners may come in any order.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let range = |c: &[f32; 4], i: usize| (c[i].min(c[i + 2]), c[i].max(c[i + 2]));
    let area = |c: &[f32; 4]| {
        let ((y0, y1), (x0, x1)) = (range(c, 0), range(c, 1));
        (y1 - y0) * (x1 - x0)
    };
    let common = |i: usize| {
        let ((a0, a1), (b0, b1)) = (range(a, i), range(b, i));
        (a1.min(b1) - a0.max(b0)).max(0.0)
    };
    let (area_a, area_b) = (area(a), area(b));
    if area_a <= 0.0 || area_b <= 0.0 {
        return 0.0;
    }
    let shared = common(0) * common(1);
    shared / (area_a + area_b - shared)
}

impl Nms {
    /// Fills `order` with what is chosen: place and score. Returns how many.
    fn choose(
        &self,
        boxes: &[[f32; 4]],
        scores: &[f32],
        current: &mut [f32],
        mut keep: impl FnMut(usize, usize, f32),
    ) -> usize {
        current.copy_from_slice(scores);
        let mut count = 0;
        while count < self.max {
            let mut best: Option<usize> = None;
            for (i, score) in current.iter().enumerate() {
                if *score > self.score && best.is_none_or(|b| *score > current[b]) {
                    best = Some(i);
                }
            }
            let Some(chosen) = best else { break };
            keep(count, chosen, current[chosen]);
            count += 1;
            current[chosen] = f32::NEG_INFINITY;
            for (other, c) in boxes.iter().zip(current.iter_mut()) {
                if *c <= self.score || c.is_nan() {
                    continue;
                }
                let iou = overlap(&boxes[chosen], other);
                if self.sigma > 0.0 {
                    // LiteRT's soft rule drops nothing by the threshold alone.
                    *c *= (-0.5 * iou * iou / self.sigma).exp();
                } else if iou > self.iou {
                    *c = f32::NEG_INFINITY;
                }
            }
        }
        count
    }
}

impl Kernel for Nms {
    fn name(&self) -> &'static str {
        "portable-non-max-suppression"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let (boxes, scores) = (io.input::<f32>(0).as_chunks::<4>().0, io.input::<f32>(1));
        if self.soft {
            let ([places, kept, count], scratch) = io.outputs_and_scratch::<3>();
            let places: &mut [i32] = bytemuck::cast_slice_mut(places);
            let kept: &mut [f32] = bytemuck::cast_slice_mut(kept);
            places.fill(0);
            kept.fill(0.0);
            let current = bytemuck::cast_slice_mut(scratch);
            let n = self.choose(boxes, scores, current, |at, i, score| {
                (places[at], kept[at]) = (i as i32, score);
            });
            bytemuck::cast_slice_mut::<u8, i32>(count).fill(n as i32);
        } else {
            let ([places, count], scratch) = io.outputs_and_scratch::<2>();
            let places: &mut [i32] = bytemuck::cast_slice_mut(places);
            places.fill(0);
            let current = bytemuck::cast_slice_mut(scratch);
            let n = self.choose(boxes, scores, current, |at, i, _| places[at] = i as i32);
            bytemuck::cast_slice_mut::<u8, i32>(count).fill(n as i32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_do_not_depend_on_the_order_of_corners() {
        let (a, b) = ([0.0, 0.0, 2.0, 4.0], [1.0, 2.0, 3.0, 6.0]);
        assert_eq!(overlap(&a, &b), 2.0 / 14.0);
        assert_eq!(overlap(&[2.0, 4.0, 0.0, 0.0], &b), overlap(&a, &b));
        assert_eq!(overlap(&a, &[1.0, 1.0, 1.0, 5.0]), 0.0);
    }

    #[test]
    fn the_best_of_overlapping_boxes_remains() {
        let boxes =
            [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [0.0, 2.0, 1.0, 3.0], [0.0, 0.0, f32::NAN, 1.0]];
        let scores = [0.8, 0.9, 0.3, f32::NAN];
        let nms = Nms { max: 5, iou: 0.5, score: 0.2, sigma: 0.0, soft: false };
        let mut chosen = Vec::new();
        let n = nms.choose(&boxes, &scores, &mut [0.0; 4], |_, i, s| chosen.push((i, s)));
        assert_eq!((n, chosen), (2, vec![(1, 0.9), (2, 0.3)]));
        let soft = Nms { sigma: 0.5, ..nms };
        let mut chosen = Vec::new();
        soft.choose(&boxes, &scores, &mut [0.0; 4], |_, i, s| chosen.push((i, s)));
        let expected = 0.8 * (-0.81f32).exp();
        assert_eq!(chosen.iter().map(|c| c.0).collect::<Vec<_>>(), [1, 0, 2]);
        assert!((chosen[1].1 - expected).abs() < 1e-6);
    }
}
