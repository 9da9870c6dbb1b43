//! `--zones FILE.toml`: what happens in zones and at lines, as lines of JSON, and how often.

use crate::files::Destination;
use anyhow::{Context, Result, ensure};
use osprey_detector::model::Labels;
use osprey_detector::pipeline::{Detections, Shown};
use osprey_detector::zones::{Event, Happening, Line, Point, Watch, Watcher, Zone};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

/// Longest file that is read.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    zone: Vec<ZoneEntry>,
    #[serde(default)]
    line: Vec<LineEntry>,
    /// Frames for which a change holds before it counts.
    #[serde(default = "settle")]
    settle: u32,
}

fn settle() -> u32 {
    Watch::default().settle
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneEntry {
    name: String,
    points: Vec<Point>,
    #[serde(default)]
    classes: Vec<String>,
    dwell: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineEntry {
    name: String,
    from: Point,
    to: Point,
    #[serde(default)]
    classes: Vec<String>,
}

/// Writes events, and counts them.
pub(super) struct Zones {
    watcher: Watcher,
    zones: Vec<String>,
    lines: Vec<String>,
    out: Destination,
    events: Vec<Event>,
    counts: BTreeMap<(Happening, usize), u64>,
}

impl Zones {
    /// As `file` says, with events to `out`.
    pub(super) fn open(file: &Path, labels: &Labels, out: &Path) -> Result<Self> {
        let read = || -> Result<File> {
            let length = std::fs::metadata(file)?.len();
            ensure!(length <= MAX_BYTES, "it is larger than {MAX_BYTES} bytes");
            Ok(toml::from_str(&std::fs::read_to_string(file)?)?)
        };
        let shown = file.display();
        let read = read().with_context(|| format!("cannot use the zones in {shown}"))?;
        let watch = watch(&read, labels).with_context(|| format!("cannot use the zones in {shown}"))?;
        Ok(Self {
            watcher: Watcher::new(watch),
            zones: read.zone.into_iter().map(|z| z.name).collect(),
            lines: read.line.into_iter().map(|l| l.name).collect(),
            out: Destination::create(out)?,
            events: Vec::new(),
            counts: BTreeMap::new(),
        })
    }

    /// What happened by this result.
    pub(super) fn see(&mut self, shown: &Shown<Detections>, labels: &[String]) -> Result<()> {
        self.watcher.update(&shown.output.tracks, shown.timestamp, &mut self.events);
        for event in &self.events {
            *self.counts.entry((event.what, event.class_id)).or_default() += 1;
            let line = self.line(event, labels);
            writeln!(self.out, "{line}").context("cannot write the events")?;
        }
        if self.out.is_live() && !self.events.is_empty() {
            self.out.flush()?;
        }
        Ok(())
    }

    fn line(&self, event: &Event, labels: &[String]) -> Value {
        let (word, name) = self.words(event.what);
        let mut line = json!({
            "time": (event.at.seconds() * 1e6).round() / 1e6,
            "event": word,
            "track": event.track,
            "label": labels.get(event.class_id),
        });
        match event.what {
            Happening::Enter(_) => line["zone"] = name.into(),
            Happening::Leave(_) | Happening::Dwell(_) => {
                (line["zone"], line["seconds"]) = (name.into(), ((event.seconds * 1e3).round() / 1e3).into());
            }
            Happening::CrossToRight(_) | Happening::CrossToLeft(_) => line["line"] = name.into(),
        }
        line
    }

    fn words(&self, what: Happening) -> (&'static str, &str) {
        let (word, names, number) = match what {
            Happening::Enter(n) => ("enter", &self.zones, n),
            Happening::Leave(n) => ("leave", &self.zones, n),
            Happening::Dwell(n) => ("dwell", &self.zones, n),
            Happening::CrossToRight(n) => ("cross to the right", &self.lines, n),
            Happening::CrossToLeft(n) => ("cross to the left", &self.lines, n),
        };
        (word, names.get(number).map_or("", String::as_str))
    }

    /// Ends the file, and says how often what happened.
    pub(super) fn finish(self, labels: &[String]) -> Result<String> {
        let mut text = String::new();
        for ((what, class), count) in &self.counts {
            let (word, name) = self.words(*what);
            let label = labels.get(*class).map_or("?", String::as_str);
            let _ = writeln!(text, "{name}: {count} × {label}, {word}");
        }
        self.out.commit()?;
        Ok(text)
    }
}

fn watch(file: &File, labels: &Labels) -> Result<Watch> {
    ensure!(!file.zone.is_empty() || !file.line.is_empty(), "there is neither a [[zone]] nor a [[line]]");
    let fraction = |name: &str, points: &[Point]| {
        let inside = points.iter().flatten().all(|v| (0.0..=1.0).contains(v));
        ensure!(
            inside,
            "\"{name}\": points are fractions of the picture, 0 to 1, from the left and from the top"
        );
        Ok(())
    };
    let classes = |names: &[String]| -> Result<Vec<usize>> {
        names.iter().map(|name| Ok(labels.find(name)?)).collect()
    };
    let zone = |z: &ZoneEntry| -> Result<Zone> {
        fraction(&z.name, &z.points)?;
        ensure!(z.points.len() >= 3, "\"{}\": a zone has three corners or more", z.name);
        ensure!(
            z.dwell.is_none_or(|d| d >= 0.0 && d.is_finite()),
            "\"{}\": dwell is a time in seconds",
            z.name
        );
        Ok(Zone { points: z.points.clone(), classes: classes(&z.classes)?, dwell: z.dwell })
    };
    let line = |l: &LineEntry| -> Result<Line> {
        fraction(&l.name, &[l.from, l.to])?;
        ensure!(l.from != l.to, "\"{}\": a line has two ends", l.name);
        Ok(Line { from: l.from, to: l.to, classes: classes(&l.classes)? })
    };
    Ok(Watch {
        zones: file.zone.iter().map(zone).collect::<Result<_>>()?,
        lines: file.line.iter().map(line).collect::<Result<_>>()?,
        settle: file.settle,
    })
}
