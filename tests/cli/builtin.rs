//! The detector that is part of the program.

use super::scratch::{Scratch, objects, osprey, outcome};
use std::path::Path;

#[test]
fn the_person_and_the_cat_are_found_without_any_flag() {
    let list = outcome(osprey().arg("models"));
    assert_eq!(list.status, Some(0), "{}", list.stderr);
    // A checkout without weights is the one case in which a build has none.
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/manifest.toml").exists() {
        println!("skipped: this checkout has no weights");
        return;
    }
    assert!(list.stdout.contains("(default)"), "no detector is built in:\n{}", list.stdout);
    let scratch = Scratch::with_photos();
    let run = outcome(scratch.osprey().args(["detect", "photos", "--format", "jsonl"]));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let found = objects(&run.lines());
    for (image, label) in [("photos/astronaut.jpg", "person"), ("photos/cat.png", "cat")] {
        let best = found.iter().find(|o| o.image == image);
        assert!(best.is_some_and(|o| o.label == label), "{label} in {image}: {found:#?}");
    }
    // Its scores are calibrated: their mean is the share to expect right.
    let mean = found.iter().map(|o| o.score).sum::<f64>() / found.len() as f64;
    let sentence = format!("about {:.0} % of what the model shows is right", mean * 100.0);
    assert!(run.stderr.contains(&sentence), "not \"{sentence}\" in {}", run.stderr);
    // It was not measured for parts of pictures.
    let run = outcome(scratch.osprey().args(["detect", "photos/cat.png", "--tiles", "2"]));
    assert!(run.status == Some(0) && !run.stderr.contains("calibrated"), "{}", run.stderr);
    for args in [&["info"][..], &["bench", "--iters", "3"]] {
        let run = outcome(osprey().args(args));
        assert_eq!(run.status, Some(0), "{args:?}: {}", run.stderr);
        assert!(run.stdout.contains("(built in)"), "{args:?}: {}", run.stdout);
    }
}
