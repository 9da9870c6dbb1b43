//! Non-maximum suppression: of boxes that overlap, keep the best.

use crate::geometry::NormBox;
use std::cmp::Ordering;

/// A box that passed its threshold and awaits suppression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Where it is.
    pub bbox: NormBox,
    /// Its class, the background not counted.
    pub class_id: usize,
    /// Its score.
    pub score: f32,
    /// Index of the anchor that it came from.
    pub anchor: usize,
}

impl Candidate {
    /// Best first; of equal scores the lower class, then the lower anchor, as LiteRT meets them.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let key = |c: &Self| (c.class_id, c.anchor);
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
    candidates.sort_unstable_by(Candidate::order);
    let mut kept = 0;
    for i in 0..candidates.len() {
        if kept >= limits.max_detections {
            break;
        }
        let candidate = candidates[i];
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
