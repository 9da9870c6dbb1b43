//! The detector that is part of the program.

use super::scratch::{Scratch, objects, osprey, outcome};

#[test]
fn the_person_and_the_cat_are_found_without_any_flag() {
    let list = outcome(osprey().arg("models"));
    assert_eq!(list.status, Some(0), "{}", list.stderr);
    if !list.stdout.contains("(default)") {
        println!("skipped: this build has no detector of its own");
        return;
    }
    let scratch = Scratch::with_photos();
    let run = outcome(scratch.osprey().args(["detect", "photos", "--format", "jsonl"]));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let found = objects(&run.lines());
    for (image, label) in [("photos/astronaut.jpg", "person"), ("photos/cat.png", "cat")] {
        let best = found.iter().find(|o| o.image == image);
        assert!(best.is_some_and(|o| o.label == label), "{label} in {image}: {found:#?}");
    }
    for args in [&["info"][..], &["bench", "--iters", "3"]] {
        let run = outcome(osprey().args(args));
        assert_eq!(run.status, Some(0), "{args:?}: {}", run.stderr);
        assert!(run.stdout.contains("(built in)"), "{args:?}: {}", run.stdout);
    }
}
