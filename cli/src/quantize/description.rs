//! What a manifest says of the float model goes with the quantized one, packed behind it.

use crate::model::Source;
use anyhow::{Context, Result};
use osprey_detector::model::{LabelsEntry, LoadOptions, LoadedModel, PACKED_ENTRY};

/// `made` with the entry of the manifest beside the float model; what is packed behind that was carried over already.
pub(super) fn carry_over(
    float: &[u8],
    made: Vec<u8>,
    source: &Source,
    options: &LoadOptions,
) -> Result<Vec<u8>> {
    let is_packed = LoadedModel::from_bytes(float, options)?.entry.is_some();
    let loaded = source.load(options)?;
    let Some(mut entry) = loaded.entry.filter(|_| !is_packed) else { return Ok(made) };
    if let (Some(LabelsEntry::File(_)), Some(labels)) = (&entry.labels, &loaded.labels) {
        let names = (0..labels.len()).map(|id| labels.name(id).into_owned()).collect();
        entry.labels = Some(LabelsEntry::Names(names));
    }
    // Figures and checksum are the float model's.
    entry.scores.clear();
    entry.sha256.clear();
    entry.default = false;
    let text = toml::to_string(&entry).context("cannot describe the model")?;
    Ok(osprey_quantize::pack(made, PACKED_ENTRY, &text)?)
}
