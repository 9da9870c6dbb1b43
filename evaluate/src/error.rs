//! Why an evaluation cannot be made.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Why an evaluation cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A file that cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that holds something else than was expected.
    #[error("{} {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What its parser says.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A line of a text file that holds something else than was expected.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing to compare.
    #[error("{0}")]
    Nothing(String),
    /// The figures cannot be computed.
    #[error("the detections cannot be evaluated")]
    Score(#[from] hotcoco::Error),
}

impl EvaluateError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn format(path: &Path, problem: impl Into<String>) -> Self {
        Self::Format { path: path.to_owned(), problem: problem.into(), source: None }
    }

    pub(crate) fn parse<E: Error + Send + Sync + 'static>(
        path: &Path,
        problem: &str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Format {
            path: path.to_owned(),
            problem: problem.to_owned(),
            source: Some(Box::new(source)),
        }
    }
}
