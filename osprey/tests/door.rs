//! The front door: any kind of image in, labelled boxes out.
#![cfg(all(feature = "builtin", feature = "image"))]

use image::DynamicImage;
use osprey_vision::frame::Frame;
use osprey_vision::{Detection, Detector, DetectorOptions, Error, Image};
use std::path::{Path, PathBuf};

fn cat() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/cat.png")
}

fn best(found: &[Detection]) -> (&str, f32) {
    found.first().map_or(("nothing", 0.0), |d| (&*d.label, d.score))
}

#[test]
fn four_lines_find_the_cat() {
    let image = image::open(cat()).unwrap();
    let mut detector = Detector::built_in().unwrap();
    let found = detector.detect(&image).unwrap();
    assert_eq!(best(&found).0, "cat", "{found:?}");
    let b = found[0].bbox;
    let inside = b.x_min >= 0.0 && b.y_min >= 0.0 && b.x_max <= 451.0 && b.y_max <= 300.0;
    assert!(inside && b.x_max - b.x_min > 200.0 && b.y_max - b.y_min > 100.0, "pixels of the image: {b:?}");
    assert!(found.is_sorted_by(|a, b| a.score >= b.score), "best first");
}

#[test]
fn the_kind_of_image_does_not_matter() {
    let image = image::open(cat()).unwrap();
    let rgb = image.to_rgb8();
    let mut detector = Detector::built_in().unwrap();
    let expected = detector.detect(&rgb).unwrap();
    let kinds = [
        DynamicImage::ImageRgba8(image.to_rgba8()),
        DynamicImage::ImageRgb16(image.to_rgb16()),
        DynamicImage::ImageRgb32F(image.to_rgb32f()),
    ];
    for kind in &kinds {
        assert_eq!(detector.detect(kind).unwrap(), expected, "{:?}", kind.color());
    }
    assert_eq!(detector.detect(Frame::rgb(&rgb, 451, 300).unwrap()).unwrap(), expected);
    assert_eq!(detector.detect(Image::open(cat()).unwrap()).unwrap(), expected);
    assert_eq!(best(&detector.detect(&image.to_luma8()).unwrap()).0, "cat", "a gray cat");
}

#[test]
fn what_is_no_image_is_an_error() {
    let mut detector = Detector::built_in().unwrap();
    assert!(matches!(detector.detect(&image::RgbImage::new(0, 5)), Err(Error::Frame(_))));
    let missing = Image::open("no/such/dog.jpg").unwrap_err();
    assert!(missing.to_string().starts_with("no/such/dog.jpg: "), "{missing}");
    let wrong = DetectorOptions { score_threshold: Some(2.0), ..DetectorOptions::default() };
    assert!(matches!(Detector::built_in_with(&wrong), Err(Error::Detector(_))));
}
