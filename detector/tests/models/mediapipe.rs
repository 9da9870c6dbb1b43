//! Detectors whose raw outputs MediaPipe's metadata describe, and EfficientDet's without any.

use crate::build::{RawDetector, custom_metadata};
use crate::fixed::Fixed;
use osprey_detector::frame::Frame;
use osprey_detector::model::{HeadKind, LoadedModel, Metadata};
use osprey_detector::{Detection, Detector, DetectorOptions, ModelError, NormBox};

const NAME: &str = "DETECTOR_METADATA";
/// One class passes for each anchor.
const SCORES: [&[u8]; 2] = [&[0, 230, 10], &[5, 0, 160]];

fn raw() -> RawDetector {
    RawDetector {
        anchors: vec![[0.3, 0.4, 0.2, 0.1], [0.7, 0.5, 0.3, 0.4]],
        scale: [2.0, 4.0, 1.0, 1.0],
        exponential: true,
        sigmoid: false,
    }
}

fn described(boxes: &[[f32; 4]], scores: &[&[u8]], raw: &RawDetector) -> LoadedModel {
    let metadata = Metadata::read(&custom_metadata(NAME, &raw.described())).unwrap();
    LoadedModel { metadata, ..Fixed::new(boxes, scores).loaded(None) }
}

fn found(detector: &mut Detector) -> Vec<Detection> {
    let frame = [0u8; 3 * 30 * 20];
    detector.detect(&Frame::rgb(&frame, 30, 20).unwrap()).unwrap().to_vec()
}

fn near(found: &Detection, class_id: usize, yxyx: [f32; 4]) -> bool {
    let [y0, x0, y1, x1] = yxyx;
    let b = found.bbox;
    found.class_id == class_id
        && [(b.y_min, y0), (b.x_min, x0), (b.y_max, y1), (b.x_max, x1)]
            .iter()
            .all(|(a, b)| (a - b).abs() < 1e-5)
}

#[test]
fn anchors_and_divisors_come_from_the_metadata() {
    // y, x, h, w: half a height down, a quarter of a width left; twice as high.
    let boxes = [[2.0, -0.5, 2f32.ln(), 0.0], [0.0; 4]];
    let mut detector =
        Detector::from_model(described(&boxes, &SCORES, &raw()), &DetectorOptions::default()).unwrap();
    assert_eq!((detector.classes(), detector.has_background()), (3, false));
    assert!(detector.notes().is_empty(), "{:?}", detector.notes());
    let found = found(&mut detector);
    assert_eq!(found.len(), 2);
    assert!(near(&found[0], 1, [0.35, 0.15, 0.55, 0.35]), "{:?}", found[0]);
    assert!(near(&found[1], 2, [0.3, 0.55, 0.7, 0.85]), "{:?}", found[1]);
    assert!((found[0].score - 230.0 / 256.0).abs() < 1e-6);
}

#[test]
fn sizes_may_be_factors_and_scores_logits() {
    let boxes = [[0.0, 0.0, 2.0, 1.0], [0.0, 0.0, 1.0, 0.5]];
    let raw = RawDetector { exponential: false, sigmoid: true, ..raw() };
    let options = DetectorOptions { score_threshold: Some(0.6), ..DetectorOptions::default() };
    let mut detector = Detector::from_model(described(&boxes, &SCORES, &raw), &options).unwrap();
    let found = found(&mut detector);
    assert_eq!(found.len(), 2);
    assert!(near(&found[0], 1, [0.3, 0.2, 0.5, 0.4]), "{:?}", found[0]);
    assert!(near(&found[1], 2, [0.3, 0.625, 0.7, 0.775]), "{:?}", found[1]);
    assert!((found[0].score - 1.0 / (1.0 + (-230f32 / 256.0).exp())).abs() < 1e-6);
}

#[test]
fn damaged_descriptions_are_refused() {
    let whole = raw().described();
    for cut in [0, 3, 7] {
        let metadata = Metadata::read(&custom_metadata(NAME, &whole[..cut]));
        assert!(matches!(metadata, Err(ModelError::Metadata { .. })), "{cut}");
    }
    for at in 0..whole.len() {
        for value in [0, 1, 127, 255] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            // An error or a description, and no panic.
            let _ = Metadata::read(&custom_metadata(NAME, &damaged));
        }
    }
    for bad in [
        RawDetector { scale: [0.0, 1.0, 1.0, 1.0], ..raw() },
        RawDetector { anchors: vec![[f32::NAN; 4]], ..raw() },
    ] {
        assert!(Metadata::read(&custom_metadata(NAME, &bad.described())).is_err());
    }
    assert_eq!(Metadata::read(&custom_metadata("ANOTHER", &whole)).unwrap().detector, None);
}

#[test]
fn anchors_of_efficientdet_are_made_where_the_file_has_none() {
    // Maps of 3 × 4, 2 × 2 and three of 1 × 1 cells, nine anchors each.
    let count = 9 * (12 + 4 + 3);
    let boxes = vec![[0.0; 4]; count];
    let mut scores: Vec<&[u8]> = vec![&[0, 0]; count];
    // The second size, twice as wide as high, of the second cell of the first row.
    scores[9 + 4] = &[0, 200];
    let fixed = Fixed::new(&boxes, &scores).loaded(None);
    // So small a number of boxes could be another family's.
    let loaded = LoadedModel { given_head: Some(HeadKind::Ssd), ..fixed };
    let mut detector = Detector::from_model(loaded, &DetectorOptions::default()).unwrap();
    assert!(detector.notes().iter().any(|n| n.contains("EfficientDet")), "{:?}", detector.notes());
    assert_eq!((detector.classes(), detector.has_background()), (2, false));
    let found = found(&mut detector);
    let side = 3.0 * 2f32.powf(1.0 / 3.0);
    let (h, w) = (side / 2f32.sqrt() / 3.0, side * 2f32.sqrt() / 4.0);
    let edges = [0.375 - w / 2.0, 0.5 / 3.0 - h / 2.0, 0.375 + w / 2.0, 0.5 / 3.0 + h / 2.0];
    let wanted = NormBox::from_edges(edges).clipped();
    assert_eq!((found.len(), found[0].class_id), (1, 1));
    assert!(found[0].bbox.iou(&wanted) > 0.999, "{:?} in place of {wanted:?}", found[0]);
}
