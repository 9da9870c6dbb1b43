use crate::support::{Golden, assets, feed, feed_view, goldens, model, runs};
use osprey_detector::model::{LoadOptions, PostProcessing, load};
use osprey_detector::{Detect, Detection, Detector, DetectorOptions, InputBox};
use std::path::Path;

/// Files that end in TFLite_Detection_PostProcess.
const FILES: [&str; 5] = [
    "mobile_object_localizer_v1_1_meta",
    "ssd_mobilenet_v1_1_metadata_1",
    "ssd_mobilenet_v2_fpnlite_320_coco90_int8_recalibrated",
    "ssd_mobilenet_v2_fpnlite_320_coco_dynrange",
    "ssdlite_mobilenet_v2_300_clownfish_recalibrated_uint8",
];

fn is_same(golden: &Golden, d: &Detection<InputBox>) -> bool {
    d.class_id == golden.class_id
        && d.bbox.iou(&golden.bbox) >= 0.95
        && (d.score - golden.score).abs() <= 0.02
}

/// Every detection of LiteRT's default kernels with a score of 0.3 or more is found, as they have it
/// or as LiteRT's reference kernels do, whichever is nearer; and nothing is found that they lack.
fn check(name: &str, run: &Path, detections: &[Detection<InputBox>]) -> usize {
    let [default, reference] = ["xnnpack", "ref"].map(|kernels| goldens(run, kernels));
    let clear = || default.iter().filter(|g| g.score >= 0.3);
    let mut by_reference = 0;
    for golden in clear() {
        if detections.iter().any(|d| is_same(golden, d)) {
            continue;
        }
        let twin = |r: &&Golden| r.class_id == golden.class_id && r.bbox.iou(&golden.bbox) >= 0.8;
        let found = reference.iter().filter(twin).any(|r| detections.iter().any(|d| is_same(r, d)));
        assert!(found, "{name}: {golden:?} is missing among {detections:?}");
        by_reference += 1;
    }
    let all = || default.iter().chain(&reference);
    let least = all().map(|g| g.score).fold(f32::INFINITY, f32::min);
    for d in detections.iter().filter(|d| d.score >= 0.3 && d.score > least + 0.02) {
        let known = all().any(|g| g.class_id == d.class_id && g.bbox.iou(&d.bbox) >= 0.9);
        assert!(known, "{name}: LiteRT has no {d:?}");
    }
    let run = run.file_name().unwrap_or_default().to_string_lossy();
    println!(
        "{name}, {run}: {} found, {by_reference} of them as the reference kernels have it",
        clear().count()
    );
    clear().count()
}

#[test]
fn the_detector_finds_what_litert_finds() {
    let Some(assets) = assets("the_detector_finds_what_litert_finds") else { return };
    let mut clear = 0;
    for name in FILES {
        let options = DetectorOptions { score_threshold: Some(0.25), ..DetectorOptions::default() };
        let mut detector = Detector::load(model(&assets, name), &options).unwrap();
        for run in runs(&assets, name) {
            feed_view(detector.input_mut().unwrap(), &run.join("input.npy"));
            detector.infer().unwrap();
            clear += check(name, &run, detector.detections().unwrap());
        }
    }
    assert!(clear >= 5, "the goldens hold only {clear} detections");
}

#[test]
fn a_model_can_give_litert_s_four_outputs() {
    let Some(assets) = assets("a_model_can_give_litert_s_four_outputs") else { return };
    for name in FILES {
        let options = LoadOptions { post_processing: PostProcessing::Apply, ..LoadOptions::default() };
        let mut loaded = load(model(&assets, name), &options).unwrap();
        for run in runs(&assets, name) {
            feed(&mut *loaded.model, &run.join("input.npy"));
            loaded.model.run().unwrap();
            let outputs: Vec<Vec<f32>> =
                (0..4).map(|i| loaded.model.output(i).unwrap().as_slice::<f32>().unwrap().to_vec()).collect();
            for (i, output) in outputs.iter().enumerate() {
                let golden = crate::support::floats(&run.join(format!("out{i}.xnnpack.npy")));
                assert_eq!(output.len(), golden.len(), "{name}: output {i}");
                assert_eq!(loaded.model.outputs()[i].elements(), golden.len());
            }
            let count = outputs[3][0] as usize;
            let found: Vec<Detection<InputBox>> = (0..count)
                .map(|i| Detection {
                    bbox: osprey_detector::InputBox::from_yxyx(outputs[0].as_chunks().0[i]),
                    class_id: outputs[1][i] as usize,
                    score: outputs[2][i],
                })
                .collect();
            check(name, &run, &found);
            assert!(found.is_sorted_by(|a, b| a.score >= b.score), "{name}: best first");
        }
    }
}

#[test]
fn more_than_ten_detections_where_they_are_asked_for() {
    let Some(assets) = assets("more_than_ten_detections_where_they_are_asked_for") else { return };
    let name = "ssd_mobilenet_v1_1_metadata_1";
    let options =
        DetectorOptions { score_threshold: Some(0.05), max_detections: 50, ..DetectorOptions::default() };
    let mut detector = Detector::load(model(&assets, name), &options).unwrap();
    feed_view(detector.input_mut().unwrap(), &runs(&assets, name)[0].join("input.npy"));
    detector.infer().unwrap();
    let detections = detector.detections().unwrap();
    assert_eq!(detections.len(), 50);
    assert!(detections.is_sorted_by(|a, b| a.score >= b.score));
}
