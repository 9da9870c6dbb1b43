//! Classifiers: accuracy, confusion, precision and recall of each class, calibration.

mod samples;

use super::figure;
use crate::args::EvalArgs;
use crate::{files, input, model};
use anyhow::{Context, Result, ensure};
use osprey_detector::Model;
use osprey_detector::model::{Labels, LoadedModel, to_probabilities};
use osprey_evaluate::calibration_error;
use osprey_learn::ConfusionMatrix;
use samples::Samples;
use serde_json::json;
use std::fmt::Write;
use std::process::ExitCode;

/// Bins of confidence.
const BINS: usize = 15;
/// Larger confusion matrices are not printed.
const PRINTED_CLASSES: usize = 24;

pub(crate) fn run(args: &EvalArgs) -> Result<ExitCode> {
    let source = model::resolve(args.model.model.as_deref())?;
    let mut options = model::options(args.model.backend, args.model.threads());
    options.labels = args.choose.labels.as_ref().map(Labels::read).transpose()?;
    options.input = args.pictures.entry()?;
    let mut loaded = source.load(&options)?;
    if args.images.is_some() {
        input::note(&source, &loaded);
    }
    let classes = loaded.model.outputs().first().map_or(0, |o| o.shape.iter().product());
    ensure!(classes > 1, "{source} is no classifier: its first output has {classes} numbers");
    let labels = class_names(&loaded, classes);
    let mut samples = Samples::open(args, &loaded, &labels)?;
    let mut table = Table::new(&labels);
    while let Some(truth) = samples.next(loaded.model.as_mut())? {
        ensure!(truth < classes, "class {truth} in the truth; the model tells {classes} apart");
        loaded.model.run()?;
        let scores = probabilities(loaded.model.as_ref())?;
        table.add(truth, &scores);
        if !args.keep_state {
            loaded.model.reset_state();
        }
    }
    ensure!(table.count() > 0, "there is nothing to classify");
    print!("{}", table.text());
    if let Some(file) = &args.json {
        files::write_whole(file, table.json().to_string().as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn class_names(loaded: &LoadedModel, classes: usize) -> Vec<String> {
    let labels = loaded.labels.clone().filter(|l| l.len() == classes);
    (0..classes)
        .map(|id| labels.as_ref().map_or_else(|| id.to_string(), |l| l.name(id).into_owned()))
        .collect()
}

/// The first output as probabilities.
fn probabilities(model: &dyn Model) -> Result<Vec<f32>> {
    let spec = model.outputs().first().context("the model has no output")?;
    let mut values: Vec<f32> = model.output(0)?.to_f32(spec.quantization.as_ref()).iter().copied().collect();
    to_probabilities(&mut values);
    Ok(values)
}

/// Truth against prediction.
struct Table {
    matrix: ConfusionMatrix,
    confidences: Vec<f64>,
    right: Vec<bool>,
}

impl Table {
    fn new(labels: &[String]) -> Self {
        Self { matrix: ConfusionMatrix::new(labels), confidences: Vec::new(), right: Vec::new() }
    }

    fn add(&mut self, truth: usize, probabilities: &[f32]) {
        // The first of equals, as argmax is understood everywhere.
        let (mut best, mut confidence) = (0, f32::NEG_INFINITY);
        for (class, &p) in probabilities.iter().enumerate() {
            if p > confidence {
                (best, confidence) = (class, p);
            }
        }
        self.matrix.record(truth, Some(best));
        self.confidences.push(f64::from(confidence.clamp(0.0, 1.0)));
        self.right.push(truth == best);
    }

    fn count(&self) -> usize {
        self.right.len()
    }

    fn accuracy(&self) -> f64 {
        self.matrix.accuracy().unwrap_or(f64::NAN)
    }

    /// Answers to examples of one class, by class.
    fn answers(&self, truth: usize) -> impl Iterator<Item = u64> {
        (0..self.matrix.classes().len()).map(move |answer| self.matrix.count(truth, Some(answer)))
    }

    /// Expected and greatest difference between confidence and accuracy over the bins.
    fn calibration(&self) -> (f64, f64) {
        calibration_error(&self.confidences, &self.right, BINS)
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let (expected, greatest) = self.calibration();
        let mean = self.confidences.iter().sum::<f64>() / self.count() as f64;
        // Writing into a string cannot fail.
        let _ = writeln!(out, "samples      {}", self.count());
        let _ = writeln!(out, "accuracy     {:.4}", self.accuracy());
        let _ = writeln!(out, "confidence   {mean:.4} on average");
        let _ = writeln!(
            out,
            "calibration  error {expected:.4} expected, {greatest:.4} greatest ({BINS} bins)\n"
        );
        let labels = self.matrix.classes();
        let widest = labels.iter().map(|l| l.chars().count()).max().unwrap_or(0).max(5);
        let _ = writeln!(
            out,
            "{:<widest$}  {:>7}  {:>9}  {:>6}  {:>6}",
            "class", "samples", "precision", "recall", "F1"
        );
        for report in self.matrix.reports() {
            let [precision, recall, f1] =
                [report.precision, report.recall, report.f1()].map(|v| figure(v.unwrap_or(f64::NAN)));
            let _ = writeln!(
                out,
                "{:<widest$}  {:>7}  {precision:>9}  {recall:>6}  {f1:>6}",
                report.class, report.examples
            );
        }
        if labels.len() <= PRINTED_CLASSES {
            let _ = writeln!(out, "\nconfusion: a row for each true class, a column for each answer");
            for (truth, label) in labels.iter().enumerate() {
                let counts: String = self.answers(truth).map(|n| format!(" {n:>6}")).collect();
                let _ = writeln!(out, "{label:<widest$} {counts}");
            }
        }
        out
    }

    fn json(&self) -> serde_json::Value {
        let (expected, greatest) = self.calibration();
        let classes: Vec<_> = self
            .matrix
            .reports()
            .iter()
            .map(|report| {
                json!({
                    "class": report.class, "samples": report.examples, "precision": report.precision,
                    "recall": report.recall, "f1": report.f1(),
                })
            })
            .collect();
        let confusion: Vec<Vec<u64>> =
            (0..self.matrix.classes().len()).map(|truth| self.answers(truth).collect()).collect();
        json!({
            "samples": self.count(), "accuracy": self.accuracy(), "calibration_error": expected,
            "greatest_calibration_error": greatest, "classes": classes, "confusion": confusion,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_from_the_confusion() {
        let mut table = Table::new(&["a", "b", "c"].map(String::from));
        for (truth, answer) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 0), (1, 1)] {
            let mut probabilities = [0.1; 3];
            probabilities[answer] = 0.8;
            table.add(truth, &probabilities);
        }
        let rows: Vec<Vec<u64>> = (0..3).map(|truth| table.answers(truth).collect()).collect();
        assert_eq!(rows, [[2, 1, 0], [1, 3, 0], [0, 0, 0]]);
        assert!((table.accuracy() - 5.0 / 7.0).abs() < 1e-12);
        let b = &table.matrix.reports()[1];
        assert_eq!((b.examples, b.precision, b.recall, b.f1()), (4, Some(0.75), Some(0.75), Some(0.75)));
        assert_eq!(table.matrix.reports()[2].recall, None);
        let (expected, _) = table.calibration();
        assert!((expected - (0.8 - 5.0 / 7.0)).abs() < 1e-6, "{expected}");
    }
}
