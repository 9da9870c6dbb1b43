//! The project's own model on digits that are drawn here, and on MNIST.

use osprey_detector::LoadOptions;
use osprey_senses::digits::{DigitClassifier, DigitImage};
use std::f32::consts::TAU;
use std::path::{Path, PathBuf};

fn classifier() -> Option<DigitClassifier> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/digits.tflite");
    if !path.exists() {
        println!("skipped: models/digits.tflite is not there");
        return None;
    }
    Some(DigitClassifier::load(path, &LoadOptions::default()).unwrap())
}

/// Part of an ellipse, from one share of a turn to another; 0 is to the right, 0.25 down.
fn arc((cx, cy): (f32, f32), (rx, ry): (f32, f32), from: f32, to: f32) -> Vec<(f32, f32)> {
    (0..=24)
        .map(|i| TAU * (from + (to - from) * i as f32 / 24.0))
        .map(|a| (cx + rx * a.cos(), cy + ry * a.sin()))
        .collect()
}

fn joined(parts: &[Vec<(f32, f32)>]) -> Vec<(f32, f32)> {
    parts.concat()
}

/// Two ways to write each digit, about 1 wide and 1.6 high.
fn strokes(digit: u8, style: usize) -> Vec<Vec<(f32, f32)>> {
    let line = |points: &[(f32, f32)]| points.to_vec();
    match (digit, style) {
        (0, 0) => vec![arc((0.5, 0.8), (0.5, 0.8), 0.75, -0.25)],
        (0, _) => vec![arc((0.5, 0.8), (0.42, 0.8), -0.2, 0.82)],
        (1, 0) => vec![line(&[(0.5, 0.0), (0.5, 1.6)])],
        (1, _) => vec![line(&[(0.2, 0.4), (0.5, 0.0), (0.5, 1.6)])],
        (2, 0) => vec![joined(&[arc((0.5, 0.45), (0.45, 0.45), 0.5, 1.08), line(&[(0.0, 1.6), (1.0, 1.6)])])],
        (2, _) => vec![joined(&[arc((0.5, 0.5), (0.4, 0.5), 0.6, 1.1), line(&[(0.1, 1.5), (0.95, 1.45)])])],
        (3, 0) => vec![joined(&[
            arc((0.45, 0.4), (0.45, 0.4), 0.55, 1.2),
            arc((0.45, 1.18), (0.5, 0.42), 0.8, 1.45),
        ])],
        (3, _) => vec![joined(&[
            line(&[(0.0, 0.0), (0.9, 0.0), (0.4, 0.65)]),
            arc((0.4, 1.12), (0.5, 0.47), 0.75, 1.45),
        ])],
        (4, 0) => vec![line(&[(0.6, 0.0), (0.0, 1.0), (1.0, 1.0)]), line(&[(0.75, 0.5), (0.75, 1.6)])],
        (4, _) => vec![line(&[(0.1, 0.0), (0.05, 0.8), (0.9, 0.8)]), line(&[(0.85, 0.0), (0.8, 1.6)])],
        (5, 0) => vec![
            joined(&[line(&[(0.15, 0.0), (0.1, 0.7)]), arc((0.4, 1.1), (0.5, 0.5), 0.65, 1.4)]),
            line(&[(0.15, 0.0), (0.9, 0.0)]),
        ],
        (5, _) => vec![joined(&[
            line(&[(0.9, 0.0), (0.2, 0.0), (0.15, 0.65)]),
            arc((0.42, 1.1), (0.48, 0.48), 0.7, 1.4),
        ])],
        (6, 0) => {
            vec![joined(&[line(&[(0.75, 0.0), (0.3, 0.5)]), arc((0.5, 1.12), (0.45, 0.48), 0.55, -0.5)])]
        }
        (6, _) => {
            vec![joined(&[arc((0.9, 1.0), (0.85, 1.0), 0.7, 0.5), arc((0.48, 1.1), (0.43, 0.45), 0.5, -0.5)])]
        }
        (7, 0) => vec![line(&[(0.0, 0.0), (1.0, 0.0), (0.35, 1.6)])],
        (7, _) => vec![line(&[(0.0, 0.1), (0.9, 0.0), (0.7, 0.6), (0.4, 1.6)])],
        (8, 0) => vec![joined(&[
            arc((0.5, 0.4), (0.38, 0.4), 0.25, 1.25),
            arc((0.5, 1.2), (0.46, 0.4), -0.25, -1.25),
        ])],
        (8, _) => vec![arc((0.5, 0.42), (0.35, 0.42), 0.0, 1.0), arc((0.5, 1.2), (0.42, 0.38), 0.0, 1.0)],
        (9, 0) => {
            vec![joined(&[arc((0.45, 0.45), (0.4, 0.42), 0.0, -1.0), line(&[(0.85, 0.45), (0.8, 1.6)])])]
        }
        _ => vec![joined(&[arc((0.45, 0.42), (0.4, 0.4), -0.05, -0.95), line(&[(0.85, 0.3), (0.6, 1.6)])])],
    }
}

