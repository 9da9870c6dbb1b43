//! The models that are part of the program.

use anyhow::{Context, Result};
use osprey_detector::model::{Entry, LabelSource, Labels, LabelsEntry, Manifest, Task};

include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// A model that is part of the program.
#[derive(Debug, Clone)]
pub(crate) struct BuiltIn {
    pub(crate) entry: Entry,
    pub(crate) bytes: &'static [u8],
    /// The labels, where the manifest keeps them in a file.
    pub(crate) labels: Option<Labels>,
}

/// All of them, as the manifest in `models/` lists them.
///
/// # Errors
/// Where that manifest is wrong.
pub(crate) fn manifest() -> Result<Manifest> {
    Manifest::parse(MANIFEST).context("the built-in manifest cannot be used")
}

pub(crate) fn named(name: &str) -> Result<Option<BuiltIn>> {
    manifest()?.get(name).map(built_in).transpose()
}

/// The detector that is used where none is named.
pub(crate) fn default_detector() -> Result<Option<BuiltIn>> {
    manifest()?.default_for(Task::Detection).map(built_in).transpose()
}

fn built_in(entry: &Entry) -> Result<BuiltIn> {
    let find = |file: &str| FILES.iter().find(|(name, _)| *name == file).map(|(_, bytes)| *bytes);
    let bytes = find(&entry.file).with_context(|| format!("{} is not part of this build", entry.file))?;
    let labels = match &entry.labels {
        Some(LabelsEntry::File(file)) => {
            let text = find(file).with_context(|| format!("{file} is not part of this build"))?;
            Some(Labels::parse(text, LabelSource::Manifest)?)
        }
        _ => None,
    };
    Ok(BuiltIn { entry: entry.clone(), bytes, labels })
}
