//! The worker's own thread: takes orders and inputs, runs the task, delivers what comes out.

use super::ledger::{DropReason, Ticket};
use super::lock;
use super::mailbox::{Closing, Mailbox};
use super::results::{Done, Event, Outcome, Shown, WorkError};
use super::state::{SharedState, WorkerState};
use super::task::{Stage, Task, Timings};
use crate::frame::Timestamp;
use crossbeam_channel::{Receiver, Sender, select};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(super) type Factory<T> = Box<dyn FnMut() -> Result<T, <T as Task>::Error> + Send>;

pub(super) type Callback<T> = Box<dyn FnMut(Outcome<<T as Task>::Output, <T as Task>::Error>) + Send>;

/// What sees each input with its result, on the worker's thread.
pub type Observer<T> = Box<dyn FnMut(&<T as Task>::Input, &Shown<<T as Task>::Output>) + Send>;

pub(super) type SharedObserver<T> = Arc<Mutex<Option<Observer<T>>>>;

pub(super) struct Job<I> {
    pub(super) ticket: Ticket,
    pub(super) sequence: u64,
    pub(super) at: Timestamp,
    pub(super) submitted: Instant,
    pub(super) queued: Instant,
    pub(super) timings: Timings,
    /// Which of the tasks in turn it was prepared for.
    pub(super) generation: u64,
    pub(super) input: I,
}

pub(super) enum Control<T: Task> {
    Pause,
    Resume,
    Replace {
        task: T,
        factory: Factory<T>,
        generation: u64,
    },
    /// Work off what waits, then end; closing must not come before that.
    Finish(Option<Sender<Infallible>>),
    Stop,
}

/// Where results go.
pub(super) enum Sink<T: Task> {
    Channel { mailbox: Mailbox<Event<T::Output, T::Error>>, reader: Closing },
    Callback { call: Callback<T>, max_age: Option<Duration> },
}

pub(super) struct WorkerThread<T: Task> {
    /// None after a panic, until the factory has made a new one.
    pub(super) task: Option<T>,
    pub(super) factory: Factory<T>,
    pub(super) generation: u64,
    pub(super) jobs: Receiver<Job<T::Input>>,
    pub(super) control: Receiver<Control<T>>,
    pub(super) spare: Sender<T::Input>,
    pub(super) sink: Sink<T>,
    pub(super) observer: SharedObserver<T>,
    pub(super) closing: Closing,
    pub(super) state: Arc<SharedState>,
    pub(super) live: bool,
    /// Taken out of the mailbox, and run as soon as no order waits.
    pub(super) held: Option<Job<T::Input>>,
}

impl<T: Task> WorkerThread<T> {
    pub(super) fn run(mut self) {
        while self.step() {}
        // Whoever waits at the other end of an observer learns that no more will come.
        lock(&self.observer).take();
        self.state.set(WorkerState::Ended);
    }

    /// Takes one order or one job; false at the end.
    fn step(&mut self) -> bool {
        // Orders go first: a job that was prepared for a new task must not meet the old one.
        if let Ok(order) = self.control.try_recv() {
            return self.obey(order);
        }
        if self.state.get() == WorkerState::Paused {
            return match self.control.recv() {
                Ok(order) => self.obey(order),
                Err(_) => false,
            };
        }
        if let Some(job) = self.held.take() {
            self.process(job);
            return true;
        }
        let (control, jobs) = (self.control.clone(), self.jobs.clone());
        select! {
            recv(control) -> order => order.is_ok_and(|order| self.obey(order)),
            recv(jobs) -> job => {
                self.held = job.ok();
                self.held.is_some()
            }
        }
    }

    fn obey(&mut self, order: Control<T>) -> bool {
        match order {
            Control::Pause => {
                self.state.set(WorkerState::Paused);
                if let Some(job) = self.held.take_if(|_| self.live) {
                    job.ticket.drop_for(DropReason::Paused);
                    self.recycle(job.input);
                }
            }
            Control::Resume => self.state.set(WorkerState::Running),
            Control::Replace { task, factory, generation } => {
                self.discard();
                self.task = Some(task);
                self.factory = factory;
                self.generation = generation;
                if self.state.get() == WorkerState::Faulted {
                    self.state.set(WorkerState::Running);
                }
            }
            Control::Finish(_closer) => {
                while let Some(job) = self.held.take().or_else(|| self.jobs.try_recv().ok()) {
                    self.process(job);
                }
                return false;
            }
            Control::Stop => return false,
        }
        true
    }

