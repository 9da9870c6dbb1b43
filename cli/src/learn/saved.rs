//! A folder with all that `osprey classify` needs.

use super::description::Description;
use super::pictures::Extractor;
use crate::files;
use crate::model::Source;
use anyhow::{Context, Result, bail};
use osprey_detector::model::{InputEntry, LoadOptions, LoadedModel};
use osprey_learn::{Head, LinearHead, NearestNeighbors, Store, Trainer};
use std::fs;
use std::path::Path;

const DESCRIPTION: &str = "classifier.json";
const FEATURES: &str = "features.tflite";
const EXPORTED: &str = "model.tflite";
const CHECKPOINTS: &str = "checkpoints";
const NEIGHBORS: &str = "neighbors";
/// As many views of a picture as `--views` takes.
const VIEWS: std::ops::RangeInclusive<usize> = 1..=1000;

/// Makes the folder and writes everything but the head, so that a training that is killed can be
/// taken up again.
pub(crate) fn begin(dir: &Path, model: &Source, description: &Description) -> Result<()> {
    files::make_folder(dir)?;
    // What an earlier training left would be taken for this one's.
    for name in [CHECKPOINTS, NEIGHBORS] {
        let earlier = dir.join(name);
        if earlier.is_dir() {
            fs::remove_dir_all(&earlier).with_context(|| format!("cannot remove {}", earlier.display()))?;
        }
    }
    files::write_whole(&dir.join(FEATURES), &model.bytes()?)?;
    let text = serde_json::to_string_pretty(description)?;
    files::write_whole(&dir.join(DESCRIPTION), format!("{text}\n").as_bytes())
}

pub(crate) fn checkpoints(dir: &Path) -> Result<Store<Trainer>> {
    Ok(Store::open(dir.join(CHECKPOINTS))?)
}

pub(crate) fn neighbors(dir: &Path) -> Result<Store<NearestNeighbors>> {
    Ok(Store::open(dir.join(NEIGHBORS))?)
}

/// Whether an earlier training wrote into the folder.
pub(crate) fn exists(dir: &Path) -> bool {
    dir.join(DESCRIPTION).exists()
}

/// What an earlier training wrote about itself.
pub(crate) fn describe(dir: &Path) -> Result<Description> {
    let path = dir.join(DESCRIPTION);
    let text = fs::read_to_string(&path).with_context(|| {
        format!("{} holds no classifier; `osprey train --output` makes one", dir.display())
    })?;
    let description: Description =
        serde_json::from_str(&text).with_context(|| format!("{} is damaged; train again", path.display()))?;
    if description.version != 1 {
        bail!("{} has version {}; this program reads version 1", path.display(), description.version);
    }
    if !VIEWS.contains(&description.views) {
        let (least, most) = (VIEWS.start(), VIEWS.end());
        bail!(
            "{} is damaged: {} views, not {least} to {most}; train again",
            path.display(),
            description.views
        );
    }
    Ok(description)
}

/// Opens a trained classifier.
pub(crate) fn open(dir: &Path, views: Option<usize>) -> Result<(Extractor, Head)> {
    let description = describe(dir)?;
    let unfinished = || format!("{} holds no finished epoch; run `osprey train` again", dir.display());
    let head: Head = match description.head.as_str() {
        "linear" => {
            let (_, trainer) = checkpoints(dir)?.latest()?.with_context(unfinished)?;
            let best = trainer.best().map(|(_, head)| head);
            best.unwrap_or_else(|| trainer.head().clone()).into()
        }
        "knn" => neighbors(dir)?.latest()?.with_context(unfinished)?.1.into(),
        other => bail!("{} names the head \"{other}\"; this program knows linear and knn", dir.display()),
    };
    let views = views.unwrap_or(description.views);
    let extractor = Extractor::open(&Source::file(features(dir)), &Description { views, ..description })?;
    Ok((extractor, head))
}

/// Writes features and head as one .tflite file, which any TFLite runtime runs.
pub(crate) fn export(dir: &Path, head: &LinearHead) -> Result<()> {
    let bytes = fs::read(features(dir)).context("the copy of the feature model is gone")?;
    let description = describe(dir)?;
    let options = LoadOptions { input: description.input, ..LoadOptions::default() };
    let about = osprey_detector::model::load(features(dir), &options)?;
    let model = osprey_learn::export(&bytes, &description.tensors, head, &resolved(&about)?)?;
    files::write_whole(&dir.join(EXPORTED), &model)
}

/// How pictures become the model's input, in a manifest's terms: nothing is left to be assumed.
fn resolved(about: &LoadedModel) -> Result<InputEntry> {
    let (_, input) = about.image_input()?;
    Ok(InputEntry {
        mean: input.normalization.map(|n| n.mean.to_vec()),
        std: input.normalization.map(|n| n.std.to_vec()),
        resize: Some(input.resize),
        color: Some(input.color),
        oversampling: None,
    })
}

/// Where the copy of the feature model lies.
pub(crate) fn features(dir: &Path) -> std::path::PathBuf {
    dir.join(FEATURES)
}
