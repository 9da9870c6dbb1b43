//! From pictures to feature vectors.

use super::description::Description;
use crate::args::MAX_MEGAPIXELS;
use crate::detect::decode::{self, PictureLimits};
use crate::detect::inputs::{Inputs, Search};
use crate::detect::progress::Progress;
use crate::detect::record::Skipped;
use crate::model::Source;
use anyhow::{Context, Result, bail};
use osprey_detector::model::LoadOptions;
use osprey_learn::{Augmentation, Augmenter, FeatureExtractor, PictureFeatures};
use std::fs;
use std::path::{Path, PathBuf};

/// A feature extractor for picture files.
pub(crate) struct Extractor {
    features: PictureFeatures,
    augmenter: Augmenter,
    views: usize,
    seed: u64,
}

impl Extractor {
    /// Cuts the model in `source` off as `description` says.
    pub(crate) fn open(source: &Source, description: &Description) -> Result<Self> {
        let Description { tensors, views, seed, input, .. } = description;
        let failed = || format!("cannot take features from {source}");
        let bytes = source.bytes()?;
        let about = source.load(&LoadOptions { input: input.clone(), ..LoadOptions::default() })?;
        let (_, input) = about.image_input().with_context(failed)?;
        let extractor = FeatureExtractor::new(&bytes, tensors, &osprey_engine::Options::default());
        let features = PictureFeatures::new(extractor.with_context(failed)?, &input)?;
        let augmenter = Augmenter::new(Augmentation::default(), features.size())?;
        Ok(Self { features, augmenter, views: *views, seed: *seed })
    }

    pub(crate) fn dim(&self) -> usize {
        self.features.dim()
    }

    pub(crate) fn tensors(&self) -> Vec<String> {
        self.features.extractor().tensors().map(String::from).collect()
    }

    /// A feature vector for each view of the picture in a file. `index` sets apart the views of
    /// different pictures.
    pub(crate) fn views(&mut self, path: &Path, index: usize) -> Result<Vec<Vec<f32>>> {
        let picture = decode::open(path, &PictureLimits::megapixels(MAX_MEGAPIXELS))?.decode()?;
        let frame = picture.frame()?;
        let mut views = Vec::with_capacity(self.views);
        let seed = self.seed.wrapping_add(index as u64);
        self.augmenter.extract(&frame, 0..self.views, seed, &mut self.features, |_, features| {
            views.push(features.to_vec());
            Ok(())
        })?;
        Ok(views)
    }
}

/// A picture by its views, with its class.
pub(crate) struct Labelled {
    pub(crate) class: usize,
    pub(crate) views: Vec<Vec<f32>>,
}

/// Pictures in a folder for each class.
pub(crate) struct Folders {
    pub(crate) classes: Vec<String>,
    pub(crate) pictures: Vec<Labelled>,
    pub(crate) skipped: usize,
    /// Of the paths below the folder and the lengths of all pictures.
    pub(crate) checksum: u32,
}

impl Folders {
    /// Reads all pictures below the folders in `dir`. Folders of classes that `known` does not name
    /// come after those that it does.
    pub(crate) fn read(dir: &Path, known: &[String], extractor: &mut Extractor, quiet: bool) -> Result<Self> {
        let mut classes = known.to_vec();
        let mut folders: Vec<PathBuf> = fs::read_dir(dir)
            .with_context(|| format!("cannot read the folder {}", dir.display()))?
            .flatten()
            .map(|e| e.path())
            .filter(|p| p.is_dir() && !is_hidden(p))
            .collect();
        folders.sort();
        if folders.is_empty() {
            bail!(
                "{} has no folders inside; put the pictures of each class into a folder named after it",
                dir.display()
            );
        }
        let mut files = Vec::new();
        let mut skipped = Vec::new();
        for folder in folders {
            let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let class = classes.iter().position(|c| *c == name).unwrap_or_else(|| {
                classes.push(name);
                classes.len() - 1
            });
            let found = Inputs::collect(&[folder], &Search { recursive: true, exclude: &[] });
            // A folder without pictures is an empty class, which training names.
            let found = found.unwrap_or_default();
            files.extend(found.files.into_iter().map(|f| (class, f.path)));
            skipped.extend(found.skipped);
        }
        let mut checksum = crc32fast::Hasher::new();
        for (_, path) in &files {
            checksum.update(path.strip_prefix(dir).unwrap_or(path).as_os_str().as_encoded_bytes());
            checksum.update(&fs::metadata(path).map_or(0, |m| m.len()).to_le_bytes());
        }
        let progress = Progress::new(files.len(), quiet, false);
        let mut pictures = Vec::with_capacity(files.len());
        for (index, (class, path)) in files.into_iter().enumerate() {
            match extractor.views(&path, index) {
                Ok(views) => pictures.push(Labelled { class, views }),
                Err(e) => skipped.push(Skipped::unreadable(&path, format!("{e:#}"))),
            }
            progress.advance();
        }
        progress.finish();
        skipped.iter().for_each(|s| progress.skipped(s));
        Ok(Self { classes, pictures, skipped: skipped.len(), checksum: checksum.finalize() })
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."))
}
