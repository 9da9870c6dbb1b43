use osprey_detector::{InputBox, Model, TensorViewMut};
use std::path::{Path, PathBuf};

/// The folder of optional assets; prints one line where there is none.
pub(crate) fn assets(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/assets");
    let folder = std::env::var_os("OSPREY_ASSETS").map_or(beside, PathBuf::from);
    let found = folder.join("models").is_dir();
    if !found {
        println!("{test}: skipped, no assets in {} (set OSPREY_ASSETS)", folder.display());
    }
    found.then_some(folder)
}

pub(crate) fn model(assets: &Path, name: &str) -> PathBuf {
    assets.join("models").join(format!("{name}.tflite"))
}

pub(crate) fn floats(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

/// The numbers of an `.npy` file without its header, for arrays of bytes.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    let file = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let len = npyz::NpyFile::new(&file[..]).unwrap().len() as usize;
    file[file.len() - len..].to_vec()
}

/// Feeds the exact input of a golden run.
pub(crate) fn feed(model: &mut dyn Model, input: &Path) {
    feed_view(model.input_mut(0).unwrap(), input);
}

pub(crate) fn feed_view(mut view: TensorViewMut<'_>, input: &Path) {
    if let Some(values) = view.as_slice_mut::<u8>() {
        values.copy_from_slice(&bytes(input));
    } else if let Some(values) = view.as_slice_mut::<i8>() {
        values.iter_mut().zip(bytes(input)).for_each(|(v, b)| *v = b as i8);
    } else if let Some(values) = view.as_slice_mut::<f32>() {
        values.copy_from_slice(&floats(input));
    } else {
        panic!("an input of {}", view.dtype());
    }
}

/// A detection that LiteRT reported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Golden {
    pub(crate) bbox: InputBox,
    pub(crate) class_id: usize,
    pub(crate) score: f32,
}

/// The four outputs of LiteRT's post-processing operator, in the file's order: boxes, classes,
/// scores, count. The order differs between files, so that it is read off the shapes and values.
pub(crate) fn goldens(folder: &Path, kernels: &str) -> Vec<Golden> {
    let [boxes, classes, scores, count] =
        [0, 1, 2, 3].map(|i| floats(&folder.join(format!("out{i}.{kernels}.npy"))));
    let rows = boxes.as_chunks::<4>().0.iter().zip(classes).zip(scores);
    let golden = |((b, c), s): ((&[f32; 4], f32), f32)| Golden {
        bbox: InputBox::from_yxyx(*b),
        class_id: c as usize,
        score: s,
    };
    rows.map(golden).take(count[0] as usize).collect()
}

/// Folders of golden runs of a model.
pub(crate) fn runs(assets: &Path, name: &str) -> Vec<PathBuf> {
    let folder = assets.join("golden").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut runs: Vec<_> = entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    runs.sort();
    assert!(!runs.is_empty());
    runs
}
