use osprey_detector::model::{LoadOptions, Manifest, Task, load};
use osprey_detector::{Detector, DetectorOptions};
use std::path::{Path, PathBuf};

/// The catalogue of the repository.
fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

#[test]
fn every_model_of_the_catalogue_loads_as_described() {
    let manifest = Manifest::read(models().join("manifest.toml")).unwrap();
    assert!(manifest.default_for(Task::Detection).is_some());
    for entry in &manifest.models {
        let loaded = load(models().join(&entry.file), &LoadOptions::default()).unwrap();
        assert_eq!(loaded.entry.as_ref(), Some(entry), "the manifest beside the file is used");
        if entry.task == Task::Detection {
            let detector = Detector::from_model(loaded, &DetectorOptions::default()).unwrap();
            assert_eq!(detector.notes(), [""; 0], "{}: nothing is left to guess", entry.name);
            assert_eq!(detector.labels().len(), detector.classes(), "{}", entry.name);
        }
    }
}
