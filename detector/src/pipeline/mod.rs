//! Frames in, results out, never late, every frame accounted for.
//!
//! A [`Worker`] owns a model on a thread of its own and runs whatever [`Task`] says: detection,
//! motion windows, digits. A [`Pipeline`] is a worker that detects and tracks. Submitting prepares
//! the input on the caller's thread, so that a camera's buffer is free when it returns, and never
//! waits for inference: in live delivery the newest frame takes the place of one that still waits.
//!
//! Every frame has one fate, and [`Ledger`] counts them: captured = shown + dropped + stale +
//! failed + pending, at any time.

mod detect;
pub mod governor;
mod latency;
mod ledger;
mod mailbox;
mod results;
mod settings;
mod state;
mod task;
mod thread;
mod worker;

pub use detect::{DetectInput, DetectTask, Detections, Pipeline, PipelineOptions};
pub use latency::{Latency, Percentiles};
pub use ledger::{DropReason, Dropped, Ledger, Snapshot};
pub use mailbox::Delivery;
pub use results::{Ended, Outcome, Results, ResultsOf, Shown, WorkError};
pub use state::WorkerState;
pub use task::{Stage, Task, Timings};
pub use thread::Observer;
pub use worker::{SubmitError, Submitted, Worker, WorkerOptions};

/// A lock that a panic elsewhere does not close: all that is kept under one is whole at any time.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
