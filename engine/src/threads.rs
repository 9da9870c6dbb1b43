//! Fork and join over the rows of an operator.

/// Runs parts of an operator's work, on one thread or several.
pub(crate) struct Pool {
    threads: usize,
}

impl Pool {
    /// A pool of `threads` (at least one), the calling thread included.
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads: threads.max(1) }
    }

    /// Number of threads.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }
}
