//! How the learning rate changes over the epochs.

use super::LearnError;
use serde::{Deserialize, Serialize};

/// A factor on the learning rate, per epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Schedule {
    /// Always 1.
    #[default]
    Constant,
    /// Multiplied by `factor` after every `epochs` epochs.
    Step {
        /// Epochs between two changes, 1 or more.
        epochs: usize,
        /// Above 0, at most 1.
        factor: f32,
    },
    /// Half a cosine from 1 in the first epoch to `last` in the last one (Loshchilov and Hutter,
    /// 2017, without restarts).
    Cosine {
        /// 0 to 1.
        last: f32,
    },
}

impl Schedule {
    /// The factor in `epoch` (from 0) of `epochs`.
    pub fn factor(&self, epoch: usize, epochs: usize) -> f32 {
        match *self {
            Self::Constant => 1.0,
            Self::Step { epochs: every, factor } => {
                factor.powi(i32::try_from(epoch / every.max(1)).unwrap_or(i32::MAX))
            }
            Self::Cosine { last } => {
                let done =
                    epoch.min(epochs.saturating_sub(1)) as f32 / epochs.saturating_sub(1).max(1) as f32;
                last + (1.0 - last) * 0.5 * (1.0 + (std::f32::consts::PI * done).cos())
            }
        }
    }

    /// Fails where a constant lies outside its range.
    pub(super) fn check(&self) -> Result<(), LearnError> {
        let (setting, value, allowed) = match *self {
            Self::Step { epochs: 0, .. } => ("the schedule's step", 0.0, "1 or more epochs"),
            Self::Step { factor, .. } if !(factor > 0.0 && factor <= 1.0) => {
                ("the schedule's factor", factor, "above 0, at most 1")
            }
            Self::Cosine { last } if !(0.0..=1.0).contains(&last) => {
                ("the schedule's last factor", last, "0 to 1")
            }
            _ => return Ok(()),
        };
        Err(LearnError::Setting { setting, value: value.into(), allowed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_over_the_epochs() {
        let factors = |s: Schedule| (0..5).map(|e| s.factor(e, 5)).collect::<Vec<_>>();
        assert_eq!(factors(Schedule::Constant), [1.0; 5]);
        assert_eq!(factors(Schedule::Step { epochs: 2, factor: 0.5 }), [1.0, 1.0, 0.5, 0.5, 0.25]);
        let cosine = factors(Schedule::Cosine { last: 0.1 });
        for (is, should) in cosine.iter().zip([1.0, 0.868198, 0.55, 0.231802, 0.1]) {
            assert!((is - should).abs() < 1e-5, "{cosine:?}");
        }
        assert_eq!(Schedule::Cosine { last: 0.0 }.factor(0, 1), 1.0, "one epoch");
        assert!(Schedule::Cosine { last: 0.25 }.factor(9, 5) >= 0.25, "beyond the end");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            Schedule::Step { epochs: 0, factor: 0.5 },
            Schedule::Step { epochs: 1, factor: 0.0 },
            Schedule::Step { epochs: 1, factor: f32::NAN },
            Schedule::Cosine { last: -0.1 },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
