//! Counts the fate of every frame, so that none goes missing.

use super::latency::{Histograms, Latency};
use super::lock;
use super::task::Timings;
use crate::frame::Timestamp;
use serde::ser::{Serialize, Serializer};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A clock that goes back by more than this many seconds was set anew; by less, the frame is late.
const CLOCK_RESET: f64 = 1.0;

/// What happened so far, all of one moment.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Snapshot {
    /// The fate of every frame.
    pub ledger: Ledger,
    /// How long the stages took.
    #[serde(rename = "latency_ms")]
    pub latency: Latency,
    /// Shown results per second, between the first and the last.
    pub fps: f64,
}

/// Why a frame never reached the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// A newer frame came while it waited.
    Replaced,
    /// It is not newer than the frame before it.
    Late,
    /// The worker was paused.
    Paused,
    /// The pace of detection left it out.
    Paced,
    /// It was prepared for a model that has been replaced since.
    ModelChanged,
    /// The worker was shut down.
    Shutdown,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 6] =
        [Self::Replaced, Self::Late, Self::Paused, Self::Paced, Self::ModelChanged, Self::Shutdown];

    /// Name as in the summary: `replaced`, `late`, …
    pub fn name(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Late => "late",
            Self::Paused => "paused",
            Self::Paced => "paced",
            Self::ModelChanged => "model_changed",
            Self::Shutdown => "shutdown",
        }
    }
}

/// Frames dropped, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped([u64; DropReason::ALL.len()]);

impl Dropped {
    /// Frames dropped for this reason.
    pub fn of(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }

    /// All frames dropped.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Serialize for Dropped {
    /// Reasons that occurred.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let occurred = DropReason::ALL.iter().filter(|r| self.of(**r) > 0);
        serializer.collect_map(occurred.map(|r| (r.name(), self.of(*r))))
    }
}

/// The fate of every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Ledger {
    /// Frames submitted.
    pub captured: u64,
    /// Results that the consumer took.
    pub shown: u64,
    /// Frames that never reached the model.
    pub dropped: Dropped,
    /// Results that were replaced by newer ones, or too old, before the consumer took them.
    pub stale: u64,
    /// Frames on which preparing or running the model failed.
    pub failed: u64,
    /// Frames that wait, run, or whose results wait to be taken.
    pub pending: u64,
}

impl Ledger {
    /// Whether every frame has exactly one fate.
    pub fn balances(&self) -> bool {
        self.captured == self.shown + self.dropped.total() + self.stale + self.failed + self.pending
    }
}

/// All figures of a worker.
#[derive(Debug, Default)]
pub(super) struct Stats(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ledger: Ledger,
    histograms: Histograms,
    last: Option<Timestamp>,
    shown: Option<(Instant, Instant)>,
    closed: bool,
}

impl Stats {
    /// Books a frame: a ticket for its way, or the reason why it has none.
    pub(super) fn capture(
        self: &Arc<Self>,
        at: Timestamp,
        refuse: Option<DropReason>,
    ) -> Result<Ticket, DropReason> {
        let mut inner = lock(&self.0);
        inner.ledger.captured += 1;
        let back = inner.last.map_or(-1.0, |last| last.seconds_since(at));
        let refuse = match refuse {
            _ if inner.closed => Some(DropReason::Shutdown),
            None if (0.0..CLOCK_RESET).contains(&back) => Some(DropReason::Late),
            other => other,
        };
        if let Some(reason) = refuse {
            inner.ledger.dropped.0[reason as usize] += 1;
            return Err(reason);
        }
        inner.last = Some(at);
        inner.ledger.pending += 1;
        Ok(Ticket { stats: Arc::clone(self), open: true })
    }

    /// From now on every frame is dropped for shutdown, and those on their way with it.
    pub(super) fn close(&self) {
        let mut inner = lock(&self.0);
        inner.closed = true;
        inner.ledger.dropped.0[DropReason::Shutdown as usize] += inner.ledger.pending;
        inner.ledger.pending = 0;
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.0).closed
    }

    pub(super) fn ledger(&self) -> Ledger {
        lock(&self.0).ledger
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let inner = lock(&self.0);
        let fps = inner.shown.map_or(0.0, |(first, last)| {
            let seconds = last.duration_since(first).as_secs_f64();
            if seconds > 0.0 { inner.ledger.shown.saturating_sub(1) as f64 / seconds } else { 0.0 }
        });
        Snapshot { ledger: inner.ledger, latency: inner.histograms.summary(), fps }
    }
}

/// A frame on its way: has one fate, whatever happens to it.
#[derive(Debug)]
pub(super) struct Ticket {
    stats: Arc<Stats>,
    open: bool,
}

impl Ticket {
    pub(super) fn drop_for(mut self, reason: DropReason) {
        self.settle(|inner| inner.ledger.dropped.0[reason as usize] += 1);
    }

    pub(super) fn fail(mut self) {
        self.settle(|inner| inner.ledger.failed += 1);
    }

    pub(super) fn stale(mut self) {
        self.settle(|inner| inner.ledger.stale += 1);
    }

    /// Whether it was booked: not after shutdown.
    pub(super) fn show(mut self, timings: &Timings) -> bool {
        self.settle(|inner| {
            inner.ledger.shown += 1;
            inner.histograms.record(timings);
            let now = Instant::now();
            inner.shown = Some((inner.shown.map_or(now, |(first, _)| first), now));
        })
    }

    fn settle(&mut self, fate: impl FnOnce(&mut Inner)) -> bool {
        self.open = false;
        let mut inner = lock(&self.stats.0);
        if inner.closed {
            // Closing booked it already.
            return false;
        }
        inner.ledger.pending -= 1;
        fate(&mut inner);
        true
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            // A caller's panic while it prepared the input, or a channel that went with its content.
            self.settle(|inner| inner.ledger.failed += 1);
        }
    }
}
