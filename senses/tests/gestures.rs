//! The gestures that ship, streamed sample by sample from recordings of a person they never saw.

use osprey_detector::model::{LoadedModel, load};
use osprey_detector::{LoadOptions, Model};
use osprey_senses::motion::{MotionSpec, MotionStream, Smoothing};
use std::io::Read;
use std::path::{Path, PathBuf};

const WINDOW: usize = 20;
const CLASSES: usize = 4;

/// Rotation rate and user acceleration of each sample, and what the person did.
struct Recording {
    samples: Vec<[f32; 6]>,
    activity: Vec<usize>,
}

/// The recordings of a file: rows of session, activity, and twelve channels, of which 3 to 5 are the
/// rotation rate and 9 to 11 the user acceleration (models/cards/gestures.md has the proof).
fn recordings(file: &Path) -> Vec<Recording> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).expect("the recordings"))
        .read_to_string(&mut text)
        .expect("text");
    let mut found: Vec<(String, Recording)> = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |i: usize| fields[i].parse::<f32>().expect("a number");
        if found.last().is_none_or(|(session, _)| session != fields[0]) {
            found.push((fields[0].to_owned(), Recording { samples: Vec::new(), activity: Vec::new() }));
        }
        let (_, recording) = found.last_mut().expect("just pushed");
        recording.samples.push([5, 6, 7, 11, 12, 13].map(number));
        recording.activity.push(fields[1].parse().expect("an activity"));
    }
    found.into_iter().map(|(_, recording)| recording).collect()
}

/// What the person did in most samples.
fn majority(activity: &[usize]) -> usize {
    let count = |class| activity.iter().filter(|a| **a == class).count();
    (0..CLASSES).max_by_key(|class| (count(*class), CLASSES - class)).expect("classes")
}

fn shipped() -> (LoadedModel, MotionSpec) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/gestures.tflite");
    let loaded = load(file, &LoadOptions::default()).expect("the shipped model");
    let spec = loaded.entry.as_ref().and_then(|e| e.motion.clone()).expect("the manifest describes it");
    (loaded, spec)
}

#[test]
fn a_person_never_seen_is_understood() {
    let assets = std::env::var_os("OSPREY_ASSETS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/assets"), PathBuf::from);
    let folder = assets.join("motion/kodeco/test");
    if !folder.exists() {
        println!("skipped: motion/kodeco is neither in $OSPREY_ASSETS nor in ../shared/assets");
        return;
    }
    let (loaded, spec) = shipped();
    let (mut whole, convention) = (shipped().0.model, spec.convention);
    let mut stream = MotionStream::new(loaded.model, &spec, convention, Smoothing::OFF).expect("a stream");
    let (mut right, mut count) = (0, 0);
    for gesture in ["chop", "drive", "shake"] {
        for recording in recordings(&folder.join(format!("u_05-{gesture}-it-data.csv.gz"))) {
            stream.reset();
            whole.reset_state();
            let mut found = Vec::new();
            for (i, sample) in recording.samples.iter().enumerate() {
                let time = i as f64 / spec.rate;
                stream.push_each(time, sample, |p| found.push(p)).expect("a good sample");
            }
            let windows = recording.samples.chunks_exact(WINDOW).zip(recording.activity.chunks_exact(WINDOW));
            assert_eq!(found.len(), windows.len());
            for (prediction, (window, activity)) in found.iter().zip(windows) {
                assert_eq!(prediction.probabilities, answer(whole.as_mut(), window));
                right += usize::from(prediction.likeliest() == majority(activity));
                count += 1;
            }
        }
    }
    let accuracy = right as f64 / count as f64;
    println!("{right} of {count} windows of u_05, streamed: {:.2} %", 100.0 * accuracy);
    assert!(accuracy >= 0.975, "{accuracy}");
}

/// What the model says of a window that is given to it as a whole.
fn answer(model: &mut dyn Model, window: &[[f32; 6]]) -> Vec<f32> {
    let values: Vec<f32> = window.iter().flatten().copied().collect();
    model.input_mut(0).expect("an input").assign_f32(&values, None).expect("it fits");
    model.run().expect("it runs");
    model.output(0).expect("an output").to_f32(None).into_raw_vec_and_offset().0
}
