//! `osprey eval`.

use super::scratch::{Scratch, asset, detector, osprey, outcome};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cli/data").join(name)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// The figures in `pycocotools.json` are those of pycocotools 2.0 on `truth.json` and `found.json`:
/// random boxes of five classes in 24 pictures, with crowds, equal scores, and a class without
/// objects.
#[test]
fn figures_are_those_of_pycocotools() {
    let scratch = Scratch::new();
    let run = outcome(
        scratch
            .osprey()
            .args(["eval", "--images", ".", "--json", "figures.json"])
            .arg("--truth")
            .arg(data("truth.json"))
            .arg("--detections")
            .arg(data("found.json")),
    );
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let (ours, theirs) = (
        json(&scratch.read("figures.json")),
        json(&std::fs::read_to_string(data("pycocotools.json")).expect("a file")),
    );
    let mut compared = 0;
    for (name, expected) in theirs["summary"].as_object().expect("figures") {
        let (expected, actual) = (expected.as_f64().expect("a number"), ours["summary"][name].as_f64());
        assert!(
            actual.is_some_and(|a| (a - expected).abs() < 1e-6),
            "{name}: {actual:?}, expected {expected}"
        );
        compared += 1;
    }
    assert_eq!(compared, 12);
    for class in ours["classes"].as_array().expect("classes") {
        let name = class["class"].as_str().expect("a name");
        let difference = class["AP"].as_f64().expect("AP") - theirs["classes"][name].as_f64().expect("AP");
        assert!(difference.abs() < 1e-6, "{name}: {difference}");
    }
}

#[test]
fn a_model_is_judged_by_coco_yolo_and_voc_alike() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    // What the model itself finds, taken as the truth, must come out as perfect in every format.
    for (format, output) in [("coco", "truth.json"), ("yolo", "yolo"), ("voc", "voc")] {
        let made = outcome(
            &mut scratch.detect(&model, &["photos", "--format", format, "--output", output, "-s", "0.5"]),
        );
        assert_eq!(made.status, Some(0), "{}", made.stderr);
        let args = ["eval", "--images", "photos", "--truth", output, "-s", "0.5", "--json", "figures.json"];
        let run = outcome(scratch.osprey().args(args).arg("--model").arg(&model));
        let what = format!("{format}: {}{}", run.stdout, run.stderr);
        if format == "coco" {
            // The names in the file contain the folder, so none is found.
            assert_eq!(run.status, Some(1), "{what}");
            let args = ["eval", "--images", ".", "--truth", output, "-s", "0.5", "--json", "figures.json"];
            assert_eq!(outcome(scratch.osprey().args(args).arg("--model").arg(&model)).status, Some(0));
        } else {
            assert_eq!(run.status, Some(0), "{what}");
        }
        let figures = json(&scratch.read("figures.json"));
        assert!(figures["summary"]["AP50"].as_f64().is_some_and(|ap| ap > 0.999), "{what}");
        assert!(figures["summary"]["AP"].as_f64().is_some_and(|ap| ap > 0.98), "{what}");
    }
}

#[test]
fn the_report_shows_what_was_missed() {
    let (Some(images), Some(truth)) = (asset("eval/coco/images"), asset("eval/coco/gt.json")) else { return };
    let (model, scratch) = (detector(), Scratch::new());
    let run = outcome(
        scratch
            .osprey()
            .args([
                "eval",
                "--report",
                "misses.html",
                "--plot",
                "curves.svg",
                "--report-pictures",
                "5",
                "--bootstrap",
                "20",
                "--images",
            ])
            .arg(images)
            .arg("--truth")
            .arg(truth)
            .arg("--model")
            .arg(&model),
    );
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("AP50") && run.stdout.contains("95 % within"), "{}", run.stdout);
    let page = scratch.read("misses.html");
    assert_eq!(page.matches("<figure>").count(), 5);
    assert!(page.contains("class=\"missed\"") && page.contains("<svg") && !page.contains("src=\"http"));
    assert!(scratch.read("curves.svg").matches("<polyline").count() > 20);
}

#[test]
fn classifiers_are_judged_on_arrays() {
    let Some(model) = asset("models/mobilenet_v1_0.25_128_quant.tflite") else { return };
    let scratch = Scratch::new();
    let npy = |dtype: &str, shape: &str, bytes: Vec<u8>| {
        let mut header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        [b"\x93NUMPY\x01\0".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), &bytes]
            .concat()
    };
    const PIXELS: usize = 128 * 128 * 3;
    scratch.write(
        "x.npy",
        npy("|u1", "(3, 128, 128, 3)", (0..3 * PIXELS).map(|i| (i / 7 % 256) as u8).collect()),
    );
    scratch.write("y.npy", npy("<i8", "(3,)", [1i64, 2, 3].iter().flat_map(|v| v.to_le_bytes()).collect()));
    scratch.write("short.npy", npy("<i8", "(2,)", [1i64, 2].iter().flat_map(|v| v.to_le_bytes()).collect()));
    let run = |truth: &str| {
        outcome(
            scratch
                .osprey()
                .args(["eval", "--inputs", "x.npy", "--truth", truth, "--json", "j.json", "--model"])
                .arg(&model),
        )
    };
    let judged = run("y.npy");
    assert_eq!(judged.status, Some(0), "{}", judged.stderr);
    assert!(judged.stdout.contains("accuracy") && judged.stdout.contains("calibration"), "{}", judged.stdout);
    let figures = json(&scratch.read("j.json"));
    assert_eq!(figures["samples"], 3);
    let total: u64 = figures["confusion"]
        .as_array()
        .expect("rows")
        .iter()
        .flat_map(|r| r.as_array().expect("a row"))
        .map(|v| v.as_u64().expect("a count"))
        .sum();
    assert_eq!(total, 3);
    let refused = run("short.npy");
    assert!(refused.status == Some(1) && refused.stderr.contains("3 samples"), "{}", refused.stderr);
}

#[test]
fn wrong_truth_is_refused_with_its_place() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let fails = |truth: &str, said: &str| {
        let run = outcome(
            osprey()
                .current_dir(scratch.path(""))
                .args(["eval", "--images", "photos", "--truth", truth, "--model"])
                .arg(&model),
        );
        assert_eq!(run.status, Some(1), "{}", run.stdout);
        assert!(run.stderr.contains(said), "\"{said}\" is not in {}", run.stderr);
    };
    fails("nowhere", "nowhere");
    scratch.write("yolo/cat.txt", "15 0.5 0.5 0.2 0.2\n15 0.5 x 0.2 0.2\n");
    fails("yolo", "cat.txt, line 2");
    scratch.write("pixels/cat.txt", "15 120 80 30 40\n");
    fails("pixels", "fractions");
    scratch.write("voc/cat.xml", "<annotation><object><name>cat</name></object></annotation>");
    fails("voc", "cat.xml");
    scratch.write("bad.json", "{\"images\": []}");
    fails("bad.json", "COCO JSON");
}