    fn process(&mut self, job: Job<T::Input>) {
        let Job { ticket, sequence, at: timestamp, submitted, queued, mut timings, generation, mut input } =
            job;
        if self.is_closed() {
            // Stopped while the job was on its way: closing has settled its ticket.
            return;
        }
        if generation != self.generation {
            ticket.drop_for(DropReason::ModelChanged);
            self.recycle(input);
            return;
        }
        timings.set(Stage::Wait, queued.elapsed());
        let result =
            self.ensure_task().map_err(|message| WorkError::Restart { sequence, timestamp, message });
        let result = result.and_then(|task| {
            match catch_unwind(AssertUnwindSafe(|| task.run(&mut input, &mut timings))) {
                Ok(Ok(output)) => Ok(output),
                Ok(Err(error)) => Err(WorkError::Task { sequence, timestamp, error }),
                Err(panic) => Err(WorkError::Panicked { sequence, timestamp, message: message_of(&*panic) }),
            }
        });
        match result {
            Ok(output) => {
                let shown = Shown { sequence, timestamp, timings, output };
                self.observe(&input, &shown);
                self.recycle(input);
                self.deliver(Done { ticket, submitted, shown });
            }
            Err(error) => {
                ticket.fail();
                // After a panic the input may be half-written: do not reuse it.
                match &error {
                    WorkError::Task { .. } => self.recycle(input),
                    _ => drop(input),
                }
                if matches!(error, WorkError::Panicked { .. }) {
                    self.discard();
                    // Made anew at once rather than with the next frame; a failure shows then.
                    let _ = self.ensure_task();
                }
                self.deliver_error(error);
            }
        }
    }

    fn observe(&self, input: &T::Input, shown: &Shown<T::Output>) {
        let mut observer = lock(&self.observer);
        if let Some(observe) = &mut *observer
            && catch_unwind(AssertUnwindSafe(|| observe(input, shown))).is_err()
        {
            // After a panic it may be half-way through something: it is not called again.
            *observer = None;
        }
    }

    fn ensure_task(&mut self) -> Result<&mut T, String> {
        if self.task.is_none() {
            let made = match catch_unwind(AssertUnwindSafe(&mut self.factory)) {
                Ok(Ok(task)) => Ok(task),
                Ok(Err(error)) => Err(error.to_string()),
                Err(panic) => Err(message_of(&*panic)),
            };
            match made {
                Ok(task) => {
                    self.task = Some(task);
                    self.state.recovered();
                }
                Err(message) => {
                    self.state.faulted();
                    return Err(message);
                }
            }
        }
        self.task.as_mut().ok_or_else(String::new)
    }

    /// Drops the task, whatever its destructor does.
    fn discard(&mut self) {
        let task = self.task.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(task)));
    }

    fn recycle(&self, input: T::Input) {
        // Full where a burst made more buffers than are needed: the surplus goes.
        let _ = self.spare.try_send(input);
    }

    fn deliver(&mut self, done: Done<T::Output>) {
        match &mut self.sink {
            Sink::Channel { mailbox, reader } => {
                let rejected = mailbox.put(Ok(done), &self.closing, reader, |old| {
                    if let Ok(old) = old {
                        old.ticket.stale();
                    }
                });
                if let Err(Ok(done)) = rejected {
                    // The consumer is gone: nobody will ever take it.
                    done.ticket.stale();
                }
            }
            Sink::Callback { call, max_age } => {
                if let Some(shown) = done.show(*max_age) {
                    let _ = catch_unwind(AssertUnwindSafe(|| call(Ok(shown))));
                }
            }
        }
    }

    fn deliver_error(&mut self, error: WorkError<T::Error>) {
        match &mut self.sink {
            Sink::Channel { mailbox, reader } => {
                let _ = mailbox.put(Err(error), &self.closing, reader, |old| {
                    if let Ok(old) = old {
                        old.ticket.stale();
                    }
                });
            }
            Sink::Callback { call, .. } => {
                let _ = catch_unwind(AssertUnwindSafe(|| call(Err(error))));
            }
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.closing.try_recv(), Err(crossbeam_channel::TryRecvError::Disconnected))
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
