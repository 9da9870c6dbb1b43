//! The models that ship: their files, embedded, and what the manifest says of them; and one way to
//! load those and any other, [`ModelSource`].
//!
//! Without the feature `weights` no file is embedded, and there is no model by any name.
//!
//! ```
//! use osprey_detector::model::Task;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let digits = osprey_models::default_for(Task::Digits)?.ok_or("built without weights")?;
//! let loaded = osprey_detector::LoadedModel::from_bytes(digits.bytes, &digits.options(&Default::default()))?;
//! assert_eq!(loaded.model.inputs()[0].shape[1..3], [28, 28]);
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod embedded;
mod source;

pub use source::ModelSource;

use osprey_detector::model::{
    Entry, LabelError, LabelSource, Labels, LabelsEntry, LoadOptions, Manifest, ManifestError, Task,
};

/// Why a model that should be part of this build is not.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BuiltInError {
    /// The embedded manifest is wrong.
    #[error("the built-in manifest cannot be used: {0}")]
    Manifest(#[from] ManifestError),
    /// The manifest names a file that was not there when this was built.
    #[error("{file} is not part of this build")]
    Missing {
        /// Name of the file.
        file: String,
    },
    /// A file of labels is wrong.
    #[error(transparent)]
    Labels(#[from] LabelError),
}

/// A model that is part of the program.
#[derive(Debug, Clone)]
pub struct BuiltIn {
    /// What the manifest says of it.
    pub entry: Entry,
    /// Its .tflite file.
    pub bytes: &'static [u8],
    /// The labels, where the manifest keeps them in a file.
    pub labels: Option<Labels>,
}

impl BuiltIn {
    /// `options` with what the file itself does not say: the manifest's entry and labels, unless
    /// others were asked for.
    #[must_use]
    pub fn options(&self, options: &LoadOptions) -> LoadOptions {
        let mut options = options.clone();
        options.entry.get_or_insert_with(|| self.entry.clone());
        options.labels = options.labels.or_else(|| self.labels.clone());
        options
    }
}

/// The manifest of all built-in models; without any where this was built without weights.
///
/// # Errors
/// [`BuiltInError::Manifest`].
pub fn manifest() -> Result<Manifest, BuiltInError> {
    Ok(Manifest::parse(embedded::manifest())?)
}

/// The model of this name; `None` where there is none.
///
/// # Errors
/// [`BuiltInError`].
pub fn named(name: &str) -> Result<Option<BuiltIn>, BuiltInError> {
    manifest()?.get(name).map(built_in).transpose()
}

/// The model that is used for a task where none is named; `None` where there is none.
///
/// # Errors
/// [`BuiltInError`].
pub fn default_for(task: Task) -> Result<Option<BuiltIn>, BuiltInError> {
    manifest()?.default_for(task).map(built_in).transpose()
}

fn built_in(entry: &Entry) -> Result<BuiltIn, BuiltInError> {
    let find =
        |file: &str| embedded::file(file).ok_or_else(|| BuiltInError::Missing { file: file.to_owned() });
    let labels = match &entry.labels {
        Some(LabelsEntry::File(file)) => Some(Labels::parse(find(file)?, LabelSource::Manifest)?),
        _ => None,
    };
    Ok(BuiltIn { entry: entry.clone(), bytes: find(&entry.file)?, labels })
}
