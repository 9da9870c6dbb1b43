use crate::build::{ModelFile, metadata};
use crate::support::{assets, model};
use osprey_detector::model::{
    Backend, FileKind, LabelSource, LoadOptions, LoadedModel, Metadata, ModelInfo, load,
};
use osprey_detector::{Detector, DetectorOptions, ModelError};

#[test]
fn labels_come_from_the_file_without_its_background() {
    let Some(assets) = assets("labels_come_from_the_file_without_its_background") else { return };
    let path = model(&assets, "ssd_mobilenet_v1_1_metadata_1");
    let loaded = load(&path, &LoadOptions::default()).unwrap();
    assert_eq!(loaded.labels.as_ref().unwrap().source(), &LabelSource::Metadata("labelmap.txt".into()));
    assert_eq!(loaded.labels.as_ref().unwrap().len(), 91);
    let normalization = loaded.metadata.inputs[0].normalization.unwrap();
    assert_eq!((normalization.mean, normalization.std), ([127.5; 3], [127.5; 3]));
    assert!(loaded.metadata.outputs.iter().flat_map(|o| &o.files).any(|f| f.kind == FileKind::ValueLabels));
    assert!(!loaded.metadata.name.is_empty() && loaded.metadata.license.contains("Apache"));

    let detector = Detector::load(&path, &DetectorOptions::default()).unwrap();
    assert!(detector.labels().dropped_background());
    assert_eq!((detector.classes(), detector.labels().len()), (90, 90));
    assert_eq!(detector.labels().get(0), Some("person"));
    assert_eq!(detector.labels().get(16), Some("cat"));
    assert_eq!(detector.labels().get(11), None, "a class that COCO left out");
    assert!(detector.has_background());
}

#[test]
fn a_class_agnostic_model_has_no_background() {
    let Some(assets) = assets("a_class_agnostic_model_has_no_background") else { return };
    let path = model(&assets, "mobile_object_localizer_v1_1_meta");
    let detector = Detector::load(&path, &DetectorOptions::default()).unwrap();
    assert_eq!((detector.classes(), detector.labels().get(0)), (1, Some("Entity")));
    assert!(!detector.has_background());
    assert!(detector.notes().is_empty(), "{:?}", detector.notes());
}

#[test]
fn every_file_is_described() {
    let Some(assets) = assets("every_file_is_described") else { return };
    for entry in std::fs::read_dir(assets.join("models")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "tflite") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let info = ModelInfo::read(&path, &LoadOptions::default()).unwrap();
        println!(
            "{name}: {}, {} parameters, {:?} MACs, {}",
            info.quantization, info.parameters, info.macs, info.reason
        );
        if name == "model_invoking_error" {
            assert_eq!(info.backend, None);
            assert!(info.problems[0].error.to_string().contains("fake-op-double"), "{:?}", info.problems);
            assert_eq!(info.operators[0].unsupported, 1);
            assert!(load(&path, &LoadOptions::default()).is_err());
            continue;
        }
        assert_eq!(info.backend, Some(Backend::Native), "{name}: {:?}", info.problems);
        assert!(info.problems.is_empty(), "{name}: {:?}", info.problems);
        assert!(info.macs > Some(0) && info.parameters > 0, "{name}");
        assert!(info.warnings.is_empty(), "{name}: {:?}", info.warnings);
        assert!(!info.operators.is_empty() && !info.inputs.is_empty(), "{name}");
    }
}

/// Reshapes its input to itself: whatever it carries matters, not what it computes.
fn carrier() -> ModelFile {
    let mut m = ModelFile::default();
    let (input, shape, output) = (m.float(&[1, 4, 6, 3]), m.constant(&[1, 24, 3]), m.float(&[1, 24, 3]));
    m.operator(22, &[input, shape], output, 17, &[]);
    (m.inputs, m.outputs) = (vec![input], vec![output]);
    m
}

#[test]
fn metadata_and_packed_files_are_read() {
    let file = ModelFile {
        metadata: Some(metadata("names.txt", Some("calibration.csv"))),
        files: vec![("names.txt", b"cat\ndog\n".to_vec()), ("calibration.csv", b"1,1,0\n\n".to_vec())],
        ..carrier()
    };
    let loaded = LoadedModel::from_bytes(&file.finish(), &LoadOptions::default()).unwrap();
    assert_eq!(loaded.labels.unwrap().iter().collect::<Vec<_>>(), ["cat", "dog"]);
    assert_eq!((loaded.metadata.name.as_str(), loaded.metadata.license.as_str()), ("a test's model", "CC0"));
    let normalization = loaded.metadata.inputs[0].normalization.unwrap();
    assert_eq!((normalization.mean, normalization.std), ([10.0, 20.0, 30.0], [2.0; 3]));
    assert_eq!(loaded.metadata.outputs[0].calibration.unwrap().default_score, 0.25);
    assert_eq!(loaded.calibration.unwrap().apply(1, 0.9), 0.25);
}

