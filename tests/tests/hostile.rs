//! Damaged models are refused or run: no panic, no hang, no unbounded memory.

use cap::Cap;
use osprey_engine::{Limits, Options};
use osprey_tests::mutate::{Random, fields, mutate};
use osprey_tests::{assets, engine};
use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 1 << 30);

const FILES: usize = 30_000;
/// Far above what any file takes, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);
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

/// What one damaged file did.
enum Outcome {
    Refused,
    Ran,
    Panicked(String),
}

fn attempt(file: &[u8], options: &Options) -> Outcome {
    let run = || engine::session(file, options).map(|mut session| session.run()).is_ok();
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(true) => Outcome::Ran,
        Ok(false) => Outcome::Refused,
        Err(panic) => {
            let message = panic.downcast_ref::<String>().cloned();
            let message = message.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Outcome::Panicked(message.unwrap_or_default())
        }
    }
}

#[test]
fn damaged_models_do_no_harm() {
    let models = models();
    assert!(models.len() > 30, "the models are part of the repository");
    let fields: Vec<_> = models.iter().map(|(_, file)| fields(file)).collect();
    // Panics are counted, not printed.
    std::panic::set_hook(Box::new(|_| {}));
    let options = Options { limits: LIMITS, ..Options::default() };
    let (started, watched) = mpsc::channel();
    let worker = thread::spawn(move || {
        let (mut refused, mut ran, mut failures) = (0, 0, Vec::new());
        for seed in 0..FILES {
            let mut random = Random(seed as u64);
            let which = random.below(models.len());
            let (path, original) = &models[which];
            let file = mutate(original, &fields[which], &mut random);
            let name = format!("{} with seed {seed}", path.display());
            // A watcher that gave up does not listen any more.
            if started.send(name.clone()).is_err() {
                break;
            }
            match attempt(&file, &options) {
                Outcome::Refused => refused += 1,
                Outcome::Ran => ran += 1,
                Outcome::Panicked(message) => failures.push(format!("{name}: panic: {message}")),
            }
        }
        (refused, ran, failures)
    });
    // Watched from outside, so that a file that hangs is named while it hangs.
    let mut current = String::from("the first file");
    let hung = loop {
        match watched.recv_timeout(PATIENCE) {
            Ok(name) => current = name,
            Err(RecvTimeoutError::Timeout) => break true,
            Err(RecvTimeoutError::Disconnected) => break false,
        }
    };
    drop(std::panic::take_hook());
    assert!(!hung, "{current}: not done after {PATIENCE:?}");
    let (refused, ran, failures) = worker.join().expect("panics are caught");
    println!("{FILES} damaged files: {refused} refused, {ran} ran");
    println!("at most {} MiB at a time", MEMORY.max_allocated() >> 20);
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures[..failures.len().min(20)].join("\n")
    );
    assert_eq!(refused + ran, FILES);
    assert!(refused > 0 && ran > 0, "the damage is neither harmless nor always fatal");
}
