//! A child that decodes, and the threads that read what it writes.

use super::error::FfmpegError;
use super::input::Input;
use super::messages::{About, Messages};
use crate::interrupt;
use crate::live::source::y4m::Y4m;
use crate::live::source::{OwnedFrame, Source};
use anyhow::Result;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use osprey_detector::frame::YuvMatrix;
use std::io::BufReader;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Names another ffmpeg than the first on the search path.
const VARIABLE: &str = "OSPREY_FFMPEG";
/// Without a frame for so long, a child has stalled. Cameras and streams may take seconds to begin.
const SILENCE: Duration = Duration::from_secs(15);
/// How often Ctrl-C is looked for while no frame comes.
pub(super) const GLANCE: Duration = Duration::from_millis(200);
/// Frames between the pipe and the pipeline.
const AHEAD: usize = 2;
/// From this height on, a film that does not say is of high definition, whose colours follow BT.709.
const HIGH_DEFINITION: u32 = 720;

/// The program.
pub(super) fn command() -> Command {
    Command::new(std::env::var_os(VARIABLE).unwrap_or_else(|| "ffmpeg".into()))
}

/// How a film is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decoding {
    /// By the graphics chip, where ffmpeg finds a way.
    pub(super) hardware: bool,
    /// For ffmpeg before 5.1, which calls an option otherwise and tells no times.
    old: bool,
}

impl Decoding {
    pub(super) fn new(hardware: bool) -> Self {
        Self { hardware, old: false }
    }
}

/// A child and the threads that read its frames and messages.
pub(super) struct Running {
    child: Child,
    frames: Receiver<Result<OwnedFrame>>,
    /// Memory of frames that were shown, to be filled again.
    empty: Sender<OwnedFrame>,
    messages: Messages,
    /// As ffmpeg writes it, which may hold a password.
    url: String,
    /// Mean rate by the header.
    pub(super) fps: Option<f64>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a child that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(super) fn start(input: &Input, decoding: Decoding) -> Result<Self> {
        match Self::start_with(input, decoding) {
            Err(e) if e.to_string().contains("fps_mode") => {
                Self::start_with(input, Decoding { old: true, ..decoding })
            }
            started => started,
        }
    }

    fn start_with(input: &Input, decoding: Decoding) -> Result<Self> {
        let mut command = command();
        command.args(["-hide_banner", "-nostdin", "-nostats", "-v", "level+info"]);
        if decoding.hardware {
            command.args(["-hwaccel", "auto"]);
        }
        command.args(&input.options).arg("-i").arg(&input.url).args(["-map", "0:v:0"]);
        // Every frame once: none doubled or dropped to make a film's rate even.
        command.args(match decoding.old {
            false => &["-vf", "showinfo=checksum=0", "-fps_mode", "passthrough"][..],
            true => &["-vsync", "passthrough"],
        });
        command.args(["-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "pipe:1"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(FfmpegError::start)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(FfmpegError::start(std::io::ErrorKind::BrokenPipe.into()).into());
        };
        let (messages, abouts) = Messages::listen(stderr);
        let (sender, frames) = bounded(AHEAD);
        let (empty, emptied) = bounded(AHEAD + 2);
        let (told, header) = bounded(1);
        thread::spawn(move || read(stdout, &told, &sender, &emptied, &abouts));
        let mut running = Self { child, frames, empty, messages, url: input.url.clone(), fps: None };
        match running.wait_for(&header, &input.name)? {
            Some(fps) => running.fps = fps,
            None => return Err(running.ended(&input.name).into()),
        }
        Ok(running)
    }

    /// The next of `from`; `None` where there will be none.
    fn wait_for<T>(&self, from: &Receiver<T>, name: &str) -> Result<Option<T>> {
        let waited = Instant::now();
        loop {
            match from.recv_timeout(GLANCE) {
                Ok(next) => return Ok(Some(next)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {
                    interrupt::check()?;
                    if waited.elapsed() > SILENCE {
                        let words = self.messages.words().replace(&self.url, name);
                        return Err(FfmpegError::Silent {
                            name: name.into(),
                            seconds: SILENCE.as_secs(),
                            words,
                        }
                        .into());
                    }
                }
            }
        }
    }

    /// The next frame into `frame`; false where the child ended as it should.
    pub(super) fn next(&mut self, frame: &mut OwnedFrame, name: &str) -> Result<bool> {
        match self.wait_for(&self.frames, name)? {
            Some(Ok(next)) => {
                let shown = std::mem::replace(frame, next);
                // A full queue of empty frames: this one's memory is given back.
                let _ = self.empty.try_send(shown);
                Ok(true)
            }
            Some(Err(e)) => {
                // A child that writes nonsense may go on for ever.
                if self.child.try_wait()?.is_none() {
                    self.child.kill()?;
                }
                Err(anyhow::Error::from(self.ended(name)).context(format!("{e:#}")))
            }
            None => match self.child.wait() {
                Ok(status) if status.success() => Ok(false),
                _ => Err(self.ended(name).into()),
            },
        }
    }

    /// What a child that ended too early said.
    fn ended(&mut self, name: &str) -> FfmpegError {
        let status = self.child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
        let words = self.messages.last_words().replace(&self.url, name);
        FfmpegError::Ended { name: name.into(), status, words }
    }
}

/// The reading thread: the rate of the header, then frames, until the pipe ends or nobody takes them.
fn read(
    pipe: ChildStdout,
    header: &Sender<Option<f64>>,
    out: &Sender<Result<OwnedFrame>>,
    emptied: &Receiver<OwnedFrame>,
    abouts: &Receiver<About>,
) {
    let Ok(mut video) = Y4m::new(BufReader::with_capacity(1 << 16, pipe)) else { return };
    if header.send(video.fps()).is_err() {
        return;
    }
    let mut telling = true;
    loop {
        let mut frame = emptied.try_recv().unwrap_or_default();
        let next = match video.next(&mut frame) {
            Ok(true) => {
                // Written before the frame, read by another thread. An ffmpeg that tells nothing is not
                // waited for again.
                let about = telling.then(|| abouts.recv_timeout(GLANCE).ok()).flatten();
                telling = about.is_some();
                describe(&mut frame, about.unwrap_or_default());
                Ok(frame)
            }
            Ok(false) => return,
            Err(e) => Err(e),
        };
        let ended = next.is_err();
        if out.send(next).is_err() || ended {
            return;
        }
    }
}

fn describe(frame: &mut OwnedFrame, about: About) {
    let guess = if frame.height >= HIGH_DEFINITION { YuvMatrix::Bt709 } else { YuvMatrix::Bt601 };
    frame.color.matrix = about.matrix.unwrap_or(guess);
    frame.time = about.time;
}
