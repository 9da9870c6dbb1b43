//! What a worker is doing, as its thread and its handle see it.

use std::sync::atomic::{AtomicU8, Ordering};

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum WorkerState {
    /// Takes frames.
    Running,
    /// Takes none until resumed.
    Paused,
    /// The task could not be made anew after a panic; each frame tries again.
    Faulted,
    /// Was shut down, or finished.
    Ended,
}

/// The state, for all that look at it or change it. The default is running.
#[derive(Debug, Default)]
pub(super) struct SharedState(AtomicU8);

impl SharedState {
    pub(super) fn get(&self) -> WorkerState {
        match self.0.load(Ordering::Acquire) {
            0 => WorkerState::Running,
            1 => WorkerState::Paused,
            2 => WorkerState::Faulted,
            _ => WorkerState::Ended,
        }
    }

    pub(super) fn set(&self, state: WorkerState) {
        self.0.store(state as u8, Ordering::Release);
    }

    pub(super) fn faulted(&self) {
        self.exchange(WorkerState::Running, WorkerState::Faulted);
    }

    pub(super) fn recovered(&self) {
        self.exchange(WorkerState::Faulted, WorkerState::Running);
    }

    pub(super) fn exchange(&self, from: WorkerState, to: WorkerState) {
        // Where it is neither, it is paused or ended, and stays so.
        let _ = self.0.compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire);
    }
}
