//! What is broken, missing or wrong is said, and costs only itself.

use super::scratch::{Scratch, detector, osprey, outcome};
use std::fs;

#[test]
fn broken_pictures_are_reported_and_the_rest_goes_on() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let jpeg = fs::read(scratch.path("photos/astronaut.jpg")).expect("a photo");
    scratch.write("photos/a-empty.jpg", "");
    scratch.write("photos/b-text.png", "this is not a picture");
    scratch.write("photos/d-half.jpg", &jpeg[..jpeg.len() / 2]);
    scratch.write("photos/z-bomb.png", bomb());
    let run = outcome(&mut scratch.detect(&model, &["photos", "missing.jpg", "--format", "jsonl"]));
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    let images: Vec<_> =
        run.lines().iter().map(|l| l["image"].as_str().expect("a path").to_owned()).collect();
    assert_eq!(images, ["photos/astronaut.jpg", "photos/cat.png", "photos/coffee.jpg"]);
    for said in [
        "a-empty.jpg: the file is empty",
        "b-text.png: not a JPEG",
        "d-half.jpg: the file ends",
        "60000x60000",
        "missing.jpg: no such file",
        "5 skipped",
    ] {
        assert!(run.stderr.contains(said), "\"{said}\" is not in\n{}", run.stderr);
    }
}

/// A PNG of a few bytes that claims 60,000 pixels on a side.
fn bomb() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0".to_vec();
    png.extend(0x0fb0_e215u32.to_be_bytes());
    png.extend(*b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    png
}

#[test]
fn where_no_picture_can_be_read_the_status_is_one() {
    let (model, scratch) = (detector(), Scratch::new());
    scratch.write("photos/a.jpg", "");
    let run = outcome(&mut scratch.detect(&model, &["photos", "--output", "out.csv"]));
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let empty = outcome(&mut scratch.detect(&model, &["photos/missing"]));
    assert_eq!(empty.status, Some(1));
    scratch.write("texts/a.txt", "");
    let texts = outcome(&mut scratch.detect(&model, &["texts"]));
    assert_eq!(texts.status, Some(1));
    assert!(texts.stderr.contains("texts: no picture in this folder"), "{}", texts.stderr);
}

#[test]
fn wrong_arguments_end_with_status_one_and_say_what_to_do() {
    let scratch = Scratch::with_photos();
    let fails = |args: &[&str], said: &str| {
        let run = outcome(scratch.osprey().args(args));
        assert_eq!(run.status, Some(1), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{args:?}: \"{said}\" is not in\n{}", run.stderr);
        assert_eq!(run.stdout, "");
    };
    fails(&["detect"], "<PATHS>");
    fails(&["detect", "photos", "--no-such-flag"], "--no-such-flag");
    fails(&["detect", "photos", "--score-threshold", "1.5"], "number from 0 to 1");
    fails(&["detect", "photos", "--format", "yolo"], "--output DIR");
    fails(&["detect", "photos", "--yolo-scores"], "--format yolo");
    fails(&["detect", "photos", "--model", "nowhere.tflite"], "nowhere.tflite");
    fails(&["detect", "photos", "--model", "photos"], "is a folder");
    fails(&["detect", "photos", "--model", "photos/cat.png"], "TFLite");
    fails(&["info", "photos/cat.png"], "TFLite");
    fails(&["frobnicate"], "frobnicate");
    let help = outcome(osprey().args(["detect", "--help"]));
    assert_eq!(help.status, Some(0));
    assert!(help.stdout.contains("--annotated") && help.stdout.contains("Examples"));
    assert_eq!(outcome(osprey().arg("--version")).status, Some(0));
}

#[test]
fn the_model_can_come_from_the_environment() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let run = outcome(scratch.osprey().env("OSPREY_MODEL", &model).args(["detect", "photos/cat.png"]));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let run = outcome(scratch.osprey().env("OSPREY_MODEL", "gone.tflite").args(["detect", "photos/cat.png"]));
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("gone.tflite (from $OSPREY_MODEL)"), "{}", run.stderr);
}

#[test]
fn outputs_appear_only_when_complete_and_nothing_else_is_left() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    scratch.write("old.json", "kept until the new one is complete");
    let args = ["photos", "-o", "old.json", "--report", "r.html", "--annotated", "drawn"];
    assert_eq!(outcome(&mut scratch.detect(&model, &args)).status, Some(0));
    assert!(scratch.read("old.json").contains("\"annotations\""));
    let files = scratch.files();
    assert!(!files.iter().any(|f| f.contains(".tmp")), "{files:?}");
    // A class that does not exist is noticed before anything is replaced.
    scratch.write("old.json", "kept");
    assert_eq!(
        outcome(&mut scratch.detect(&model, &["photos", "-o", "old.json", "-c", "unicorn"])).status,
        Some(1)
    );
    assert_eq!(scratch.read("old.json"), "kept");
}

#[test]
fn no_picture_is_ever_overwritten() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let before = fs::read(scratch.path("photos/cat.png")).expect("a photo");
    let run = outcome(&mut scratch.detect(&model, &["photos", "--annotated", "./photos"]));
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("overwritten"), "{}", run.stderr);
    assert_eq!(fs::read(scratch.path("photos/cat.png")).expect("a photo"), before);
}

#[cfg(unix)]
#[test]
fn devices_are_written_to_not_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let (model, scratch) = (detector(), Scratch::with_photos());
    let run = outcome(&mut scratch.detect(&model, &["photos/cat.png", "-f", "csv", "-o", "/dev/null"]));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(fs::metadata("/dev/null").expect("a device").file_type().is_char_device());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let run = outcome(&mut scratch.detect(&model, &["photos", "-f", "jsonl", "-o", "/dev/full"]));
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("No space"), "{}", run.stderr);
}
