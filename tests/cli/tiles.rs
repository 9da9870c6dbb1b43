//! `--tiles`: objects that are small in a picture.

use crate::scratch::{Scratch, detector, outcome, samples};
use image::{Rgb, RgbImage, imageops};
use serde_json::Value;

/// The sample photo of a cat, so wide, in the lower right of a grey picture.
fn small_cat(scratch: &Scratch, width: u32) {
    let cat = image::open(samples().join("cat.png")).expect("a sample photo").into_rgb8();
    let height = width * cat.height() / cat.width();
    let small = imageops::resize(&cat, width, height, imageops::FilterType::Triangle);
    let mut picture = RgbImage::from_pixel(1600, 1200, Rgb([120, 120, 120]));
    imageops::overlay(&mut picture, &small, 1150, 820);
    scratch.write("small.png", "");
    picture.save(scratch.path("small.png")).expect("a picture");
}

fn cats(line: &Value) -> Vec<[f64; 4]> {
    let found = line["detections"].as_array().expect("detections").iter();
    let cats = found.filter(|d| d["label"] == "cat");
    cats.map(|d| std::array::from_fn(|i| d["box"][i].as_f64().expect("a number"))).collect()
}

#[test]
fn a_small_object_is_found_once_and_in_its_place() {
    let (model, scratch) = (detector(), Scratch::new());
    small_cat(&scratch, 260);
    let found = |args: &[&str]| {
        let run = outcome(&mut scratch.detect(&model, &[&["small.png", "-q", "-f", "jsonl"], args].concat()));
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        cats(&run.lines()[0])
    };
    assert_eq!(found(&[]), Vec::<[f64; 4]>::new(), "the whole picture is enough: a weak test");
    for tiles in ["auto", "4", "500x500"] {
        let cats = found(&["--tiles", tiles]);
        assert_eq!(cats.len(), 1, "--tiles {tiles}: {cats:?}");
        let [x0, y0, x1, y1] = cats[0];
        assert!(x0 > 1130.0 && y0 > 800.0 && x1 < 1430.0 && y1 < 1050.0, "--tiles {tiles}: {cats:?}");
    }
    // The same by the live pipeline.
    let mut live = scratch.osprey();
    live.args(["live", "small.png", "--tiles", "4", "--every", "-q", "--summary", "none", "--jsonl", "-"]);
    let run = outcome(live.args(["--filter", "antialiased", "--model"]).arg(&model));
    assert_eq!(cats(&run.lines()[0]), found(&["--tiles", "4"]), "{}", run.stderr);
}

#[test]
fn wrong_tiles_are_explained() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    for (tiles, said) in [("0", "auto"), ("some", "auto"), ("640x", "640x640"), ("33", "32")] {
        let run = outcome(&mut scratch.detect(&model, &["photos", "--tiles", tiles]));
        assert!(run.status == Some(1) && run.stderr.contains(said), "{tiles}: {}", run.stderr);
    }
}
