//! `osprey train` and `osprey classify`.

use crate::scratch::{Scratch, asset};
use image::{Rgb, RgbImage};
use serde_json::Value;
use std::path::PathBuf;

fn features() -> Option<PathBuf> {
    asset("models/mobilenet_v1_0.25_128_quant.tflite")
}

/// Stripes or checks in changing colours: classes that any features tell apart.
fn picture(class: &str, number: u32) -> RgbImage {
    RgbImage::from_fn(160, 120, |x, y| {
        let (x, y) = (x + 3 * number, y + 5 * number);
        let on = match class {
            "across" => y / 12 % 2 == 0,
            "down" => x / 12 % 2 == 0,
            _ => (x / 16 + y / 16) % 2 == 0,
        };
        let shade = 40 + (number * 23 % 60) as u8;
        if on { Rgb([shade, 200, 220 - shade]) } else { Rgb([230, shade, shade / 2]) }
    })
}

fn pictures(scratch: &Scratch, folder: &str, classes: &[&str], numbers: std::ops::Range<u32>) {
    for class in classes {
        for number in numbers.clone() {
            let path = scratch.write(&format!("{folder}/{class}/{number}.png"), b"");
            picture(class, number).save(path).expect("a picture");
        }
    }
}

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_classifier_is_trained_tested_resumed_and_used() {
    let Some(model) = features() else { return };
    let scratch = Scratch::new();
    pictures(&scratch, "train", &["across", "down"], 0..6);
    pictures(&scratch, "test", &["across", "down"], 6..10);
    let train = |args: &[&str]| {
        let output = scratch
            .osprey()
            .args(["train", "train", "--quiet", "--views", "4", "--output", "made"])
            .args(args)
            .output();
        output.expect("runs")
    };
    let model = model.display().to_string();
    let first = train(&["--model", &model, "--epochs", "5", "--test", "test", "--validation", "0.2"]);
    assert!(first.status.success(), "{first:?}");
    assert!(stdout(&first).contains("5 epochs") && stdout(&first).contains("accuracy 100.0 %"), "{first:?}");
    let report: Value = serde_json::from_str(&scratch.read("made/test.json")).expect("JSON");
    assert_eq!((report["pictures"].as_u64(), report["accuracy"].as_f64()), (Some(8), Some(1.0)));
    assert!(scratch.read("made/training.svg").starts_with("<svg"));

    let more = train(&["--resume", "--epochs", "8", "--validation", "0.2"]);
    assert!(more.status.success() && stdout(&more).contains("8 epochs"), "{more:?}");
    let history: Value = serde_json::from_str(&scratch.read("made/training.json")).expect("JSON");
    assert_eq!(history.as_array().map(Vec::len), Some(8), "the first five were not trained again");

    // A class that comes later is learned; the folder and the exported file then agree.
    pictures(&scratch, "train", &["checks"], 0..6);
    let grown = train(&["--resume", "--epochs", "25", "--validation", "0.2"]);
    assert!(grown.status.success(), "{grown:?}");
    pictures(&scratch, "test", &["checks"], 6..10);
    for (made, other) in [("made", ["--labels", "names.txt"]), ("made/model.tflite", ["--views", "2"])] {
        let refused =
            scratch.osprey().args(["classify", "test", "--model", made]).args(other).output().expect("runs");
        assert_eq!(refused.status.code(), Some(1), "an option that does nothing is refused: {refused:?}");
        let answers = scratch
            .osprey()
            .args(["classify", "test", "--recursive", "--format", "jsonl", "--model", made])
            .output();
        let answers = stdout(&answers.expect("runs"));
        let right = answers.lines().filter(|line| {
            let answer: Value = serde_json::from_str(line).expect("JSON");
            let class = answer["class"].as_str().unwrap_or("none");
            answer["image"].as_str().is_some_and(|image| image.contains(class))
        });
        assert!(right.count() >= 11, "{made}: {answers}");
    }
}

#[test]
fn neighbours_are_cross_validated() {
    let Some(model) = features() else { return };
    let scratch = Scratch::new();
    pictures(&scratch, "train", &["across", "down", "checks"], 0..4);
    for head in ["knn", "linear"] {
        let output = scratch
            .osprey()
            .args(["train", "train", "-q", "--views", "2", "--folds", "4", "--seeds", "2"])
            .args(["--head", head, "--model"])
            .arg(&model)
            .output()
            .expect("runs");
        let text = stdout(&output);
        assert!(output.status.success() && text.contains("of 24 pictures"), "{output:?}");
        assert!(text.contains("mean 100.0 %") || text.contains("mean 9"), "{text}");
    }
}

#[test]
fn what_cannot_be_learned_is_explained() {
    let Some(model) = features() else { return };
    let scratch = Scratch::new();
    let refused = |dir: &str, args: &[&str]| {
        let mut command = scratch.osprey();
        command.args(["train", dir, "-q", "--views", "1", "--model"]).arg(&model).args(args);
        if !args.contains(&"--output") {
            command.args(["--replace", "--output", "made"]);
        }
        let output = command.output();
        let output = output.expect("runs");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    std::fs::create_dir_all(scratch.path("flat")).expect("a folder");
    assert!(refused("flat", &[]).contains("has no folders inside"));
    pictures(&scratch, "one", &["across"], 0..1);
    assert!(refused("one", &[]).contains("at least two"));
    pictures(&scratch, "holes", &["across"], 0..2);
    std::fs::create_dir_all(scratch.path("holes/empty")).expect("a folder");
    assert!(refused("holes", &[]).contains("class \"empty\" has no examples"));
    pictures(&scratch, "two", &["across", "down"], 0..2);
    assert!(refused("two", &["--learning-rate", "0"]).contains("must be above 0"));
    assert!(refused("two", &["--tensors", "nothing"]).contains("no tensor \"nothing\""));
    assert!(refused("two", &["--output", "nowhere", "--resume"]).contains("holds no classifier"));
    let answer = scratch.osprey().args(["classify", "two", "-r", "--model", "two"]).output().expect("runs");
    assert!(String::from_utf8_lossy(&answer.stderr).contains("holds no classifier"), "{answer:?}");
}

/// Pictures of hands, few and hard, on the project's own detector.
#[test]
fn rock_paper_scissors() {
    let model =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/ssdlite_mobilenet_v2_300.tflite");
    let (Some(train), Some(test)) = (asset("hands/train"), asset("hands/test")) else { return };
    if !model.exists() {
        println!("skipped: models/ssdlite_mobilenet_v2_300.tflite is not there");
        return;
    }
    let scratch = Scratch::new();
    for head in ["knn", "linear"] {
        let output = scratch
            .osprey()
            .args(["train", "-q", "--head", head, "--output", head, "--model"])
            .arg(&model)
            .arg("--test")
            .arg(&test)
            .arg(&train)
            .output()
            .expect("runs");
        assert!(output.status.success(), "{output:?}");
        let report: Value = serde_json::from_str(&scratch.read(&format!("{head}/test.json"))).expect("JSON");
        let accuracy = report["accuracy"].as_f64().expect("a number");
        println!("{head}: {accuracy:.3} of {} pictures", report["pictures"]);
        assert!(accuracy >= 0.7, "{head}: {accuracy}");
    }
}
