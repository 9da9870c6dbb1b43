//! However a camera was held, the boxes lie on the upright picture.

use super::scratch::{Scratch, detector, iou, objects, outcome, samples};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, imageops};

/// The pixels as a camera stores them that writes this orientation: the inverse of what EXIF says a
/// viewer is to do.
fn stored(upright: &DynamicImage, orientation: u8) -> DynamicImage {
    match orientation {
        2 => upright.fliph(),
        3 => upright.rotate180(),
        4 => upright.flipv(),
        5 => upright.rotate270().flipv(),
        6 => upright.rotate270(),
        7 => upright.rotate90().flipv(),
        8 => upright.rotate90(),
        _ => upright.clone(),
    }
}

/// EXIF data with nothing but an orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif
}

fn encoded(mut encoder: impl ImageEncoder, image: &DynamicImage, orientation: u8) {
    encoder.set_exif_metadata(exif(orientation)).expect("the format holds EXIF");
    let pixels = image.to_rgb8();
    encoder.write_image(&pixels, image.width(), image.height(), ExtendedColorType::Rgb8).expect("encodes");
}

#[test]
fn all_eight_orientations_give_the_same_boxes() {
    let (model, scratch) = (detector(), Scratch::new());
    // Width and height differ, so that swapped axes cannot pass.
    let upright = image::open(samples().join("cat.png")).expect("a photo");
    let upright = DynamicImage::from(imageops::crop_imm(&upright, 30, 0, 400, 300).to_image());
    for orientation in 1..=8 {
        let image = stored(&upright, orientation);
        let (mut png, mut jpeg) = (Vec::new(), Vec::new());
        encoded(PngEncoder::new(&mut png), &image, orientation);
        encoded(JpegEncoder::new_with_quality(&mut jpeg, 98), &image, orientation);
        scratch.write(&format!("png/{orientation}.png"), png);
        scratch.write(&format!("jpeg/{orientation}.jpg"), jpeg);
    }
    // JPEG's blocks fall elsewhere in a turned picture; PNG's pixels are the same.
    for (folder, least_iou, score_tolerance) in [("png", 0.99, 0.02), ("jpeg", 0.97, 0.05)] {
        let run = outcome(&mut scratch.detect(
            &model,
            &[folder, "-f", "jsonl", "--max-detections", "1", "--classes", "cat", "--annotated", "drawn"],
        ));
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        let lines = run.lines();
        assert_eq!(lines.len(), 8);
        assert!(lines.iter().all(|l| l["width"] == 400 && l["height"] == 300), "{lines:?}");
        let cats = objects(&lines);
        assert_eq!(cats.len(), 8, "a cat in each: {cats:?}");
        for cat in &cats {
            assert!(iou(&cat.corners, &cats[0].corners) > least_iou, "{cat:?} {:?}", cats[0]);
            assert!((cat.score - cats[0].score).abs() < score_tolerance, "{cat:?} {:?}", cats[0]);
        }
        for line in &lines {
            let name = line["image"].as_str().expect("a path").replace(folder, "drawn").replace("drawn/", "");
            let name = name.rsplit('/').next().expect("a name").to_owned();
            let extension = if folder == "png" { "png" } else { "jpg" };
            let file = scratch.path("drawn").join(name).with_extension(extension);
            let size = image::image_dimensions(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            assert_eq!(size, (400, 300), "drawn upright");
        }
    }
}
