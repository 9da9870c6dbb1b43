//! `osprey run`.

use super::scratch::{Scratch, asset, outcome};
use std::fs;

#[test]
fn outputs_have_the_bytes_of_litert() {
    let Some(model) = asset("models/mobilenet_v1_0.25_128_quant.tflite") else { return };
    let Some(golden) = asset("golden/mobilenet_v1_0.25_128_quant") else { return };
    let case = golden
        .read_dir()
        .expect("a folder")
        .flatten()
        .map(|e| e.path())
        .find(|p| p.is_dir())
        .expect("a case");
    let scratch = Scratch::new();
    let run = outcome(
        scratch
            .osprey()
            .arg("run")
            .arg(&model)
            .arg("--input")
            .arg(case.join("input.npy"))
            .args(["--output", "out"]),
    );
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let ours = fs::read(scratch.path("out/out0.npy")).expect("an output");
    let values = |bytes: &[u8]| npyz::NpyFile::new(bytes).expect("npy").into_vec::<u8>().expect("uint8");
    let ours = values(&ours);
    let theirs = ["xnnpack", "ref"]
        .map(|k| values(&fs::read(case.join(format!("out0.{k}.npy"))).expect("a golden file")));
    let worst = |theirs: &[u8]| ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(
        theirs.iter().any(|t| t.len() == ours.len() && worst(t) <= Some(1)),
        "{:?}",
        theirs.each_ref().map(|t| worst(t))
    );
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let Some(model) = asset("models/mobilenet_v1_0.25_128_quant.tflite") else { return };
    let scratch = Scratch::new();
    scratch.write("text.npy", "no array");
    let npy = |dtype: &str, shape: &str, bytes: usize| {
        let mut header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut file = b"\x93NUMPY\x01\0".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.bytes());
        file.resize(file.len() + bytes, 7);
        file
    };
    scratch.write("shape.npy", npy("|u1", "(1, 128, 3)", 384));
    scratch.write("type.npy", npy("<f4", "(1, 128, 128, 3)", 4 * 128 * 128 * 3));
    scratch.write("short.npy", npy("|u1", "(1, 128, 128, 3)", 100));
    scratch.write("good.npy", npy("|u1", "(1, 128, 128, 3)", 128 * 128 * 3));
    let run = |inputs: &[&str]| {
        outcome(scratch.osprey().arg("run").arg(&model).arg("--input").args(inputs).args(["--output", "out"]))
    };
    for (input, said) in [
        ("text.npy", "not a .npy file"),
        ("shape.npy", "[1, 128, 128, 3]"),
        ("type.npy", "uint8"),
        ("short.npy", "ends early"),
        ("missing.npy", "missing.npy"),
    ] {
        let refused = run(&[input]);
        assert_eq!(refused.status, Some(1), "{input}: {}", refused.stderr);
        assert!(refused.stderr.contains(said), "{input}: \"{said}\" is not in {}", refused.stderr);
    }
    let two = run(&["good.npy", "good.npy"]);
    assert!(two.stderr.contains("takes 1 inputs, 2 were given"), "{}", two.stderr);
    assert!(!scratch.path("out").exists(), "nothing is written before everything fits");
    assert_eq!(run(&["good.npy"]).status, Some(0));
}
