//! What callers choose, on a model whose outputs are known.

use crate::fixed::Fixed;
use osprey_detector::model::{Entry, LabelError, LabelSource, Labels};
use osprey_detector::ssd::{Anchor, SCORE_THRESHOLD, SoftDecay, SsdSpec};
use osprey_detector::{ClassFilter, Detect, Detector, DetectorError, DetectorOptions, Nms, NmsKind};

/// Two piles of boxes, left and right, each of two that overlap by 0.6 ÷ 1.0 = 0.6.
const ANCHORS: [[f32; 4]; 4] =
    [[0.5, 0.20, 0.4, 0.2], [0.5, 0.25, 0.4, 0.2], [0.5, 0.70, 0.4, 0.2], [0.5, 0.75, 0.4, 0.2]];

/// Background, cat, dog, bird.
const SCORES: [&[u8]; 4] = [
    &[10, 200, 30, 0],  // left: a cat
    &[10, 100, 180, 0], // left: a dog, and less a cat
    &[10, 0, 0, 90],    // right: perhaps a bird
    &[250, 0, 80, 85],  // right: perhaps a bird or a dog
];

fn labels() -> Labels {
    Labels::new(["???", "cat", "dog", "bird"], LabelSource::Given)
}

fn options() -> DetectorOptions {
    DetectorOptions {
        anchors: Some(ANCHORS.map(Anchor::from).to_vec()),
        nms: Nms { kind: NmsKind::PerClass, iou_threshold: Some(0.5) },
        score_threshold: Some(0.3),
        ..DetectorOptions::default()
    }
}

fn run(options: &DetectorOptions) -> Vec<(usize, u32)> {
    let model = Fixed::new(&[[0.0; 4]; 4], &SCORES).loaded(Some(labels()));
    let mut detector = Detector::from_model(model, options).unwrap();
    detector.infer().unwrap();
    let found = detector.detections().unwrap();
    found.iter().map(|d| (d.class_id, (d.score * 256.0).round() as u32)).collect()
}

#[test]
fn classes_do_not_suppress_each_other_unless_asked_to() {
    // The cat in the second box is hidden by the first, the bird in the last by the third.
    assert_eq!(run(&options()), [(0, 200), (1, 180), (2, 90), (1, 80)]);
    let agnostic = Nms { kind: NmsKind::ClassAgnostic, iou_threshold: Some(0.5) };
    assert_eq!(run(&DetectorOptions { nms: agnostic, ..options() }), [(0, 200), (2, 90)]);
    let loose = Nms { kind: NmsKind::ClassAgnostic, iou_threshold: Some(0.7) };
    assert_eq!(run(&DetectorOptions { nms: loose, ..options() }), [(0, 200), (1, 180), (2, 90), (2, 85)]);
}

#[test]
fn an_object_has_one_class_where_people_look() {
    let shown = DetectorOptions { one_object_iou: Some(0.5), ..options() };
    assert_eq!(run(&shown), [(0, 200), (2, 90)]);
    assert_eq!(run(&DetectorOptions { one_object_iou: Some(0.7), ..options() }).len(), 4);
    let soft = Nms { kind: NmsKind::Soft(SoftDecay::Linear), iou_threshold: Some(0.5) };
    let soft = DetectorOptions { nms: soft, ..shown };
    assert_eq!(run(&soft), run(&DetectorOptions { one_object_iou: None, ..soft.clone() }));
    assert_eq!(DetectorOptions::default().one_object_iou, None);
    assert!(DetectorOptions::to_show().one_object_iou.is_some());
}

#[test]
fn without_a_threshold_the_manifests_counts() {
    let with = |threshold| {
        let mut model = Fixed::new(&[[0.0; 4]; 4], &SCORES).loaded(Some(labels()));
        model.entry = Some(Entry { threshold, ..Entry::default() });
        let detector = Detector::from_model(model, &DetectorOptions { score_threshold: None, ..options() });
        detector.unwrap().score_threshold()
    };
    assert_eq!(with(Some(0.25)), 0.25);
    assert_eq!(with(None), SCORE_THRESHOLD);
}

