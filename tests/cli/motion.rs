//! `osprey motion` and `osprey digits`, with the project's own models.

use crate::scratch::Scratch;
use image::{GrayImage, Luma};
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn model(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name);
    if !path.exists() {
        println!("skipped: models/{name} is not there");
    }
    path.exists().then_some(path)
}

/// Two steps a second for `seconds`, sampled at 50 Hz, in g.
fn steps(strength: f32, seconds: usize) -> String {
    let mut text = String::from("seconds,ax,ay,az\n");
    for i in 0..seconds * 50 {
        let t = i as f32 / 50.0;
        let beat = (t * 2.0 * std::f32::consts::TAU).sin();
        let _ = writeln!(text, "{t},{},{},{}", 0.1 * beat, strength * beat, -1.0 + strength * beat.abs());
    }
    text
}

const COLUMNS: &str = "acceleration_x=ax,acceleration_y=ay,acceleration_z=az";
const WINDOW: [&str; 4] = ["--channels", "acceleration_x,acceleration_y,acceleration_z", "--rate", "26"];

#[test]
fn a_table_of_samples_becomes_answers_and_a_timeline() {
    let Some(model) = model("activity.tflite") else { return };
    let scratch = Scratch::new();
    scratch.write("still.csv", steps(0.0, 12));
    let output = scratch
        .osprey()
        .args(["motion", "still.csv", "--column", COLUMNS, "--time", "seconds"])
        .args(WINDOW)
        .args(["--format", "jsonl", "--plot", "still.svg", "--model"])
        .arg(&model)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert!(lines.len() >= 5, "{text}");
    assert_eq!(lines[lines.len() - 1]["class"], "stationary", "{text}");
    assert!(scratch.read("still.svg").starts_with("<svg"));

    // The same samples without times, without a header, in another unit, from standard input.
    let bare: String = steps(0.0, 12)
        .lines()
        .skip(1)
        .map(|l| format!("{}\n", l.split_once(',').expect("a comma").1))
        .collect();
    let output = scratch
        .osprey()
        .args(["motion", "-", "--no-header", "--sample-rate", "50"])
        .args(WINDOW)
        .args([
            "--column",
            "acceleration_x=1,acceleration_y=2,acceleration_z=3",
            "--format",
            "jsonl",
            "--model",
        ])
        .arg(&model)
        .write_stdin(bare)
        .output()
        .expect("runs");
    let again = String::from_utf8_lossy(&output.stdout);
    assert_eq!(again.lines().count(), lines.len(), "{output:?}");
}

#[test]
fn mistakes_in_a_table_are_explained_and_bad_samples_counted() {
    let Some(model) = model("activity.tflite") else { return };
    let scratch = Scratch::new();
    let mut text = steps(0.0, 6);
    text += "nonsense,1,2,3\n6.1,NaN,0,0\n6.2,0,,0\n3.0,0,0,0\n";
    scratch.write("dirty.csv", text);
    let run = |args: &[&str]| {
        let output =
            scratch.osprey().args(["motion", "dirty.csv"]).args(args).arg("--model").arg(&model).output();
        let output = output.expect("runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let all = [&["--column", COLUMNS, "--time", "seconds"][..], &WINDOW].concat();
    let (status, told) = run(&all);
    assert_eq!(status, Some(2), "{told}");
    assert!(told.contains("2 with a value that is no number"), "{told}");
    assert!(told.contains("1 with a time that is no number"), "{told}");
    let (status, told) = run(&[&["--column", COLUMNS][..], &WINDOW].concat());
    assert!(
        status == Some(1) && told.contains("no column \"time\"") && told.contains("seconds, ax"),
        "{told}"
    );
    let (_, told) = run(&[&["--column", "acceleration_q=ax"][..], &WINDOW].concat());
    assert!(told.contains("acceleration_q"), "{told}");
}

#[test]
fn a_drawn_digit_is_read_from_a_picture() {
    let Some(model) = model("digits.tflite") else { return };
    let scratch = Scratch::new();
    // A seven: a bar, and a slanted stroke below its end.
    let seven = GrayImage::from_fn(200, 300, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let bar = (50.0..150.0).contains(&x) && (50.0..66.0).contains(&y);
        let down = (66.0..250.0).contains(&y) && (x - (142.0 - (y - 66.0) * 0.35)).abs() < 8.0;
        Luma([if bar || down { 20 } else { 235 }])
    });
    seven.save(scratch.path("seven.png")).expect("a picture");
    GrayImage::from_pixel(50, 50, Luma([200])).save(scratch.path("blank.png")).expect("a picture");
    let output = scratch
        .osprey()
        .args(["digits", "seven.png", "blank.png", "--format", "jsonl", "--model"])
        .arg(&model)
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    assert_eq!(answer["digit"], 7, "{answer}");
    assert_eq!(answer["probabilities"].as_array().map(Vec::len), Some(10));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing drawn"), "{output:?}");
}
