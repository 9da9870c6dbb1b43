//! Recording of a session, for `osprey replay`.

use crate::error::{Failure, FailureKind};
use osprey_detector::Tensor;
use osprey_detector::frame::Timestamp;
use osprey_detector::pipeline::{DetectError, Detections, Outcome};
use osprey_detector::preprocess::Placement;
use osprey_detector::recording::{Facts, Header, Recorder, RecordingError};
use std::collections::BTreeMap;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Inputs that wait for their results; frames that were dropped make room for newer ones.
const MOST_WAITING: usize = 8;

/// A recording that is being written, under a name of its own until it is whole.
pub(crate) struct Tape {
    recorder: Recorder<BufWriter<NamedTempFile>>,
    path: PathBuf,
    waiting: BTreeMap<Timestamp, (Tensor, Placement)>,
    failure: Option<RecordingError>,
}

impl Tape {
    pub(crate) fn begin(path: &Path, header: &Header) -> Result<Self, Failure> {
        let failed = |e| storage(path, e);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder).map_err(|e| failed(e.into()))?;
        let recorder = Recorder::new(BufWriter::new(file), header).map_err(failed)?;
        Ok(Self { recorder, path: path.to_owned(), waiting: BTreeMap::new(), failure: None })
    }

    /// Keeps what the model is about to see.
    pub(crate) fn keep(&mut self, at: Timestamp, input: &Tensor, placement: &Placement) {
        while self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_first();
        }
        self.waiting.insert(at, (input.clone(), *placement));
    }

    /// Writes a frame with its result. The first error ends the writing and is told at the end.
    pub(crate) fn add(&mut self, outcome: &Outcome<Detections, DetectError>) {
        let Ok(shown) = outcome else { return };
        let Some((input, placement)) = self.waiting.remove(&shown.timestamp) else { return };
        if self.failure.is_none() {
            self.failure = self.recorder.add(&Facts::new(shown, &placement), &input).err();
        }
    }

    /// Gives the file its name.
    pub(crate) fn end(self) -> Result<(), Failure> {
        let failed = |e| storage(&self.path, e);
        if let Some(failure) = self.failure {
            return Err(failed(failure));
        }
        let file = self.recorder.finish().into_inner().map_err(|e| failed(e.into_error().into()))?;
        file.persist(&self.path).map_err(|e| failed(e.error.into()))?;
        Ok(())
    }
}

fn storage(path: &Path, e: RecordingError) -> Failure {
    Failure::new(FailureKind::Storage, format!("{}: {e}", path.display()))
}
