//! `osprey info`.

use super::scratch::{asset, detector, osprey, outcome};

#[test]
fn every_model_at_hand_is_described() {
    let Some(folder) = asset("models") else { return };
    let mut described = 0;
    for entry in folder.read_dir().expect("a folder").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|e| e != "tflite") {
            continue;
        }
        let run = outcome(osprey().arg("info").arg("--nodes").arg(&path));
        assert_eq!(run.status, Some(0), "{}: {}", path.display(), run.stderr);
        for heading in ["input 0", "output 0", "quantization", "parameters", "backend", "operator"] {
            assert!(run.stdout.contains(heading), "{}: {heading}\n{}", path.display(), run.stdout);
        }
        if path.ends_with("model_invoking_error.tflite") {
            assert!(run.stdout.contains("cannot run it, because"), "{}", run.stdout);
            assert!(run.stdout.contains("fake-op-double"), "{}", run.stdout);
        }
        described += 1;
    }
    assert!(described > 5);
}

#[test]
fn a_detector_shows_its_labels_and_anchors() {
    let model = detector();
    let run = outcome(osprey().arg("info").arg(model));
    for said in [
        "uint8 [1, 300, 300, 3]",
        "1917 anchors, scores as logits",
        "person",
        "CONV_2D",
        "multiply-accumulates",
        "native",
    ] {
        assert!(run.stdout.contains(said), "\"{said}\" is not in\n{}", run.stdout);
    }
}
