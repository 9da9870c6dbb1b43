//! Fork and join over the rows of an operator, in microseconds.
//!
//! Workers spin for a moment between operators and park when nothing comes; a job that is finished
//! before a parked worker wakes does not wait for it.

#![allow(unsafe_code, reason = "rows of one slice go to several threads")]

use crate::arena::ALIGN;
use crate::cores::claim_performance_core;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a worker spins before it parks: longer than the gap between two operators, and short enough
/// not to warm a phone between frames. In time, since a turn of the loop takes 10 ns on one CPU and 60 on
/// another.
const SPIN: Duration = Duration::from_micros(100);
/// How long the caller spins before it yields its core to a worker that was preempted.
const SPIN_BEFORE_YIELD: Duration = Duration::from_millis(1);
/// Turns of the spin loop from one look at the clock to the next.
const TURNS: u32 = 32;
/// Tasks that each thread gets at first. It takes over those of others once its own are done, which
/// evens out cores of unequal speed.
const TASKS_PER_THREAD: usize = 2;
/// Set in [`Shared::gate`] while workers may join the job.
const OPEN: u32 = 1 << 31;

type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

#[derive(Clone, Copy)]
struct Job {
    work: *const Work<'static>,
    tasks: usize,
}

struct Shared {
    /// Counts jobs; a change is what workers wait for.
    epoch: AtomicU32,
    /// [`OPEN`] and the number of workers inside the job.
    gate: AtomicU32,
    /// The next task of each thread's own.
    next_task: Box<[Counter]>,
    job: UnsafeCell<Option<Job>>,
    quit: AtomicBool,
    panicked: AtomicBool,
}

/// A counter on a cache line of its own.
#[repr(align(64))]
struct Counter(AtomicUsize);

// SAFETY: `job` is written only while the gate is closed and empty, by the pool's one owner
// (`Pool` is not `Sync`), and read only by workers that entered through the open gate; the closure behind it is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above; nothing in it is bound to a thread.
unsafe impl Send for Shared {}

struct Worker {
    handle: Option<JoinHandle<()>>,
    thread: Thread,
    asleep: Arc<AtomicBool>,
}

/// Runs parts of an operator's work, on one thread or several.
///
/// A pool can move to another thread but not be shared by two: one job at a time is what the
/// soundness of [`Pool::run`] rests on. Tasks are `Sync`, so they cannot capture the pool either.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<Worker>,
    not_sync: PhantomData<Cell<()>>,
}

impl Pool {
    /// A pool of `threads` (at least one), the calling thread included. A thread that the system
    /// does not grant is done without.
    pub(crate) fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            epoch: AtomicU32::new(0),
            gate: AtomicU32::new(0),
            next_task: (0..threads.max(1)).map(|_| Counter(AtomicUsize::new(0))).collect(),
            job: UnsafeCell::new(None),
            quit: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        });
        let workers = (1..threads).map_while(|index| Worker::start(index, &shared)).collect();
        Self { shared, workers, not_sync: PhantomData }
    }

    /// Number of threads.
    pub(crate) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `work(task, thread)` once for every task below `tasks`; no two calls at the same time
    /// have the same `thread`, which is below [`Pool::threads`].
    ///
    /// The same part of the tasks goes to the same thread each time, so that a thread finds in its
    /// core's cache what it wrote in the operator before.
    pub(crate) fn run(&self, tasks: usize, work: &Work<'_>) {
        if self.workers.is_empty() || tasks < 2 {
            (0..tasks).for_each(|task| work(task, 0));
            return;
        }
        let shared = &*self.shared;
        let work_ptr: *const Work<'_> = work;
        // SAFETY: only the lifetime changes; `Join` keeps this call from returning or unwinding
        // while a worker is inside the job.
        let work_ptr: *const Work<'static> = unsafe { std::mem::transmute(work_ptr) };
        // SAFETY: the gate is closed and empty, so that no worker reads.
        unsafe { *shared.job.get() = Some(Job { work: work_ptr, tasks }) };
        for (thread, next) in shared.next_task.iter().enumerate() {
            next.0.store(shared.own(thread, tasks).start, Ordering::Relaxed);
        }
        shared.gate.store(OPEN, Ordering::Release);
        let join = Join(shared);
        shared.epoch.fetch_add(1, Ordering::SeqCst);
        for worker in &self.workers {
            if worker.asleep.load(Ordering::SeqCst) {
                worker.thread.unpark();
            }
        }
        drain(shared, tasks, work, 0);
        drop(join);
        assert!(!shared.panicked.load(Ordering::Relaxed), "a kernel panicked on a worker thread");
    }

    /// Hands out `output`, whose rows have `row_len` elements, in pieces of whole rows as
    /// `work(first_row, piece, scratch)`. Pieces begin at multiples of `multiple` rows; `scratch` is
    /// divided evenly among the threads.
    pub(crate) fn split<T: Send>(
        &self,
        output: &mut [T],
        row_len: usize,
        multiple: usize,
        scratch: &mut [u8],
        work: &(impl Fn(usize, &mut [T], &mut [u8]) + Sync),
    ) {
        if output.is_empty() {
            return;
        }
        let rows = output.len() / row_len;
        let mut tasks = (rows / multiple).clamp(1, self.threads() * TASKS_PER_THREAD);
        if tasks > self.threads() {
            tasks -= tasks % self.threads();
        }
        if self.workers.is_empty() || tasks == 1 {
            return work(0, output, scratch);
        }
        let boundary = |task: usize| {
            if task == tasks { rows } else { (rows * task / tasks + multiple / 2) / multiple * multiple }
        };
        let share = scratch.len() / self.threads() / ALIGN * ALIGN;
        let (output, scratch) = (Shareable(output.as_mut_ptr()), Shareable(scratch.as_mut_ptr()));
        self.run(tasks, &|task, thread| {
            let (first, end) = (boundary(task), boundary(task + 1));
            // SAFETY: every task is run once, and boundaries never decrease or exceed `rows` (a
            // boundary rounds to the nearest multiple, and a task has at least one multiple of
            // rows), so that pieces are disjoint parts of the slice that this call borrows.
            let piece = unsafe {
                std::slice::from_raw_parts_mut(output.get().add(first * row_len), (end - first) * row_len)
            };
            // SAFETY: shares of different threads are disjoint, and a thread runs one task at a time.
            let scratch = unsafe { std::slice::from_raw_parts_mut(scratch.get().add(thread * share), share) };
            work(first, piece, scratch);
        });
    }
}

