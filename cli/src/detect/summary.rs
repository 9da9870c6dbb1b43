//! What a run found, in figures.

use super::record::Record;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Counts over all pictures.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) pictures: u64,
    pub(crate) skipped: u64,
    pub(crate) elapsed: Duration,
    /// Whether the model's scores are probabilities of being right.
    calibrated: bool,
    by_class: BTreeMap<usize, ClassCount>,
    /// Milliseconds spent in each stage, over all pictures.
    stages: BTreeMap<&'static str, f64>,
}

/// Counts of one class.
#[derive(Debug, Default, Clone)]
pub(crate) struct ClassCount {
    pub(crate) class_id: usize,
    pub(crate) label: String,
    pub(crate) objects: u64,
    /// Pictures with at least one object of the class.
    pub(crate) pictures: u64,
    score_sum: f64,
}

impl ClassCount {
    pub(crate) fn mean_score(&self) -> f64 {
        self.score_sum / self.objects.max(1) as f64
    }
}

impl Summary {
    pub(crate) fn new(calibrated: bool) -> Self {
        Self { calibrated, ..Self::default() }
    }

    pub(crate) fn add(&mut self, record: &Record) {
        self.pictures += 1;
        let mut last_seen = Vec::new();
        for f in &record.found {
            let count = self.by_class.entry(f.class_id).or_default();
            if count.label.is_empty() {
                (count.class_id, count.label) = (f.class_id, f.label.clone());
            }
            count.objects += 1;
            count.score_sum += f64::from(f.score);
            if !last_seen.contains(&f.class_id) {
                count.pictures += 1;
                last_seen.push(f.class_id);
            }
        }
        for (stage, ms) in record.times.stages() {
            *self.stages.entry(stage).or_default() += ms;
        }
    }

    pub(crate) fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Classes found, most objects first.
    pub(crate) fn classes(&self) -> Vec<&ClassCount> {
        let mut classes: Vec<_> = self.by_class.values().collect();
        classes.sort_by_key(|c| (std::cmp::Reverse(c.objects), c.class_id));
        classes
    }

    pub(crate) fn objects(&self) -> u64 {
        self.by_class.values().map(|c| c.objects).sum()
    }

    /// Which share of the objects to expect right, in a sentence, where scores say it.
    pub(crate) fn expectation(&self) -> Option<String> {
        let objects = self.objects();
        if !self.calibrated || objects == 0 {
            return None;
        }
        let right: f64 = self.by_class.values().map(|c| c.score_sum).sum();
        let share = right / objects as f64 * 100.0;
        Some(format!("By its calibrated scores, about {share:.0} % of what the model shows is right"))
    }

    pub(crate) fn pictures_per_second(&self) -> f64 {
        self.pictures as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Mean milliseconds of a stage for each picture.
    pub(crate) fn mean_ms(&self, stage: &str) -> f64 {
        self.stages.get(stage).copied().unwrap_or(0.0) / self.pictures.max(1) as f64
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.classes();
        if !classes.is_empty() {
            let widest =
                classes.iter().map(|c| c.label.chars().count()).max().unwrap_or(0).max("class".len());
            writeln!(f, "{:<widest$}  {:>8}  {:>8}  {:>10}", "class", "objects", "pictures", "mean score")?;
            for c in classes {
                let mean = c.mean_score() * 100.0;
                writeln!(f, "{:<widest$}  {:>8}  {:>8}  {mean:>8.1} %", c.label, c.objects, c.pictures)?;
            }
        }
        if let Some(expectation) = self.expectation() {
            writeln!(f, "{expectation}")?;
        }
        write!(
            f,
            "{} with {} in {:.1} s ({:.1} a second; {:.1} ms of inference each)",
            counted(self.pictures, "picture"),
            counted(self.objects(), "object"),
            self.elapsed.as_secs_f64(),
            self.pictures_per_second(),
            self.mean_ms("inference"),
        )?;
        match self.skipped {
            0 => Ok(()),
            n => write!(f, ", {n} skipped"),
        }
    }
}

fn counted(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
