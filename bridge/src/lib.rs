//! Osprey for Swift.
//!
//! Thin over `osprey-detector`, `osprey-learn` and `osprey-senses`: what is here turns addresses into frames, errors into kinds with
//! messages, and panics into errors. The Swift and the C of the border are generated from
//! `border.rs` by swift-bridge; the package OspreyKit (`ios-app/OspreyKit`) is their only user.
//!
//! # Who owns what
//! - Every object (`Session`, `Findings`, …) belongs to the Swift object that wraps it and is freed with
//!   it. Strings are handed over, never lent.
//! - Memory that Swift lends by address (pixels, arrays to read or to fill) is used during the call
//!   alone; nothing is kept of it. What can be checked of an address is: null, alignment, lengths
//!   against strides and sizes, the address space's end. That the memory exists, and that nobody
//!   writes to it meanwhile, is the caller's promise.
//! - Listeners are Swift objects that the session, or the training, holds until it ends.
//!
//! # Which thread may call
//! Any thread may call any function; each type says what it then promises. `session_listen`'s
//! listener is called on the session's worker thread, one call at a time; `train`'s on the thread
//! that trains. Listeners must not throw or trap. Within one, everything may be called; ending the
//! session there does not wait for its own thread.
//!
//! # Errors and panics
//! Nothing unwinds across the border. A [`Failure`] has a kind from
//! [`FailureKind`] and a message; getters without an error give a neutral value after a panic.

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod benchmark;
mod border;
mod digits;
mod error;
mod guard;
mod motion;
mod options;
mod pace;
mod picture;
mod record;
mod results;
mod session;
mod source;
mod teach;

pub use benchmark::{Benchmark, benchmark, instruction_set, library_version};
pub use border::ffi::{
    BatchFigures, BenchmarkFigures, EpochFigures, FindingsFacts, LedgerFigures, MotionCounts, PaceDecision,
    PaceReading, PixelBuffer, ResultListener, StageFigures, TrainingListener, TrainingPlan,
};
pub use digits::{DigitReader, digit_reader};
pub use error::{Failure, FailureKind};
pub use motion::{Motion, motion};
pub use options::{SessionOptions, session_options};
pub use pace::{Governor, governor};
pub use results::Findings;
pub use session::{Session, session_listen, session_poll};
pub use source::{ModelSource, built_in_models, model_file, model_for_task, model_named};
pub use teach::{Evaluation, Teacher, TrainingControl, teacher, training_control};
