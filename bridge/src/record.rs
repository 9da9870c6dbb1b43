//! Recording of a session, for `osprey replay`.

use crate::error::{Failure, FailureKind};
use osprey_detector::pipeline::{Detections, Shown};
use osprey_detector::recording::{Facts, Header, Recorder, RecordingError};
use osprey_detector::{PreparedFrame, Tensor};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use tempfile::NamedTempFile;

/// Frames that wait for the disk. Where it does not keep up, frames are left out: the camera comes first.
const MOST_UNWRITTEN: usize = 8;

type Written = Result<Recorder<BufWriter<NamedTempFile>>, RecordingError>;

/// A recording that is being written, by a thread of its own and under a name of its own until it is whole:
/// neither the camera's thread nor the model's waits for compression or disk.
pub(crate) struct Tape {
    frames: SyncSender<(Facts, Tensor)>,
    writer: JoinHandle<Written>,
    path: PathBuf,
}

impl Tape {
    pub(crate) fn begin(path: &Path, header: &Header) -> Result<Self, Failure> {
        let failed = |e| storage(path, e);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder).map_err(|e| failed(e.into()))?;
        let recorder = Recorder::new(BufWriter::new(file), header).map_err(failed)?;
        let (frames, queue) = sync_channel(MOST_UNWRITTEN);
        let writer = thread::Builder::new()
            .name("osprey-recorder".to_owned())
            .spawn(move || write(recorder, &queue))
            .map_err(|e| failed(e.into()))?;
        Ok(Self { frames, writer, path: path.to_owned() })
    }

    /// Has a frame written with its result.
    pub(crate) fn add(&self, frame: &PreparedFrame, shown: &Shown<Detections>) {
        // Full, or the writer has ended with an error, which is told at the end.
        let _ = self.frames.try_send((Facts::new(shown, frame.placement()), frame.input().clone()));
    }

    /// Waits for what is unwritten and gives the file its name.
    pub(crate) fn end(self) -> Result<(), Failure> {
        let failed = |e| storage(&self.path, e);
        drop(self.frames);
        let defect = |_| Failure::new(FailureKind::Panic, "the recorder panicked; please report it");
        let recorder = self.writer.join().map_err(defect)?.map_err(failed)?;
        let file = recorder.finish().into_inner().map_err(|e| failed(e.into_error().into()))?;
        file.persist(&self.path).map_err(|e| failed(e.error.into()))?;
        Ok(())
    }
}

/// Writes until no more can come; the first error ends it.
fn write(mut recorder: Recorder<BufWriter<NamedTempFile>>, queue: &Receiver<(Facts, Tensor)>) -> Written {
    for (facts, input) in queue {
        recorder.add(&facts, &input)?;
    }
    Ok(recorder)
}

fn storage(path: &Path, e: RecordingError) -> Failure {
    Failure::new(FailureKind::Storage, format!("{}: {e}", path.display()))
}
