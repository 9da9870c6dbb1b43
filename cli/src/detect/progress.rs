//! The progress bar, and messages that do not tear it.

use super::record::Skipped;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

pub(crate) struct Progress {
    bar: ProgressBar,
    /// Results and bar share the terminal.
    shares_terminal: bool,
}

impl Progress {
    /// Draws nothing where standard error is not a terminal, or where it is not wanted.
    pub(crate) fn new(total: usize, quiet: bool, results_on_stdout: bool) -> Self {
        let target =
            if quiet || total < 2 { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {per_sec}  {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, shares_terminal: results_on_stdout && std::io::stdout().is_terminal() }
    }

    /// Another picture is through.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Runs `write`, which may print to standard output.
    pub(crate) fn around<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.shares_terminal { self.bar.suspend(write) } else { write() }
    }

    /// Says that a picture was left out.
    pub(crate) fn skipped(&self, s: &Skipped) {
        self.bar.suspend(|| eprintln!("osprey: skipped {}: {}", s.image, s.error));
    }

    /// Says something that concerns no single picture.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| eprintln!("osprey: {text}"));
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
