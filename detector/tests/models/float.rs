//! Float models made here, on both backends.

use crate::build::{Field, ModelFile};
#[cfg(feature = "tract")]
use osprey_detector::Model;
use osprey_detector::ModelError;
#[cfg(feature = "tract")]
use osprey_detector::model::Backend;
use osprey_detector::model::{BackendChoice, LoadOptions, LoadedModel};

const RELU6: Field = Field::I8(3);
const SAME: Field = Field::I8(0);
const VALID: Field = Field::I8(1);

/// Numbers within ±`scale` that repeat from run to run.
fn noise(seed: u64, scale: f32) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 24) as f32 * 2.0 - 1.0) * scale
    }
}

/// The blocks of a MobileNetV2 with an SSD's heads, at sizes that are neither square nor even.
fn ssd_like() -> ModelFile {
    let mut m = ModelFile::default();
    let mut seed = 0;
    let mut scaled = |scale| {
        seed += 1;
        noise(seed, scale)
    };
    let image = m.float(&[1, 21, 17, 3]);
    // Stem: 3 × 3, stride 2.
    let (w, b) = (m.weights(&[8, 3, 3, 3], &mut scaled(0.4)), m.weights(&[8], &mut scaled(0.1)));
    let stem = m.float(&[1, 11, 9, 8]);
    let stride2 = [(0, SAME), (1, Field::I32(2)), (2, Field::I32(2)), (3, RELU6)];
    m.operator(3, &[image, w, b], stem, 1, &stride2);
    // Expand, depthwise, project, add.
    let point = |activation| [(0, SAME), (1, Field::I32(1)), (2, Field::I32(1)), (3, activation)];
    let (w, b) = (m.weights(&[16, 1, 1, 8], &mut scaled(0.4)), m.weights(&[16], &mut scaled(0.1)));
    let expanded = m.float(&[1, 11, 9, 16]);
    m.operator(3, &[stem, w, b], expanded, 1, &point(RELU6));
    let (w, b) = (m.weights(&[1, 3, 3, 16], &mut scaled(0.4)), m.weights(&[16], &mut scaled(0.1)));
    let depthwise = m.float(&[1, 11, 9, 16]);
    let options = [(0, SAME), (1, Field::I32(1)), (2, Field::I32(1)), (3, Field::I32(1)), (4, RELU6)];
    m.operator(4, &[expanded, w, b], depthwise, 2, &options);
    let (w, b) = (m.weights(&[8, 1, 1, 16], &mut scaled(0.4)), m.weights(&[8], &mut scaled(0.1)));
    let projected = m.float(&[1, 11, 9, 8]);
    m.operator(3, &[depthwise, w, b], projected, 1, &point(Field::I8(0)));
    let residual = m.float(&[1, 11, 9, 8]);
    m.operator(0, &[stem, projected], residual, 11, &[(0, Field::I8(0))]);
    let pooled = m.float(&[1, 5, 4, 8]);
    let options =
        [(0, VALID), (1, Field::I32(2)), (2, Field::I32(2)), (3, Field::I32(2)), (4, Field::I32(2))];
    m.operator(17, &[residual], pooled, 5, &options);
    // Heads on two maps, joined.
    let mut tables = Vec::new();
    for (map, h, w_) in [(residual, 11, 9), (pooled, 5, 4)] {
        for (columns, activation) in [(4, false), (3, true)] {
            let (w, b) =
                (m.weights(&[columns, 1, 1, 8], &mut scaled(0.5)), m.weights(&[columns], &mut scaled(0.1)));
            let head = m.float(&[1, h, w_, columns]);
            m.operator(3, &[map, w, b], head, 1, &point(Field::I8(0)));
            let shape = m.constant(&[1, h * w_, columns]);
            let mut rows = m.float(&[1, h * w_, columns]);
            m.operator(22, &[head, shape], rows, 17, &[]);
            if activation {
                let scores = m.float(&[1, h * w_, columns]);
                rows = m.operator(14, &[rows], scores, 0, &[]);
            }
            tables.push(rows);
        }
    }
    let anchors = 11 * 9 + 5 * 4;
    let (boxes, scores) = (m.float(&[1, anchors, 4]), m.float(&[1, anchors, 3]));
    m.operator(2, &[tables[0], tables[2]], boxes, 10, &[(0, Field::I32(1)), (1, Field::I8(0))]);
    m.operator(2, &[tables[1], tables[3]], scores, 10, &[(0, Field::I32(1)), (1, Field::I8(0))]);
    // A classifier beside them: global average, fully connected, softmax.
    let (average, mean) = (m.float(&[1, 1, 1, 8]), m.float(&[1, 8]));
    let options =
        [(0, VALID), (1, Field::I32(1)), (2, Field::I32(1)), (3, Field::I32(4)), (4, Field::I32(5))];
    m.operator(1, &[pooled], average, 5, &options);
    let shape = m.constant(&[1, 8]);
    m.operator(22, &[average, shape], mean, 17, &[]);
    let (w, b) = (m.weights(&[5, 8], &mut scaled(0.8)), m.weights(&[5], &mut scaled(0.1)));
    let (logits, classes) = (m.float(&[1, 5]), m.float(&[1, 5]));
    m.operator(9, &[mean, w, b], logits, 8, &[(0, Field::I8(0))]);
    m.operator(25, &[logits], classes, 9, &[(0, Field::F32(1.0))]);
    (m.inputs, m.outputs) = (vec![image], vec![boxes, scores, classes]);
    m
}