#[test]
fn soft_suppression_lowers_scores() {
    let nms = Nms { kind: NmsKind::Soft(SoftDecay::Linear), iou_threshold: Some(0.5) };
    let soft = DetectorOptions { nms, score_threshold: Some(0.1), ..options() };
    // 100 × (1 − 0.6), 85 × (1 − 0.6), 30 × (1 − 0.6) falls below.
    assert_eq!(run(&soft), [(0, 200), (1, 180), (2, 90), (1, 80), (0, 40), (2, 34)]);
}

#[test]
fn the_fast_rule_reports_more_classes_of_a_box() {
    let nms = Nms { kind: NmsKind::TfliteFast { max_classes_per_detection: 2 }, iou_threshold: Some(0.7) };
    let fast = DetectorOptions { nms, ..options() };
    assert_eq!(run(&fast), [(0, 200), (1, 180), (0, 100), (2, 90), (2, 85), (1, 80)]);
    let nms = Nms { kind: NmsKind::TfliteRegular { detections_per_class: 1 }, iou_threshold: Some(0.7) };
    assert_eq!(run(&DetectorOptions { nms, ..options() }), [(0, 200), (1, 180), (2, 90)]);
}

#[test]
fn thresholds_hold_for_all_or_for_one_class() {
    assert_eq!(run(&DetectorOptions { score_threshold: Some(0.5), ..options() }), [(0, 200), (1, 180)]);
    let class_thresholds = vec![("dog".into(), 0.75), ("2".into(), 0.2)];
    let chosen = DetectorOptions { score_threshold: Some(0.7), class_thresholds, ..options() };
    assert_eq!(run(&chosen), [(0, 200), (2, 90)]);
    // A threshold is reached by the score that equals it.
    assert_eq!(run(&DetectorOptions { score_threshold: Some(200.0 / 256.0), ..options() }), [(0, 200)]);
}

#[test]
fn what_is_not_wanted_does_not_suppress() {
    let only = |names: &[&str]| ClassFilter::Only(names.iter().map(|n| (*n).to_owned()).collect());
    let nms = Nms { kind: NmsKind::ClassAgnostic, iou_threshold: Some(0.5) };
    let dogs = DetectorOptions { classes: only(&["Dog"]), nms, ..options() };
    assert_eq!(run(&dogs), [(1, 180), (1, 80)]);
    let except = ClassFilter::Except(vec!["cat".into(), "bird".into()]);
    assert_eq!(run(&DetectorOptions { classes: except, nms, ..options() }), [(1, 180), (1, 80)]);
    assert_eq!(run(&DetectorOptions { classes: only(&[]), ..options() }), []);
}

#[test]
fn the_best_come_first_and_no_more_than_asked_for() {
    assert_eq!(run(&DetectorOptions { max_detections: 2, ..options() }), [(0, 200), (1, 180)]);
    assert_eq!(run(&DetectorOptions { max_detections: 0, ..options() }), []);
}

#[test]
fn boxes_land_where_the_anchors_are() {
    let model = Fixed::new(&[[1.0, -2.0, 0.0, 0.0]; 4], &SCORES).loaded(Some(labels()));
    let mut detector = Detector::from_model(model, &options()).unwrap();
    detector.infer().unwrap();
    let found = detector.detections().unwrap();
    // A tenth of 0.4 down, two tenths of 0.2 to the left.
    let b = found[0].bbox;
    let off = [b.y_min - 0.34, b.x_min - 0.06, b.y_max - 0.74, b.x_max - 0.26];
    assert!(off.iter().all(|o| o.abs() < 1e-6), "{b:?}");
}

