//! From files to figures, by a truth whose answer is known.

use osprey_evaluate::{EvaluateError, Judged, Truth, bootstrap, calibration_error, mistakes, score};
use std::fs;
use std::path::Path;

const TRUTH: &str = r#"{
    "images": [
        {"id": 7, "file_name": "a.jpg", "width": 100, "height": 100},
        {"id": 9, "file_name": "b.jpg", "width": 100, "height": 100}
    ],
    "annotations": [
        {"image_id": 7, "category_id": 3, "bbox": [10, 10, 40, 40], "area": 1600},
        {"image_id": 9, "category_id": 3, "bbox": [50, 50, 40, 40], "area": 1600}
    ],
    "categories": [{"id": 3, "name": "dog"}, {"id": 5, "name": "cat"}]
}"#;

fn figures(detections: &str) -> (Truth, Vec<Judged>) {
    let folder = tempfile::tempdir().unwrap();
    let (truth, found) = (folder.path().join("gt.json"), folder.path().join("found.json"));
    fs::write(&truth, TRUTH).unwrap();
    fs::write(&found, detections).unwrap();
    let truth = Truth::read(&truth, folder.path(), &[], &["jpg"]).unwrap();
    let (judged, absent) = Judged::read(&truth, &found).unwrap();
    assert_eq!(absent, 0);
    (truth, judged)
}

#[test]
fn one_of_two_objects_is_half_the_precision() {
    let (truth, judged) = figures(
        r#"[{"image_id": 7, "category_id": 3, "bbox": [10, 10, 40, 40], "score": 0.9},
            {"image_id": 9, "category_id": 5, "bbox": [50, 50, 40, 40], "score": 0.8}]"#,
    );
    let scores = score(&truth, &judged).unwrap();
    let ap50 = scores.summary.iter().find(|(name, _)| *name == "AP50").unwrap().1;
    // Recall reaches a half at precision one: 51 of 101 points.
    assert!((ap50 - 51.0 / 101.0).abs() < 1e-9, "{ap50}");
    assert_eq!((scores.classes.len(), scores.classes[0].objects, scores.classes[0].found), (1, 2, 1));
    let worst = &mistakes(&truth, &judged, 0.5).unwrap()[0];
    assert_eq!((worst.judged, worst.missed.as_slice(), worst.right.len()), (1, &[0][..], 0));
    let intervals = bootstrap(&truth, &judged, 20).unwrap();
    let ap50 = intervals.iter().find(|i| i.name == "AP50").unwrap();
    assert!(ap50.low <= 0.5 && ap50.high >= 0.5, "{ap50:?}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let read = |truth: &Path| Truth::read(truth, folder.path(), &["dog".to_owned()], &["jpg"]);
    let file = folder.path().join("gt.json");
    fs::write(&file, "{").unwrap();
    assert!(matches!(read(&file), Err(EvaluateError::Format { path, .. }) if path == file));
    assert!(matches!(read(Path::new("nowhere")), Err(EvaluateError::Nothing(_))));
    let labels = folder.path().join("labels");
    fs::create_dir(&labels).unwrap();
    fs::write(folder.path().join("a.jpg"), "").unwrap();
    for (line, problem) in
        [("0 .5 .5 .1", "found 4 numbers"), ("1 .5 .5 .1 .1", "class 1 of 1"), ("0 5 5 1 1", "fractions")]
    {
        fs::write(labels.join("a.txt"), line).unwrap();
        let error = read(&labels).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("line 1"), "{error}");
    }
}

#[test]
fn half_right_at_full_confidence_is_an_error_of_a_half() {
    let (expected, greatest) = calibration_error(&[1.0, 1.0], &[true, false], 10);
    assert_eq!((expected, greatest), (0.5, 0.5));
}
