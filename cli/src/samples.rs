//! What float models are run on to be quantized or compared: pictures of a folder, an array, random numbers.

use crate::args::MAX_MEGAPIXELS;
use crate::detect::decode::{self, Opened, Picture, PictureLimits};
use crate::detect::finder::prepare;
use crate::detect::inputs::{Input, Inputs as Files, Search};
use crate::model;
use anyhow::{Context, Result, ensure};
use npyz::{NpyFile, Order};
use osprey_detector::FramePreparer;
use osprey_detector::model::LoadOptions;
use std::path::{Path, PathBuf};

/// Samples, one after the other, as the float model takes them.
pub(crate) enum Samples {
    Pictures { files: std::vec::IntoIter<Input>, preparer: Box<FramePreparer> },
    Array { values: Vec<f32>, length: usize, next: usize },
    Random { state: u64, low: f32, high: f32, length: usize },
}

impl Samples {
    /// At most `count` pictures of a folder, spread evenly over it, as the model in the file `float` takes them.
    pub(crate) fn pictures(
        folder: &PathBuf,
        count: u32,
        float: &Path,
        options: &LoadOptions,
    ) -> Result<Self> {
        let files = spread(folder, count)?.into_iter();
        let float = model::resolve(Some(float))?;
        let preparer = FramePreparer::for_model(&float.load(options)?)?;
        Ok(Self::Pictures { files, preparer: Box::new(preparer) })
    }

    /// A .npy array of float32 that holds samples of `length` numbers.
    pub(crate) fn array(file: &Path, length: usize) -> Result<Self> {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let npy =
            NpyFile::new(&bytes[..]).with_context(|| format!("{} is not a .npy file", file.display()))?;
        ensure!(npy.order() == Order::C, "{} has its columns first", file.display());
        let values =
            npy.into_vec::<f32>().with_context(|| format!("{} is not of float32", file.display()))?;
        ensure!(
            length > 0 && values.len().is_multiple_of(length),
            "{} holds {} numbers, which are no samples of {length}",
            file.display(),
            values.len()
        );
        Ok(Self::Array { values, length, next: 0 })
    }

    /// Numbers spread evenly over a range, the same each time.
    pub(crate) fn random(low: f32, high: f32, length: usize) -> Self {
        Self::Random { state: 0x9e37_79b9_7f4a_7c15, low, high, length }
    }

    /// The next sample; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<f32>>> {
        Ok(match self {
            Self::Pictures { files, preparer } => next_picture(files, preparer)?,
            Self::Array { values, length, next } => {
                let sample = values.get(*next * *length..(*next + 1) * *length).map(<[f32]>::to_vec);
                *next += 1;
                sample
            }
            Self::Random { state, low, high, length } => Some(random(state, *low, *high, *length)),
        })
    }

    pub(crate) fn origin(&self) -> &'static str {
        match self {
            Self::Pictures { .. } => "pictures",
            Self::Array { .. } => "an array",
            Self::Random { .. } => "random numbers: pass --images or --inputs for what the model is made for",
        }
    }
}

/// At most `count` pictures of a folder, spread evenly over it.
pub(crate) fn spread(folder: &PathBuf, count: u32) -> Result<Vec<Input>> {
    let search = Search { recursive: true, exclude: &[] };
    let all = Files::collect(std::slice::from_ref(folder), &search)?.files;
    let (found, wanted) = (all.len(), all.len().min(count as usize));
    let chosen = all.into_iter().enumerate();
    let chosen = chosen.filter(|(i, _)| i * wanted / found != (i + 1) * wanted / found);
    Ok(chosen.map(|(_, file)| file).collect())
}

/// The next picture that can be read; others are reported.
pub(crate) fn next_readable(files: &mut std::vec::IntoIter<Input>) -> Option<Picture> {
    let limits = PictureLimits::megapixels(MAX_MEGAPIXELS);
    files.find_map(|input| match decode::open(&input.path, &limits).and_then(Opened::decode) {
        Ok(picture) => Some(picture),
        Err(e) => {
            eprintln!("osprey: skipped {}: {e}", input.path.display());
            None
        }
    })
}

fn next_picture(
    files: &mut std::vec::IntoIter<Input>,
    preparer: &mut FramePreparer,
) -> Result<Option<Vec<f32>>> {
    let Some(picture) = next_readable(files) else { return Ok(None) };
    let prepared = prepare(preparer, &picture)?;
    Ok(Some(prepared.input().view().to_f32(None).into_iter().collect()))
}

/// xorshift64, spread evenly over a range.
fn random(state: &mut u64, low: f32, high: f32, length: usize) -> Vec<f32> {
    let mut next = || {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..length).map(|_| low + next() * (high - low)).collect()
}
