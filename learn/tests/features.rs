//! Features of real models; skipped where the optional assets are not there.

use osprey_detector::frame::Frame;
use osprey_detector::model::{ImageInput, InputEntry, InputFacts, LoadOptions, LoadedModel};
use osprey_detector::{Model, TensorViewMut};
use osprey_engine::Options;
use osprey_learn::{
    Classifier, Control, Examples, FeatureExtractor, LearnError, LinearHead, PictureFeatures, Trainer,
    TrainingSettings, export,
};
use std::path::PathBuf;

const NONE: &[&str] = &[];

/// A file of the project, or else of the optional assets.
fn asset(path: &str) -> Option<Vec<u8>> {
    if let Ok(file) = std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)) {
        return Some(file);
    }
    let folder = std::env::var_os("OSPREY_ASSETS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/assets"), PathBuf::from);
    let file = std::fs::read(folder.join(path));
    if file.is_err() {
        println!("skipped: {path} is neither in the project nor in $OSPREY_ASSETS nor in ../shared/assets");
    }
    file.ok()
}

/// A head that tells three made-up classes apart by some of the features.
fn head(dim: usize) -> LinearHead {
    let mut set = Examples::with_classes(dim, ["a", "b", "c"]).unwrap();
    for i in 0..12usize {
        let row: Vec<f32> = (0..dim)
            .map(|k| ((i * 31 + k * 17) % 23) as f32 / 23.0 + (k % 3 == i % 3) as u8 as f32)
            .collect();
        set.push(i % 3, &row).unwrap();
    }
    let settings = TrainingSettings { epochs: 5, ..TrainingSettings::default() };
    let mut trainer = Trainer::new(settings, &set).unwrap();
    trainer.train(&mut &set, None, None, &Control::new(), &mut |_| {}).unwrap();
    trainer.head().clone()
}

fn level(i: usize) -> u8 {
    (i * 7 % 251) as u8
}

/// The model's input, filled with something.
fn fill(mut input: TensorViewMut<'_>) {
    match &mut input {
        TensorViewMut::U8(a) => a.iter_mut().enumerate().for_each(|(i, v)| *v = level(i)),
        TensorViewMut::I8(a) => {
            a.iter_mut().enumerate().for_each(|(i, v)| *v = level(i).wrapping_sub(128) as i8)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_exported_classifier_gives_the_answers_of_its_parts() {
    for (model, normalization) in [
        ("models/digits.tflite", None),
        ("models/tf2_mobilenet_v2_1.0_224_ptq.tflite", Some(vec![127.5])),
        ("models/mobilenet_v1_0.25_128_quant.tflite", None),
        ("models/ssd_mobilenet_v2_fpnlite_320_coco90_int8_recalibrated.tflite", None),
    ] {
        let Some(file) = asset(model) else { continue };
        let extractor = FeatureExtractor::new(&file, NONE, &Options::default()).unwrap();
        let head = head(extractor.dim());
        let input = InputEntry { mean: normalization.clone(), std: normalization, ..InputEntry::default() };
        let exported = export(&file, NONE, &head, &input).unwrap();
        if let Some(folder) = std::env::var_os("OSPREY_KEEP_EXPORTED") {
            std::fs::write(PathBuf::from(folder).join(model.replace('/', "-")), &exported).unwrap();
        }
        let mut parts = Classifier::new(extractor, head.clone()).unwrap();
        let mut whole = LoadedModel::from_bytes(&exported, &LoadOptions::default()).unwrap();
        assert_eq!(whole.labels.unwrap().iter().collect::<Vec<_>>(), head.classes());
        fill(parts.input_mut(0).unwrap());
        fill(whole.model.input_mut(0).unwrap());
        parts.run().unwrap();
        whole.model.run().unwrap();
        let (parts, whole) =
            (parts.output(0).unwrap().to_f32(None), whole.model.output(0).unwrap().to_f32(None));
        println!("{model}: {parts} and {whole}");
        assert_eq!(parts.shape(), whole.shape());
        assert!(parts.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-4), "{model}: {parts} {whole}");
    }
}

#[test]
fn a_head_for_other_features_is_not_exported() {
    let Some(file) = asset("models/mobilenet_v1_0.25_128_quant.tflite") else { return };
    let error = export(&file, NONE, &head(9), &InputEntry::default()).unwrap_err();
    assert!(matches!(error, LearnError::FeatureLength { expected: 9, actual: 256 }), "{error}");
}

fn picture(extractor: FeatureExtractor) -> (Vec<f32>, usize) {
    let input = ImageInput::new(&extractor.inputs()[0], &InputFacts::default()).unwrap();
    let dim = extractor.dim();
    let mut features = PictureFeatures::new(extractor, &input).unwrap();
    let pixels: Vec<u8> = (0..120 * 80 * 3).map(|i| (i * 7 % 251) as u8).collect();
    let mut vector = vec![0.0; dim];
    features.extract(&Frame::rgb(&pixels, 120, 80).unwrap(), &mut vector).unwrap();
    (vector, dim)
}

#[test]
fn the_backbone_is_found_and_pooled() {
    for (model, dim) in [
        ("models/tf2_mobilenet_v2_1.0_224_ptq.tflite", 960),
        ("models/mobilenet_v2_1.0_224_quant.tflite", 960),
        ("models/mobilenet_v1_0.25_128_quant.tflite", 256),
    ] {
        let Some(file) = asset(model) else { continue };
        let extractor = FeatureExtractor::new(&file, NONE, &Options::default()).unwrap();
        let names: Vec<String> = extractor.tensors().map(String::from).collect();
        assert_eq!(extractor.dim(), dim, "{model}: {names:?}");
        let (vector, _) = picture(extractor);
        assert!(vector.iter().all(|v| v.is_finite() && *v >= 0.0), "means of ReLU6");
        assert!(vector.iter().filter(|v| **v > 0.0).count() > dim / 4, "{model}");
        // Named, the same tensors give the same.
        let again = FeatureExtractor::new(&file, &names, &Options::default()).unwrap();
        assert_eq!(picture(again).0, vector);
    }
}

#[test]
fn a_model_without_an_embedding_says_what_to_do() {
    let Some(file) = asset("models/mobilenet_v2_1.0_224_quant.tflite") else { return };
    let error = FeatureExtractor::new(&file, &["no such tensor"], &Options::default()).unwrap_err();
    assert!(matches!(error, LearnError::NoEmbedding { .. }));
    let text = error.to_string();
    assert!(text.contains("no such tensor") && text.contains("such as \""), "{text}");
    let error = FeatureExtractor::new(b"not a model", NONE, &Options::default()).unwrap_err();
    assert!(matches!(error, LearnError::Model(_)), "{error}");
}
