//! Films, network streams, cameras and the screen, decoded by an `ffmpeg` that the user has installed.
//!
//! ffmpeg runs as a child and writes Y4M into a pipe: it turns frames upright, a crash of a decoder costs
//! the child alone, and no codec becomes part of this program. A thread reads the pipe, so that a child
//! that goes silent is noticed. Sources that are alive (streams, cameras, the screen) are tried again
//! when they stop; a film that breaks off is an error with ffmpeg's own last words.

use super::y4m::Y4m;
use super::{OwnedFrame, Source};
use crate::interrupt;
use anyhow::{Result, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Names another ffmpeg than the first on the search path.
const VARIABLE: &str = "OSPREY_FFMPEG";
/// Without a frame for so long, a child has stalled. Cameras and streams may take seconds to begin.
const SILENCE: Duration = Duration::from_secs(15);
/// How often Ctrl-C is looked for while no frame comes.
const GLANCE: Duration = Duration::from_millis(200);
/// Waits before a source is tried again: twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long the last words of a child that has ended are waited for.
const LAST_WORDS_WAIT: Duration = Duration::from_millis(500);
/// Frames between the pipe and the pipeline.
const AHEAD: usize = 2;
/// Lines of ffmpeg's messages that are kept.
const WORDS: usize = 4;

/// Something that ffmpeg opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    /// As the user wrote it.
    name: String,
    /// What stands before and after `-i`.
    options: Vec<String>,
    url: String,
    /// Frames come when they come; what stops may come back.
    alive: bool,
}

impl Input {
    /// What `text` names: `camera:0`, `screen:`, an address, or a file that is no picture. `None` where it
    /// is nothing for ffmpeg.
    pub(super) fn parse(text: &Path) -> Option<Self> {
        let name = text.to_str()?.to_owned();
        let (options, url, alive): (&[&str], String, bool) = match name.split_once(':') {
            Some(("camera", device)) => {
                let (options, url) = camera(device);
                (options, url, true)
            }
            Some(("screen", display)) => {
                let (options, url) = screen(display);
                (options, url, true)
            }
            Some(("rtsp" | "rtsps", _)) => {
                (&["-rtsp_transport", "tcp", "-timeout", "10000000"], name.clone(), true)
            }
            Some(("http" | "https" | "rtmp" | "srt" | "udp" | "tcp", _)) if name.contains("://") => {
                (&[], name.clone(), true)
            }
            _ if text.is_file() => {
                // A playlist from a stranger must not open connections.
                (&["-protocol_whitelist", "file,crypto,data"], format!("file:{name}"), false)
            }
            _ => return None,
        };
        let options = options.iter().map(|&o| o.to_owned()).collect();
        Some(Self { name, options, url, alive })
    }

    pub(super) fn is_alive(&self) -> bool {
        self.alive
    }
}

#[cfg(target_os = "linux")]
fn camera(device: &str) -> (&'static [&'static str], String) {
    let path = if device.parse::<u8>().is_ok() { format!("/dev/video{device}") } else { device.to_owned() };
    (&["-f", "v4l2"], path)
}

#[cfg(target_os = "macos")]
fn camera(device: &str) -> (&'static [&'static str], String) {
    (&["-f", "avfoundation", "-framerate", "30"], format!("{device}:none"))
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn camera(device: &str) -> (&'static [&'static str], String) {
    (&["-f", "dshow"], format!("video={device}"))
}

#[cfg(target_os = "linux")]
fn screen(display: &str) -> (&'static [&'static str], String) {
    let variable = || std::env::var("DISPLAY").unwrap_or_else(|_| ":0".into());
    (&["-f", "x11grab"], if display.is_empty() { variable() } else { display.to_owned() })
}

#[cfg(target_os = "macos")]
fn screen(display: &str) -> (&'static [&'static str], String) {
    (
        &["-f", "avfoundation"],
        format!("Capture screen {}:none", if display.is_empty() { "0" } else { display }),
    )
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn screen(_: &str) -> (&'static [&'static str], String) {
    (&["-f", "gdigrab"], "desktop".into())
}

/// The program, or how to get it.
pub(in crate::live) fn command() -> Command {
    Command::new(std::env::var_os(VARIABLE).unwrap_or_else(|| "ffmpeg".into()))
}

/// Why ffmpeg did not start, with what helps.
pub(in crate::live) fn cannot_start(error: &std::io::Error) -> anyhow::Error {
    if error.kind() == ErrorKind::NotFound {
        return anyhow::anyhow!(
            "films, streams and cameras need ffmpeg, which is not installed: `apt install ffmpeg`, \
             `brew install ffmpeg` or https://ffmpeg.org; ${VARIABLE} may name it"
        );
    }
    anyhow::anyhow!("cannot start ffmpeg: {error}")
}

