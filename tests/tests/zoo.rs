//! Models that other people made: everything that LiteRT runs without custom operators loads, and gives its outputs.
//!
//! The models are third-party files that the repository does not hold; what LiteRT computes for them is in
//! `zoo.json`, by file name, written by `make_models/zoo.py`: hashes of integer outputs, samples of float ones. `OSPREY_ZOO`
//! names another folder of models, with a `zoo.json` in it: `tests/beside_litert FOLDER` does it all.

use base64::Engine as _;
use osprey_engine::graph::{Node, Op};
use osprey_engine::{DType, Graph, Options};
use osprey_tests::arrays::numbers;
use osprey_tests::mutate::Random;
use osprey_tests::{assets, engine};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Largest difference of float outputs, in relation to the largest number of the output.
const TOLERANCE: f64 = 1e-5;
/// The same where weights alone are 8-bit: LiteRT rounds activations to 8 bits before every layer, so that its own two
/// kernel sets are this far apart.
const DYNAMIC_TOLERANCE: f64 = 5e-2;

/// Pseudo-random bytes for an input, the same as `zoo.py` gives to LiteRT.
fn input(index: usize, dtype: DType, len: usize) -> Vec<u8> {
    let mut random = Random(index as u64);
    let mut bytes = Vec::with_capacity(len);
    for _ in 0..len / dtype.size().max(1) {
        let bits = random.bits();
        match dtype {
            DType::F32 => {
                let unit = (bits >> 40) as f64 / f64::from(1 << 24);
                bytes.extend(((unit * 2.0 - 1.0) as f32).to_le_bytes());
            }
            DType::Bool => bytes.push((bits & 1) as u8),
            DType::I32 => bytes.extend(((bits % 4) as i32).to_le_bytes()),
            DType::I64 => bytes.extend(((bits % 4) as i64).to_le_bytes()),
            other => bytes.extend(&bits.to_le_bytes()[..other.size()]),
        }
    }
    bytes
}

/// How far the outputs are from LiteRT's.
#[derive(Debug, Default, Clone)]
struct Comparison {
    /// Outputs of integers whose bytes are not LiteRT's.
    unequal: usize,
    /// Largest relative difference of the float outputs.
    float: f64,
    tolerance: f64,
    /// The model ends in post-processing, whose results `detections.rs` compares.
    detections: bool,
    complaints: Vec<String>,
}

/// Whether a layer has float inputs and 8-bit weights.
fn is_dynamic(graph: &Graph<'_>) -> bool {
    let dtype =
        |node: &Node, i: usize| node.inputs.get(i).copied().flatten().map(|id| graph.tensors[id].dtype);
    let layer = |node: &&Node| {
        matches!(
            node.op,
            Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::FullyConnected { .. } | Op::TransposeConv(_)
        )
    };
    graph.nodes.iter().filter(layer).any(|node| {
        dtype(node, 0) == Some(DType::F32) && matches!(dtype(node, 1), Some(DType::I8 | DType::U8))
    })
}

