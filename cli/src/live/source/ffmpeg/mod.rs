//! Films, network streams, cameras and the screen, decoded by an `ffmpeg` that the user has installed.
//!
//! ffmpeg runs as a child and writes Y4M into a pipe: it turns frames upright, a crash of a decoder costs
//! the child alone, and no codec becomes part of this program. A thread reads the pipe, so that a child
//! that goes silent is noticed. Sources that are alive (streams, cameras, the screen) are tried again
//! when they stop; a film that breaks off is an error with ffmpeg's own last words.

mod child;
mod encoder;
mod error;
mod input;
mod messages;
#[cfg(test)]
mod tests;

pub(in crate::live) use encoder::Encoder;
pub(in crate::live) use input::Input;

use super::{OwnedFrame, Source};
use crate::interrupt;
use anyhow::Result;
use child::{Decoding, GLANCE, Running};
use std::thread;
use std::time::{Duration, Instant};

/// Waits before a source is tried again: twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Frames from ffmpeg.
pub(super) struct Ffmpeg {
    input: Input,
    decoding: Decoding,
    running: Option<Running>,
    /// A film begins again at its end.
    repeat: bool,
    wait: Duration,
    fps: Option<f64>,
    /// Where the time of a film's first frame lies, which moves on when it begins again.
    offset: Duration,
    /// End of the last frame.
    end: Duration,
}

impl Ffmpeg {
    pub(super) fn open(input: Input, hardware: bool, repeat: bool) -> Result<Self> {
        let decoding = Decoding::new(hardware);
        let running = Running::start(&input, decoding)?;
        let (fps, zero) = (running.fps, Duration::ZERO);
        Ok(Self {
            input,
            decoding,
            running: Some(running),
            repeat,
            wait: FIRST_WAIT,
            fps,
            offset: zero,
            end: zero,
        })
    }

    /// Mean rate of the film.
    pub(super) fn fps(&self) -> Option<f64> {
        self.fps
    }

    fn start(&mut self) -> Result<()> {
        self.running = None;
        self.running = Some(Running::start(&self.input, self.decoding)?);
        Ok(())
    }

    /// A frame of the child that runs; false where it ended as it should.
    fn frame(&mut self, frame: &mut OwnedFrame) -> Result<bool> {
        let Some(running) = &mut self.running else { return Ok(false) };
        if !running.next(frame, &self.input.name)? {
            return Ok(false);
        }
        if self.input.is_alive() {
            // Its clock begins anew with each child; what counts is when frames come.
            frame.time = None;
        } else if let Some(time) = &mut frame.time {
            *time += self.offset;
            self.end = *time + Duration::from_secs_f64(1.0 / self.fps.unwrap_or(super::DEFAULT_FPS));
        }
        Ok(true)
    }

    /// Tries again, with longer waits each time, until it works or Ctrl-C is pressed.
    fn again(&mut self, mut why: String) -> Result<(), interrupt::Interrupted> {
        loop {
            eprintln!("osprey: {why}; trying again in {:.1} s", self.wait.as_secs_f64());
            let until = Instant::now() + self.wait;
            while Instant::now() < until {
                interrupt::check()?;
                thread::sleep(GLANCE.min(self.wait));
            }
            self.wait = (2 * self.wait).min(LONGEST_WAIT);
            match self.start() {
                Ok(()) => return Ok(()),
                Err(e) => why = format!("{e:#}"),
            }
            interrupt::check()?;
        }
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
            if self.input.is_alive() {
                let why = match ended {
                    Err(e) => format!("{e:#}"),
                    Ok(_) => format!("{}: it ended", self.input.name),
                };
                if self.again(why).is_err() {
                    return Ok(false);
                }
            } else if self.repeat && ended.is_ok() {
                self.offset = self.end;
                self.start()?;
            } else {
                return ended;
            }
        }
    }
}