/// The last lines that a child wrote to its standard error.
#[derive(Debug, Clone, Default)]
pub(in crate::live) struct LastWords(Arc<Mutex<VecDeque<String>>>);

impl LastWords {
    /// Reads until the child ends or closes the pipe.
    pub(in crate::live) fn listen(&self, pipe: impl std::io::Read + Send + 'static) -> JoinHandle<()> {
        let words = self.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let mut kept = words.0.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_back(String::from_utf8_lossy(&line).trim().chars().take(300).collect());
                while kept.len() > WORDS {
                    kept.pop_front();
                }
                line.clear();
            }
        })
    }

    pub(in crate::live) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<_> = kept.iter().filter(|l| !l.is_empty()).cloned().collect();
        if lines.is_empty() { "it said nothing".into() } else { lines.join("; ") }
    }
}

/// A child and the thread that reads its frames.
struct Running {
    child: Child,
    frames: Receiver<Result<OwnedFrame>>,
    /// Memory of frames that were shown, to be filled again.
    empty: Sender<OwnedFrame>,
    words: LastWords,
    listener: Option<JoinHandle<()>>,
    fps: Option<f64>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a child that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(input: &Input) -> Result<Self> {
        // Every frame once: none doubled or dropped to make a film's rate even. Before ffmpeg 5.1 the
        // option had another name.
        match Self::start_with(input, ["-fps_mode", "passthrough"]) {
            Err(e) if e.to_string().contains("fps_mode") => {
                Self::start_with(input, ["-vsync", "passthrough"])
            }
            started => started,
        }
    }

