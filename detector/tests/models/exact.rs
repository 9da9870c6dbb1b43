use crate::fixed::Fixed;
use crate::support::{Golden, assets, bytes, goldens, model, runs};
use osprey_detector::model::{LoadOptions, LoadedModel, load};
use osprey_detector::{Detect, Detector, DetectorOptions, Tensor};

/// LiteRT's own raw outputs of the localizer, through our decoding and suppression, give the very
/// detections of LiteRT's operator: no kernel of ours is involved.
#[test]
fn decoding_and_suppression_equal_litert_s_operator() {
    let Some(assets) = assets("decoding_and_suppression_equal_litert_s_operator") else { return };
    let (whole, raw) = ("mobile_object_localizer_v1_1_meta", "mobile_object_localizer_v1_1_meta_nopp");
    for (run, raw_run) in runs(&assets, whole).iter().zip(runs(&assets, raw)) {
        // LiteRT keeps the kernels of its CPU for uint8 models in both files.
        for kernels in ["xnnpack", "ref"] {
            let end = load(model(&assets, whole), &LoadOptions::default()).unwrap();
            let given = load(model(&assets, raw), &LoadOptions::default()).unwrap();
            let (inputs, outputs) = (given.model.inputs().to_vec(), given.model.outputs().to_vec());
            let values = (0..2).map(|i| {
                let bytes = bytes(&raw_run.join(format!("out{i}.{kernels}.npy")));
                let shape = outputs[i].shape.as_slice();
                Tensor::from(ndarray::ArrayD::from_shape_vec(shape, bytes).unwrap())
            });
            let fixed = Fixed {
                input: Tensor::zeros(inputs[0].dtype, &inputs[0].shape).unwrap(),
                values: values.collect(),
                inputs,
                outputs,
            };
            let loaded = LoadedModel { model: Box::new(fixed), ..end };
            let options = DetectorOptions { score_threshold: Some(0.0), ..DetectorOptions::default() };
            let mut detector = Detector::from_model(loaded, &options).unwrap();
            detector.infer().unwrap();
            let detections = detector.detections().unwrap();
            let goldens = goldens(run, kernels);
            assert_eq!(detections.len(), goldens.len());
            for (d, g) in detections.iter().zip(&goldens) {
                let Golden { bbox, class_id, score } = *g;
                assert_eq!((d.class_id, d.score), (class_id, score));
                assert_eq!(d.bbox, bbox, "equal to the last bit");
            }
        }
    }
}
