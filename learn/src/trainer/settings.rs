//! How a head is trained.

use crate::{FeatureScaling, LearnError, Optimizer, Schedule};
use serde::{Deserialize, Serialize};

/// How a head is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingSettings {
    /// Passes over the examples in total, those before a checkpoint included.
    pub epochs: usize,
    /// Examples per step; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Step size, before the schedule's factor.
    pub learning_rate: f32,
    /// Rule of a step.
    pub optimizer: Optimizer,
    /// Change of the learning rate over the epochs.
    pub schedule: Schedule,
    /// Weight decay: l2 ÷ 2 × Σ weight² is added to the mean loss. Biases are not decayed.
    pub l2: f32,
    /// Whether the order changes from epoch to epoch.
    pub shuffle: bool,
    /// Same seed, same examples, same head.
    pub seed: u64,
    /// How features are prepared, by the examples of the first training.
    pub scaling: FeatureScaling,
    /// Epochs without a better one after which training ends.
    pub patience: Option<usize>,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            epochs: 30,
            batch_size: 16,
            learning_rate: 1e-3,
            optimizer: Optimizer::ADAM,
            schedule: Schedule::Constant,
            l2: 0.05,
            shuffle: true,
            seed: 0,
            scaling: FeatureScaling::default(),
            patience: None,
        }
    }
}

impl TrainingSettings {
    pub(super) fn check(&self) -> Result<(), LearnError> {
        let refuse = |setting, value, allowed| Err(LearnError::Setting { setting, value, allowed });
        if self.epochs == 0 {
            return refuse("the number of epochs", 0.0, "1 or more");
        }
        if self.batch_size == 0 {
            return refuse("the batch size", 0.0, "1 or more");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return refuse("the learning rate", self.learning_rate.into(), "above 0");
        }
        if !(self.l2 >= 0.0 && self.l2.is_finite()) {
            return refuse("the L2 decay", self.l2.into(), "0 or more");
        }
        if self.patience == Some(0) {
            return refuse("the patience", 0.0, "1 or more epochs");
        }
        self.optimizer.check()?;
        self.scaling.check()?;
        self.schedule.check()
    }
}
