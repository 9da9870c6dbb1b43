//! What a worker runs, and the stages that it times.

use std::time::{Duration, Instant};

/// What a worker thread runs on every input.
pub trait Task: Send + 'static {
    /// What `submit` prepares. Inputs are used again: what the last use left in one stays, so that
    /// buffers need not be asked for per frame.
    type Input: Default + Send + 'static;

    /// What comes out.
    type Output: Send + 'static;

    /// Why an input, or making the task, failed.
    type Error: std::error::Error + Send + 'static;

    /// Computes the output; `timings` takes how long the stages took.
    ///
    /// # Errors
    /// The task's own. The worker passes them on and goes on with the next input. A panic is
    /// caught, passed on as well, and ends this task: the worker makes a new one.
    fn run(&mut self, input: &mut Self::Input, timings: &mut Timings) -> Result<Self::Output, Self::Error>;
}

/// A stretch of a frame's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// All of `submit`: how long the caller was held up.
    Submit,
    /// From frame to input, within `submit`.
    Preprocess,
    /// In the mailbox or queue.
    Wait,
    /// The model.
    Inference,
    /// Decoding and suppression.
    Post,
    /// The model on parts of the frame, where there are any, and bringing their boxes together.
    Tiles,
    /// Identities.
    Track,
    /// From the start of `submit` until the consumer took the result.
    Age,
}

impl Stage {
    /// All, in the order of a frame's way.
    pub const ALL: [Self; 8] = [
        Self::Submit,
        Self::Preprocess,
        Self::Wait,
        Self::Inference,
        Self::Post,
        Self::Tiles,
        Self::Track,
        Self::Age,
    ];

    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Preprocess => "preprocess",
            Self::Wait => "wait",
            Self::Inference => "inference",
            Self::Post => "post",
            Self::Tiles => "tiles",
            Self::Track => "track",
            Self::Age => "age",
        }
    }
}

/// How long the stages of one frame took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings([Option<Duration>; Stage::ALL.len()]);

impl Timings {
    /// What a stage took, where the frame went through it.
    pub fn get(&self, stage: Stage) -> Option<Duration> {
        self.0[stage as usize]
    }

    /// Notes what a stage took.
    pub fn set(&mut self, stage: Stage, took: Duration) {
        self.0[stage as usize] = Some(took);
    }

    /// Runs `work` and notes how long it took.
    pub fn time<R>(&mut self, stage: Stage, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = work();
        self.set(stage, start.elapsed());
        result
    }
}
