//! Where an annotated film goes.

use super::child::command;
use super::error::FfmpegError;
use super::messages::Messages;
use anyhow::Result;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// Y4M into a second ffmpeg, which writes what the file's name asks for under another name; it is renamed
/// when it is whole.
pub(in crate::live) struct Encoder {
    child: Child,
    messages: Messages,
    temporary: PathBuf,
    path: PathBuf,
}

impl Encoder {
    pub(in crate::live) fn start(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".osprey-{}-{name}", std::process::id()));
        let mut command = command();
        command.args(["-hide_banner", "-nostdin", "-nostats", "-y", "-v", "error"]);
        command.args(["-f", "yuv4mpegpipe", "-i", "pipe:0"]);
        if !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gif")) {
            // Even sides and 4:2:0 are what players take.
            command.args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"]);
        }
        command.arg(format!("file:{}", temporary.display()));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(FfmpegError::start)?;
        let Some(stderr) = child.stderr.take() else {
            return Err(FfmpegError::start(ErrorKind::BrokenPipe.into()).into());
        };
        let (messages, _) = Messages::listen(stderr);
        Ok(Self { child, messages, temporary, path: path.to_owned() })
    }

    /// Closes the pipe and waits for the file.
    pub(in crate::live) fn finish(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if !status.success() {
            let (path, status) = (self.path.clone(), status.to_string());
            return Err(FfmpegError::Encode { path, status, words: self.messages.last_words() }.into());
        }
        std::fs::rename(&self.temporary, &self.path)?;
        Ok(())
    }
}

impl Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(pipe) = &mut self.child.stdin else { return Ok(0) };
        pipe.write(bytes).map_err(|e| match e.kind() {
            // Not to be taken for a reader that went away from standard output.
            ErrorKind::BrokenPipe => {
                io::Error::other(format!("ffmpeg ended early: {}", self.messages.last_words()))
            }
            _ => e,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.temporary);
    }
}