#[test]
fn settings_change_while_running_and_mistakes_leave_them_alone() {
    let model = Fixed::new(&[[0.0; 4]; 4], &SCORES).loaded(Some(labels()));
    let mut detector = Detector::from_model(model, &options()).unwrap();
    detector.reconfigure(&DetectorOptions { score_threshold: Some(0.75), ..options() }).unwrap();
    let wrong = DetectorOptions { classes: ClassFilter::Only(vec!["cta".into()]), ..options() };
    let error = detector.reconfigure(&wrong).unwrap_err();
    assert!(error.to_string().contains("did you mean \"cat\"?"), "{error}");
    for wrong in [
        DetectorOptions { score_threshold: Some(1.5), ..options() },
        DetectorOptions { score_threshold: Some(f32::NAN), ..options() },
        DetectorOptions { one_object_iou: Some(7.0), ..options() },
        DetectorOptions { class_thresholds: vec![("cat".into(), -0.1)], ..options() },
        DetectorOptions { class_thresholds: vec![("7".into(), 0.5)], ..options() },
        DetectorOptions { nms: Nms { iou_threshold: Some(2.0), ..Nms::default() }, ..options() },
        DetectorOptions {
            nms: Nms { kind: NmsKind::Soft(SoftDecay::Gaussian { sigma: 0.0 }), iou_threshold: None },
            ..options()
        },
    ] {
        assert!(detector.reconfigure(&wrong).is_err(), "{wrong:?}");
    }
    detector.infer().unwrap();
    let found = detector.detections().unwrap();
    assert_eq!(found.len(), 1, "the last good settings hold");
}

#[test]
fn the_background_is_told_by_the_labels() {
    let detector = |labels: Option<Labels>, options: &DetectorOptions| {
        Detector::from_model(Fixed::new(&[[0.0; 4]; 4], &SCORES).loaded(labels), options)
    };
    let with = detector(Some(labels()), &options()).unwrap();
    assert_eq!((with.classes(), with.has_background(), with.labels().get(0)), (3, true, Some("cat")));
    let three = Labels::new(["cat", "dog", "bird"], LabelSource::Given);
    let without = detector(Some(three), &options()).unwrap();
    assert_eq!((without.classes(), without.has_background()), (3, true));
    let four = Labels::new(["fish", "cat", "dog", "bird"], LabelSource::Given);
    let all = detector(Some(four), &options()).unwrap();
    assert_eq!((all.classes(), all.has_background(), all.labels().get(0)), (4, false, Some("fish")));
    let unknown = detector(None, &options()).unwrap();
    assert_eq!(unknown.classes(), 3);
    assert!(unknown.notes().iter().any(|n| n.contains("background")), "{:?}", unknown.notes());
    // The description has the last word, and labels that were asked for must fit.
    let ssd = Some(SsdSpec { background: Some(false), ..SsdSpec::default() });
    let told = DetectorOptions { ssd, ..options() };
    assert_eq!(detector(None, &told).unwrap().classes(), 4);
    let two = Labels::new(["cat", "dog"], LabelSource::Given);
    assert!(matches!(detector(Some(two), &options()), Err(DetectorError::Labels(LabelError::Count { .. }))));
    let two = Labels::new(["cat", "dog"], LabelSource::Metadata("labels.txt".into()));
    assert_eq!(detector(Some(two), &options()).unwrap().labels().get(0), None, "numbers in their place");
}

#[test]
fn models_without_anchors_say_what_they_need() {
    let model = || Fixed::new(&[[0.0; 4]; 4], &SCORES).loaded(Some(labels()));
    let error = Detector::from_model(model(), &DetectorOptions::default()).unwrap_err();
    assert!(matches!(error, DetectorError::NoAnchors { boxes: 4, .. }), "{error}");
    let few = DetectorOptions { anchors: Some(vec![Anchor::default(); 3]), ..options() };
    let error = Detector::from_model(model(), &few).unwrap_err();
    assert!(matches!(error, DetectorError::AnchorCount { anchors: 3, boxes: 4 }), "{error}");
    let ssd = Some(SsdSpec { scores_output: Some(7), ..SsdSpec::default() });
    let error = Detector::from_model(model(), &DetectorOptions { ssd, ..options() }).unwrap_err();
    assert!(matches!(error, DetectorError::NoHead { .. }), "{error}");
}
