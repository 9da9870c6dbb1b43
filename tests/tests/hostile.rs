//! Damaged models are refused or run: no panic, no hang, no unbounded memory.

use cap::Cap;
use osprey_engine::{Limits, Options};
use osprey_tests::mutate::{Random, fields, mutate};
use osprey_tests::{assets, engine};
use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 1 << 30);

const FILES: usize = 20_000;
const PATIENCE: Duration = Duration::from_secs(5);
/// Large enough for every model that is damaged, small enough for a test on a busy machine.
const LIMITS: Limits = Limits { memory: 64 << 20, macs: 1 << 28, nodes: 1 << 12 };

fn models() -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths = assets::operator_models();
    if let Some(folder) = assets::optional("hostile") {
        let small = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|m| m.len() < 600_000);
        paths.extend(assets::files(&folder.join("models"), ".tflite").into_iter().filter(small));
    }
    let read = |path: &PathBuf| std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

#[test]
fn damaged_models_do_no_harm() {
    let models = models();
    let fields: Vec<_> = models.iter().map(|(_, file)| fields(file)).collect();
    // Panics are counted, not printed.
    std::panic::set_hook(Box::new(|_| {}));
    let options = Options { limits: LIMITS, ..Options::default() };
    let (mut refused, mut failures) = (0, Vec::new());
    for seed in 0..FILES {
        let mut random = Random(seed as u64);
        let which = random.below(models.len());
        let (path, original) = &models[which];
        let file = mutate(original, &fields[which], &mut random);
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            engine::session(&file, &options).map(|mut session| session.run()).is_ok()
        }));
        let name = || format!("{} with seed {seed}", path.display());
        match outcome {
            Ok(ran) => refused += usize::from(!ran),
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned();
                let message = message.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                failures.push(format!("{}: panic: {}", name(), message.unwrap_or_default()));
            }
        }
        if start.elapsed() > PATIENCE {
            failures.push(format!("{}: {:?}", name(), start.elapsed()));
        }
    }
    drop(std::panic::take_hook());
    println!("{FILES} damaged files: {refused} refused, {} ran", FILES - refused - failures.len());
    println!("at most {} MiB at a time", MEMORY.max_allocated() >> 20);
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures[..failures.len().min(20)].join("\n")
    );
}
