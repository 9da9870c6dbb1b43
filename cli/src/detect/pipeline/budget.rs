//! A bound on the memory that decoded pictures take, however large they are.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Admits pictures in the order of their index. As a picture never waits for one behind it, the
/// one that everything waits for can always go on.
pub(super) struct Budget {
    limit: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: usize,
    used: u64,
    cancelled: bool,
}

/// The right to hold some bytes, until it is dropped.
pub(super) struct Permit<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits until every picture before `index` has been admitted and `bytes` fit. A picture larger
    /// than the limit is admitted alone. `None` once the run is cancelled.
    pub(super) fn admit(&self, index: usize, bytes: u64) -> Option<Permit<'_>> {
        let blocked = |s: &mut State| {
            let fits = bytes == 0 || s.used == 0 || s.used + bytes <= self.limit;
            let ready = s.next == index && fits;
            !(ready || s.cancelled)
        };
        let mut state = self.changed.wait_while(self.lock(), blocked).unwrap_or_else(PoisonError::into_inner);
        if state.cancelled {
            return None;
        }
        state.next += 1;
        state.used += bytes;
        self.changed.notify_all();
        Some(Permit { budget: self, bytes })
    }

    /// Lets everyone who waits give up.
    pub(super) fn cancel(&self) {
        self.lock().cancelled = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.budget.lock().used -= self.bytes;
        self.budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    #[test]
    fn the_limit_holds_whatever_the_order_of_arrival() {
        const PICTURES: usize = 200;
        let (budget, held, peak) = (Budget::new(100), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for worker in 0..4 {
                let (budget, held, peak) = (&budget, &held, &peak);
                scope.spawn(move || {
                    for index in (worker..PICTURES).step_by(4) {
                        let bytes = (index as u64 * 37) % 90;
                        let permit = budget.admit(index, bytes).expect("not cancelled");
                        peak.fetch_max(held.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
                        thread::yield_now();
                        held.fetch_sub(bytes, Ordering::SeqCst);
                        drop(permit);
                    }
                });
            }
        });
        let peak = peak.into_inner();
        assert!((50..=100).contains(&peak), "{peak}");
    }

    #[test]
    fn a_picture_beyond_the_limit_is_admitted_alone() {
        let budget = Budget::new(10);
        drop(budget.admit(0, 1000).expect("admitted"));
        assert!(budget.admit(1, 1000).is_some());
    }

    #[test]
    fn who_waits_gives_up_when_the_run_is_cancelled() {
        let budget = Budget::new(10);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.admit(1, 1).is_none());
            budget.cancel();
            assert!(waiting.join().expect("no panic"));
        });
    }
}
