//! `osprey quantize`.

use super::scratch::{Scratch, osprey, outcome};
use std::path::{Path, PathBuf};

fn float() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/models/layers_float.tflite")
}

fn quantize(scratch: &Scratch, args: &[&str]) -> super::scratch::Outcome {
    outcome(scratch.osprey().arg("quantize").arg(float()).args(args).args(["-o", "small.tflite"]))
}

#[test]
fn pictures_make_a_full_integer_model_and_its_cost_is_told() {
    let scratch = Scratch::with_photos();
    let run = quantize(&scratch, &["--calibrate", "photos"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    for told in [
        "calibrated       3 samples",
        "operators as int8",
        "MB, was",
        "ms, was",
        "greatest errors",
        "CONV_2D",
    ] {
        assert!(run.stdout.contains(told), "{told}: {}", run.stdout);
    }
    let info = outcome(scratch.osprey().args(["info", "small.tflite"]));
    assert!(
        info.stdout.contains("int8, per channel") && info.stdout.contains("int8 [1, 13, 11, 3]"),
        "{}",
        info.stdout
    );
    assert_eq!(scratch.files().iter().filter(|f| f.ends_with(".tmp")).count(), 0);
}

#[test]
fn an_array_calibrates_too_and_borders_may_stay_float() {
    let scratch = Scratch::new();
    let mut bytes = Vec::new();
    {
        use npyz::WriterBuilder;
        let mut npy = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&[4, 13, 11, 3])
            .writer(&mut bytes)
            .begin_nd()
            .expect("npy");
        npy.extend((0..4 * 13 * 11 * 3).map(|i| (i % 200) as f32 / 100.0 - 1.0)).expect("numbers");
        npy.finish().expect("npy");
    }
    scratch.write("x.npy", bytes);
    let run = quantize(&scratch, &["--inputs", "x.npy", "--io", "float", "--method", "percentile"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let info = outcome(scratch.osprey().args(["info", "small.tflite"]));
    assert!(info.stdout.contains("float32 [1, 13, 11, 3]"), "{}", info.stdout);
}

#[test]
fn weights_alone_need_no_pictures() {
    let scratch = Scratch::new();
    let run = quantize(&scratch, &["--float16"]);
    assert!(run.status == Some(0) && run.stdout.contains("as float16"), "{} {}", run.stdout, run.stderr);
}

#[test]
fn what_is_missing_is_told() {
    let scratch = Scratch::new();
    let run = quantize(&scratch, &[]);
    assert!(run.status == Some(1) && run.stderr.contains("--calibrate"), "{}", run.stderr);
    let detector = super::scratch::detector();
    let run = outcome(osprey().arg("quantize").arg(detector).args(["--float16", "-o", "x.tflite"]));
    assert!(run.status == Some(1) && run.stderr.contains("quantized already"), "{}", run.stderr);
}
