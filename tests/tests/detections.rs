//! Models that end in TFLite_Detection_PostProcess, against LiteRT's detections on exact inputs.

use osprey_detector::NormBox;
use osprey_detector::model::{Backend, BackendChoice, LoadOptions, PostProcessing, load};
use osprey_detector::tensor::{DType, TensorView, TensorViewMut};
use osprey_engine::Graph;
use osprey_engine::graph::Op;
use osprey_tests::arrays::{npy, numbers};
use osprey_tests::assets;
use std::path::Path;

/// Least score of LiteRT's detections that are looked for.
const SCORE: f64 = 0.3;
const IOU: f32 = 0.95;
const SCORE_TOLERANCE: f64 = 0.02;

#[derive(Debug)]
struct Row {
    bbox: NormBox,
    class: f64,
    score: f64,
}

/// The model's outputs that are the operator's boxes, classes, scores and count; `None` where the
/// file does not end in the operator.
fn positions(file: &[u8]) -> Option<[usize; 4]> {
    let graph = Graph::read(file).ok()?;
    let end = graph.nodes.iter().find(|n| matches!(n.op, Op::DetectionPostProcess(_)))?;
    let place = |i: usize| graph.outputs.iter().position(|id| *id == end.outputs[i]);
    Some([place(0)?, place(1)?, place(2)?, place(3)?])
}

/// The rows that count, from the four outputs in the operator's order.
fn rows([boxes, classes, scores, count]: [Vec<f64>; 4]) -> Vec<Row> {
    let row = |i: usize| Row {
        bbox: NormBox::from_yxyx([0, 1, 2, 3].map(|k| boxes[4 * i + k] as f32)),
        class: classes[i],
        score: scores[i],
    };
    (0..count[0] as usize).map(row).collect()
}

fn fill(mut input: TensorViewMut<'_>, bytes: &[u8]) {
    match &mut input {
        TensorViewMut::U8(a) => a.iter_mut().zip(bytes).for_each(|(to, &from)| *to = from),
        TensorViewMut::I8(a) => a.iter_mut().zip(bytes).for_each(|(to, &from)| *to = from as i8),
        TensorViewMut::F32(a) => {
            let values = bytes.as_chunks().0;
            a.iter_mut().zip(values).for_each(|(to, from)| *to = f32::from_le_bytes(*from));
        }
        other => panic!("an input of {}", other.dtype()),
    }
}

/// Compares one image, and returns a line for each of LiteRT's detections that is not found.
fn compare(name: &str, image: &Path, ours: &[Row], positions: [usize; 4]) -> Vec<String> {
    let output = |i: usize| numbers(DType::F32, &npy(&image.join(format!("out{i}.xnnpack.npy"))));
    let wanted = rows(positions.map(output)).into_iter().filter(|row| row.score >= SCORE);
    let (mut count, mut iou, mut score) = (0, 1f32, 0f64);
    let mut failures = Vec::new();
    for want in wanted {
        let same = ours.iter().filter(|row| row.class == want.class);
        let found = same.max_by(|a, b| a.bbox.iou(&want.bbox).total_cmp(&b.bbox.iou(&want.bbox)));
        let found = found.map(|row| (row.bbox.iou(&want.bbox), (row.score - want.score).abs()));
        count += 1;
        match found {
            Some((overlap, difference)) if overlap >= IOU && difference <= SCORE_TOLERANCE => {
                (iou, score) = (iou.min(overlap), score.max(difference));
            }
            _ => failures.push(format!("{name} {}: {want:?}, nearest {found:?}", assets::stem(image))),
        }
    }
    println!(
        "{name:56} {:13} | {:2} of {count:2} detections ≥ {SCORE} found, least IoU {iou:.4}, score off by {score:.4}",
        assets::stem(image),
        count - failures.len(),
    );
    failures
}

#[test]
fn post_processing_gives_litert_detections() {
    let Some(assets) = assets::optional("detections") else { return };
    let options = LoadOptions {
        backend: BackendChoice::Only(Backend::Native),
        post_processing: PostProcessing::Apply,
        ..LoadOptions::default()
    };
    let (mut failures, mut models) = (Vec::new(), 0);
    for path in assets::files(&assets.join("models"), ".tflite") {
        let name = assets::stem(&path);
        let golden = assets.join("golden").join(&name);
        let Some(positions) = positions(&std::fs::read(&path).unwrap()).filter(|_| golden.is_dir()) else {
            continue;
        };
        models += 1;
        let mut model = load(&path, &options).unwrap().model;
        for image in assets::files(&golden, "").into_iter().filter(|p| p.is_dir()) {
            fill(model.input_mut(0).unwrap(), &npy(&image.join("input.npy")));
            model.run().unwrap();
            let ours = rows(positions.map(|i| match model.output(i).unwrap() {
                TensorView::F32(a) => a.iter().map(|&x| f64::from(x)).collect(),
                other => panic!("an output of {}", other.dtype()),
            }));
            failures.extend(compare(&name, &image, &ours, positions));
        }
    }
    assert!(models > 0, "no model with the operator among the assets");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
