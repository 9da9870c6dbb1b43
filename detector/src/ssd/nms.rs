//! Non-maximum suppression: of boxes that overlap, keep the best.

use crate::geometry::InputBox;
use std::cmp::Ordering;

/// A box that passed its threshold and awaits suppression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Where it is.
    pub bbox: InputBox,
    /// Its class, the background not counted.
    pub class_id: usize,
    /// Its score.
    pub score: f32,
    /// Index of the anchor that it came from.
    pub anchor: usize,
}

impl Candidate {
    /// Best first; of equal scores the lower class, then the lower anchor, as LiteRT meets them.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let key = |c: &Self| (c.class_id, c.anchor);
        other.score.total_cmp(&self.score).then_with(|| key(self).cmp(&key(other)))
    }

    /// Best first; of equal scores the lower anchor, as LiteRT's fast rule meets them.
    fn order_by_anchor(&self, other: &Self) -> Ordering {
        let key = |c: &Self| (c.anchor, c.class_id);
        other.score.total_cmp(&self.score).then_with(|| key(self).cmp(&key(other)))
    }

    /// Whether the two are rivals: of one class, or any where classes do not matter.
    fn rivals(&self, other: &Self, across_classes: bool) -> bool {
        across_classes || self.class_id == other.class_id
    }
}

/// How a box's score fades beside a better one, by N. Bodla and others, "Soft-NMS" (2017).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SoftDecay {
    /// × (1 − IoU), where the IoU exceeds the threshold.
    Linear,
    /// × e^(−IoU² ÷ sigma), whatever the threshold; 0.5 is the paper's sigma.
    Gaussian {
        /// Width of the fading.
        sigma: f32,
    },
}

impl SoftDecay {
    fn factor(self, iou: f32, threshold: f32) -> f32 {
        match self {
            Self::Linear if iou > threshold => 1.0 - iou,
            Self::Linear => 1.0,
            Self::Gaussian { sigma } => (-iou * iou / sigma).exp(),
        }
    }
}

/// Limits of [`non_max_suppression`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suppression {
    /// IoU above which the box of lower score goes.
    pub iou_threshold: f32,
    /// Boxes suppress boxes of other classes too.
    pub across_classes: bool,
    /// Most boxes of one class.
    pub max_per_class: usize,
    /// Most boxes in all.
    pub max_detections: usize,
}

/// Keeps the candidates that no better one overlaps by more than the threshold, best first. Nothing
/// is allocated.
///
/// A candidate is compared with those kept before it, so that the cost is candidates × kept ones.
/// The result is that of suppressing within each class and merging afterwards.
pub fn non_max_suppression(candidates: &mut Vec<Candidate>, limits: &Suppression) {
    suppress(candidates, limits, |_| true);
}

/// Candidates that are put in order before the first is looked at.
const SORTED_AT_FIRST: usize = 256;

/// Puts the best of `candidates` in order at their front, and says how many.
fn sort_best(
    candidates: &mut [Candidate],
    wanted: usize,
    order: fn(&Candidate, &Candidate) -> Ordering,
) -> usize {
    let count = wanted.min(candidates.len());
    if count < candidates.len() && count > 0 {
        candidates.select_nth_unstable_by(count - 1, order);
    }
    candidates[..count].sort_unstable_by(order);
    count
}

/// [`non_max_suppression`] of candidates whose boxes `complete` fills in when their turn comes; those for
/// which it says no are dropped. Most never have a turn where detections are few.
pub(super) fn suppress(
    candidates: &mut Vec<Candidate>,
    limits: &Suppression,
    mut complete: impl FnMut(&mut Candidate) -> bool,
) {
    let order = if limits.across_classes { Candidate::order_by_anchor } else { Candidate::order };
    let (mut kept, mut sorted) = (0, 0);
    for i in 0..candidates.len() {
        if kept >= limits.max_detections {
            break;
        }
        if i == sorted {
            sorted += sort_best(&mut candidates[i..], i.max(SORTED_AT_FIRST), order);
        }
        let mut candidate = candidates[i];
        if !complete(&mut candidate) {
            continue;
        }
        let mut of_class = 0;
        let suppressed = candidates[..kept].iter().any(|k| {
            of_class += usize::from(k.class_id == candidate.class_id);
            k.rivals(&candidate, limits.across_classes) && k.bbox.iou(&candidate.bbox) > limits.iou_threshold
        });
        if !suppressed && of_class < limits.max_per_class {
            candidates[kept] = candidate;
            kept += 1;
        }
    }
    candidates.truncate(kept);
}

