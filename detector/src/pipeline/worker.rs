//! A thread that owns a task, and the handle that frames are submitted through.

use super::ledger::{DropReason, Ledger, Snapshot, Stats};
use super::lock;
use super::mailbox::{Delivery, Mailbox};
use super::results::{Outcome, Results, ResultsOf};
use super::state::{SharedState, WorkerState};
use super::task::{Stage, Task, Timings};
use super::thread::{Control, Factory, Job, Observer, SharedObserver, Sink, WorkerThread};
use crate::frame::Timestamp;
use crossbeam_channel::{Receiver, Sender, bounded, never, unbounded};
use osprey_engine::claim_performance_core;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long [`Worker::shutdown`] waits for a task that is running.
const SHUTDOWN_PATIENCE: Duration = Duration::from_millis(90);

/// How a worker is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Live or complete; holds for inputs and results alike.
    pub delivery: Delivery,
    /// Results older than this are not shown but counted as stale.
    pub max_age: Option<Duration>,
    /// Name of the thread, as debuggers show it.
    pub name: String,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { delivery: Delivery::Newest, max_age: None, name: "osprey-worker".to_owned() }
    }
}

/// What became of a submitted frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It waits for the worker, under this number.
    Queued(u64),
    /// It will never reach the model.
    Dropped(DropReason),
}

/// A frame could not be prepared; it is counted as failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("frame {sequence} could not be prepared: {error}")]
pub struct SubmitError<E> {
    /// The frame's number.
    pub sequence: u64,
    /// What was wrong with it.
    pub error: E,
}

/// A thread that owns a [`Task`] and runs it on what is submitted.
///
/// Dropping it shuts it down.
pub struct Worker<T: Task> {
    mailbox: Mailbox<Job<T::Input>>,
    control: Sender<Control<T>>,
    spare: (Sender<T::Input>, Receiver<T::Input>),
    closing: Receiver<Infallible>,
    /// Dropped on shutdown, which wakes everyone blocked on `closing`.
    closer: Mutex<Option<Sender<Infallible>>>,
    ended: Receiver<Infallible>,
    thread: Mutex<Option<JoinHandle<()>>>,
    stats: Arc<Stats>,
    state: Arc<SharedState>,
    generation: AtomicU64,
    replacing: Mutex<()>,
    sequence: AtomicU64,
    observer: SharedObserver<T>,
    live: bool,
}

impl<T: Task> std::fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({:?}, {:?})", self.state(), self.ledger())
    }
}

impl<T: Task> Worker<T> {
    /// Makes the task and starts the thread; results come out of [`Results`].
    ///
    /// `factory` is kept, and makes a new task should one panic.
    ///
    /// # Errors
    /// Those of `factory`.
    pub fn start(
        factory: impl FnMut() -> Result<T, T::Error> + Send + 'static,
        options: &WorkerOptions,
    ) -> Result<(Self, ResultsOf<T>), T::Error> {
        let (results, events) = Mailbox::new(options.delivery);
        let (reading, reader) = bounded(0);
        let sink = Sink::Channel { mailbox: results, reader };
        let worker = Self::spawn(Box::new(factory), options, sink)?;
        let (closing, stats) = (worker.closing.clone(), Arc::clone(&worker.stats));
        Ok((worker, Results { events, closing, _reader: reading, stats, max_age: options.max_age }))
    }

    /// As [`Worker::start`], but `callback` gets the results, on the worker's thread: the next
    /// frame waits until it returns. A panic in it is caught.
    ///
    /// # Errors
    /// Those of `factory`.
    pub fn start_with_callback(
        factory: impl FnMut() -> Result<T, T::Error> + Send + 'static,
        options: &WorkerOptions,
        callback: impl FnMut(Outcome<T::Output, T::Error>) + Send + 'static,
    ) -> Result<Self, T::Error> {
        let sink = Sink::Callback { call: Box::new(callback), max_age: options.max_age };
        Self::spawn(Box::new(factory), options, sink)
    }