#[test]
fn a_packed_description_goes_before_the_metadata() {
    let entry = "name = \"packed\"\nlabels = [\"one\", \"two\"]\ninput = { resize = \"letterbox\" }\n";
    let file = ModelFile {
        metadata: Some(metadata("names.txt", None)),
        files: vec![("names.txt", b"cat\ndog\n".to_vec()), ("osprey.toml", entry.into())],
        ..carrier()
    };
    let loaded = LoadedModel::from_bytes(&file.finish(), &LoadOptions::default()).unwrap();
    assert_eq!(loaded.entry.unwrap().name, "packed");
    assert_eq!(loaded.labels.unwrap().get(1), Some("two"));
    let ignoring = LoadOptions { ignore_metadata: true, ..LoadOptions::default() };
    let loaded = LoadedModel::from_bytes(&file.finish(), &ignoring).unwrap();
    assert!(loaded.entry.is_none() && loaded.labels.is_none());
}

#[test]
fn damaged_metadata_are_an_error_that_can_be_passed_over() {
    let whole = metadata("names.txt", None);
    for cut in [1, 7, 20, whole.len() / 2] {
        let file = ModelFile { metadata: Some(whole[..cut].to_vec()), ..carrier() }.finish();
        let error = LoadedModel::from_bytes(&file, &LoadOptions::default()).unwrap_err();
        assert!(matches!(error, ModelError::Metadata { .. }), "{error}");
        assert!(error.to_string().contains("ignore_metadata"));
        let ignoring = LoadOptions { ignore_metadata: true, ..LoadOptions::default() };
        LoadedModel::from_bytes(&file, &ignoring).unwrap();
        let info = ModelInfo::from_bytes(&file, &LoadOptions::default()).unwrap();
        assert_eq!(info.warnings.len(), 1, "what is wrong is told, the rest is shown");
    }
}

#[test]
fn every_damaged_byte_of_metadata_is_an_error_or_a_result() {
    let whole = metadata("names.txt", Some("calibration.csv"));
    for at in 0..whole.len() {
        for value in [0, 1, 0x7F, 0x80, 0xFF] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            let _ = Metadata::read(&damaged);
        }
        let _ = Metadata::read(&whole[..at]);
    }
}

#[test]
fn a_packed_bomb_is_refused() {
    let bomb = vec![b'\n'; 64 << 20];
    let files = vec![("names.txt", bomb)];
    let file = ModelFile { metadata: Some(metadata("names.txt", None)), files, ..carrier() }.finish();
    assert!(file.len() < 1 << 20);
    let error = LoadedModel::from_bytes(&file, &LoadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("unpacks to more than"), "{error}");
}

#[test]
fn damaged_models_are_errors_or_results() {
    let file = ModelFile {
        metadata: Some(metadata("names.txt", None)),
        files: vec![("names.txt", b"cat\ndog\n".to_vec())],
        ..carrier()
    };
    let whole = file.finish();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] = damaged[at].wrapping_add(0x55);
        for bytes in [&damaged[..], &whole[..at]] {
            if let Ok(mut loaded) = LoadedModel::from_bytes(bytes, &LoadOptions::default()) {
                let _ = loaded.model.run();
            }
            let _ = ModelInfo::from_bytes(bytes, &LoadOptions::default());
            let _ = Detector::from_bytes(bytes, &DetectorOptions::default());
        }
    }
}

#[test]
fn a_manifest_beside_the_file_adds_what_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("net.tflite"), carrier().finish()).unwrap();
    std::fs::write(folder.path().join("names.txt"), "cat\ndog\nbird\n").unwrap();
    let manifest = "[[model]]\nname = \"net\"\nfile = \"net.tflite\"\nlabels = \"names.txt\"\n";
    std::fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
    let loaded = load(folder.path().join("net.tflite"), &LoadOptions::default()).unwrap();
    assert_eq!(loaded.entry.unwrap().name, "net");
    assert_eq!(loaded.labels.unwrap().get(2), Some("bird"));
    let missing = load(folder.path().join("other.tflite"), &LoadOptions::default());
    assert!(matches!(missing, Err(ModelError::Read { .. })));
    // A manifest that is damaged is an error, lest labels and anchors be missing without a word; what the file
    // itself holds can still be looked at.
    std::fs::write(folder.path().join("manifest.toml"), "[[model]").unwrap();
    let damaged = load(folder.path().join("net.tflite"), &LoadOptions::default());
    assert!(matches!(damaged, Err(ModelError::Manifest(_))), "{:?}", damaged.err());
    let info = ModelInfo::read(folder.path().join("net.tflite"), &LoadOptions::default()).unwrap();
    assert_eq!(info.warnings.len(), 1);
}

#[test]
fn files_beyond_the_limit_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.tflite");
    std::fs::write(&path, carrier().finish()).unwrap();
    let mut options = LoadOptions::default();
    options.limits.memory = 100;
    assert!(matches!(load(&path, &options), Err(ModelError::FileTooLarge { limit: 100, .. })));
}
