//! Real quantized models against LiteRT's outputs on exact inputs: the very bytes of its default
//! kernels.

use osprey_engine::{Error, Options};
use osprey_tests::arrays::{Difference, npy, numbers};
use osprey_tests::{assets, engine};
use std::path::Path;

/// Compares all outputs on every image, and returns a line for each that is too far away.
fn compare(model: &Path, golden: &Path) -> Vec<String> {
    let name = assets::stem(model);
    let file = std::fs::read(model).unwrap();
    let mut session = engine::session(&file, &Options::default()).unwrap();
    let mut failures = Vec::new();
    let images: Vec<_> = assets::files(golden, "").into_iter().filter(|p| p.is_dir()).collect();
    if images.is_empty() {
        failures.push(format!("{name}: no golden outputs in {}", golden.display()));
    }
    for image in images {
        engine::run(&mut session, &[npy(&image.join("input.npy"))]).unwrap();
        for (i, ours) in engine::outputs(&session).iter().enumerate() {
            let port = &session.program().outputs()[i];
            let theirs = |kind: &str| numbers(port.dtype, &npy(&image.join(format!("out{i}.{kind}.npy"))));
            let (default, reference) = (theirs("xnnpack"), theirs("ref"));
            let d = Difference::between(ours, &default);
            let r = Difference::between(ours, &reference);
            let b = Difference::between(&default, &reference);
            println!(
                "{name:56} {:13} {i} {:8} {:7} | default: {:7} equal, furthest {:.2e} | reference: {:7}, {:.2e} | LiteRT's two: {:7}, {:.2e}",
                assets::stem(&image),
                port.dtype.to_string(),
                d.count,
                d.equal,
                d.max,
                r.equal,
                r.max,
                b.equal,
                b.max
            );
            // The goldens are x86-64's, and WebAssembly gives the same. Elsewhere a table entry may round differently.
            let near = |d: &Difference| d.max <= b.max && d.mean() <= b.mean();
            let good = match cfg!(any(target_arch = "x86_64", target_arch = "wasm32")) {
                true => d.equal == d.count,
                false => near(&d) || near(&r),
            };
            if !good {
                failures.push(format!(
                    "{name} {} output {i}: to default {d:?}, to reference {r:?}, between {b:?}",
                    assets::stem(&image)
                ));
            }
        }
    }
    failures
}

#[test]
fn real_models_give_litert_outputs() {
    let Some(assets) = assets::optional("conformance") else { return };
    let (mut compared, mut failures) = (0, Vec::new());
    for model in assets::files(&assets.join("models"), ".tflite") {
        let name = assets::stem(&model);
        let file = std::fs::read(&model).unwrap();
        let session = match engine::session(&file, &Options::default()) {
            Ok(session) => session,
            Err(e) => {
                let refused =
                    matches!(&e, Error::UnsupportedOperator { op, .. } if op.contains("fake-op-double"));
                if name != "model_invoking_error" || !refused {
                    failures.push(format!("{name}: {e}"));
                }
                continue;
            }
        };
        let golden = assets.join("golden").join(&name);
        if session.program().post_process().is_none() && golden.is_dir() {
            failures.extend(compare(&model, &golden));
            compared += 1;
        }
    }
    assert!(compared > 0, "{} has no golden outputs of its models", assets.display());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