fn compare(path: &Path, expected: &Value) -> Result<Comparison, String> {
    let file = std::fs::read(path).map_err(|e| e.to_string())?;
    let mut session = engine::session(&file, &Options::default()).map_err(|e| e.to_string())?;
    let ports = session.program().inputs().to_vec();
    let inputs: Vec<Vec<u8>> = ports
        .iter()
        .enumerate()
        .map(|(i, p)| input(i, p.dtype, p.shape.iter().product::<usize>() * p.dtype.size()))
        .collect();
    engine::run(&mut session, &inputs).map_err(|e| e.to_string())?;
    let dynamic = is_dynamic(&Graph::read(&file).map_err(|e| e.to_string())?);
    let tolerance = if dynamic { DYNAMIC_TOLERANCE } else { TOLERANCE };
    let mut result = Comparison { tolerance, ..Comparison::default() };
    let outputs = expected["outputs"].as_array().ok_or("no outputs expected")?;
    if session.program().post_process().is_some() {
        result.detections = true;
        return Ok(result);
    }
    let ports = session.program().outputs();
    if outputs.len() != ports.len() {
        return Err(format!("{} outputs in place of {}", ports.len(), outputs.len()));
    }
    for (i, (port, theirs)) in ports.iter().zip(outputs).enumerate() {
        let shape: Vec<usize> = serde_json::from_value(theirs["shape"].clone()).map_err(|e| e.to_string())?;
        if port.shape != shape || theirs["dtype"] != port.dtype.to_string() {
            result.complaints.push(format!("output {i} is {} {:?}, not {theirs}", port.dtype, port.shape));
            continue;
        }
        let bytes = session.output(i).map_err(|e| e.to_string())?;
        if let Some(hash) = theirs["sha256"].as_str() {
            let ours: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
            result.unequal += usize::from(ours != hash);
            continue;
        }
        let values = base64::prelude::BASE64_STANDARD.decode(theirs["values"].as_str().unwrap_or_default());
        let theirs_sampled = numbers(DType::F32, &values.map_err(|e| e.to_string())?);
        let step = theirs["step"].as_u64().unwrap_or(1) as usize;
        let top = theirs["max"].as_f64().unwrap_or(1.0).max(1e-6);
        for (ours, theirs) in numbers(DType::F32, bytes).iter().step_by(step).zip(&theirs_sampled) {
            let same = ours == theirs || (ours.is_nan() && theirs.is_nan());
            let difference = if same { 0.0 } else { (ours - theirs).abs() / top };
            result.float = result.float.max(if difference.is_nan() { f64::INFINITY } else { difference });
        }
    }
    Ok(result)
}

/// What came of the files of one kind.
#[derive(Default)]
struct Row {
    files: usize,
    litert: usize,
    loaded: usize,
    close: usize,
    detections: usize,
}

#[test]
fn the_zoo_runs_as_in_litert() {
    // Another folder brings what LiteRT computes for it along.
    let given = std::env::var_os("OSPREY_ZOO").map(PathBuf::from);
    let (folder, expected) = match given {
        Some(folder) => (Some(folder.clone()), folder.join("zoo.json")),
        None => (
            assets::optional("zoo").map(|assets| assets.join("zoo")).filter(|zoo| zoo.is_dir()),
            assets::repository().join("tests/zoo.json"),
        ),
    };
    let Some(folder) = folder else {
        println!("zoo: skipped, no folder `zoo` among the assets");
        return;
    };
    let expected = std::fs::read(expected).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let (mut failures, mut compared) = (Vec::new(), 0);
    for path in assets::files(&folder, ".tflite") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(theirs) = expected.get(&name) else {
            println!("{name}: not in zoo.json");
            continue;
        };
        let row = rows.entry(theirs["kind"].as_str().unwrap_or_default().to_owned()).or_default();
        row.files += 1;
        let outcome = catch_unwind(AssertUnwindSafe(|| compare(&path, theirs)));
        let Ok(outcome) = outcome else {
            failures.push(format!("{name}: panic"));
            continue;
        };
        if theirs.get("refused").is_some() {
            row.loaded += usize::from(outcome.is_ok());
            continue;
        }
        row.litert += 1;
        compared += 1;
        match outcome {
            Err(reason) => failures.push(format!("{name}: {reason}")),
            Ok(result) => {
                row.loaded += 1;
                let good =
                    result.unequal == 0 && result.float <= result.tolerance && result.complaints.is_empty();
                row.detections += usize::from(result.detections);
                row.close += usize::from(good && !result.detections);
                if !good {
                    failures.push(format!(
                        "{name}: {} integer outputs differ, floats by {:.1e}; {}",
                        result.unequal,
                        result.float,
                        result.complaints.join("; ")
                    ));
                }
            }
        }
    }
    println!("kind           | files | LiteRT runs | loaded | LiteRT's outputs | end in post-processing");
    for (kind, row) in &rows {
        let Row { files, litert, loaded, close, detections } = row;
        println!("{kind:14} | {files:5} | {litert:11} | {loaded:6} | {close:16} | {detections:22}");
    }
    assert!(compared > 0, "no file of the zoo is in zoo.json");
    assert!(failures.is_empty(), "{} of {compared}\n{}", failures.len(), failures.join("\n"));
}