    fn start_with(input: &Input, timing: [&str; 2]) -> Result<Self> {
        let mut command = command();
        command.args(["-hide_banner", "-nostdin", "-v", "error"]).args(&input.options);
        command.arg("-i").arg(&input.url).args(["-map", "0:v:0"]);
        command.args(timing).args(["-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "pipe:1"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| cannot_start(&e))?;
        let words = LastWords::default();
        let listener = child.stderr.take().map(|pipe| words.listen(pipe));
        let (sender, frames) = bounded(AHEAD);
        let (empty, emptied) = bounded(AHEAD + 2);
        let (told, header) = bounded(1);
        if let Some(pipe) = child.stdout.take() {
            thread::spawn(move || read(pipe, &told, &sender, &emptied));
        }
        let mut running = Self { child, frames, empty, words, listener, fps: None };
        let waited = Instant::now();
        loop {
            match header.recv_timeout(GLANCE) {
                Ok(fps) => {
                    running.fps = fps;
                    return Ok(running);
                }
                Err(RecvTimeoutError::Disconnected) => bail!("{}", running.why(&input.name)),
                Err(RecvTimeoutError::Timeout) => {
                    interrupt::check()?;
                    if waited.elapsed() > SILENCE {
                        bail!("{}: no frame within {} s", input.name, SILENCE.as_secs());
                    }
                }
            }
        }
    }

    /// What a child that ended too early said.
    fn why(&mut self, name: &str) -> String {
        let status = self.child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
        // The last words may still be on their way. A grandchild can keep the pipe open for ever.
        let until = Instant::now() + LAST_WORDS_WAIT;
        while Instant::now() < until && self.listener.as_ref().is_some_and(|l| !l.is_finished()) {
            thread::sleep(Duration::from_millis(5));
        }
        format!("{name}: ffmpeg ended with {status}: {}", self.words.text())
    }
}

/// The reading thread: the rate of the header, then frames, until the pipe ends or nobody takes them.
fn read(
    pipe: ChildStdout,
    header: &Sender<Option<f64>>,
    out: &Sender<Result<OwnedFrame>>,
    emptied: &Receiver<OwnedFrame>,
) {
    let Ok(mut video) = Y4m::new(BufReader::with_capacity(1 << 16, pipe)) else { return };
    if header.send(video.fps()).is_err() {
        return;
    }
    loop {
        let mut frame = emptied.try_recv().unwrap_or_default();
        let next = match video.next(&mut frame) {
            Ok(true) => Ok(frame),
            Ok(false) => return,
            Err(e) => Err(e),
        };
        let ended = next.is_err();
        if out.send(next).is_err() || ended {
            return;
        }
    }
}

/// Frames from ffmpeg.
pub(super) struct Ffmpeg {
    input: Input,
    running: Option<Running>,
    repeat: bool,
    wait: Duration,
    fps: Option<f64>,
}

impl Ffmpeg {
    pub(super) fn open(input: Input, repeat: bool) -> Result<Self> {
        let running = Running::start(&input)?;
        let fps = running.fps;
        Ok(Self { input, running: Some(running), repeat, wait: FIRST_WAIT, fps })
    }

    pub(super) fn fps(&self) -> Option<f64> {
        self.fps
    }

    /// A frame of the child that runs; false where it ended as it should.
    fn frame(&mut self, frame: &mut OwnedFrame) -> Result<bool> {
        let Some(running) = &mut self.running else { return Ok(false) };
        let waited = Instant::now();
        loop {
            match running.frames.recv_timeout(GLANCE) {
                Ok(Err(e)) => {
                    // A child that writes nonsense may go on for ever.
                    if running.child.try_wait()?.is_none() {
                        running.child.kill()?;
                    }
                    bail!("{} ({e:#})", running.why(&self.input.name));
                }
                Ok(Ok(next)) => {
                    let shown = std::mem::replace(frame, next);
                    // A full queue of empty frames: this one's memory is given back.
                    let _ = running.empty.try_send(shown);
                    return Ok(true);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return match running.child.wait() {
                        Ok(status) if status.success() => Ok(false),
                        _ => Err(anyhow::anyhow!("{}", running.why(&self.input.name))),
                    };
                }
                Err(RecvTimeoutError::Timeout) => {
                    interrupt::check()?;
                    if waited.elapsed() > SILENCE {
                        let (name, said) = (&self.input.name, running.words.text());
                        bail!("{name}: no frame for {} s; ffmpeg's last words: {said}", SILENCE.as_secs());
                    }
                }
            }
        }
    }

    /// Waits, longer each time, and starts another child.
    fn again(&mut self) -> Result<()> {
        let until = Instant::now() + self.wait;
        while Instant::now() < until {
            interrupt::check()?;
            thread::sleep(GLANCE.min(self.wait));
        }
        self.wait = (2 * self.wait).min(LONGEST_WAIT);
        self.running = Some(Running::start(&self.input)?);
        Ok(())
    }
}

impl Source for Ffmpeg {
    fn next(&mut self, frame: &mut OwnedFrame) -> Result<bool> {
        loop {
            let ended = match self.frame(frame) {
                Ok(true) => {
                    self.wait = FIRST_WAIT;
                    return Ok(true);
                }
                ended => ended,
            };
            // Ctrl-C reaches ffmpeg as well, and ends it.
            if interrupt::check().is_err() {
                return Ok(false);
            }
            self.running = None;
            if self.input.alive {
                let why = ended
                    .err()
                    .map_or_else(|| format!("{}: it ended", self.input.name), |e| format!("{e:#}"));
                eprintln!("osprey: {why}; trying again in {:.1} s", self.wait.as_secs_f64());
                while let Err(e) = self.again() {
                    if interrupt::check().is_err() {
                        return Ok(false);
                    }
                    eprintln!("osprey: {e:#}; trying again in {:.1} s", self.wait.as_secs_f64());
                }
            } else if self.repeat && ended.is_ok() {
                self.running = Some(Running::start(&self.input)?);
            } else {
                return ended;
            }
        }
    }
}

/// Where an annotated film goes: frames as Y4M into a second ffmpeg, which writes what the file's name
/// asks for under another name, and renames it when it is whole.
pub(in crate::live) struct Encoder {
    child: Child,
    words: LastWords,
    listener: Option<JoinHandle<()>>,
    temporary: PathBuf,
    path: PathBuf,
}

impl Encoder {
    pub(in crate::live) fn start(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".osprey-{}-{name}", std::process::id()));
        let mut command = command();
        command.args(["-hide_banner", "-nostdin", "-y", "-v", "error", "-f", "yuv4mpegpipe", "-i", "pipe:0"]);
        // Even sides and 4:2:0 are what players take.
        command.args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"]);
        command.arg(format!("file:{}", temporary.display()));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| cannot_start(&e))?;
        let words = LastWords::default();
        let listener = child.stderr.take().map(|pipe| words.listen(pipe));
        Ok(Self { child, words, listener, temporary, path: path.to_owned() })
    }

    /// Closes the pipe and waits for the file.
    pub(in crate::live) fn finish(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        if !status.success() {
            bail!("cannot write {}: ffmpeg ended with {status}: {}", self.path.display(), self.words.text());
        }
        std::fs::rename(&self.temporary, &self.path)?;
        Ok(())
    }
}

impl std::io::Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.child.stdin {
            Some(pipe) => pipe.write(bytes).map_err(|e| match e.kind() {
                // Not to be taken for a reader that went away from standard output.
                ErrorKind::BrokenPipe => {
                    std::io::Error::other(format!("ffmpeg ended early: {}", self.words.text()))
                }
                _ => e,
            }),
            None => Ok(0),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), |pipe| pipe.flush())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.temporary);
    }
}