/// Pseudo-random numbers in −1..1, the same on every run.
struct Jitter(u64);

impl Jitter {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// Turned by up to 9°, sheared by up to 0.25, and with an unsteady hand.
fn by_hand(strokes: &[Vec<(f32, f32)>], seed: u64) -> Vec<Vec<(f32, f32)>> {
    let mut jitter = Jitter(seed);
    (0..8).for_each(|_| _ = jitter.next());
    let (angle, shear, narrow) = (0.16 * jitter.next(), 0.25 * jitter.next(), 0.85 + 0.15 * jitter.next());
    let (sin, cos) = angle.sin_cos();
    let wobble: Vec<f32> = (0..6).map(|_| 0.03 * jitter.next()).collect();
    let moved = |&(x, y): &(f32, f32)| {
        let x = x + wobble[0] * (4.0 * y + wobble[1] * 100.0).sin() + wobble[2] * (9.0 * y).cos();
        let y = y + wobble[3] * (4.0 * x + wobble[4] * 100.0).sin() + wobble[5] * (7.0 * x).cos();
        let x = narrow * x + shear * (0.8 - y);
        (100.0 * (x * cos - y * sin), 100.0 * (x * sin + y * cos))
    };
    strokes.iter().map(|s| s.iter().map(moved).collect()).collect()
}

#[test]
fn drawn_digits_are_read() {
    let Some(mut classifier) = classifier() else { return };
    let (mut right, mut count) = (0, 0);
    let mut wrong = Vec::new();
    for digit in 0..10 {
        for seed in 0..40 {
            let drawn = by_hand(&strokes(digit, seed as usize % 2), seed * 31 + u64::from(digit));
            let answer = classifier.classify(&DigitImage::from_strokes(&drawn).unwrap()).unwrap();
            let sum: f32 = answer.probabilities.iter().sum();
            assert!((sum - 1.0).abs() < 0.05, "{sum}");
            count += 1;
            right += usize::from(answer.digit == digit);
            if answer.digit != digit {
                wrong.push((digit, seed % 2, answer.digit));
            }
        }
    }
    println!("{right} of {count} drawn digits; (digit, style, answer) of the others: {wrong:?}");
    assert!(right as f64 >= 0.95 * count as f64, "{right} of {count}; {wrong:?}");
}

/// The content of a gzipped IDX file of bytes, behind its header.
fn idx(name: &str, header: usize) -> Option<Vec<u8>> {
    use std::io::Read;
    let folder = std::env::var_os("OSPREY_ASSETS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/assets"), PathBuf::from);
    let Ok(file) = std::fs::File::open(folder.join("mnist").join(name)) else {
        println!("skipped: no mnist/{name} in $OSPREY_ASSETS or ../shared/assets");
        return None;
    };
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    Some(bytes.split_off(header))
}

#[test]
fn mnist_is_read_as_its_card_says() {
    let Some(mut classifier) = classifier() else { return };
    let (Some(images), Some(labels)) =
        (idx("t10k-images-idx3-ubyte.gz", 16), idx("t10k-labels-idx1-ubyte.gz", 8))
    else {
        return;
    };
    let (mut right, mut again) = (0, 0);
    for (levels, &label) in images.chunks_exact(DigitImage::PIXELS).zip(&labels) {
        let image = DigitImage::from_mnist(levels).unwrap();
        right += usize::from(classifier.classify(&image).unwrap().digit == label);
        // Prepared from a picture four times as large, they should be read nearly as well.
        let large: Vec<u8> = (0..112 * 112).map(|i| levels[i / 112 / 4 * 28 + i % 112 / 4]).collect();
        let image = DigitImage::from_gray(&large, 112, 112).unwrap();
        again += usize::from(classifier.classify(&image).unwrap().digit == label);
    }
    println!(
        "MNIST test images: {right} right as they are, {again} right when prepared anew, of {}",
        labels.len()
    );
    assert!(right >= 9_930, "{right}");
    assert!(again >= 9_850, "{again}");
}
