//! Features of real models; skipped where the optional assets are not there.

use osprey_detector::frame::Frame;
use osprey_detector::model::{ImageInput, Metadata};
use osprey_detector::personalize::{FeatureExtractor, LearnError, PictureFeatures};
use osprey_engine::Options;
use std::path::PathBuf;

const NONE: &[&str] = &[];

fn asset(path: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("OSPREY_ASSETS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/assets"), PathBuf::from);
    let file = std::fs::read(folder.join(path));
    if file.is_err() {
        println!("skipped: no {path} in $OSPREY_ASSETS or ../shared/assets");
    }
    file.ok()
}

fn picture(extractor: FeatureExtractor) -> (Vec<f32>, usize) {
    let input = ImageInput::new(&extractor.inputs()[0], None, &Metadata::default()).unwrap();
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
        ("models/tf2_mobilenet_v2_1.0_224_ptq.tflite", 3 * 960),
        ("models/mobilenet_v2_1.0_224_quant.tflite", 3 * 960),
        ("models/mobilenet_v1_0.25_128_quant.tflite", 256),
    ] {
        let Some(file) = asset(model) else { return };
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
