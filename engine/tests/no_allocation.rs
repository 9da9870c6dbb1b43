//! A run asks the system for no memory.

use cap::Cap;
use osprey_engine::{Graph, Options, Program, Session};
use std::alloc::System;
use std::path::{Path, PathBuf};

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

fn models(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| entry.ok().map(|e| e.path()));
    paths.filter(|path| path.extension().is_some_and(|e| e == "tflite")).collect()
}

#[test]
fn a_run_allocates_nothing() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let assets = std::env::var_os("OSPREY_ASSETS").map_or(repository.join("../shared/assets"), PathBuf::from);
    let ours = models(&repository.join("tests/models"));
    assert!(ours.len() > 30, "the models are part of the repository");
    for path in ours.iter().chain(&models(&assets.join("models"))) {
        let file = std::fs::read(path).unwrap();
        for threads in [1, 2] {
            let options = Options { threads, ..Options::default() };
            let Ok(program) = Program::compile(&Graph::read(&file).unwrap(), &options) else { continue };
            let mut session = Session::new(program.into()).unwrap();
            let mut allocated = || {
                let before = MEMORY.total_allocated();
                session.run();
                session.reset_state();
                MEMORY.total_allocated() - before
            };
            if threads == 1 {
                assert_eq!([allocated(), allocated()], [0, 0], "bytes in two runs of {}", path.display());
                continue;
            }
            // A worker that is still starting allocates for itself beside the first runs.
            let quiet = (0..200).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(1));
                [allocated(), allocated(), allocated()] == [0, 0, 0]
            });
            assert!(quiet, "no three runs of {} on {threads} threads without allocation", path.display());
        }
    }
}
