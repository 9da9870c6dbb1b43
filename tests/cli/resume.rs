//! `--resume`: whatever ends a run, the next one goes on, and each picture is written once.

use crate::scratch::{Scratch, detector, outcome, samples};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const PICTURES: usize = 250;
const KILLS: u64 = 6;

fn quick() -> PathBuf {
    detector().with_file_name("ssdlite_mobilenet_v2_quick_160.tflite")
}

fn small_pictures(scratch: &Scratch) {
    let photo = image::open(samples().join("astronaut.jpg")).expect("a sample photo");
    let small = photo.resize(120, 120, image::imageops::FilterType::Triangle).into_rgb8();
    for number in 0..PICTURES {
        // No two files are equal, so that a picture that took another's place would show.
        let mut picture = small.clone();
        picture.put_pixel(0, 0, image::Rgb([number as u8; 3]));
        scratch.write(&format!("photos/{number:04}.png"), "");
        picture.save(scratch.path(&format!("photos/{number:04}.png"))).expect("a picture");
    }
}

fn run(scratch: &Scratch, output: &str, args: &[&str]) -> crate::scratch::Outcome {
    let common = ["photos", "-q", "--resume", "-o", output];
    outcome(&mut scratch.detect(&quick(), &[&common[..], args].concat()))
}

#[test]
fn a_run_that_is_killed_again_and_again_writes_each_picture_once() {
    let scratch = Scratch::new();
    small_pictures(&scratch);
    for (output, format) in [("found.jsonl", "jsonl"), ("found.csv", "csv")] {
        let length = || fs::metadata(scratch.path(output)).map_or(0, |m| m.len());
        for kill in 0..KILLS {
            let mut detect = Command::new(assert_cmd::cargo::cargo_bin!("osprey"));
            detect
                .current_dir(scratch.path(""))
                .args(["detect", "photos", "-q", "--resume", "-s", "0.05", "-o", output]);
            let mut child = detect.arg("--model").arg(quick()).stderr(Stdio::null()).spawn().expect("runs");
            // A little more than the last run wrote, each time at another place.
            let enough = length() + 1000 + 700 * kill;
            while length() < enough && child.try_wait().expect("a child").is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
        let last = run(&scratch, output, &["-s", "0.05"]);
        assert_eq!(last.status, Some(0), "{}", last.stderr);
        let mut seen = BTreeMap::<String, usize>::new();
        for line in scratch.read(output).lines() {
            match format {
                "jsonl" => {
                    let line: serde_json::Value = serde_json::from_str(line).expect("a whole line");
                    *seen.entry(line["image"].as_str().expect("a path").to_owned()).or_default() += 1;
                }
                _ => *seen.entry(line.split(',').next().expect("a column").to_owned()).or_default() += 1,
            }
        }
        if format == "csv" {
            assert_eq!(seen.remove("image"), Some(1), "one header");
        }
        assert_eq!(seen.len(), PICTURES, "{format}");
        let boxes: Vec<_> = seen.values().collect();
        // The pictures are alike: a picture written twice would have twice the lines.
        assert!(boxes.iter().all(|n| **n < 2 * *boxes[0] && boxes[0] < &(2 * **n)), "{format}: {seen:?}");
        let before = scratch.read(output);
        let again = run(&scratch, output, &["-s", "0.05"]);
        assert_eq!((again.status, scratch.read(output)), (Some(0), before), "{}", again.stderr);
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let scratch = Scratch::with_photos();
    assert_eq!(run(&scratch, "found.jsonl", &[]).status, Some(0));
    let other = run(&scratch, "found.jsonl", &["-s", "0.2"]);
    assert!(other.status == Some(1) && other.stderr.contains("other options"), "{}", other.stderr);
    let threads = run(&scratch, "found.jsonl", &["--threads", "2"]);
    assert_eq!(threads.status, Some(0), "{}", threads.stderr);
    scratch.write("old.jsonl", "{}\n");
    let old = run(&scratch, "old.jsonl", &[]);
    assert!(old.status == Some(1) && old.stderr.contains("without --resume"), "{}", old.stderr);
    assert_eq!(scratch.read("old.jsonl"), "{}\n");
    let format = run(&scratch, "found.json", &[]);
    assert!(format.status == Some(1) && format.stderr.contains("jsonl"), "{}", format.stderr);
    // A picture that is new or has changed is looked at.
    fs::copy(scratch.path("photos/cat.png"), scratch.path("photos/another.png")).expect("a copy");
    assert_eq!(run(&scratch, "found.jsonl", &[]).status, Some(0));
    assert_eq!(scratch.read("found.jsonl").lines().count(), 4);
    // A file for each picture.
    for _ in 0..2 {
        assert_eq!(run(&scratch, "labels", &["-f", "yolo"]).status, Some(0));
    }
    assert_eq!(scratch.files().iter().filter(|f| f.starts_with("labels/") && f.ends_with(".txt")).count(), 5);
}
