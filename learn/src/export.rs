//! Features and head as one .tflite file.

use super::{LearnError, LinearHead, features};
use osprey_detector::model::{Entry, InputEntry, LabelsEntry, ModelError, PACKED_ENTRY, Task};
use osprey_engine::Graph;
use osprey_engine::graph::{ClassifierHead, append_classifier};
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The model in `file` with `head` on the features at `tensors` (see
/// [`FeatureExtractor::new`](super::FeatureExtractor::new)): the bytes of a .tflite file that takes
/// the model's input and gives float32 probabilities of shape [1, classes]. Labels are packed behind
/// it, and `input` with them, which says what the model expects of its pictures.
///
/// # Errors
/// [`LearnError::NoEmbedding`], [`LearnError::FeatureLength`], [`LearnError::Model`].
pub fn export<S: AsRef<str>>(
    file: &[u8],
    tensors: &[S],
    head: &LinearHead,
    input: &InputEntry,
) -> Result<Vec<u8>, LearnError> {
    let graph = Graph::read(file).map_err(ModelError::from)?;
    let taps = features::choose(&graph, tensors)?;
    let dim: usize = taps.iter().filter_map(|&id| graph.tensors[id].shape.last()).sum();
    if dim != head.dim() {
        return Err(LearnError::FeatureLength { expected: head.dim(), actual: dim });
    }
    let (weights, bias) = head.folded();
    let head_spec = ClassifierHead { features: &taps, weights: &weights, bias: &bias };
    let model = append_classifier(file, &head_spec).map_err(ModelError::from)?;
    pack(model, head.classes(), input)
}

/// Puts `osprey.toml` and `labels.txt` behind the model, as TFLite's metadata tools do.
fn pack(model: Vec<u8>, classes: &[String], input: &InputEntry) -> Result<Vec<u8>, LearnError> {
    let entry = Entry {
        name: "personalized".into(),
        file: "model.tflite".into(),
        task: Task::Classification,
        labels: Some(LabelsEntry::Names(classes.to_vec())),
        input: input.clone(),
        ..Entry::default()
    };
    let failed = |e: String| ModelError::Backend { backend: "export", message: e };
    let described = toml::to_string(&entry).map_err(|e| failed(e.to_string()))?;
    let end = model.len() as u64;
    let mut out = Cursor::new(model);
    out.set_position(end);
    let mut zip = ZipWriter::new(out);
    // Without a fixed time the same head would give different files.
    let stored = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    for (name, text) in [(PACKED_ENTRY, described), ("labels.txt", classes.join("\n") + "\n")] {
        zip.start_file(name, stored).map_err(|e| failed(e.to_string()))?;
        zip.write_all(text.as_bytes()).map_err(|e| failed(e.to_string()))?;
    }
    Ok(zip.finish().map_err(|e| failed(e.to_string()))?.into_inner())
}
