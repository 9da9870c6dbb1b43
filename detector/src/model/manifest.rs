//! `manifest.toml`: what a catalogue of models says that their files do not.

use super::metadata::normalization;
use super::{ColorOrder, HeadKind, LabelSource, Labels, MotionSpec, Normalization, ResizeMode, SsdSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Longest manifest that is read.
const MAX_BYTES: u64 = 4 << 20;

/// A catalogue of models: `[[model]]` tables.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The models.
    #[serde(default, rename = "model")]
    pub models: Vec<Entry>,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Task {
    /// Boxes in pictures.
    #[default]
    Detection,
    /// One class for each picture.
    Classification,
    /// Handwritten digits.
    Digits,
    /// Motion or gestures from sensor windows.
    Motion,
}

/// One model of a catalogue.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Entry {
    /// What the model is called, unique in its catalogue.
    pub name: String,
    /// The file, in the manifest's folder.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// What it is for.
    pub task: Task,
    /// Taken where the user names no model of this task.
    pub default: bool,
    /// One line for people.
    pub description: String,
    /// Licence, as an SPDX expression.
    pub licence: String,
    /// Labels, where the file's metadata has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelsEntry>,
    /// The input.
    pub input: InputEntry,
    /// Least score of a detection that is shown where nothing else is asked for, 0..1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// Which head a detector's outputs are, where their shapes do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadKind>,
    /// Anchors, boxes and scores of an SSD with raw outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssd: Option<SsdSpec>,
    /// Channels and rate of a model of motion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motion: Option<MotionSpec>,
    /// Measured figures by name, as the model's card explains them.
    pub scores: BTreeMap<String, f64>,
}

/// Labels in a manifest: the names, or the file that holds them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LabelsEntry {
    /// Names by class id.
    Names(Vec<String>),
    /// A file in the manifest's folder.
    File(String),
}

/// The input in a manifest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InputEntry {
    /// Subtracted from pixels 0..255: one number, or one for each channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<Vec<f32>>,
    /// Divides what is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<Vec<f32>>,
    /// How pictures of another shape are fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<ResizeMode>,
    /// Order of the channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorOrder>,
    /// Pixels that a JPEG file decoded at a fraction of its size keeps for each pixel of the input, along either side; 2
    /// unless said. With 1, the least, large photos decode fastest, and what the model sees is a little softer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oversampling: Option<f32>,
}

impl InputEntry {
    /// Mean and deviation, where both are given.
    pub fn normalization(&self) -> Option<Normalization> {
        normalization(self.mean.as_ref()?, self.std.as_ref()?)
    }
}

/// Why a manifest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("manifest {}: {message}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// The text is not a manifest.
    #[error("manifest: {message}")]
    Syntax {
        /// What the parser said, with line and column.
        message: String,
    },
    /// An entry that contradicts itself.
    #[error("manifest, model \"{name}\": {what}")]
    Invalid {
        /// The entry's name.
        name: String,
        /// What is wrong with it.
        what: String,
    },
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`ManifestError::Syntax`], [`ManifestError::Invalid`].
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text)
            .map_err(|e| ManifestError::Syntax { message: e.to_string().trim().into() })?;
        for (i, entry) in manifest.models.iter().enumerate() {
            entry.check()?;
            if manifest.models[..i].iter().any(|other| other.name == entry.name) {
                return Err(entry.invalid("the name occurs twice"));
            }
        }
        Ok(manifest)
    }

    /// Reads and checks the manifest at `path`.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        use std::io::Read;
        let path = path.as_ref();
        let failed = |message: String| ManifestError::Read { path: path.into(), message };
        let file = std::fs::File::open(path).map_err(|e| failed(e.to_string()))?;
        let mut text = String::new();
        let read = file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|e| failed(e.to_string()))?;
        if read as u64 > MAX_BYTES {
            return Err(failed(format!("longer than {MAX_BYTES} bytes")));
        }
        Self::parse(&text)
    }

    /// The model called `name`.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.models.iter().find(|m| m.name == name)
    }

    /// The model to take for a task where the user names none.
    pub fn default_for(&self, task: Task) -> Option<&Entry> {
        let of_task = || self.models.iter().filter(|m| m.task == task);
        of_task().find(|m| m.default).or_else(|| of_task().next())
    }

    /// The model whose file has this name.
    pub fn for_file(&self, path: &Path) -> Option<&Entry> {
        let name = path.file_name()?.to_str()?;
        self.models.iter().find(|m| m.file == name)
    }
}

