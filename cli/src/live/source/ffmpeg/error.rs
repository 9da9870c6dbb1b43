//! What can go wrong with a child.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// Why ffmpeg did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub(in crate::live) enum FfmpegError {
    /// There is no such program.
    #[error(
        "films, streams and cameras need ffmpeg, which is not installed: `apt install ffmpeg`, \
         `brew install ffmpeg` or https://ffmpeg.org; $OSPREY_FFMPEG may name it"
    )]
    NotInstalled,
    /// There is one, and it did not start.
    #[error("cannot start ffmpeg: {0}")]
    Start(io::Error),
    /// It ended before the film did.
    #[error("{name}: ffmpeg ended with {status}: {words}")]
    Ended {
        /// The film.
        name: String,
        /// Exit status or signal.
        status: String,
        /// Its last lines.
        words: String,
    },
    /// It runs, and no frame comes.
    #[error("{name}: no frame for {seconds} s; ffmpeg's last words: {words}")]
    Silent {
        /// The film.
        name: String,
        /// How long was waited.
        seconds: u64,
        /// Its last lines.
        words: String,
    },
    /// It could not write the annotated film.
    #[error("cannot write {}: ffmpeg ended with {status}: {words}", path.display())]
    Encode {
        /// The film to be.
        path: PathBuf,
        /// Exit status or signal.
        status: String,
        /// Its last lines.
        words: String,
    },
}

impl FfmpegError {
    /// From what the system said when the program was started.
    pub(super) fn start(error: io::Error) -> Self {
        if error.kind() == ErrorKind::NotFound { Self::NotInstalled } else { Self::Start(error) }
    }
}
