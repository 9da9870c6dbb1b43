//! `osprey eval`: how good a model is, by what people say is in the pictures.

mod classify;
mod found;
mod plot;
mod report;

use crate::args::{EvalArgs, EvalTask};
use crate::detect::decode::kinds::EXTENSIONS;
use crate::detect::finder::Finder;
use crate::fail::SOME_SKIPPED;
use crate::files;
use anyhow::{Context, Result, bail, ensure};
use osprey_evaluate::{Interval, Judged, Scores, Truth, bootstrap, mistakes, score};
use serde_json::json;
use std::fmt::Write;
use std::process::ExitCode;

/// Detections below hardly change COCO's figures. Calibrated scores are low: from 0.01 on, AP50 of the built-in
/// detector would come out .003 lower.
const LEAST_SCORE: f32 = 0.001;

pub(crate) fn run(args: &EvalArgs) -> Result<ExitCode> {
    match (args.task, &args.inputs) {
        (Some(EvalTask::Classification), _) | (None, Some(_)) => classify::run(args),
        _ => detection(args),
    }
}

fn detection(args: &EvalArgs) -> Result<ExitCode> {
    let (Some(images), Some(truth)) = (&args.images, &args.truth) else {
        bail!("an evaluation of detections needs --images DIR and --truth FILE|DIR");
    };
    let (truth, judged) = match &args.detections {
        Some(file) => {
            let truth = Truth::read(truth, images, &[], &EXTENSIONS)?;
            let (judged, absent) = Judged::read(&truth, file)?;
            if absent > 0 {
                eprintln!(
                    "osprey: {absent} pictures of the truth are not in the detections; they are left out"
                );
            }
            (truth, judged)
        }
        None => {
            let mut choose = args.choose.clone();
            choose.score_threshold.get_or_insert(LEAST_SCORE);
            // COCO's figures judge each class by itself.
            choose.one_object_iou.get_or_insert(1.0);
            let mut finder = Finder::load(&args.model, &choose, &args.pictures, &args.tiles)?;
            let truth = Truth::read(truth, images, finder.labels(), &EXTENSIONS)?;
            let judged = found::by_model(&truth, &mut finder, args)?;
            (truth, judged)
        }
    };
    ensure!(!judged.is_empty(), "no picture of the truth could be read from {}", images.display());
    let scores = score(&truth, &judged)?;
    let intervals = bootstrap(&truth, &judged, args.bootstrap)?;
    print!("{}", text(&truth, &judged, &scores, &intervals));
    if let Some(path) = &args.json {
        files::write_whole(path, json(&truth, &judged, &scores, &intervals).to_string().as_bytes())?;
    }
    if let Some(path) = &args.plot {
        files::write_whole(path, plot::precision_recall(&truth, &scores).as_bytes())?;
    }
    if let Some(path) = &args.report {
        let mistakes = mistakes(&truth, &judged, args.report_score.into())?;
        let summary = text(&truth, &judged, &scores, &intervals);
        let page =
            report::Page { truth: &truth, judged: &judged, scores: &scores, mistakes: &mistakes, args };
        files::write_whole(path, page.html(&summary)?.as_bytes())?;
    }
    let all_read = judged.len() == truth.pictures.len();
    Ok(if all_read { ExitCode::SUCCESS } else { ExitCode::from(SOME_SKIPPED) })
}

/// What the figures of COCO mean, in the order in which they are computed.
fn meaning(name: &str) -> &'static str {
    match name {
        "AP" => "mean over IoU 0.50 to 0.95",
        "AP50" => "IoU 0.50",
        "AP75" => "IoU 0.75",
        "APs" => "objects below 32x32 pixels",
        "APm" => "objects up to 96x96 pixels",
        "APl" => "larger objects",
        "AR1" => "recall, 1 detection a picture",
        "AR10" => "recall, 10 detections a picture",
        "AR100" => "recall, 100 detections a picture",
        "ARs" => "recall, small objects",
        "ARm" => "recall, medium objects",
        "ARl" => "recall, large objects",
        _ => "",
    }
}

fn text(truth: &Truth, judged: &[Judged], scores: &Scores, intervals: &[Interval]) -> String {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(
        out,
        "{} pictures, {} objects of {} classes\n",
        judged.len(),
        truth.boxes(),
        scores.classes.len()
    );
    for (name, value) in &scores.summary {
        let interval = intervals.iter().find(|i| i.name == *name);
        let interval =
            interval.map(|i| format!("  95 % within {:.3} to {:.3}", i.low, i.high)).unwrap_or_default();
        let _ = writeln!(out, "{name:<6} {}  {:<33}{interval}", figure(*value), meaning(name));
    }
    let widest =
        scores.classes.iter().map(|c| truth.classes[c.class].chars().count()).max().unwrap_or(0).max(5);
    let _ = writeln!(
        out,
        "\n{:<widest$}  {:>7}  {:>8}  {:>6}  {:>6}  {:>6}",
        "class", "objects", "detected", "AP", "AP50", "AR"
    );
    for c in &scores.classes {
        let name = &truth.classes[c.class];
        let [ap, ap50, recall] = [c.ap, c.ap50, c.recall].map(figure);
        let _ = writeln!(
            out,
            "{name:<widest$}  {:>7}  {:>8}  {ap:>6}  {ap50:>6}  {recall:>6}",
            c.objects, c.found
        );
    }
    out
}

fn figure(value: f64) -> String {
    if value.is_nan() { "  –  ".into() } else { format!("{value:.4}") }
}

fn json(truth: &Truth, judged: &[Judged], scores: &Scores, intervals: &[Interval]) -> serde_json::Value {
    let number = |v: f64| if v.is_nan() { json!(null) } else { json!(v) };
    let summary: serde_json::Map<_, _> =
        scores.summary.iter().map(|(name, v)| ((*name).to_owned(), number(*v))).collect();
    let intervals: serde_json::Map<_, _> =
        intervals.iter().map(|i| (i.name.to_owned(), json!([i.low, i.high]))).collect();
    let classes: Vec<_> = scores
        .classes
        .iter()
        .map(|c| {
            json!({
                "class": truth.classes[c.class], "objects": c.objects, "detected": c.found,
                "AP": number(c.ap), "AP50": number(c.ap50), "AR100": number(c.recall),
            })
        })
        .collect();
    json!({ "pictures": judged.len(), "objects": truth.boxes(), "summary": summary, "interval95": intervals, "classes": classes })
}

/// Reads a file, or says which one could not be read.
fn read(path: &std::path::Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