#[cfg(feature = "tract")]
fn outputs(model: &mut dyn Model) -> Result<Vec<Vec<f32>>, ModelError> {
    let mut random = noise(99, 1.0);
    let mut input = model.input_mut(0)?;
    input.as_slice_mut::<f32>().unwrap().iter_mut().for_each(|v| *v = random());
    model.run()?;
    let values = |i| Ok(model.output(i)?.as_slice::<f32>().unwrap().to_vec());
    (0..model.outputs().len()).map(values).collect()
}

fn load(file: &[u8], backend: BackendChoice) -> Result<LoadedModel, ModelError> {
    LoadedModel::from_bytes(file, &LoadOptions { backend, ..LoadOptions::default() })
}

#[test]
#[cfg(feature = "tract")]
fn tract_and_native_agree() {
    let file = ssd_like().finish();
    let mut native = load(&file, BackendChoice::Auto).unwrap();
    assert_eq!(native.backend, Backend::Native, "{}", native.reason);
    let mut tract = load(&file, BackendChoice::Only(Backend::Tract)).unwrap();
    assert_eq!(native.model.outputs(), tract.model.outputs());
    let (ours, theirs) = (outputs(&mut *native.model).unwrap(), outputs(&mut *tract.model).unwrap());
    for (i, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let spread = ours.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(spread > 0.05, "output {i} is all but zero");
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() <= 1e-3 * spread.max(1.0), "output {i}: {a} and {b}");
        }
    }
}

/// A graph with ABS, which both backends have.
#[cfg(feature = "tract")]
fn with_abs() -> ModelFile {
    let mut m = ModelFile::default();
    let (input, output) = (m.float(&[1, 6]), m.float(&[1, 6]));
    m.operator(101, &[input], output, 78, &[]);
    (m.inputs, m.outputs) = (vec![input], vec![output]);
    m
}

#[test]
#[cfg(feature = "tract")]
fn tract_runs_a_float_model_that_it_is_asked_to_run() {
    let mut loaded = load(&with_abs().finish(), BackendChoice::Only(Backend::Tract)).unwrap();
    assert_eq!(loaded.backend, Backend::Tract);
    let values = outputs(&mut *loaded.model).unwrap().remove(0);
    assert!(values.iter().all(|v| *v >= 0.0) && values.iter().any(|v| *v > 0.1), "{values:?}");
    assert_eq!(load(&with_abs().finish(), BackendChoice::Auto).unwrap().backend, Backend::Native);
}

#[test]
#[cfg(feature = "tract")]
fn what_tract_computes_wrongly_is_refused() {
    let mut m = ModelFile::default();
    let (input, axes, output) = (m.float(&[1, 5, 4, 8]), m.constant(&[1, 2]), m.float(&[1, 8]));
    m.operator(40, &[input, axes], output, 27, &[(0, Field::U8(0))]);
    (m.inputs, m.outputs) = (vec![input], vec![output]);
    let error = load(&m.finish(), BackendChoice::Only(Backend::Tract)).unwrap_err();
    assert!(error.to_string().contains("MEAN"), "{error}");
    assert_eq!(load(&m.finish(), BackendChoice::Auto).unwrap().backend, Backend::Native);
}

#[test]
#[cfg(not(feature = "tract"))]
fn without_tract_the_message_says_how_to_have_it() {
    let mut m = ModelFile::default();
    let (input, output) = (m.float(&[1, 4, 6]), m.float(&[1, 4, 6]));
    // BIDIRECTIONAL_SEQUENCE_LSTM, which the engine lacks.
    m.operator(52, &[input], output, 0, &[]);
    (m.inputs, m.outputs) = (vec![input], vec![output]);
    let error = load(&m.finish(), BackendChoice::Auto).unwrap_err().to_string();
    assert!(error.contains("feature `tract`") && error.contains("BIDIRECTIONAL_SEQUENCE_LSTM"), "{error}");
}

#[test]
#[cfg(feature = "tract")]
fn what_tract_cannot_do_is_an_error_and_no_panic() {
    // Damaged in every byte: tract's own reader trusts what it is given.
    let file = with_abs().finish();
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] = damaged[at].wrapping_add(0x55);
        if let Ok(mut loaded) = load(&damaged, BackendChoice::Only(Backend::Tract)) {
            let _ = loaded.model.run();
        }
    }
    // Quantized models are refused: tract runs some of them, and wrongly.
    let Some(assets) = crate::support::assets("what_tract_cannot_do_is_an_error_and_no_panic") else {
        return;
    };
    let file = std::fs::read(crate::support::model(&assets, "mobilenet_v1_0.25_128_quant")).unwrap();
    let error = load(&file, BackendChoice::Only(Backend::Tract)).unwrap_err();
    assert!(error.to_string().contains("float models only"), "{error}");
}

#[test]
fn reshaped_inputs_and_unknown_tensors_are_errors() {
    let mut loaded = load(&ssd_like().finish(), BackendChoice::Auto).unwrap();
    let model = &mut loaded.model;
    assert!(matches!(
        model.input_mut(1),
        Err(ModelError::NoSuchTensor { kind: "input", index: 1, count: 1 })
    ));
    assert!(matches!(model.output(3), Err(ModelError::NoSuchTensor { kind: "output", index: 3, count: 3 })));
    let wrong = ndarray::ArrayD::<f32>::zeros(vec![1, 17, 21, 3]);
    assert!(matches!(model.set_input(0, &wrong.view().into()), Err(ModelError::Mismatch { .. })));
}
