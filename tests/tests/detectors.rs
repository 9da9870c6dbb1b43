//! Detectors that other people made, with no option given, against what a plain LiteRT script finds in the
//! same photos: the same classes in the same places.
//!
//! Models and photos are third-party files that the repository does not hold; what the scripts found is in
//! `detectors.json`, written by `make_models/detectors.py`.

use osprey_detector::frame::Frame;
use osprey_detector::{Detection, Detector, DetectorOptions, NormBox};
use osprey_tests::assets;
use serde_json::Value;
use std::path::Path;

/// What is shown from this score on.
const LEAST: f32 = 0.4;
/// Scores this near to it may fall on either side.
const DOUBT: f32 = 0.05;
const IOU: f32 = 0.9;
const SCORE_TOLERANCE: f32 = 0.05;

fn expected(rows: &Value) -> Vec<Detection> {
    let number = |row: &Value, i: usize| row[i].as_f64().unwrap_or(f64::NAN) as f32;
    let row = |row: &Value| Detection {
        class_id: row[0].as_u64().unwrap_or(u64::MAX) as usize,
        score: number(row, 1),
        bbox: NormBox::from_edges([2, 3, 4, 5].map(|i| number(row, i))).clipped(),
    };
    rows.as_array().map(|rows| rows.iter().map(row).collect()).unwrap_or_default()
}

/// How many of `wanted` beyond doubt there are, and how many of them `others` lack.
fn missed(wanted: &[Detection], others: &[Detection]) -> (usize, Vec<String>) {
    let certain = wanted.iter().filter(|d| d.score >= LEAST + DOUBT);
    let same = |a: &Detection, b: &Detection| {
        a.class_id == b.class_id && a.bbox.iou(&b.bbox) >= IOU && (a.score - b.score).abs() <= SCORE_TOLERANCE
    };
    let absent = certain.clone().filter(|d| !others.iter().any(|o| same(d, o)));
    (certain.clone().count(), absent.map(|d| format!("{d:?}")).collect())
}

fn found(detector: &mut Detector, picture: &Path) -> Vec<Detection> {
    let image = image::open(picture).unwrap().into_rgb8();
    let (width, height) = image.dimensions();
    detector.detect(&Frame::rgb(&image, width, height).unwrap()).unwrap().to_vec()
}

#[test]
fn what_plain_scripts_find_is_found() {
    let Some(assets) = assets::optional("detectors") else { return };
    let all = std::fs::read(assets::repository().join("tests/detectors.json")).unwrap();
    let all: Value = serde_json::from_slice(&all).unwrap();
    let (mut failures, mut models) = (Vec::new(), 0);
    println!("{:<66} | {:<11} | LiteRT's | missed | ours beyond", "model", "head");
    for (name, pictures) in all.as_object().unwrap() {
        let path = assets.join("zoo").join(name);
        if !path.is_file() {
            println!("{name}: skipped, not among the assets");
            continue;
        }
        models += 1;
        let options = DetectorOptions { score_threshold: Some(LEAST), ..DetectorOptions::default() };
        let mut detector = Detector::load(&path, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (mut theirs, mut lost, mut beyond) = (0, 0, 0);
        let pictures = pictures.as_object().unwrap().iter().filter(|(_, rows)| !rows.is_null());
        for (picture, rows) in pictures {
            let wanted = expected(rows);
            let ours = found(&mut detector, &assets.join("images").join(picture));
            let (count, absent) = missed(&wanted, &ours);
            let (_, more) = missed(&ours, &wanted);
            (theirs, lost, beyond) = (theirs + count, lost + absent.len(), beyond + more.len());
            failures.extend(absent.iter().map(|d| format!("{name} {picture}: missed {d}")));
            failures.extend(more.iter().map(|d| format!("{name} {picture}: beyond {d}")));
        }
        println!("{name:<66.66} | {:<11} | {theirs:>8} | {lost:>6} | {beyond:>11}", detector.head().name());
    }
    if models == 0 {
        println!("detectors: skipped, no folder `zoo` among the assets");
    }
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}
