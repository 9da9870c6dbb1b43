//! Latency of the last second, for the governor.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back [`Recent`] looks.
const WINDOW: Duration = Duration::from_secs(1);

/// How long the runs of the last second took: what [`Reading::latency_ms`](super::Reading::latency_ms)
/// is made of.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Recent(VecDeque<(Instant, Duration)>);

impl Recent {
    /// Takes a run that has just ended.
    pub(in crate::pipeline) fn add(&mut self, took: Duration) {
        self.0.push_back((Instant::now(), took));
        self.forget();
    }

    /// Milliseconds that nine of ten runs did not exceed (nearest rank); 0 without runs.
    pub(in crate::pipeline) fn p90_ms(&mut self) -> f64 {
        self.forget();
        let mut times: Vec<Duration> = self.0.iter().map(|(_, took)| *took).collect();
        times.sort_unstable();
        let rank = (times.len() * 9).div_ceil(10);
        times.get(rank.saturating_sub(1)).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    }

    /// The last run stays: a slow model's is older than a second.
    fn forget(&mut self) {
        while self.0.len() > 1 && self.0.front().is_some_and(|(at, _)| at.elapsed() > WINDOW) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_of_ten() {
        let mut recent = Recent::default();
        assert_eq!(recent.p90_ms(), 0.0);
        for ms in [5, 1, 2, 9, 3, 4, 6, 7, 8, 50] {
            recent.add(Duration::from_millis(ms));
        }
        assert_eq!(recent.p90_ms(), 9.0);
    }
}
