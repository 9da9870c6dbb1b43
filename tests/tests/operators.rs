//! Every operator family as converters write it, compared with LiteRT (see `make_models/`).

use base64::Engine as _;
use osprey_engine::{DType, Options};
use osprey_tests::arrays::{Difference, numbers};
use osprey_tests::{assets, engine};
use serde_json::Value;
use std::path::Path;

/// Largest difference of float outputs, in relation to the largest number of the output.
const FLOAT_TOLERANCE: f64 = 1e-4;
/// The same where LiteRT rounds activations to 8 bits on the fly and the engine does not.
const DYNAMIC_TOLERANCE: f64 = 2e-2;

fn tensors(run: &Value, key: &str) -> Option<Vec<Vec<u8>>> {
    let decode = |v: &Value| base64::prelude::BASE64_STANDARD.decode(v.as_str()?).ok();
    run.get(key)?.as_array()?.iter().map(decode).collect()
}

/// Runs one model and returns a line for each output that is further from LiteRT than it may be.
fn check(path: &Path) -> Vec<String> {
    let name = assets::stem(path);
    let file = std::fs::read(path).unwrap();
    let expected: Value =
        serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
    let mut session = match engine::session(&file, &Options::default()) {
        Ok(session) => session,
        Err(e) => return vec![format!("{name}: {e}")],
    };
    let ports = session.program().outputs().to_vec();
    let mut to_default = vec![Difference::default(); ports.len()];
    let mut to_reference = to_default.clone();
    let mut between = to_default.clone();
    for run in expected["runs"].as_array().unwrap() {
        engine::run(&mut session, &tensors(run, "inputs").unwrap()).unwrap();
        let default = tensors(run, "default").unwrap();
        let reference = tensors(run, "reference").unwrap_or_else(|| default.clone());
        for (i, ours) in engine::outputs(&session).iter().enumerate() {
            let [default, reference] = [&default[i], &reference[i]].map(|b| numbers(ports[i].dtype, b));
            to_default[i] = to_default[i].and(Difference::between(ours, &default));
            to_reference[i] = to_reference[i].and(Difference::between(ours, &reference));
            between[i] = between[i].and(Difference::between(&default, &reference));
        }
    }
    let tolerance = if name.ends_with("dynamic") { DYNAMIC_TOLERANCE } else { FLOAT_TOLERANCE };
    let mut failures = Vec::new();
    if ports.is_empty() || to_default.iter().any(|d| d.count == 0) {
        failures.push(format!("{name}: nothing was compared"));
    }
    for (i, port) in ports.iter().enumerate() {
        let (d, r, b) = (to_default[i], to_reference[i], between[i]);
        println!(
            "{name:24} {i:2} {:8} {:5} equal {:5}/{:5}, furthest {:.1e} (default), {:.1e} (reference), {:.1e} (LiteRT's two)",
            port.dtype.to_string(),
            d.count,
            d.equal,
            r.equal,
            d.max,
            r.max,
            b.max
        );
        // The expectations are x86-64's. Elsewhere an entry of a table may round differently: there a
        // result may be as far from one of LiteRT's two as these are from each other.
        let near = |d: &Difference| d.max <= b.max && d.mean() <= b.mean();
        let good = match port.dtype {
            DType::F32 => d.relative() <= tolerance,
            _ if cfg!(any(target_arch = "x86_64", target_arch = "wasm32")) => d.equal == d.count,
            _ => near(&d) || near(&r),
        };
        if !good {
            failures.push(format!("{name} output {i}: {d:?}, LiteRT's two results: {b:?}"));
        }
    }
    failures
}

#[test]
fn operators_agree_with_litert() {
    let models = assets::operator_models();
    assert!(models.len() > 30, "the models are part of the repository");
    let failures: Vec<String> = models.iter().flat_map(|path| check(path)).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
