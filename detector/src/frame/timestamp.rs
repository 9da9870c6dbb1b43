//! Moments on a camera's, a file's or the system's clock.

use std::time::Duration;

/// A moment on any clock that counts in nanoseconds: a camera's, a file's, the system's.
///
/// Only differences matter, so the zero may lie anywhere; one stream keeps to one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From seconds; what does not fit is clamped, and NaN is zero.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1e9).round() as i64)
    }

    /// In nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// In seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Time since `earlier`, in seconds; negative where `earlier` is the later one.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.0 as f64 - earlier.0 as f64) / 1e9
    }
}

impl From<Duration> for Timestamp {
    fn from(since_zero: Duration) -> Self {
        Self(i64::try_from(since_zero.as_nanos()).unwrap_or(i64::MAX))
    }
}
