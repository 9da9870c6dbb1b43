//! `osprey detect`, with nothing said but the model, beside plain LiteRT scripts on detectors that other people made.
//!
//! What the scripts found is in `tests/detectors.json`; models and photos are no part of the repository.

use crate::scratch::{asset, osprey};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const LEAST: f64 = 0.4;
/// Scores this near to the least may fall on either side.
const DOUBT: f64 = 0.05;
const IOU: f64 = 0.9;
const SCORE_TOLERANCE: f64 = 0.05;

/// Class, score, and edges in fractions of the picture.
struct Found(u64, f64, [f64; 4]);

impl Found {
    fn is(&self, other: &Self) -> bool {
        self.0 == other.0 && (self.1 - other.1).abs() <= SCORE_TOLERANCE && self.iou(other) >= IOU
    }

    fn iou(&self, other: &Self) -> f64 {
        let area = |b: &[f64; 4]| (b[2] - b[0]).max(0.0) * (b[3] - b[1]).max(0.0);
        let (a, b) = (&self.2, &other.2);
        let common = area(&[a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
        common / (area(a) + area(b) - common)
    }
}

fn number(v: &Value) -> f64 {
    v.as_f64().expect("a number")
}

/// What the script found in one picture.
fn theirs(rows: &Value) -> Vec<Found> {
    let row = |r: &Value| {
        Found(
            r[0].as_u64().expect("a class"),
            number(&r[1]),
            [2, 3, 4, 5].map(|i| number(&r[i]).clamp(0.0, 1.0)),
        )
    };
    rows.as_array().expect("rows").iter().map(row).collect()
}

/// What the program found, by picture.
fn ours(model: &Path, photos: &[&Path]) -> BTreeMap<String, Vec<Found>> {
    let mut command = osprey();
    command.args([
        "detect",
        "--quiet",
        "--format",
        "jsonl",
        "--output",
        "-",
        "--score-threshold",
        "0.4",
        "--model",
    ]);
    let output = command.arg(model).args(photos).output().expect("the program runs");
    assert!(output.status.success(), "{}: {}", model.display(), String::from_utf8_lossy(&output.stderr));
    let record = |line: &str| {
        let r: Value = serde_json::from_str(line).expect("a record");
        let size = [number(&r["width"]), number(&r["height"])];
        let found = r["detections"].as_array().expect("detections").iter().map(|d| {
            let edges = [0, 1, 2, 3].map(|i| number(&d["box"][i]) / size[i % 2]);
            Found(d["class_id"].as_u64().expect("a class"), number(&d["score"]), edges)
        });
        let name = Path::new(r["image"].as_str().expect("a path")).file_name().expect("a name");
        (name.to_string_lossy().into_owned(), found.collect())
    };
    String::from_utf8_lossy(&output.stdout).lines().map(record).collect()
}

#[test]
fn detectors_of_others_find_what_litert_scripts_find() {
    let (Some(zoo), Some(images)) = (asset("zoo"), asset("images")) else { return };
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/detectors.json");
    let scripts: Value = serde_json::from_slice(&std::fs::read(scripts).expect("a file")).expect("JSON");
    let mut failures = Vec::new();
    println!("{:<66} | LiteRT's | missed | ours beyond", "model");
    for (model, pictures) in scripts.as_object().expect("models") {
        let pictures: Vec<_> =
            pictures.as_object().expect("pictures").iter().filter(|(_, r)| !r.is_null()).collect();
        let photos: Vec<_> = pictures.iter().map(|(name, _)| images.join(name)).collect();
        let found = ours(&zoo.join(model), &photos.iter().map(|p| p.as_path()).collect::<Vec<_>>());
        let (mut count, mut missed, mut beyond) = (0, 0, 0);
        for (picture, rows) in pictures {
            let (theirs, ours) = (theirs(rows), &found[picture]);
            let certain = |f: &&Found| f.1 >= LEAST + DOUBT;
            count += theirs.iter().filter(certain).count();
            missed += theirs.iter().filter(certain).filter(|t| !ours.iter().any(|o| o.is(t))).count();
            beyond += ours.iter().filter(certain).filter(|o| !theirs.iter().any(|t| o.is(t))).count();
        }
        println!("{model:<66.66} | {count:>8} | {missed:>6} | {beyond:>11}");
        if missed + beyond > 0 {
            failures.push(format!("{model}: {missed} missed, {beyond} beyond"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
