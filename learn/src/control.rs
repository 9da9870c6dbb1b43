//! The hand on a running training.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Pauses, resumes and cancels a training from another thread, and changes its learning rate.
/// Clones steer the same training.
#[derive(Debug, Clone, Default)]
pub struct Control(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct State {
    paused: bool,
    cancelled: bool,
    learning_rate: Option<f32>,
}

/// What the training does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Go,
    Pause,
    Cancel,
}

impl Control {
    /// A training that runs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds the training before its next batch.
    pub fn pause(&self) {
        self.change(|s| s.paused = true);
    }

    /// Lets a paused training go on.
    pub fn resume(&self) {
        self.change(|s| s.paused = false);
    }

    /// Ends the training before its next batch, paused or not; the running epoch is dropped.
    pub fn cancel(&self) {
        self.change(|s| s.cancelled = true);
    }

    /// Sets the learning rate that the schedule's factors multiply, from the next batch on. A rate
    /// that is not above 0 and finite is ignored.
    pub fn set_learning_rate(&self, rate: f32) {
        if rate > 0.0 && rate.is_finite() {
            self.change(|s| s.learning_rate = Some(rate));
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        // A poisoned lock holds three plain values: any of them is sound.
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }

    /// What to do now, and a rate that was set since the last call.
    pub(super) fn order(&self) -> (Order, Option<f32>) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let order = match *state {
            State { cancelled: true, .. } => Order::Cancel,
            State { paused: true, .. } => Order::Pause,
            _ => Order::Go,
        };
        (order, state.learning_rate.take())
    }

    /// Sleeps while paused.
    pub(super) fn wait(&self) {
        let state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.1.wait_while(state, |s| s.paused && !s.cancelled));
    }
}