/// Leaves one box where several of different classes lie on one object: of any two that overlap by more than
/// `iou`, the likelier one. `found` has the best score first, and keeps its order.
pub(crate) fn keep_one_class(found: &mut Vec<Candidate>, iou: f32) {
    let mut kept = 0;
    for i in 0..found.len() {
        let candidate = found[i];
        let same_object =
            |k: &Candidate| k.class_id != candidate.class_id && k.bbox.iou(&candidate.bbox) > iou;
        if !found[..kept].iter().any(same_object) {
            found[kept] = candidate;
            kept += 1;
        }
    }
    found.truncate(kept);
}

/// Lowers the score of candidates beside better ones of their class, and drops those whose score
/// falls below that of their class in `thresholds` (classes beyond its end have none). Best first.
/// Nothing is allocated.
pub fn soft_non_max_suppression(
    candidates: &mut Vec<Candidate>,
    decay: SoftDecay,
    iou_threshold: f32,
    thresholds: &[f32],
    max_detections: usize,
) {
    let least = |class: usize| thresholds.get(class).copied().unwrap_or(0.0);
    let mut kept = 0;
    while kept < candidates.len().min(max_detections) {
        let rest = &mut candidates[kept..];
        let Some(best) = (0..rest.len()).min_by(|&a, &b| rest[a].order(&rest[b])) else { break };
        rest.swap(0, best);
        let chosen = rest[0];
        kept += 1;
        for c in &mut candidates[kept..] {
            if c.class_id == chosen.class_id {
                c.score *= decay.factor(chosen.bbox.iou(&c.bbox), iou_threshold);
            }
        }
        // `retain` keeps the order of what was chosen, which always passes: its score was checked
        // when it was last lowered.
        let mut at = 0;
        candidates.retain(|c| {
            at += 1;
            at <= kept || c.score >= least(c.class_id)
        });
    }
    candidates.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn overlap(a: &InputBox, b: &InputBox) -> f32 {
        let side = |lo: f32, hi: f32| if hi > lo { hi - lo } else { 0.0 };
        let area = |r: &InputBox| side(r.x_min, r.x_max) * side(r.y_min, r.y_max);
        let w = side(a.x_min.max(b.x_min), a.x_max.min(b.x_max));
        let h = side(a.y_min.max(b.y_min), a.y_max.min(b.y_max));
        if w * h > 0.0 { w * h / (area(a) + area(b) - w * h) } else { 0.0 }
    }

    /// The oracle: within each class (or all as one) strike out, then merge.
    fn oracle(candidates: &[Candidate], limits: &Suppression) -> Vec<Candidate> {
        let class = |c: &Candidate| if limits.across_classes { 0 } else { c.class_id };
        let key = |c: &Candidate| match limits.across_classes {
            true => (c.anchor, c.class_id),
            false => (c.class_id, c.anchor),
        };
        let order = |a: &Candidate, b: &Candidate| (b.score, key(a)).partial_cmp(&(a.score, key(b))).unwrap();
        let mut kept = Vec::new();
        for group in 0..8 {
            let mut rest: Vec<_> = candidates.iter().copied().filter(|c| class(c) == group).collect();
            rest.sort_by(order);
            let mut of_class = [0; 8];
            while !rest.is_empty() {
                let best = rest.remove(0);
                of_class[best.class_id] += 1;
                if of_class[best.class_id] <= limits.max_per_class {
                    rest.retain(|c| overlap(&best.bbox, &c.bbox) <= limits.iou_threshold);
                    kept.push(best);
                }
            }
        }
        kept.sort_by(order);
        kept.truncate(limits.max_detections);
        kept
    }

    fn soft_oracle(
        candidates: &[Candidate],
        decay: SoftDecay,
        iou: f32,
        least: f32,
        max: usize,
    ) -> Vec<Candidate> {
        let (mut rest, mut kept) = (candidates.to_vec(), Vec::new());
        while !rest.is_empty() && kept.len() < max {
            rest.sort_by(|a, b| {
                (b.score, a.class_id, a.anchor).partial_cmp(&(a.score, b.class_id, b.anchor)).unwrap()
            });
            let best = rest.remove(0);
            kept.push(best);
            for c in rest.iter_mut().filter(|c| c.class_id == best.class_id) {
                let o = overlap(&best.bbox, &c.bbox);
                c.score *= match decay {
                    SoftDecay::Linear if o > iou => 1.0 - o,
                    SoftDecay::Linear => 1.0,
                    SoftDecay::Gaussian { sigma } => (-o * o / sigma).exp(),
                };
            }
            rest.retain(|c| c.score >= least);
        }
        kept
    }

    /// Few positions, sizes and scores, so that overlaps and ties are common; no square boxes.
    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (0u8..6, 0u8..4, 1u8..4, 1u8..5, 0usize..5, 1u8..20);
        prop::collection::vec(one, 0..400).prop_map(|all| {
            let candidate =
                |(anchor, (x, y, w, h, class_id, score)): (usize, (u8, u8, u8, u8, usize, u8))| {
                    let [x, y, w, h] = [x, y, w, h].map(|v| f32::from(v) * 0.1);
                    let bbox = InputBox { x_min: x, y_min: y, x_max: x + w * 1.5, y_max: y + h };
                    Candidate { bbox, class_id, score: f32::from(score) / 20.0, anchor }
                };
            all.into_iter().enumerate().map(candidate).collect()
        })
    }

    #[test]
    fn one_object_keeps_its_likeliest_class() {
        let found = |class_id, score, x_min: f32| Candidate {
            bbox: InputBox { x_min, y_min: 0.1, x_max: x_min + 0.5, y_max: 0.35 },
            class_id,
            score,
            anchor: 0,
        };
        // A cat that is a dog as well, another cat on it, a person beside them, and a horse on the cat.
        let mut all = vec![
            found(1, 0.9, 0.0),
            found(2, 0.8, 0.025),
            found(1, 0.7, 0.02),
            found(3, 0.6, 0.45),
            found(4, 0.5, 0.01),
        ];
        keep_one_class(&mut all, 0.7);
        let kept: Vec<_> = all.iter().map(|f| (f.class_id, f.score)).collect();
        assert_eq!(kept, [(1, 0.9), (1, 0.7), (3, 0.6)], "boxes of one class are the model's own business");
        keep_one_class(&mut all, 1.0);
        assert_eq!(all.len(), 3);
    }

    proptest! {
        #[test]
        fn greedy_suppression_equals_the_oracle(
            candidates in candidates(),
            iou_threshold in 0.0f32..1.0,
            across_classes: bool,
            max_per_class in prop::sample::select(vec![1, 3, usize::MAX]),
            max_detections in prop::sample::select(vec![0, 1, 10, usize::MAX]),
        ) {
            // The limit for each class belongs to the rule that suppresses within classes.
            let max_per_class = if across_classes { usize::MAX } else { max_per_class };
            let limits = Suppression { iou_threshold, across_classes, max_per_class, max_detections };
            let mut ours = candidates.clone();
            non_max_suppression(&mut ours, &limits);
            prop_assert_eq!(ours, oracle(&candidates, &limits));
        }

        #[test]
        fn soft_suppression_equals_the_oracle(
            candidates in candidates(),
            iou in 0.0f32..1.0,
            gaussian: bool,
            least in 0.0f32..0.3,
            max in prop::sample::select(vec![0, 1, 7, usize::MAX]),
        ) {
            let decay = if gaussian { SoftDecay::Gaussian { sigma: 0.5 } } else { SoftDecay::Linear };
            let passing: Vec<_> = candidates.into_iter().filter(|c| c.score >= least).collect();
            let mut ours = passing.clone();
            soft_non_max_suppression(&mut ours, decay, iou, &[least; 8], max);
            prop_assert_eq!(ours, soft_oracle(&passing, decay, iou, least, max));
        }
    }

    #[test]
    fn numbers_that_are_none_do_not_panic() {
        let odd = |v: f32| Candidate {
            bbox: InputBox { x_min: v, y_min: v, x_max: v, y_max: v },
            class_id: 0,
            score: v,
            anchor: 0,
        };
        let mut candidates = vec![odd(f32::NAN), odd(f32::INFINITY), odd(0.5), odd(f32::NEG_INFINITY)];
        soft_non_max_suppression(&mut candidates.clone(), SoftDecay::Linear, 0.5, &[], 10);
        let limits =
            Suppression { iou_threshold: 0.5, across_classes: true, max_per_class: 9, max_detections: 9 };
        non_max_suppression(&mut candidates, &limits);
    }
}
