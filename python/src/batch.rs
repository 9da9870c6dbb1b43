//! Many pictures at a time: threads that decode and detect, each with a detector of its own, and results in
//! the order in which the pictures came.

use crate::detector::{Detector, Found, State, Subject, lock};
use crate::error::Error;
use crate::image::Image;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a thread that waits looks whether Ctrl-C was pressed.
const LOOK_UP: Duration = Duration::from_millis(50);

struct Job {
    subject: Subject,
    reply: Sender<Result<Found, Error>>,
}

#[pyclass(frozen, module = "osprey_vision._native")]
pub(crate) struct Batch {
    detector: Py<Detector>,
    /// `None` once no more pictures come.
    jobs: Mutex<Option<Sender<Job>>>,
    waiting: Mutex<VecDeque<Receiver<Result<Found, Error>>>>,
    threads: Mutex<Vec<JoinHandle<State>>>,
}

#[pymethods]
impl Batch {
    #[new]
    fn new(py: Python<'_>, detector: Py<Detector>, threads: usize) -> PyResult<Self> {
        let (jobs, queue) = unbounded::<Job>();
        let shared = detector.get();
        let states = py.detach(|| -> Result<Vec<State>, Error> {
            let mut states = std::mem::take(&mut *lock(&shared.spare));
            while states.len() < threads.max(1) {
                states.push(shared.recipe.make()?);
            }
            lock(&shared.spare).extend(states.drain(threads.max(1)..));
            Ok(states)
        })?;
        let start = |mut state: State| {
            let queue = queue.clone();
            std::thread::spawn(move || {
                for job in queue {
                    // Whoever has given up waiting needs no answer.
                    let _ = job.reply.send(state.look(&job.subject));
                }
                state
            })
        };
        let threads = Mutex::new(states.into_iter().map(start).collect());
        Ok(Self { detector, jobs: Mutex::new(Some(jobs)), waiting: Mutex::default(), threads })
    }

    fn submit_file(&self, path: PathBuf) {
        self.submit(Subject::File(path));
    }

    fn submit_encoded(&self, file: PyBackedBytes) {
        self.submit(Subject::Encoded(file));
    }

    /// Copies the array: its owner may fill it with the next picture at once.
    fn submit_array(&self, array: &Bound<'_, PyAny>, bgr: bool, orientation: u8) -> PyResult<()> {
        self.submit(Subject::Pixels(Image::packed(array, bgr, orientation)?.into_owned()));
        Ok(())
    }

    fn submit_nv12(&self, luma: &Bound<'_, PyAny>, chroma: &Bound<'_, PyAny>, bt709: bool) -> PyResult<()> {
        self.submit(Subject::Pixels(Image::nv12(luma, chroma, bt709)?.into_owned()));
        Ok(())
    }

    /// What was found in the oldest picture whose result was not taken yet.
    fn next(&self, py: Python<'_>) -> PyResult<Found> {
        let Some(reply) = lock(&self.waiting).pop_front() else { return Err(Error::Ended.into()) };
        loop {
            match py.detach(|| reply.recv_timeout(LOOK_UP)) {
                Ok(found) => return Ok(found?),
                Err(RecvTimeoutError::Timeout) => py.check_signals()?,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::Ended.into()),
            }
        }
    }

    /// Ends the threads once their pictures are done, and gives their detectors back.
    fn close(&self, py: Python<'_>) {
        lock(&self.waiting).clear();
        lock(&self.jobs).take();
        let threads = std::mem::take(&mut *lock(&self.threads));
        let states = py.detach(|| threads.into_iter().filter_map(|t| t.join().ok()).collect::<Vec<_>>());
        lock(&self.detector.get().spare).extend(states);
    }
}

impl Batch {
    fn submit(&self, subject: Subject) {
        let (reply, answer) = bounded(1);
        if let Some(jobs) = &*lock(&self.jobs) {
            // Only a closed queue refuses, and `next` then says so.
            let _ = jobs.send(Job { subject, reply });
        }
        lock(&self.waiting).push_back(answer);
    }
}
