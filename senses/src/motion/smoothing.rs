//! Steady answers out of flickering probabilities.

use super::MotionError;
use serde::{Deserialize, Serialize};

/// How predictions are smoothed, and when the answer changes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smoothing {
    /// Seconds after which a change has come through to 63 %; 0 for none.
    pub time_constant: f64,
    /// A class becomes the answer from this smoothed probability on, 0..1.
    pub enter: f32,
    /// The answer is given up below this smoothed probability, 0..=enter.
    pub leave: f32,
}

impl Default for Smoothing {
    fn default() -> Self {
        Self { time_constant: 0.5, enter: 0.6, leave: 0.4 }
    }
}

impl Smoothing {
    /// Every prediction as it is: the likeliest class is always the answer.
    pub const OFF: Self = Self { time_constant: 0.0, enter: 0.0, leave: 0.0 };

    fn check(&self) -> Result<(), MotionError> {
        let refuse = |setting, value, allowed| Err(MotionError::Setting { setting, value, allowed });
        if !(self.time_constant >= 0.0 && self.time_constant.is_finite()) {
            return refuse("the time constant", self.time_constant, "0 s or more");
        }
        if !(0.0..=1.0).contains(&self.enter) {
            return refuse("the probability to enter", self.enter.into(), "0 to 1");
        }
        if !(0.0..=self.enter).contains(&self.leave) {
            return refuse("the probability to leave", self.leave.into(), "0 to the probability to enter");
        }
        Ok(())
    }
}

/// An exponential moving average with hysteresis.
#[derive(Debug, Clone)]
pub struct Smoother {
    settings: Smoothing,
    time: Option<f64>,
    probabilities: Vec<f32>,
    answer: Option<usize>,
}

impl Smoother {
    /// A smoother that has seen nothing.
    ///
    /// # Errors
    /// [`MotionError::Setting`].
    pub fn new(settings: Smoothing) -> Result<Self, MotionError> {
        settings.check()?;
        Ok(Self { settings, time: None, probabilities: Vec::new(), answer: None })
    }

    /// Takes the probabilities of time `time` (seconds), and gives the answer: a class, or `None`
    /// while no class is likely enough.
    pub fn push(&mut self, time: f64, probabilities: &[f32]) -> Option<usize> {
        match self.time {
            Some(before)
                if self.settings.time_constant > 0.0 && probabilities.len() == self.probabilities.len() =>
            {
                let share = 1.0 - (-(time - before).max(0.0) / self.settings.time_constant).exp();
                for (s, p) in self.probabilities.iter_mut().zip(probabilities) {
                    *s += share as f32 * (p - *s);
                }
            }
            _ => {
                self.probabilities.clear();
                self.probabilities.extend_from_slice(probabilities);
            }
        }
        self.time = Some(time);
        let smoothed = &self.probabilities;
        let likeliest =
            (0..smoothed.len()).max_by(|&a, &b| smoothed[a].total_cmp(&smoothed[b]).then(b.cmp(&a)));
        if let Some(class) = likeliest.filter(|&c| smoothed[c] >= self.settings.enter) {
            self.answer = Some(class);
        } else if self.answer.is_some_and(|c| smoothed[c] < self.settings.leave) {
            self.answer = None;
        }
        self.answer
    }

    /// The smoothed probabilities.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        (self.time, self.answer) = (None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_comes_through_with_the_time_constant() {
        let settings = Smoothing { time_constant: 2.0, ..Smoothing::default() };
        // Two seconds in one step or in twenty: the same.
        for steps in [1, 20] {
            let mut s = Smoother::new(settings).unwrap();
            s.push(0.0, &[1.0, 0.0]);
            for k in 1..=steps {
                s.push(2.0 * f64::from(k) / f64::from(steps), &[0.0, 1.0]);
            }
            let expected = (-1f32).exp();
            assert!((s.probabilities()[0] - expected).abs() < 1e-5, "{:?}", s.probabilities());
        }
    }

    #[test]
    fn the_answer_does_not_flicker_between_the_thresholds() {
        let mut s = Smoother::new(Smoothing { time_constant: 0.0, enter: 0.7, leave: 0.4 }).unwrap();
        let answers: Vec<Option<usize>> = [0.5, 0.69, 0.7, 0.5, 0.41, 0.39, 0.5, 0.2]
            .iter()
            .enumerate()
            .map(|(i, &p)| s.push(i as f64, &[p, 1.0 - p]))
            .collect();
        assert_eq!(answers, [None, None, Some(0), Some(0), Some(0), None, None, Some(1)]);
    }

    #[test]
    fn off_is_the_likeliest_class() {
        let mut s = Smoother::new(Smoothing::OFF).unwrap();
        assert_eq!(s.push(0.0, &[0.2, 0.3, 0.25]), Some(1));
        assert_eq!(s.push(0.0, &[0.3, 0.2, 0.25]), Some(0));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            Smoothing { time_constant: -1.0, ..Smoothing::default() },
            Smoothing { enter: f32::NAN, ..Smoothing::default() },
            Smoothing { leave: 0.9, enter: 0.5, ..Smoothing::default() },
        ] {
            assert!(Smoother::new(bad).is_err());
        }
    }
}
