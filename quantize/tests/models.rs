//! Float models of the project's own, quantized. What is written lies among the models that `tests/tests/operators.rs`
//! compares with LiteRT; `REGENERATE=1` writes it anew, and `make_models/expect.py` then asks LiteRT.

use osprey_engine::graph::{Interface, Op};
use osprey_engine::{DType, Graph, Options, Program, Session};
use osprey_quantize::{
    Borders, Method, QuantizeError, Quantized, Quantizer, Settings, Storage, weights_only,
};
use std::fs;
use std::path::{Path, PathBuf};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/models").join(name)
}

fn model(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap()
}

/// Numbers from −1 to 1, the same each time.
fn sample(length: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

fn quantize(file: &[u8], settings: &Settings) -> Quantized {
    let mut quantizer = Quantizer::new(file, settings).unwrap();
    for seed in 1..17 {
        let inputs: Vec<_> = quantizer.lengths().into_iter().map(|n| sample(n, seed)).collect();
        quantizer.observe(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    }
    quantizer.finish().unwrap()
}

/// All outputs of a model with float borders on one of the samples; integers as they are.
fn outputs(file: &[u8]) -> Vec<Vec<f64>> {
    let program = Program::compile(&Graph::read(file).unwrap(), &Options::default()).unwrap();
    let mut session = Session::new(program.into()).unwrap();
    let ports = session.program().clone();
    for (i, port) in ports.inputs().iter().enumerate() {
        let values = sample(port.shape.iter().product(), 3);
        session.set_input(i, &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>()).unwrap();
    }
    session.run();
    let words = |i: usize| session.output(i).unwrap().as_chunks::<4>().0.to_vec();
    let output = |(i, port): (usize, &osprey_engine::Port)| match port.dtype {
        DType::F32 => words(i).into_iter().map(|b| f32::from_le_bytes(b).into()).collect(),
        _ => words(i).into_iter().map(|b| i32::from_le_bytes(b).into()).collect(),
    };
    ports.outputs().iter().enumerate().map(output).collect()
}

/// Root mean square of the difference, as a share of the first's own.
fn relative(a: &[f64], b: &[f64]) -> f64 {
    let squares = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>();
    let difference = squares(&mut a.iter().zip(b).map(|(a, b)| a - b));
    (difference / squares(&mut a.iter().copied()).max(1e-12)).sqrt()
}

const FLOAT_BORDERS: Settings = Settings {
    method: Method::Mse,
    borders: Borders::Float,
    correct_bias: true,
    input_range: None,
    threads: 1,
};

#[test]
fn integers_say_what_floats_say() {
    for name in ["activations", "layers", "prelu", "reduce", "transpose_conv"] {
        let float = model(&format!("{name}_float.tflite"));
        for method in [Method::MinMax, Method::Percentile(1e-4), Method::Mse] {
            let small = quantize(&float, &Settings { method, ..FLOAT_BORDERS }).file;
            for (i, (f, q)) in outputs(&float).iter().zip(outputs(&small)).enumerate() {
                let error = relative(f, &q);
                assert!(error < 0.09, "{name} output {i}, {method:?}: {error}");
            }
        }
    }
}

#[test]
fn layers_become_integers_and_names_stay() {
    let float = model("layers_float.tflite");
    let made = quantize(&float, &Settings::default());
    assert_eq!(made.float, []);
    let (old, new) = (Graph::read(&float).unwrap(), Graph::read(&made.file).unwrap());
    assert_eq!(new.nodes.len(), old.nodes.len());
    for node in &new.nodes {
        if let Op::Conv2d(_) | Op::DepthwiseConv2d(_) = node.op {
            let weights = &new.tensors[node.inputs[1].unwrap()];
            let scales = &weights.quantization.as_ref().unwrap().scales;
            assert!(weights.dtype == DType::I8 && scales.len() > 1, "{}", weights.name);
        }
    }
    let names =
        |g: &Graph<'_>, ids: &[usize]| ids.iter().map(|&id| g.tensors[id].name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&new, &new.inputs), names(&old, &old.inputs));
    assert_eq!(names(&new, &new.outputs), names(&old, &old.outputs));
    assert!(new.inputs.iter().chain(&new.outputs).all(|&id| new.tensors[id].dtype == DType::I8));
    let signatures = |file| {
        let interface = Interface::read(file).unwrap();
        interface.signatures.into_iter().map(|s| (s.key, s.inputs.len(), s.outputs.len())).collect::<Vec<_>>()
    };
    assert_eq!(signatures(&made.file), signatures(&float));
    let keys = |g: &Graph<'_>| {
        g.metadata.iter().map(|(name, data)| (name.clone(), data.to_vec())).collect::<Vec<_>>()
    };
    assert_eq!(keys(&new), keys(&old));
}

#[test]
fn borders_are_of_the_type_that_was_asked_for() {
    let float = model("layers_float.tflite");
    for (borders, dtype) in
        [(Borders::Int8, DType::I8), (Borders::Uint8, DType::U8), (Borders::Float, DType::F32)]
    {
        let file = quantize(&float, &Settings { borders, ..Settings::default() }).file;
        let graph = Graph::read(&file).unwrap();
        assert!(graph.inputs.iter().chain(&graph.outputs).all(|&id| graph.tensors[id].dtype == dtype));
    }
}

#[test]
fn inputs_hold_what_they_are_said_to() {
    let input_range = Some((-2.0, 3.0));
    let file = quantize(&model("layers_float.tflite"), &Settings { input_range, ..Settings::default() }).file;
    let graph = Graph::read(&file).unwrap();
    let quantization = graph.tensors[graph.inputs[0]].quantization.clone().unwrap();
    assert_eq!(quantization.per_tensor(), Some((5.0 / 255.0, -26)));
}

#[test]
fn what_has_no_integer_form_is_named_and_stays_float() {
    let made = quantize(&model("lstm_float.tflite"), &FLOAT_BORDERS);
    assert!(made.float.iter().any(|k| k.op == "UNIDIRECTIONAL_SEQUENCE_LSTM"), "{:?}", made.float);
    assert!(outputs(&made.file).iter().flatten().all(|v| v.is_finite()));
}

#[test]
fn weights_alone_can_be_small() {
    let float = model("layers_float.tflite");
    let half = weights_only(&float, Storage::Float16).unwrap();
    for (f, h) in outputs(&float).iter().zip(outputs(&half.file)) {
        assert!(relative(f, &h) < 1e-3);
    }
    // Nothing in it has the 1,024 weights from which on int8 is worth it.
    assert_eq!(weights_only(&model("prelu_float.tflite"), Storage::Int8), Err(QuantizeError::Nothing));
}

#[test]
fn what_cannot_be_quantized_is_refused() {
    let float = model("layers_float.tflite");
    let quantizer = Quantizer::new(&float, &Settings::default()).unwrap();
    assert_eq!(quantizer.finish(), Err(QuantizeError::NoSamples));
    let mut quantizer = Quantizer::new(&float, &Settings::default()).unwrap();
    assert!(matches!(quantizer.observe(&[&[0.0]]), Err(QuantizeError::Sample { .. })));
    let infinite = vec![f32::INFINITY; quantizer.lengths()[0]];
    assert!(matches!(quantizer.observe(&[&infinite]), Err(QuantizeError::NotFinite { .. })));
    let int8 = model("layers_int8.tflite");
    let refused = Quantizer::new(&int8, &Settings::default());
    assert!(matches!(refused, Err(QuantizeError::AlreadyQuantized { .. } | QuantizeError::Input { .. })));
    for end in 0..float.len().min(2000) {
        assert!(Quantizer::new(&float[..end], &Settings::default()).is_err());
    }
}

/// The files that LiteRT was asked about are those that are written today.
#[test]
fn kept_models_are_what_is_written() {
    let cases = [
        ("activations", Settings::default()),
        ("layers", Settings { method: Method::MinMax, ..Settings::default() }),
        ("prelu", Settings::default()),
        ("reduce", Settings { borders: Borders::Uint8, ..Settings::default() }),
        ("transpose_conv", FLOAT_BORDERS),
    ];
    for (name, settings) in cases {
        let kept = path(&format!("quantized_{name}.tflite"));
        let made = quantize(&model(&format!("{name}_float.tflite")), &settings).file;
        if std::env::var_os("REGENERATE").is_some() {
            fs::write(&kept, &made).unwrap();
            continue;
        }
        let kept = fs::read(&kept).unwrap();
        let (kept, made) = (Graph::read(&kept).unwrap(), Graph::read(&made).unwrap());
        assert_eq!(kept.nodes.len(), made.nodes.len(), "{name}");
        for (a, b) in kept.tensors.iter().zip(&made.tensors) {
            assert_eq!((&a.name, a.dtype, &a.shape), (&b.name, b.dtype, &b.shape), "{name}");
            let scales = |t: &osprey_engine::graph::TensorInfo<'_>| {
                t.quantization.as_ref().map_or(Vec::new(), |q| q.scales.clone())
            };
            // Other instruction sets add floats up in another order.
            for (x, y) in scales(a).iter().zip(scales(b)) {
                assert!((x - y).abs() <= 1e-3 * x.abs(), "{name} \"{}\": {x}, {y}", a.name);
            }
        }
    }
}