    fn spawn(mut factory: Factory<T>, options: &WorkerOptions, sink: Sink<T>) -> Result<Self, T::Error> {
        let task = factory()?;
        let (mailbox, jobs) = Mailbox::new(options.delivery);
        let (control, orders) = unbounded();
        let (closer, closing) = bounded(0);
        let (ending, ended) = bounded::<Infallible>(0);
        // One is prepared, one runs, the others wait.
        let waiting = match options.delivery {
            Delivery::Newest => 1,
            Delivery::Every { capacity } => capacity,
        };
        let spare = bounded(waiting.saturating_add(2).min(64));
        let state = Arc::new(SharedState::default());
        let observer = SharedObserver::<T>::default();
        let thread = WorkerThread {
            task: Some(task),
            factory,
            generation: 0,
            jobs,
            control: orders,
            spare: spare.0.clone(),
            sink,
            observer: Arc::clone(&observer),
            closing: closing.clone(),
            state: Arc::clone(&state),
            live: options.delivery == Delivery::Newest,
            held: None,
        };
        let work = move || {
            let _ending = ending;
            claim_performance_core();
            thread.run();
        };
        // A system without threads left drops the closure, and the worker has ended.
        let handle = std::thread::Builder::new().name(options.name.clone()).spawn(work).ok();
        if handle.is_none() {
            state.set(WorkerState::Ended);
        }
        Ok(Self {
            mailbox,
            control,
            spare,
            closing,
            closer: Mutex::new(Some(closer)),
            ended,
            thread: Mutex::new(handle),
            stats: Arc::default(),
            state,
            generation: AtomicU64::new(0),
            replacing: Mutex::new(()),
            sequence: AtomicU64::new(0),
            observer,
            live: options.delivery == Delivery::Newest,
        })
    }

    /// Has `prepare` fill an input on this thread, and hands it to the worker.
    ///
    /// In live delivery this never waits. In complete delivery it waits for room.
    ///
    /// # Errors
    /// [`SubmitError`] with the error of `prepare`.
    pub fn submit<E>(
        &self,
        at: Timestamp,
        prepare: impl FnOnce(&mut T::Input, &mut Timings) -> Result<(), E>,
    ) -> Result<Submitted, SubmitError<E>> {
        let submitted = Instant::now();
        let generation = self.generation.load(Ordering::Acquire);
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let refuse = match self.state.get() {
            WorkerState::Paused if self.live => Some(DropReason::Paused),
            WorkerState::Ended => Some(DropReason::Shutdown),
            _ => None,
        };
        let ticket = match self.stats.capture(at, refuse) {
            Ok(ticket) => ticket,
            Err(reason) => return Ok(Submitted::Dropped(reason)),
        };
        let mut input = self.spare.1.try_recv().unwrap_or_default();
        let mut timings = Timings::default();
        if let Err(error) = prepare(&mut input, &mut timings) {
            ticket.fail();
            let _ = self.spare.0.try_send(input);
            return Err(SubmitError { sequence, error });
        }
        let queued = Instant::now();
        timings.set(Stage::Submit, queued.duration_since(submitted));
        let job = Job { ticket, sequence, at, submitted, queued, timings, generation, input };
        let rejected = self.mailbox.put(job, &self.closing, &never(), |old| {
            old.ticket.drop_for(DropReason::Replaced);
            let _ = self.spare.0.try_send(old.input);
        });
        match rejected {
            Ok(()) => Ok(Submitted::Queued(sequence)),
            Err(job) => {
                job.ticket.drop_for(DropReason::Shutdown);
                Ok(Submitted::Dropped(DropReason::Shutdown))
            }
        }
    }

