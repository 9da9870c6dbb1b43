//! TFLite metadata: what a model's author says of inputs and outputs.
//!
//! A flatbuffer of its own (identifier `M001`) in the model buffer `TFLITE_METADATA`. Field numbers
//! are those of `metadata_schema.fbs` of the TFLite Support library.

use super::{ModelError, Normalization, SsdSpec, mediapipe};
use osprey_engine::graph::flatbuffer::Table;
use serde::Serialize;

/// Name of the model's metadata entry.
pub(super) const BUFFER: &str = "TFLITE_METADATA";

/// Longest metadata that is read; real ones take kilobytes.
const MAX_BYTES: usize = 16 << 20;
/// Tensors, files and process units of one list. Lists can share their entries, so that short
/// buffers could ask for long work.
const MAX_ENTRIES: usize = 64;
/// Characters kept of a text.
const MAX_CHARS: usize = 4096;

/// What the file says about itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata {
    /// Name of the model.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Version of the model.
    pub version: String,
    /// Who made it.
    pub author: String,
    /// Its licence, a name or the whole text.
    pub license: String,
    /// Inputs, in the graph's order.
    pub inputs: Vec<TensorMetadata>,
    /// Outputs, in the graph's order.
    pub outputs: Vec<TensorMetadata>,
    /// Files that belong to no tensor.
    pub files: Vec<AssociatedFile>,
    /// How a detector's raw outputs are to be read: MediaPipe's DETECTOR_METADATA.
    pub detector: Option<SsdSpec>,
}

/// What the file says about one input or output.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TensorMetadata {
    /// Name of the tensor, for people.
    pub name: String,
    /// What it holds.
    pub description: String,
    /// How an input is to be normalized.
    pub normalization: Option<Normalization>,
    /// How scores are to be calibrated, with the parameters in a file of [`FileKind::ScoreCalibration`].
    pub calibration: Option<ScoreCalibration>,
    /// Scores below are meant to be dropped.
    pub score_threshold: Option<f32>,
    /// Files that belong to the tensor, such as its labels.
    pub files: Vec<AssociatedFile>,
}

/// A file packed behind the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssociatedFile {
    /// Name in the archive.
    pub name: String,
    /// What it holds.
    pub kind: FileKind,
    /// Language of its texts, such as "en"; empty where not said.
    pub locale: String,
}

/// What an associated file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum FileKind {
    /// Not said, or of no use here.
    Other,
    /// A label for each index of the tensor's last axis: classifiers.
    AxisLabels,
    /// A label for each value of the tensor: detectors' class ids.
    ValueLabels,
    /// Parameters of [`ScoreCalibration`], a line for each class.
    ScoreCalibration,
}

/// Function applied to a score before its calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum ScoreTransform {
    /// The score.
    #[default]
    Identity,
    /// Its logarithm.
    Log,
    /// ln(s ÷ (1 − s)).
    InverseLogistic,
}

/// Calibration of scores by a sigmoid for each class: scale ÷ (1 + e^−(slope × T(score) + offset)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoreCalibration {
    /// T in the formula.
    pub transform: ScoreTransform,
    /// Score of classes without parameters, and of scores below their class's least.
    pub default_score: f32,
}

