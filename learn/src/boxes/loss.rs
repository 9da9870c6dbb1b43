//! How wrong boxes and scores are, and which way to go.

use super::{Target, Targets};
use crate::LearnError;

/// Focal loss on class logits (Lin et al. 2017, <https://arxiv.org/abs/1708.02002>) and smooth L1 on box codes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxLoss {
    /// Weight of objects against background, 0 to 1.
    pub alpha: f32,
    /// How much less what is nearly right counts, 0 or more; 0 is cross-entropy.
    pub gamma: f32,
    /// Difference of codes up to which smooth L1 is a square; above 0.
    pub beta: f32,
    /// Weight of boxes against classes, 0 or more.
    pub boxes: f32,
}

impl Default for BoxLoss {
    /// ¼ and 2 as in the paper, β of 1 for codes that are scaled by 10 and 5.
    fn default() -> Self {
        Self { alpha: 0.25, gamma: 2.0, beta: 1.0, boxes: 1.0 }
    }
}

/// The two parts of a loss, each divided by the number of anchors that stand for objects.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Loss {
    /// Focal loss of all classes and anchors.
    pub classes: f64,
    /// Smooth L1 of the codes, weighted.
    pub boxes: f64,
}

impl Loss {
    /// What is made smaller.
    pub fn sum(&self) -> f64 {
        self.classes + self.boxes
    }
}

impl BoxLoss {
    /// Fails where a constant lies outside its range.
    pub(super) fn check(&self) -> Result<(), LearnError> {
        let checks = [
            ("the focal loss's alpha", self.alpha, (0.0..=1.0).contains(&self.alpha), "0 to 1"),
            ("the focal loss's gamma", self.gamma, self.gamma >= 0.0 && self.gamma.is_finite(), "0 or more"),
            ("smooth L1's beta", self.beta, self.beta > 0.0 && self.beta.is_finite(), "above 0"),
            ("the weight of boxes", self.boxes, self.boxes >= 0.0 && self.boxes.is_finite(), "0 or more"),
        ];
        match checks.into_iter().find(|(_, _, good, _)| !good) {
            Some((setting, value, _, allowed)) => {
                Err(LearnError::Setting { setting, value: value.into(), allowed })
            }
            None => Ok(()),
        }
    }

    /// The loss of one view's `logits` ([anchors × classes]) and `codes` ([anchors × 4]), which are replaced by the
    /// gradient of its sum.
    pub(super) fn differentiate(&self, targets: &Targets, logits: &mut [f32], codes: &mut [f32]) -> Loss {
        let share = 1.0 / targets.objects.max(1) as f32;
        let classes = logits.len() / targets.anchors.len().max(1);
        let mut loss = Loss::default();
        if classes == 0 {
            return loss;
        }
        let rows = logits.chunks_exact_mut(classes).zip(codes.as_chunks_mut::<4>().0);
        for (target, (logits, codes)) in targets.anchors.iter().zip(rows) {
            let object = match target {
                Target::Object { class, code } => Some((*class, code)),
                Target::Background => None,
                Target::NotAsked => {
                    logits.fill(0.0);
                    codes.fill(0.0);
                    continue;
                }
            };
            for (class, logit) in logits.iter_mut().enumerate() {
                let (value, slope) = self.focal(*logit, object.is_some_and(|(c, _)| c == class));
                loss.classes += f64::from(value * share);
                *logit = slope * share;
            }
            let Some((_, wanted)) = object else {
                codes.fill(0.0);
                continue;
            };
            for (code, wanted) in codes.iter_mut().zip(wanted) {
                let (value, slope) = self.smooth(*code - wanted);
                loss.boxes += f64::from(value * share * self.boxes);
                *code = slope * share * self.boxes;
            }
        }
        loss
    }

    /// Focal loss of a logit, and its slope.
    fn focal(&self, logit: f32, is_object: bool) -> (f32, f32) {
        // A background logit is an object's, turned around.
        let (z, alpha, sign) =
            if is_object { (logit, self.alpha, 1.0) } else { (-logit, 1.0 - self.alpha, -1.0) };
        // log σ(z), which does not overflow for either sign.
        let log_p = z.min(0.0) - (-z.abs()).exp().ln_1p();
        let p = log_p.exp();
        let rest = (1.0 - p).max(0.0).powf(self.gamma);
        (-alpha * rest * log_p, sign * alpha * rest * (self.gamma * p * log_p + p - 1.0))
    }

    /// Smooth L1 of a difference, and its slope.
    fn smooth(&self, difference: f32) -> (f32, f32) {
        let size = difference.abs();
        if size < self.beta {
            (0.5 * difference * difference / self.beta, difference / self.beta)
        } else {
            (size - 0.5 * self.beta, difference.signum())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_values() {
        let loss = BoxLoss { gamma: 1.5, beta: 0.7, ..BoxLoss::default() };
        let step = 1e-2;
        for z in [-6.0, -1.3, -0.2, 0.0, 0.4, 2.1, 7.0f32] {
            for object in [true, false] {
                let slope = (loss.focal(z + step, object).0 - loss.focal(z - step, object).0) / (2.0 * step);
                assert!((slope - loss.focal(z, object).1).abs() < 1e-4, "{z} {object}");
            }
            let slope = (loss.smooth(z + step).0 - loss.smooth(z - step).0) / (2.0 * step);
            assert!((slope - loss.smooth(z).1).abs() < 1e-4, "{z}");
        }
    }

    #[test]
    fn without_focus_it_is_cross_entropy() {
        let loss = BoxLoss { alpha: 0.5, gamma: 0.0, ..BoxLoss::default() };
        let (value, _) = loss.focal(0.3, true);
        assert!((value - 0.5 * (1.0 + (-0.3f32).exp()).ln()).abs() < 1e-6);
    }

    #[test]
    fn far_logits_stay_finite() {
        for z in [-200.0, 200.0] {
            for object in [true, false] {
                let (value, slope) = BoxLoss::default().focal(z, object);
                assert!(value.is_finite() && slope.is_finite(), "{z} {object}");
            }
        }
    }

    #[test]
    fn who_is_not_asked_learns_nothing() {
        let anchors = vec![Target::NotAsked, Target::Background, Target::Object { class: 1, code: [0.0; 4] }];
        let targets = Targets { anchors, objects: 1 };
        let (mut logits, mut codes) = (vec![0.5; 6], vec![0.5; 12]);
        let loss = BoxLoss::default().differentiate(&targets, &mut logits, &mut codes);
        assert!(loss.classes > 0.0 && loss.boxes > 0.0);
        assert_eq!((&logits[..2], &codes[..8]), (&[0.0; 2][..], &[0.0; 8][..]));
        // Background down, the wrong class down, the right one up.
        assert!(logits[2] > 0.0 && logits[4] > 0.0 && logits[5] < 0.0, "{logits:?}");
        assert!(codes[8..].iter().all(|c| *c > 0.0));
    }
}
