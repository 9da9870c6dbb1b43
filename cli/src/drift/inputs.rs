//! What both models are run on.

use super::tapped::Tapped;
use crate::args::{DriftArgs, MAX_MEGAPIXELS};
use crate::detect::decode::{self, Opened, PictureLimits};
use crate::detect::finder::prepare;
use crate::detect::inputs::{Input, Inputs as Files, Search};
use crate::model;
use anyhow::{Context, Result, ensure};
use npyz::{NpyFile, Order};
use osprey_detector::FramePreparer;
use osprey_detector::model::LoadOptions;
use osprey_detector::tensor::DType;

/// Samples, one after the other, as the float model takes them.
pub(super) enum Inputs {
    Pictures { files: std::vec::IntoIter<Input>, preparer: Box<FramePreparer> },
    Array { values: Vec<f32>, next: usize },
    Random { state: u64, low: f32, high: f32 },
}

impl Inputs {
    pub(super) fn open(args: &DriftArgs, float: &Tapped, quantized: &Tapped) -> Result<Self> {
        let port = float.input().context("the float model has no input")?;
        ensure!(
            port.dtype == DType::F32,
            "{} takes {}: pass the float model first",
            args.float.display(),
            port.dtype
        );
        if let Some(folder) = &args.images {
            let search = Search { recursive: true, exclude: &[] };
            let files = Files::collect(std::slice::from_ref(folder), &search)?.files.into_iter();
            let float = model::resolve(Some(&args.float))?;
            let preparer = FramePreparer::for_model(&float.load(&LoadOptions::default())?)?;
            return Ok(Self::Pictures { files, preparer: Box::new(preparer) });
        }
        if let Some(file) = &args.inputs {
            let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let npy =
                NpyFile::new(&bytes[..]).with_context(|| format!("{} is not a .npy file", file.display()))?;
            ensure!(npy.order() == Order::C, "{} has its columns first", file.display());
            let values =
                npy.into_vec::<f32>().with_context(|| format!("{} is not of float32", file.display()))?;
            return Ok(Self::Array { values, next: 0 });
        }
        let (low, high) = quantized.input_range().unwrap_or((0.0, 1.0));
        Ok(Self::Random { state: 0x9e37_79b9_7f4a_7c15, low, high })
    }

    /// Fills both inputs with the next sample; false at the end.
    pub(super) fn next(&mut self, float: &mut Tapped, quantized: &mut Tapped) -> Result<bool> {
        let length = float.input().map_or(0, |p| p.shape.iter().product());
        let values = match self {
            Self::Pictures { files, preparer } => next_picture(files, preparer)?,
            Self::Array { values, next } => {
                let sample = values.get(*next * length..(*next + 1) * length).map(<[f32]>::to_vec);
                *next += 1;
                sample
            }
            Self::Random { state, low, high } => Some(random(state, *low, *high, length)),
        };
        let Some(values) = values else { return Ok(false) };
        float.set(&values).context("the float model")?;
        quantized.set(&values).context("the quantized model")?;
        Ok(true)
    }

    pub(super) fn origin(&self) -> &'static str {
        match self {
            Self::Pictures { .. } => "pictures",
            Self::Array { .. } => "an array",
            Self::Random { .. } => "random numbers: pass --images or --inputs for what the model is made for",
        }
    }
}

fn next_picture(
    files: &mut std::vec::IntoIter<Input>,
    preparer: &mut FramePreparer,
) -> Result<Option<Vec<f32>>> {
    let limits = PictureLimits::megapixels(MAX_MEGAPIXELS);
    for input in files {
        match decode::open(&input.path, &limits).and_then(Opened::decode) {
            Ok(picture) => {
                let prepared = prepare(preparer, &picture)?;
                return Ok(Some(prepared.input().view().to_f32(None).into_iter().collect()));
            }
            Err(e) => eprintln!("osprey: skipped {}: {e}", input.path.display()),
        }
    }
    Ok(None)
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
