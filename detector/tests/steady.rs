//! Detection on a warm detector asks the system for no memory. Alone in its program, since the
//! allocator counts for all threads.

use cap::Cap;
use osprey_detector::frame::Frame;
use osprey_detector::model::{Manifest, Task};
use osprey_detector::{Detector, DetectorOptions};
use std::alloc::System;
use std::path::Path;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

#[test]
fn a_warm_detector_allocates_nothing() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let manifest = Manifest::read(models.join("manifest.toml")).unwrap();
    let file = &manifest.default_for(Task::Detection).unwrap().file;
    // So low a threshold that candidates come by the thousand.
    let options = DetectorOptions { score_threshold: Some(0.002), ..DetectorOptions::default() };
    let mut detector = Detector::load(models.join(file), &options).unwrap();
    let mut pixels = vec![0; 640 * 480 * 4];
    let mut frame = |seed: u32| {
        let mut state = seed;
        for value in &mut pixels {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *value = (state >> 24) as u8;
        }
        let found = detector.detect(&Frame::bgra(&pixels, 640, 480).unwrap()).unwrap();
        assert!(!found.is_empty(), "so low a threshold passes something");
    };
    frame(1);
    let before = MEMORY.total_allocated();
    frame(1);
    assert_eq!(MEMORY.total_allocated() - before, 0, "bytes in a run");
}
