//! What callers change while a detector runs.

use super::lock;
use crate::ssd::DetectorOptions;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// The options wanted of one detector, numbered from 1 as they change. The detector's own, which it
/// was made with, have the number 0.
#[derive(Debug, Default)]
pub(super) struct Settings {
    version: AtomicU64,
    wanted: Mutex<Option<DetectorOptions>>,
}

impl Settings {
    pub(super) fn set(&self, options: DetectorOptions) {
        let mut wanted = lock(&self.wanted);
        *wanted = Some(options);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// The options, if they changed since version `seen`, which becomes theirs. Costs one load in
    /// most frames.
    pub(super) fn newer_than(&self, seen: &mut u64) -> Option<DetectorOptions> {
        if self.version.load(Ordering::Acquire) == *seen {
            return None;
        }
        let wanted = lock(&self.wanted);
        *seen = self.version.load(Ordering::Acquire);
        wanted.clone()
    }
}
