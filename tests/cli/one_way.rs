//! One image and one model give the same boxes whichever way they are asked for.

use crate::scratch::{Scratch, detector, osprey, outcome, samples};
use osprey_bridge::{PixelBuffer, model_file, session_options, session_poll};
use osprey_detector::frame::Frame;
use osprey_detector::{Detector, DetectorOptions, NormBox};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// So low that boxes come which lie on the padding alone.
const SCORE: &str = "0.0005";
const MOST: &str = "2000";

fn object(labels: &[String], class_id: usize, score: f32, bbox: NormBox, size: (u32, u32)) -> Value {
    let round = |value: f32, digits: f64| (f64::from(value) * digits).round() / digits;
    let edges = bbox.to_pixels(size.0, size.1).edges().map(|edge| round(edge, 100.0));
    json!({"label": labels[class_id], "class_id": class_id, "score": round(score, 10_000.0), "box": edges})
}

/// As Swift asks, with what it is given.
fn by_bridge(model: &str, labels: &[String], pixels: &[u8], size: (u32, u32)) -> Vec<Value> {
    let options = session_options();
    options.set_score_threshold(SCORE.parse().unwrap());
    options.set_max_detections(MOST.parse().unwrap());
    options.set_antialiased(true);
    let session = session_poll(&model_file(model.to_owned()).unwrap(), &options).unwrap();
    let buffer = PixelBuffer {
        base: pixels.as_ptr().expose_provenance(),
        length: pixels.len(),
        bytes_per_row: size.0 as usize * 3,
        chroma: 0,
        chroma_length: 0,
        chroma_bytes_per_row: 0,
        width: size.0,
        height: size.1,
        format: 2,
        color: 0,
        orientation: 1,
        mirrored: false,
        time_ns: 0,
        has_region: false,
        x_min: 0.0,
        y_min: 0.0,
        x_max: 0.0,
        y_max: 0.0,
    };
    session.submit(buffer).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let findings = loop {
        match session.next(100) {
            Some(findings) => break findings,
            None => assert!(Instant::now() < deadline, "no findings in 30 s"),
        }
    };
    let count = findings.facts().detections;
    let (mut floats, mut integers) = (vec![0f32; count * 7], vec![0u64; count * 2]);
    let addresses = (floats.as_mut_ptr().expose_provenance(), integers.as_mut_ptr().expose_provenance());
    findings.copy_objects(false, addresses.0, addresses.1, count);
    let objects = floats.as_chunks::<7>().0.iter().zip(integers.as_chunks::<2>().0);
    objects
        .map(|(f, i)| {
            let bbox = NormBox::from_edges([f[0], f[1], f[2], f[3]]);
            object(labels, i[1] as usize, f[4], bbox, size)
        })
        .collect()
}

#[test]
fn every_way_from_a_letterboxed_frame_gives_the_same_boxes() {
    let scratch = Scratch::new();
    let name = detector().file_name().unwrap().to_string_lossy().into_owned();
    let model = scratch.write(&name, std::fs::read(detector()).unwrap());
    let manifest = std::fs::read_to_string(detector().with_file_name("manifest.toml")).unwrap();
    scratch.write("manifest.toml", manifest.replace("\"stretch\"", "\"letterbox\""));
    // As PNG, so that every way has the same pixels.
    let rgb = image::open(samples().join("astronaut.jpg")).unwrap().into_rgb8();
    rgb.save(scratch.write("photos/astronaut.png", "")).unwrap();
    let size = rgb.dimensions();
    let options = DetectorOptions {
        score_threshold: Some(SCORE.parse().unwrap()),
        max_detections: MOST.parse().unwrap(),
        ..DetectorOptions::to_show()
    };
    let mut library = Detector::load(&model, &options).unwrap();
    let labels = library.class_names();
    let found = library.detect(&Frame::rgb(&rgb, size.0, size.1).unwrap()).unwrap();
    assert!(found.iter().all(|d| d.bbox.area() > 0.0), "what lies on the padding alone is nothing");
    let expected: Vec<_> = found.iter().map(|d| object(&labels, d.class_id, d.score, d.bbox, size)).collect();
    assert!(expected.len() > 100, "a weak test: {} boxes", expected.len());

    let arguments = ["--score-threshold", SCORE, "--max-detections", MOST, "--quiet"];
    let run = |command: &mut assert_cmd::Command| {
        let run = outcome(command.args(arguments).arg("--model").arg(&model));
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        run
    };
    let photos = scratch.path("photos");
    let folder = run(osprey().args(["detect", "--format", "jsonl"]).arg(&photos));
    assert_eq!(folder.lines()[0]["detections"], json!(expected), "detect");

    let recording = scratch.path("session.osprey");
    let live = run(osprey()
        .args(["live", "--every", "--filter", "antialiased", "--summary", "none", "--jsonl", "-", "--record"])
        .arg(&recording)
        .arg(&photos));
    assert_eq!(live.lines()[0]["detections"], json!(expected), "live");

    let replay =
        outcome(osprey().arg("replay").arg(&recording).args(&arguments[..4]).arg("--model").arg(&model));
    assert_eq!(replay.stdout, "1 of 1 frames equal\n", "replay: {}", replay.stderr);

    let bridge = by_bridge(model.to_str().unwrap(), &labels, &rgb, size);
    assert_eq!(json!(bridge), json!(expected), "bridge");
}
