//! Folders, patterns, names of results.

use super::scratch::{Scratch, detector, outcome};

#[test]
fn folders_inside_folders_keep_their_shape_in_the_results() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let cat = std::fs::read(scratch.path("photos/cat.png")).expect("a photo");
    scratch.write("photos/trip/day 1/cat.png", &cat);
    scratch.write("photos/trip/notes.txt", "no picture");
    let flat = outcome(&mut scratch.detect(&model, &["photos", "-f", "yolo", "-o", "flat"]));
    assert_eq!(flat.status, Some(0), "{}", flat.stderr);
    assert!(!scratch.path("flat/trip").exists());
    let args = ["photos", "--recursive", "-f", "voc", "-o", "labels", "--annotated", "drawn"];
    let deep = outcome(&mut scratch.detect(&model, &args));
    assert_eq!(deep.status, Some(0), "{}", deep.stderr);
    let files = scratch.files();
    for expected in ["labels/cat.xml", "labels/trip/day 1/cat.xml", "drawn/trip/day 1/cat.png"] {
        assert!(files.iter().any(|f| f == expected), "{expected} is not in {files:?}");
    }
}

#[test]
fn what_an_earlier_run_drew_is_not_looked_at_again() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    for _ in 0..2 {
        let run = outcome(&mut scratch.detect(&model, &[".", "-r", "-f", "jsonl", "--annotated", "drawn"]));
        assert_eq!((run.status, run.lines().len()), (Some(0), 3), "{}", run.stderr);
    }
}

#[test]
fn patterns_choose_pictures() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let run = outcome(&mut scratch.detect(&model, &["photos/*.jpg", "-f", "jsonl"]));
    let images: Vec<_> =
        run.lines().iter().map(|l| l["image"].as_str().expect("a path").to_owned()).collect();
    assert_eq!(images, ["photos/astronaut.jpg", "photos/coffee.jpg"]);
    let none = outcome(&mut scratch.detect(&model, &["photos/*.webp"]));
    assert_eq!(none.status, Some(1));
    assert!(none.stderr.contains("no picture matches this pattern"), "{}", none.stderr);
}
