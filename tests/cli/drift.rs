//! `osprey drift`.

use super::scratch::{Scratch, asset, osprey, outcome, samples};

fn pair() -> Option<(std::path::PathBuf, std::path::PathBuf)> {
    Some((
        asset("models/ssd_mobilenet_v2_fpnlite_320_coco_dynrange.tflite")?,
        asset("models/ssd_mobilenet_v2_fpnlite_320_coco90_int8_recalibrated.tflite")?,
    ))
}

#[test]
fn a_model_does_not_drift_from_itself() {
    let Some((float, _)) = pair() else { return };
    let run =
        outcome(osprey().arg("drift").args([&float, &float]).args(["-n", "1", "--images"]).arg(samples()));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(
        run.stdout.contains("the error jumps at no layer") && run.stdout.contains("0.00 %"),
        "{}",
        run.stdout
    );
}

#[test]
fn layers_of_a_quantized_model_are_compared() {
    let Some((float, int8)) = pair() else { return };
    let run =
        outcome(osprey().arg("drift").args([&float, &int8]).args(["-n", "2", "--images"]).arg(samples()));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("layers compared on 2 samples (pictures)"), "{}", run.stdout);
    assert!(run.stdout.matches("CONV_2D").count() > 50, "{}", run.stdout);
    assert!(run.stdout.contains("it is greatest at node"), "{}", run.stdout);
}

#[test]
fn layers_of_indices_are_passed_over() {
    let Some(model) = asset("zoo/yolo-tensorflow-yolox_nano_with_post_float16-7beec6.tflite") else { return };
    let run =
        outcome(osprey().arg("drift").args([&model, &model]).args(["-n", "1", "--images"]).arg(samples()));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("the error jumps at no layer"), "{}", run.stdout);
}

#[test]
fn models_that_have_nothing_in_common_are_refused() {
    let (Some((float, int8)), Some(other)) = (pair(), asset("models/mobilenet_v1_0.25_128_quant.tflite"))
    else {
        return;
    };
    let unlike = outcome(osprey().arg("drift").arg(&float).arg(other));
    assert!(unlike.status == Some(1), "{}", unlike.stdout);
    let swapped = outcome(osprey().arg("drift").args([&int8, &float]));
    assert!(
        swapped.status == Some(1) && swapped.stderr.contains("pass the float model first"),
        "{}",
        swapped.stderr
    );
    let scratch = Scratch::new();
    assert_eq!(outcome(scratch.osprey().args(["drift", "a.tflite", "b.tflite"])).status, Some(1));
}
