//! Scores as probabilities.

/// Rounding of 8-bit probabilities: the greatest may be a step beyond one.
const ROUNDING: f32 = 0.01;

/// Makes probabilities of a classifier's scores: they stay as they are where each lies in 0..1, as
/// those of a softmax or of sigmoids do; others are logits, of which the softmax is taken.
pub fn to_probabilities(scores: &mut [f32]) {
    if scores.iter().all(|s| (-ROUNDING..=1.0 + ROUNDING).contains(s)) {
        return;
    }
    softmax(scores);
}

/// Makes probabilities of the logits of classes that exclude each other.
pub fn softmax(logits: &mut [f32]) {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter_mut().for_each(|v| *v = (*v - greatest).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|v| *v /= sum);
}

/// The probability of a logit.
pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(mut scores: Vec<f32>) -> Vec<f32> {
        to_probabilities(&mut scores);
        scores
    }

    #[test]
    fn logits_become_probabilities_and_probabilities_stay() {
        assert_eq!(made(vec![0.25, 0.75]), [0.25, 0.75]);
        assert_eq!(made(vec![0.9, 0.8, 0.1]), [0.9, 0.8, 0.1], "sigmoids need not sum to one");
        let p = made(vec![3.0, 1.0, -2.0]);
        let e: Vec<f32> = [0.0f32, -2.0, -5.0].iter().map(|v| v.exp()).collect();
        let sum: f32 = e.iter().sum();
        assert!(p.iter().zip(&e).all(|(p, e)| (p - e / sum).abs() < 1e-6), "{p:?}");
        assert_eq!(made(vec![1000.0, -1000.0]), [1.0, 0.0], "no overflow");
    }
}