impl Shared {
    /// The tasks that `thread` begins with.
    fn own(&self, thread: usize, tasks: usize) -> std::ops::Range<usize> {
        let threads = self.next_task.len();
        tasks * thread / threads..tasks * (thread + 1) / threads
    }
}

/// Bytes of scratch memory for `threads` shares of at least `bytes`.
pub(crate) fn scratch_bytes(bytes: usize, threads: usize) -> usize {
    bytes.saturating_add(ALIGN).saturating_mul(threads)
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.quit.store(true, Ordering::SeqCst);
        self.shared.epoch.fetch_add(1, Ordering::SeqCst);
        for worker in &mut self.workers {
            worker.thread.unpark();
            if let Some(handle) = worker.handle.take() {
                // A worker that panicked has told its caller already.
                drop(handle.join());
            }
        }
    }
}

impl Worker {
    fn start(index: usize, shared: &Arc<Shared>) -> Option<Self> {
        let asleep = Arc::new(AtomicBool::new(false));
        let (job, flag) = (Arc::clone(shared), Arc::clone(&asleep));
        let builder = thread::Builder::new().name(format!("osprey-{index}"));
        let handle = builder.spawn(move || serve(&job, &flag, index)).ok()?;
        Some(Self { thread: handle.thread().clone(), handle: Some(handle), asleep })
    }
}

/// A raw pointer that closures on other threads may hold.
struct Shareable<T>(*mut T);

impl<T> Shareable<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

// SAFETY: `Pool::split` alone makes them, from exclusive borrows of `Send` elements that it divides.
unsafe impl<T: Send> Sync for Shareable<T> {}

/// Closes the gate and waits for the workers inside, also when the caller's own task panics.
struct Join<'a>(&'a Shared);

impl Drop for Join<'_> {
    fn drop(&mut self) {
        self.0.gate.fetch_and(!OPEN, Ordering::AcqRel);
        let is_empty = || (self.0.gate.load(Ordering::Acquire) == 0).then_some(());
        while spin(SPIN_BEFORE_YIELD, is_empty).is_none() {
            thread::yield_now();
        }
    }
}

/// Leaves the gate, also when the task panics.
struct Inside<'a>(&'a Shared);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.panicked.store(true, Ordering::Relaxed);
        }
        self.0.gate.fetch_sub(1, Ordering::Release);
    }
}

fn drain(shared: &Shared, tasks: usize, work: &Work<'_>, thread: usize) {
    let threads = shared.next_task.len();
    for owner in (thread..threads).chain(0..thread) {
        let end = shared.own(owner, tasks).end;
        loop {
            let task = shared.next_task[owner].0.fetch_add(1, Ordering::Relaxed);
            if task >= end {
                break;
            }
            work(task, thread);
        }
    }
}

