//! Histograms of how long each stage of a frame took, in constant memory.

use super::task::{Stage, Timings};
use hdrhistogram::Histogram;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::time::Duration;

/// Longest time that is told apart: a minute, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// Significant digits: values are right to one percent, in some 30 KB a stage however many frames.
const DIGITS: u8 = 2;

/// A histogram for each stage.
#[derive(Debug, Clone)]
pub(super) struct Histograms([Histogram<u32>; Stage::ALL.len()]);

impl Default for Histograms {
    fn default() -> Self {
        let empty =
            || Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("constants within the library's limits");
        Self(Stage::ALL.map(|_| empty()))
    }
}

impl Histograms {
    pub(super) fn record(&mut self, timings: &Timings) {
        for stage in Stage::ALL {
            if let Some(took) = timings.get(stage) {
                let nanos = u64::try_from(took.as_nanos()).unwrap_or(LONGEST);
                self.0[stage as usize].saturating_record(nanos.clamp(1, LONGEST));
            }
        }
    }

    pub(super) fn summary(&self) -> Latency {
        Latency(Stage::ALL.map(|stage| {
            let histogram = &self.0[stage as usize];
            let at = |q: f64| Duration::from_nanos(histogram.value_at_quantile(q));
            Percentiles { count: histogram.len(), p50: at(0.5), p95: at(0.95), p99: at(0.99) }
        }))
    }
}

/// How long a stage took, over all frames that went through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// Frames.
    pub count: u64,
    /// Median.
    pub p50: Duration,
    /// 95 of 100 frames took no longer.
    pub p95: Duration,
    /// 99 of 100 frames took no longer.
    pub p99: Duration,
}

impl Serialize for Percentiles {
    /// In milliseconds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ms = |d: Duration| (d.as_secs_f64() * 1e6).round() / 1e3;
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("p50", &ms(self.p50))?;
        map.serialize_entry("p95", &ms(self.p95))?;
        map.serialize_entry("p99", &ms(self.p99))?;
        map.end()
    }
}

/// Percentiles of every stage; right to one percent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency([Percentiles; Stage::ALL.len()]);

impl Latency {
    /// Percentiles of a stage; zeros where no frame went through it.
    pub fn of(&self, stage: Stage) -> Percentiles {
        self.0[stage as usize]
    }
}

impl Serialize for Latency {
    /// The stages that frames went through, in milliseconds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let used = Stage::ALL.iter().filter(|s| self.of(**s).count > 0);
        serializer.collect_map(used.map(|s| (s.name(), self.of(*s))))
    }
}
