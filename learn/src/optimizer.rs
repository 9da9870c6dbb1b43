//! How a gradient changes the parameters.

use super::LearnError;
use serde::{Deserialize, Serialize};

/// The rule of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Optimizer {
    /// v ← momentum × v + g; p ← p − rate × v.
    Sgd {
        /// 0 (plain gradient descent) to below 1.
        momentum: f32,
    },
    /// Adam (Kingma and Ba, 2015, algorithm 1), with the bias of both moments corrected.
    Adam {
        /// Decay of the mean gradient, 0 to below 1.
        beta1: f32,
        /// Decay of the mean squared gradient, 0 to below 1.
        beta2: f32,
        /// Keeps the division finite; above 0.
        epsilon: f32,
    },
}

impl Optimizer {
    /// Momentum 0.9.
    pub const SGD: Self = Self::Sgd { momentum: 0.9 };
    /// With the constants of its paper.
    pub const ADAM: Self = Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

    /// Fails where a constant lies outside its range.
    pub(super) fn check(&self) -> Result<(), LearnError> {
        let decay = |setting, value: f32| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => {
                Err(LearnError::Setting { setting, value: value.into(), allowed: "at least 0 and below 1" })
            }
        };
        match *self {
            Self::Sgd { momentum } => decay("momentum", momentum),
            Self::Adam { beta1, beta2, epsilon } => {
                decay("Adam's beta1", beta1)?;
                decay("Adam's beta2", beta2)?;
                if epsilon > 0.0 && epsilon.is_finite() {
                    return Ok(());
                }
                let (setting, value) = ("Adam's epsilon", epsilon.into());
                Err(LearnError::Setting { setting, value, allowed: "above 0" })
            }
        }
    }
}

/// What an optimizer remembers from step to step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Moments {
    steps: u64,
    /// Velocity (SGD) or mean gradient (Adam), per parameter.
    first: Vec<f32>,
    /// Mean squared gradient (Adam).
    second: Vec<f32>,
}

impl Moments {
    /// One step on `parameters`; parameters that are new since the last step start without memory.
    pub(super) fn step(
        &mut self,
        optimizer: &Optimizer,
        parameters: &mut [f32],
        gradient: &[f32],
        rate: f32,
    ) {
        self.steps += 1;
        self.first.resize(parameters.len(), 0.0);
        let updates = parameters.iter_mut().zip(gradient).zip(&mut self.first);
        match *optimizer {
            Optimizer::Sgd { momentum } => {
                for ((p, g), v) in updates {
                    *v = momentum * *v + g;
                    *p -= rate * *v;
                }
            }
            Optimizer::Adam { beta1, beta2, epsilon } => {
                self.second.resize(gradient.len(), 0.0);
                let corrected = |beta: f32| 1.0 - f64::from(beta).powf(self.steps as f64);
                let (c1, c2) = (corrected(beta1) as f32, corrected(beta2) as f32);
                for (((p, g), m), v) in updates.zip(&mut self.second) {
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *v = beta2 * *v + (1.0 - beta2) * g * g;
                    *p -= rate * (*m / c1) / ((*v / c2).sqrt() + epsilon);
                }
            }
        }
    }

    /// Whether there are no more moments than parameters, for moments that come from a file.
    pub(super) fn fit(&self, parameters: usize) -> bool {
        self.first.len() <= parameters && self.second.len() <= parameters
    }

    /// Forgets the parameters in `range`, which are removed.
    pub(super) fn remove(&mut self, range: std::ops::Range<usize>) {
        for values in [&mut self.first, &mut self.second] {
            if range.end <= values.len() {
                values.drain(range.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two steps on gradients (1, −2) then (0.5, 0), worked out by hand.
    fn two_steps(optimizer: Optimizer) -> Vec<f32> {
        let (mut moments, mut p) = (Moments::default(), vec![1.0, 1.0]);
        moments.step(&optimizer, &mut p, &[1.0, -2.0], 0.1);
        moments.step(&optimizer, &mut p, &[0.5, 0.0], 0.1);
        p
    }

    #[test]
    fn momentum_by_hand() {
        // v = 1, −2, then 0.9 × 1 + 0.5 = 1.4 and −1.8.
        let p = two_steps(Optimizer::SGD);
        assert!(
            (p[0] - (1.0 - 0.1 - 0.14)).abs() < 1e-6 && (p[1] - (1.0 + 0.2 + 0.18)).abs() < 1e-6,
            "{p:?}"
        );
    }

    #[test]
    fn adam_by_hand() {
        // First step: m/c1 = g, v/c2 = g², so a step of the rate. Second, for p[0]:
        // m = 0.9 × 0.1 + 0.1 × 0.5 = 0.14, c1 = 0.19; v = 0.999 × 0.001 + 0.001 × 0.25 = 0.001249, c2 = 0.001999.
        let p = two_steps(Optimizer::ADAM);
        let second = 0.1 * (0.14 / 0.19) / (0.001249f32 / 0.001999).sqrt();
        assert!((p[0] - (0.9 - second)).abs() < 1e-5, "{p:?}");
        assert!(p[1] > 1.1, "the mean gradient still points down");
    }

    #[test]
    fn constants_outside_their_range_are_refused() {
        assert!(Optimizer::Sgd { momentum: 1.0 }.check().is_err());
        assert!(Optimizer::Sgd { momentum: f32::NAN }.check().is_err());
        assert!(Optimizer::Adam { beta1: 0.9, beta2: 0.99, epsilon: 0.0 }.check().is_err());
        assert!(Optimizer::SGD.check().is_ok() && Optimizer::ADAM.check().is_ok());
    }
}
