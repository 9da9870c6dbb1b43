//! `osprey models`.

use super::scratch::{Outcome, Scratch, detector, outcome};
use std::fs;

fn models(scratch: &Scratch, args: &[&str]) -> Outcome {
    outcome(scratch.osprey().env("OSPREY_MODELS", scratch.path("catalogue")).arg("models").args(args))
}

#[test]
fn a_model_is_added_used_by_name_and_removed() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    scratch.write("my model.tflite", fs::read(model).expect("a model"));
    assert!(!models(&scratch, &[]).stdout.contains("my-coco"));
    let nameless = models(&scratch, &["add", "my model.tflite"]);
    assert!(nameless.status == Some(1) && nameless.stderr.contains("--name"), "{}", nameless.stderr);
    let added = models(&scratch, &["add", "my model.tflite", "--name", "my-coco"]);
    assert_eq!(added.status, Some(0), "{}", added.stderr);
    assert!(models(&scratch, &[]).stdout.contains("my-coco"));
    let mut detect = scratch.osprey();
    detect.env("OSPREY_MODELS", scratch.path("catalogue")).args([
        "detect",
        "photos/cat.png",
        "--model",
        "my-coco",
    ]);
    let detected = outcome(&mut detect);
    assert_eq!(detected.status, Some(0), "{}", detected.stderr);
    let twice = models(&scratch, &["add", "my model.tflite", "--name", "my-coco"]);
    assert!(twice.status == Some(1) && twice.stderr.contains("--replace"), "{}", twice.stderr);
    assert_eq!(
        models(&scratch, &["add", "my model.tflite", "--name", "my-coco", "--replace"]).status,
        Some(0)
    );
    assert!(!scratch.files().iter().any(|f| f.contains(".tmp")));

    // A file that is not the one that was added is not used.
    let mut bytes = fs::read(scratch.path("catalogue/my-coco.tflite")).expect("the model");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(scratch.path("catalogue/my-coco.tflite"), bytes).expect("written");
    let changed = outcome(&mut detect);
    assert!(changed.status == Some(1) && changed.stderr.contains("has changed"), "{}", changed.stderr);

    assert_eq!(models(&scratch, &["remove", "my-coco"]).status, Some(0));
    assert!(!models(&scratch, &[]).stdout.contains("my-coco"));
    assert!(!scratch.path("catalogue/my-coco.tflite").exists());
}

#[test]
fn what_is_not_the_model_that_was_meant_is_refused() {
    let (model, scratch) = (detector(), Scratch::new());
    let model = model.to_str().expect("UTF-8");
    let refused = |args: &[&str], said: &str| {
        let run = models(&scratch, args);
        assert_eq!(run.status, Some(1), "{args:?}: {}", run.stdout);
        assert!(run.stderr.contains(said), "{args:?}: \"{said}\" is not in {}", run.stderr);
        assert!(!scratch.path("catalogue").exists(), "{args:?}");
    };
    let zeros = "0".repeat(64);
    refused(&["add", model, "--sha256", &zeros], "expected 0000");
    refused(&["add", model, "--sha256", "abc"], "64 hexadecimal digits");
    refused(&["add", model, "--name", "../outside"], "letters, digits");
    refused(&["add", model, "--name", ".hidden"], "letters, digits");
    refused(&["add", "https://example.com/m.tflite"], "--sha256");
    refused(&["add", "http://example.com/m.tflite", "--sha256", &zeros], "only https");
    scratch.write("text.tflite", "no model");
    refused(&["add", "text.tflite"], "no model that can be used");
    refused(&["remove", "nothing"], "no model \"nothing\"");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_catalogue_is_refused() {
    let (model, scratch) = (detector(), Scratch::new());
    let outside = scratch.write("outside/precious.tflite", "kept");
    fs::create_dir(scratch.path("catalogue")).expect("a folder");
    std::os::unix::fs::symlink(&outside, scratch.path("catalogue/m.tflite")).expect("a link");
    let run = models(&scratch, &["add", model.to_str().expect("UTF-8"), "--name", "m"]);
    assert!(run.status == Some(1) && run.stderr.contains("leads out"), "{}", run.stderr);
    assert_eq!(scratch.read("outside/precious.tflite"), "kept");
}
