//! What a child tells on its standard error: the time and colours of each frame, and its last words.

use crossbeam_channel::{Receiver, Sender, unbounded};
use osprey_detector::frame::YuvMatrix;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Lines that are kept.
const WORDS: usize = 4;
/// How long the last words of a child that has ended are waited for.
const LAST_WORDS_WAIT: Duration = Duration::from_millis(500);

/// What the filter `showinfo` says of a frame before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct About {
    /// In the film's own time.
    pub(super) time: Option<Duration>,
    /// `None` where the film does not say.
    pub(super) matrix: Option<YuvMatrix>,
}

/// Reads a child's messages until it ends.
pub(super) struct Messages {
    words: Arc<Mutex<VecDeque<String>>>,
    listener: JoinHandle<()>,
}

impl Messages {
    /// From `pipe`; what is said of frames comes out of the receiver.
    pub(super) fn listen(pipe: impl Read + Send + 'static) -> (Self, Receiver<About>) {
        let (sender, abouts) = unbounded();
        let words = Arc::<Mutex<VecDeque<String>>>::default();
        let kept = Arc::clone(&words);
        let listener = thread::spawn(move || {
            let (mut reader, mut line, mut about) = (BufReader::new(pipe), Vec::new(), About::default());
            while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8_lossy(&line);
                if text.starts_with("[Parsed_showinfo") {
                    note(&text, &mut about, &sender);
                } else if !text.contains("[info]") && !text.trim().is_empty() {
                    keep(&mut kept.lock().unwrap_or_else(PoisonError::into_inner), &text);
                }
                line.clear();
            }
        });
        (Self { words, listener }, abouts)
    }

    /// The last lines, once the child has ended.
    pub(super) fn last_words(&self) -> String {
        // They may still be on their way. A grandchild can keep the pipe open for ever.
        let until = Instant::now() + LAST_WORDS_WAIT;
        while Instant::now() < until && !self.listener.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        self.words()
    }

    /// The last lines so far.
    pub(super) fn words(&self) -> String {
        let kept = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<_> = kept.iter().cloned().collect();
        if lines.is_empty() { "it said nothing".into() } else { lines.join("; ") }
    }
}

fn keep(words: &mut VecDeque<String>, line: &str) {
    let level = ["[error] ", "[fatal] ", "[warning] ", "[panic] "];
    let line = level.iter().fold(line.trim().to_owned(), |line, level| line.replacen(level, "", 1));
    words.push_back(line.chars().take(300).collect());
    if words.len() > WORDS {
        words.pop_front();
    }
}

/// Two lines for each frame: the first has its time, the second its colours.
fn note(line: &str, about: &mut About, out: &Sender<About>) {
    let value = |key: &str| Some(line.split_once(key)?.1.split_whitespace().next().unwrap_or_default());
    if let Some(time) = value(" pts_time:") {
        about.time = time.parse().ok().and_then(|t: f64| Duration::try_from_secs_f64(t.max(0.0)).ok());
    } else if let Some(space) = value(" color_space:") {
        about.matrix = match space {
            "bt709" => Some(YuvMatrix::Bt709),
            "smpte170m" | "bt470bg" | "fcc" => Some(YuvMatrix::Bt601),
            _ => None,
        };
        // Nobody reads where the reader has ended.
        let _ = out.send(std::mem::take(about));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_colours_and_errors_are_told_apart() {
        let said = b"[info] Input #0, mov\n\
            [Parsed_showinfo_0 @ 0x1] [info] config in time_base: 1/15360, frame_rate: 30/1\n\
            [Parsed_showinfo_0 @ 0x1] [info] n:   0 pts:      0 pts_time:0       pos: 48 fmt:yuv420p\n\
            [Parsed_showinfo_0 @ 0x1] [info] color_range:tv color_space:bt709 color_primaries:bt709\n\
            [mov @ 0x2] [error] the \xff cable is out\n\
            [Parsed_showinfo_0 @ 0x1] [info] n:   1 pts:  NOPTS pts_time:NOPTS   pos: 48 fmt:yuv420p\n\
            [Parsed_showinfo_0 @ 0x1] [info] color_range:unknown color_space:unknown color_primaries:unknown";
        let (messages, abouts) = Messages::listen(&said[..]);
        let first = About { time: Some(Duration::ZERO), matrix: Some(YuvMatrix::Bt709) };
        assert_eq!(abouts.iter().collect::<Vec<_>>(), [first, About::default()]);
        assert_eq!(messages.last_words(), "[mov @ 0x2] the \u{fffd} cable is out");
    }
}