impl Entry {
    /// Reads one entry, as packed behind a model under the name `osprey.toml`.
    ///
    /// # Errors
    /// [`ManifestError::Syntax`], [`ManifestError::Invalid`].
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let entry: Self = toml::from_str(text)
            .map_err(|e| ManifestError::Syntax { message: e.to_string().trim().into() })?;
        entry.check_detector()?;
        Ok(entry)
    }

    /// The labels, from the entry itself or from the file it names in `folder`; `None` where it has
    /// none.
    ///
    /// # Errors
    /// [`LabelError`](super::LabelError), where the file cannot be used.
    pub fn labels(&self, folder: Option<&Path>) -> Result<Option<Labels>, super::LabelError> {
        match &self.labels {
            Some(LabelsEntry::Names(names)) => Ok(Some(Labels::new(names, LabelSource::Manifest))),
            Some(LabelsEntry::File(file)) => folder.map(|f| Labels::read(f.join(file))).transpose(),
            None => Ok(None),
        }
    }

    fn invalid(&self, what: &str) -> ManifestError {
        ManifestError::Invalid { name: self.name.clone(), what: what.into() }
    }

    fn check_detector(&self) -> Result<(), ManifestError> {
        if self.threshold.is_some_and(|t| !(0.0..=1.0).contains(&t)) {
            return Err(self.invalid("threshold lies between 0 and 1"));
        }
        match &self.ssd {
            Some(ssd) => ssd.check().map_err(|e| self.invalid(&e.to_string())),
            None => Ok(()),
        }
    }

    fn check(&self) -> Result<(), ManifestError> {
        if self.name.is_empty() {
            return Err(self.invalid("a model needs a name"));
        }
        let labels = match &self.labels {
            Some(LabelsEntry::File(file)) => Some(file),
            _ => None,
        };
        for file in labels.into_iter().chain([&self.file]) {
            // A catalogue never reaches outside its folder.
            let plain = Path::new(file).components().eq([std::path::Component::Normal(file.as_ref())]);
            if !plain || file.contains('\\') {
                return Err(self.invalid(&format!(
                    "\"{file}\" is not the plain name of a file in the manifest's folder"
                )));
            }
        }
        if !self.sha256.is_empty()
            && (self.sha256.len() != 64 || !self.sha256.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return Err(self.invalid("sha256 takes 64 hexadecimal digits"));
        }
        let input = &self.input;
        if (input.mean.is_some() || input.std.is_some()) && input.normalization().is_none() {
            return Err(self.invalid("input.mean and input.std take one number or three each, std not zero"));
        }
        self.check_detector()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETECTOR: &str = r#"
        [[model]]
        name = "ssdlite-300"
        file = "ssdlite_300_int8.tflite"
        sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        default = true
        licence = "Apache-2.0"
        labels = ["person", "bicycle"]
        input = { mean = [127.5], std = [127.5], resize = "stretch" }
        scores = { "eval/coco AP50" = 0.3 }

        [model.ssd]
        scores = "probabilities"
        box_scale = [10.0, 10.0, 5.0, 5.0]
        [model.ssd.anchors]
        kind = "ssd"
        min_scale = 0.2
        max_scale = 0.95

        [[model]]
        name = "digits"
        file = "digits.tflite"
        task = "digits"
    "#;

    #[test]
    fn a_catalogue_is_read() {
        let manifest = Manifest::parse(DETECTOR).unwrap();
        let entry = manifest.default_for(Task::Detection).unwrap();
        assert_eq!(entry.name, "ssdlite-300");
        assert_eq!(entry.input.normalization(), Some(Normalization::default()));
        assert_eq!(entry.labels(None).unwrap().unwrap().get(1), Some("bicycle"));
        assert_eq!(manifest.for_file(Path::new("/some/where/digits.tflite")).unwrap().task, Task::Digits);
        let again = Manifest::parse(&toml::to_string(&manifest).unwrap()).unwrap();
        assert_eq!(again, manifest);
    }

    #[test]
    fn mistakes_are_named() {
        let refused = |from: &str, to: &str| {
            assert!(DETECTOR.contains(from));
            Manifest::parse(&DETECTOR.replace(from, to)).unwrap_err().to_string()
        };
        assert!(refused("\"digits.tflite\"", "\"../digits.tflite\"").contains("plain name"));
        assert!(refused("\"digits.tflite\"", "\"/etc/passwd\"").contains("plain name"));
        assert!(refused("\"digits.tflite\"", "\"a\\\\b.tflite\"").contains("plain name"));
        assert!(refused("name = \"digits\"", "name = \"ssdlite-300\"").contains("twice"));
        assert!(refused("0123456789abcdef\"", "\"").contains("sha256"));
        assert!(refused("std = [127.5]", "std = [0.0]").contains("std"));
        assert!(refused("min_scale = 0.2", "min_scale = -1.0").contains("scale"));
        assert!(refused("licence", "license").contains("unknown field"));
        assert!(refused("default = true", "threshold = 40.0").contains("between 0 and 1"));
    }
}
