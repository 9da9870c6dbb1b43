//! `osprey digits`.

use crate::args::ModelArgs;
use crate::detect::decode::{self, PictureLimits};
use crate::detect::inputs::{Inputs, Search};
use crate::detect::progress::Progress;
use crate::detect::record::Skipped;
use crate::{fail, model};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use image::DynamicImage;
use osprey_detector::model::Task;
use osprey_senses::digits::{Digit, DigitClassifier, DigitImage};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Reads handwritten digits, one in each picture, dark on light or light on dark.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  osprey digits scans --model models/digits.tflite")]
pub(crate) struct DigitsArgs {
    /// Pictures, folders, or quoted patterns.
    #[arg(required = true, value_name = "PATHS")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    /// Looks into folders inside folders.
    #[arg(short, long)]
    recursive: bool,
    /// How results are written.
    #[arg(short, long, value_enum, default_value_t = FormatArg::Table)]
    format: FormatArg,
    /// No progress bar; errors are still printed.
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// The digit and its probability, for people.
    Table,
    /// A JSON object a line, with all ten probabilities.
    Jsonl,
}

pub(crate) fn run(args: &DigitsArgs) -> Result<ExitCode> {
    let source = model::resolve_for(args.model.model.as_deref(), Task::Digits)?;
    let loaded = source.load(&model::options(args.model.backend, args.model.threads()))?;
    let mut classifier =
        DigitClassifier::new(loaded.model).with_context(|| format!("cannot read digits with {source}"))?;
    let inputs = Inputs::collect(&args.paths, &Search { recursive: args.recursive, exclude: &[] })?;
    let progress = Progress::new(inputs.files.len(), args.quiet, true);
    let mut skipped = inputs.skipped;
    let mut done = 0;
    for input in &inputs.files {
        match read(&mut classifier, &input.path) {
            Ok(digit) => {
                done += 1;
                progress.around(|| write(&input.path, &digit, args.format))?;
            }
            Err(e) => skipped.push(Skipped::unreadable(&input.path, format!("{e:#}"))),
        }
        progress.advance();
    }
    progress.finish();
    skipped.iter().for_each(|s| progress.skipped(s));
    Ok(match (done, skipped.len()) {
        (0, _) => ExitCode::from(fail::NOTHING_DONE),
        (_, 0) => ExitCode::SUCCESS,
        _ => ExitCode::from(fail::SOME_SKIPPED),
    })
}

fn read(classifier: &mut DigitClassifier, path: &Path) -> Result<Digit> {
    let picture = decode::open(path, &PictureLimits::megapixels(80))?.decode()?.into_upright();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let gray = DynamicImage::ImageRgb8(picture).into_luma8();
    let image = DigitImage::from_gray(gray.as_raw(), width, height)?;
    Ok(classifier.classify(&image)?)
}

fn write(path: &Path, digit: &Digit, format: FormatArg) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let Digit { digit, probabilities } = digit;
    match format {
        FormatArg::Table => {
            writeln!(out, "{}: {digit} {:.3}", path.display(), probabilities[usize::from(*digit)])
        }
        FormatArg::Jsonl => {
            let line = serde_json::json!({"image": path, "digit": digit, "probabilities": probabilities});
            writeln!(out, "{line}")
        }
    }
}
