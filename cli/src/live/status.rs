//! What the terminal shows.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use osprey_detector::DetectorError;
use osprey_detector::pipeline::{Detections, Results, Snapshot, Stage};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(250);

/// A line that is written anew; nothing where no person reads along.
pub(super) struct Status {
    bar: ProgressBar,
    last: Instant,
}

impl Status {
    pub(super) fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style =
            ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self { bar: ProgressBar::with_draw_target(None, target).with_style(style), last: Instant::now() }
    }

    pub(super) fn show(&mut self, results: &Results<Detections, DetectorError>) {
        if self.bar.is_hidden() || self.last.elapsed() < INTERVAL {
            return;
        }
        self.last = Instant::now();
        let snapshot = results.snapshot();
        let p50 = |stage| snapshot.latency.of(stage).p50.as_secs_f64() * 1e3;
        let ledger = &snapshot.ledger;
        self.bar.set_message(format!(
            "{:.1} FPS · inference {:.1} ms · age {:.1} ms · {} captured, {} shown, {} dropped, {} stale, {} failed",
            snapshot.fps,
            p50(Stage::Inference),
            p50(Stage::Age),
            ledger.captured,
            ledger.shown,
            ledger.dropped.total(),
            ledger.stale,
            ledger.failed
        ));
        self.bar.tick();
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Ledger and percentiles, to read.
pub(super) fn summary(snapshot: &Snapshot) -> String {
    let ledger = &snapshot.ledger;
    let mut text = format!(
        "{} frames captured: {} shown at {:.1} FPS, {} dropped, {} stale, {} failed\n",
        ledger.captured,
        ledger.shown,
        snapshot.fps,
        ledger.dropped.total(),
        ledger.stale,
        ledger.failed
    );
    let _ = writeln!(text, "{:>12}  {:>8}  {:>8}  {:>8}", "ms", "p50", "p95", "p99");
    for stage in Stage::ALL {
        let p = snapshot.latency.of(stage);
        if p.count > 0 {
            let [a, b, c] = [p.p50, p.p95, p.p99].map(|d| d.as_secs_f64() * 1e3);
            let _ = writeln!(text, "{:>12}  {a:>8.3}  {b:>8.3}  {c:>8.3}", stage.name());
        }
    }
    text
}