fn serve(shared: &Shared, asleep: &AtomicBool, thread: usize) {
    claim_performance_core();
    let mut seen = 0;
    loop {
        seen = wait_for_change(shared, asleep, seen);
        if shared.quit.load(Ordering::SeqCst) {
            return;
        }
        let enter = |gate: u32| (gate & OPEN != 0).then_some(gate + 1);
        if shared.gate.fetch_update(Ordering::AcqRel, Ordering::Acquire, enter).is_err() {
            continue;
        }
        let inside = Inside(shared);
        // SAFETY: this worker is inside the gate, so that the owner neither writes the job nor
        // ends the closure's life.
        if let Some(Job { work, tasks }) = unsafe { *shared.job.get() } {
            // SAFETY: as above.
            drain(shared, tasks, unsafe { &*work }, thread);
        }
        drop(inside);
    }
}

/// What `found` gives, asked again and again until it gives something or `time` is over.
fn spin<T>(time: Duration, found: impl Fn() -> Option<T>) -> Option<T> {
    let mut start = None;
    loop {
        for _ in 0..TURNS {
            if let Some(found) = found() {
                return Some(found);
            }
            std::hint::spin_loop();
        }
        if start.get_or_insert_with(Instant::now).elapsed() >= time {
            return None;
        }
    }
}

/// The epoch once it differs from `seen`.
fn wait_for_change(shared: &Shared, asleep: &AtomicBool, seen: u32) -> u32 {
    let changed = || Some(shared.epoch.load(Ordering::Acquire)).filter(|&epoch| epoch != seen);
    if let Some(epoch) = spin(SPIN, changed) {
        return epoch;
    }
    asleep.store(true, Ordering::SeqCst);
    let epoch = loop {
        // Either this load sees the new epoch, or the owner sees `asleep` and unparks.
        let epoch = shared.epoch.load(Ordering::SeqCst);
        if epoch != seen {
            break epoch;
        }
        thread::park();
    };
    asleep.store(false, Ordering::SeqCst);
    epoch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_written_once_with_scratch_of_its_own() {
        for threads in 1..5 {
            let pool = Pool::new(threads);
            for round in 0..200usize {
                let mut output = vec![0usize; 3 * (300 + round)];
                let mut scratch = vec![0u8; scratch_bytes(100, threads)];
                pool.split(&mut output, 3, 1 + round % 7, &mut scratch, &|first, piece, scratch| {
                    assert!(scratch.len() >= 100);
                    scratch.fill(first as u8);
                    for (i, value) in piece.iter_mut().enumerate() {
                        *value += first * 3 + i + 1;
                    }
                    assert!(scratch.iter().all(|&b| b == first as u8));
                });
                assert!(output.iter().enumerate().all(|(i, &v)| v == i + 1));
            }
        }
    }

    #[test]
    fn parked_workers_wake() {
        let pool = Pool::new(3);
        for _ in 0..5 {
            thread::sleep(std::time::Duration::from_millis(3));
            let mut output = vec![0u8; 64];
            pool.split(&mut output, 1, 1, &mut [], &|_, piece, _| piece.fill(1));
            assert_eq!(output, [1; 64]);
        }
    }

    #[test]
    #[cfg_attr(target_family = "wasm", ignore = "there are no threads, and nothing unwinds")]
    fn pieces_are_whole_tiles_and_one_for_a_single_thread() {
        let firsts = |threads: usize, rows: usize| {
            let seen = std::sync::Mutex::new(Vec::new());
            Pool::new(threads).split(&mut vec![0u8; rows], 1, 6, &mut [], &|first, _, _| {
                seen.lock().unwrap().push(first);
            });
            let mut seen = seen.into_inner().unwrap();
            seen.sort_unstable();
            seen
        };
        assert_eq!(firsts(1, 100), [0]);
        assert_eq!(firsts(2, 100), [0, 24, 48, 78]);
        assert_eq!(firsts(2, 11), [0]);
        assert_eq!(firsts(4, 0), [0usize; 0]);
    }

    #[test]
    #[cfg_attr(target_family = "wasm", ignore = "there are no threads, and nothing unwinds")]
    fn a_panic_reaches_the_caller() {
        let pool = Pool::new(2);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.run(16, &|task, _| assert_ne!(task, 9, "deliberate"));
        }));
        assert!(caught.is_err());
    }
}
