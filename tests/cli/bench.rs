//! `osprey bench`.

use super::scratch::{asset, osprey, outcome};

fn model() -> Option<std::path::PathBuf> {
    asset("models/mobilenet_v1_0.25_128_quant.tflite")
}

#[test]
fn raw_prints_one_latency_a_line() {
    let Some(model) = model() else { return };
    let run =
        outcome(osprey().args(["bench", "--threads", "1", "--iters", "7", "--raw", "--model"]).arg(model));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let latencies: Vec<f64> = run.stdout.lines().map(|l| l.parse().expect("a number")).collect();
    assert!(latencies.len() == 7 && latencies.iter().all(|ms| *ms > 0.0), "{latencies:?}");
}

#[test]
fn quantiles_and_profile_are_printed() {
    let Some(model) = model() else { return };
    let run = outcome(osprey().args(["bench", "--iters", "5", "--model"]).arg(&model));
    for said in ["min", "median", "p95", "p99", "native (the engine", "inference"] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    let profile = outcome(osprey().args(["bench", "--iters", "3", "--profile", "--model"]).arg(&model));
    assert_eq!(profile.status, Some(0), "{}", profile.stderr);
    assert!(
        profile.stdout.contains("DEPTHWISE_CONV_2D") && profile.stdout.contains("GMAC/s"),
        "{}",
        profile.stdout
    );
}

#[test]
fn stages_of_a_detector_are_told_apart() {
    let run = outcome(osprey().args(["bench", "--iters", "2"]));
    assert!(run.stdout.contains("post-processing") && run.stdout.contains("both"), "{}", run.stdout);
    let run = outcome(osprey().args(["bench", "--iters", "2", "--raw-outputs"]));
    assert!(run.stdout.contains("inference") && !run.stdout.contains("post-processing"), "{}", run.stdout);
}