impl Metadata {
    /// Reads the content of the metadata buffer.
    ///
    /// # Errors
    /// [`ModelError::Metadata`].
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.len() > MAX_BYTES {
            return Err(ModelError::Metadata { what: format!("{} bytes exceed {MAX_BYTES}", bytes.len()) });
        }
        if bytes.get(4..8) != Some(b"M001") {
            return Err(ModelError::Metadata { what: "it does not carry the identifier M001".into() });
        }
        let damaged = |e: osprey_engine::Error| ModelError::Metadata { what: e.to_string() };
        Self::root(bytes).map_err(damaged)
    }

    fn root(bytes: &[u8]) -> osprey_engine::Result<Self> {
        let model = Table::root(bytes)?;
        // The main graph is the first; metadata of others is of no use here.
        let graph = model.tables(3)?.into_iter().next();
        let tensors = |field| graph.map_or(Ok(Vec::new()), |g| list(&g, field, tensor));
        let mut metadata = Self {
            name: text(&model, 0)?,
            description: text(&model, 1)?,
            version: text(&model, 2)?,
            author: text(&model, 4)?,
            license: text(&model, 5)?,
            inputs: tensors(2)?,
            outputs: tensors(3)?,
            files: list(&model, 6, file)?,
            detector: graph.map_or(Ok(None), |g| mediapipe::detector(&g))?,
        };
        if let Some(graph) = graph {
            metadata.files.extend(list(&graph, 4, file)?);
        }
        Ok(metadata)
    }

    /// Name of the file with labels: of an output, else of the model.
    pub fn labels_file(&self) -> Option<&str> {
        let labels = |f: &&AssociatedFile| matches!(f.kind, FileKind::AxisLabels | FileKind::ValueLabels);
        self.all_output_files().find(labels).map(|f| f.name.as_str())
    }

    /// Name of the file with parameters of the score calibration, with the rule to apply them by.
    pub(crate) fn calibration_file(&self) -> Option<(ScoreCalibration, &str)> {
        self.outputs.iter().find_map(|output| {
            let file = output.files.iter().find(|f| f.kind == FileKind::ScoreCalibration)?;
            Some((output.calibration?, file.name.as_str()))
        })
    }

    /// English or unmarked files come first: labels are for everyone's reports.
    fn all_output_files(&self) -> impl Iterator<Item = &AssociatedFile> {
        let all = || self.outputs.iter().flat_map(|o| &o.files).chain(&self.files);
        let plain = |f: &&AssociatedFile| f.locale.is_empty() || f.locale.starts_with("en");
        all().filter(plain).chain(all())
    }
}

fn text(table: &Table<'_>, field: usize) -> osprey_engine::Result<String> {
    let bytes = table.bytes(field)?;
    let kept = &bytes[..bytes.len().min(4 * MAX_CHARS)];
    let printable = |c: &char| !c.is_control() || *c == '\n';
    Ok(String::from_utf8_lossy(kept).chars().filter(printable).take(MAX_CHARS).collect())
}

fn list<T>(
    table: &Table<'_>,
    field: usize,
    read: fn(&Table<'_>) -> osprey_engine::Result<T>,
) -> osprey_engine::Result<Vec<T>> {
    table.tables(field)?.iter().take(MAX_ENTRIES).map(read).collect()
}

fn tensor(t: &Table<'_>) -> osprey_engine::Result<TensorMetadata> {
    let mut tensor = TensorMetadata {
        name: text(t, 0)?,
        description: text(t, 1)?,
        files: list(t, 6, file)?,
        ..TensorMetadata::default()
    };
    for unit in t.tables(4)?.iter().take(MAX_ENTRIES) {
        let Some(options) = unit.table(1)? else { continue };
        match unit.scalar::<u8>(0, 0)? {
            1 => tensor.normalization = normalization(&options.scalars(0)?, &options.scalars(1)?),
            2 => {
                let transform = match options.scalar::<i8>(0, 0)? {
                    1 => ScoreTransform::Log,
                    2 => ScoreTransform::InverseLogistic,
                    _ => ScoreTransform::Identity,
                };
                tensor.calibration =
                    Some(ScoreCalibration { transform, default_score: options.scalar(1, 0.0)? });
            }
            3 => tensor.score_threshold = Some(options.scalar(0, 0.0)?).filter(|t: &f32| t.is_finite()),
            _ => {}
        }
    }
    Ok(tensor)
}

/// One value for all channels, or one for each.
pub(super) fn normalization(mean: &[f32], std: &[f32]) -> Option<Normalization> {
    let spread = |v: &[f32]| match *v {
        [all] => Some([all; 3]),
        [r, g, b] => Some([r, g, b]),
        _ => None,
    };
    let (mean, std) = (spread(mean)?, spread(std)?);
    let usable = mean.iter().all(|m| m.is_finite()) && std.iter().all(|s| s.is_normal());
    usable.then_some(Normalization { mean, std })
}

fn file(t: &Table<'_>) -> osprey_engine::Result<AssociatedFile> {
    let kind = match t.scalar::<i8>(2, 0)? {
        2 => FileKind::AxisLabels,
        3 => FileKind::ValueLabels,
        4 => FileKind::ScoreCalibration,
        _ => FileKind::Other,
    };
    Ok(AssociatedFile { name: text(t, 0)?, kind, locale: text(t, 3)? })
}