    /// Has `observer` see each input with its result, on the worker's thread, before the result is
    /// delivered; whether it is shown or too late by then. While it runs the next frame waits, which
    /// is what bounds the memory of an observer that hands things on to a slow reader. It takes the
    /// place of the observer before, and is dropped when the worker ends. A panic in it is caught,
    /// and ends it.
    pub fn observe(&self, observer: Option<Observer<T>>) {
        *lock(&self.observer) = observer;
    }

    /// Books a frame that is left out.
    pub fn skip(&self, at: Timestamp, reason: DropReason) {
        self.sequence.fetch_add(1, Ordering::Relaxed);
        // Always refused: the reason is given.
        let _ = self.stats.capture(at, Some(reason));
    }

    /// Takes no frames until [`Worker::resume`]. In live delivery they are dropped, in complete
    /// delivery they wait. What runs is finished.
    pub fn pause(&self) {
        self.state.exchange(WorkerState::Running, WorkerState::Paused);
        let _ = self.control.send(Control::Pause);
        if self.live {
            for job in self.mailbox.drain() {
                job.ticket.drop_for(DropReason::Paused);
            }
        }
    }

    /// Takes frames again.
    pub fn resume(&self) {
        let _ = self.control.send(Control::Resume);
        self.state.exchange(WorkerState::Paused, WorkerState::Running);
    }

    /// Makes a task with `factory`, on this thread, and has it take over: the session, its ledger
    /// and its results go on. Frames prepared for the old task that still wait are dropped.
    ///
    /// `before` runs at the moment from which new frames must be prepared for the new task.
    ///
    /// # Errors
    /// Those of `factory`; the old task goes on.
    pub fn replace(
        &self,
        mut factory: impl FnMut() -> Result<T, T::Error> + Send + 'static,
        before: impl FnOnce(&T),
    ) -> Result<(), T::Error> {
        let task = factory()?;
        let _one_at_a_time = lock(&self.replacing);
        before(&task);
        let generation = self.generation.load(Ordering::Acquire) + 1;
        // The order is sent before any frame can carry the new number.
        let _ = self.control.send(Control::Replace { task, factory: Box::new(factory), generation });
        self.generation.store(generation, Ordering::Release);
        Ok(())
    }

    /// What it is doing.
    pub fn state(&self) -> WorkerState {
        self.state.get()
    }

    /// The fate of every frame so far.
    pub fn ledger(&self) -> Ledger {
        self.stats.ledger()
    }

    /// Ledger, percentiles and pace so far.
    pub fn snapshot(&self) -> Snapshot {
        self.stats.snapshot()
    }

    /// Lets the worker finish all that was submitted and end by itself; returns at once. The
    /// results end after the last. Submit nothing afterwards.
    pub fn finish(&self) {
        let _ = self.control.send(Control::Resume);
        let _ = self.control.send(Control::Finish(lock(&self.closer).take()));
        // Without a handle, dropping the worker stops nothing.
        lock(&self.thread).take();
    }

    /// Stops within 100 ms: what waits is dropped. Where a task takes longer, its thread is left
    /// to end by itself, and nothing that it still does is counted or shown. Returns the ledger,
    /// and whether the thread has ended.
    pub fn shutdown(&self) -> (Ledger, bool) {
        let ended = self.stop();
        (self.ledger(), ended)
    }

    fn stop(&self) -> bool {
        let Some(handle) = lock(&self.thread).take() else { return true };
        self.stats.close();
        self.state.set(WorkerState::Ended);
        lock(&self.closer).take();
        let _ = self.control.send(Control::Stop);
        self.mailbox.drain().for_each(drop);
        let ended = self.ended.recv_timeout(SHUTDOWN_PATIENCE);
        let in_time = matches!(ended, Err(crossbeam_channel::RecvTimeoutError::Disconnected));
        if in_time {
            // The worker's closure catches the panics of tasks: joining cannot fail.
            let _ = handle.join();
        }
        in_time
    }
}

impl<T: Task> Drop for Worker<T> {
    fn drop(&mut self) {
        self.stop();
    }
}
