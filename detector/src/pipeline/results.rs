use super::ledger::{Ledger, Snapshot, Stats, Ticket};
use super::mailbox::Closing;
use super::task::{Stage, Task, Timings};
use crate::frame::Timestamp;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, select_biased};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A frame's result, as the consumer gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown<O> {
    /// The frame's number among all that were submitted, from 0.
    pub sequence: u64,
    /// The frame's own time.
    pub timestamp: Timestamp,
    /// How long the stages took.
    pub timings: Timings,
    /// What the task made of it.
    pub output: O,
}

/// Why a frame has no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WorkError<E> {
    /// The task failed on it; the worker goes on.
    #[error("frame {sequence}: {error}")]
    Task {
        /// The frame's number.
        sequence: u64,
        /// The frame's time.
        timestamp: Timestamp,
        /// The task's own error.
        error: E,
    },
    /// The task panicked on it; the worker made a new one and goes on.
    #[error("frame {sequence}: the task panicked: {message}")]
    Panicked {
        /// The frame's number.
        sequence: u64,
        /// The frame's time.
        timestamp: Timestamp,
        /// The panic's message.
        message: String,
    },
    /// There is no task: making a new one after a panic failed. It is tried again at each frame.
    #[error("frame {sequence}: the task could not be made anew: {message}")]
    Restart {
        /// The frame's number.
        sequence: u64,
        /// The frame's time.
        timestamp: Timestamp,
        /// What went wrong.
        message: String,
    },
}

/// A result, or why there is none.
pub type Outcome<O, E> = Result<Shown<O>, WorkError<E>>;

/// The results of a task.
pub type ResultsOf<T> = Results<<T as Task>::Output, <T as Task>::Error>;

pub(super) struct Done<O> {
    pub(super) ticket: Ticket,
    pub(super) submitted: Instant,
    pub(super) shown: Shown<O>,
}

impl<O> Done<O> {
    /// Books it as shown now; none where it is too old, or after shutdown.
    pub(super) fn show(self, max_age: Option<Duration>) -> Option<Shown<O>> {
        let Self { ticket, submitted, mut shown } = self;
        let age = submitted.elapsed();
        if max_age.is_some_and(|max| age > max) {
            ticket.stale();
            return None;
        }
        shown.timings.set(Stage::Age, age);
        ticket.show(&shown.timings).then_some(shown)
    }
}

pub(super) type Event<O, E> = Result<Done<O>, WorkError<E>>;

/// No further result will come: the worker was shut down, or finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the worker ended")]
pub struct Ended;

/// Where results come out, in the order of frames.
///
/// In live delivery a result that is not taken before the next one is ready is replaced by it and
/// counted as stale: a consumer that stops reading holds nothing up.
pub struct Results<O, E> {
    pub(super) events: Receiver<Event<O, E>>,
    pub(super) closing: Closing,
    /// Dropped with `Results`; unblocks a worker waiting for queue space.
    pub(super) _reader: Sender<Infallible>,
    pub(super) stats: Arc<Stats>,
    pub(super) max_age: Option<Duration>,
}

impl<O, E> std::fmt::Debug for Results<O, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Results({} waiting)", self.events.len())
    }
}

impl<O, E> Results<O, E> {
    /// Waits for the next result.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn recv(&self) -> Result<Outcome<O, E>, Ended> {
        loop {
            self.check_open()?;
            let event = select_biased! {
                recv(self.events) -> event => event.map_err(|_| Ended)?,
                recv(self.closing) -> _ => {
                    self.check_open()?;
                    // Finishing rather than shut down: what is still to come comes first.
                    self.events.recv().map_err(|_| Ended)?
                }
            };
            if let Some(outcome) = self.open(event) {
                return Ok(outcome);
            }
        }
    }

    /// Waits for the next result, at most `timeout`; none where there was none in time.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Option<Outcome<O, E>>, Ended> {
        let deadline = Instant::now() + timeout;
        loop {
            self.check_open()?;
            let event = match self.events.recv_deadline(deadline) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Err(Ended),
            };
            if let Some(outcome) = self.open(event) {
                return Ok(Some(outcome));
            }
        }
    }

    /// The next result where one is ready.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn try_recv(&self) -> Result<Option<Outcome<O, E>>, Ended> {
        loop {
            self.check_open()?;
            match self.events.try_recv() {
                Ok(event) => {
                    if let Some(outcome) = self.open(event) {
                        return Ok(Some(outcome));
                    }
                }
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => return Err(Ended),
            }
        }
    }

    /// All results, until the worker ends.
    pub fn iter(&self) -> impl Iterator<Item = Outcome<O, E>> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }

    /// The fate of every frame so far; also after the worker ended.
    pub fn ledger(&self) -> Ledger {
        self.stats.ledger()
    }

    /// Ledger, percentiles and pace so far; also after the worker ended.
    pub fn snapshot(&self) -> Snapshot {
        self.stats.snapshot()
    }

    /// After shutdown everything has been booked: nothing more may be shown.
    fn check_open(&self) -> Result<(), Ended> {
        if self.stats.is_closed() { Err(Ended) } else { Ok(()) }
    }

    fn open(&self, event: Event<O, E>) -> Option<Outcome<O, E>> {
        match event {
            Ok(done) => done.show(self.max_age).map(Ok),
            Err(error) => Some(Err(error)),
        }
    }
}
