//! `osprey classify`.

use super::{pictures::Extractor, saved};
use crate::args::MAX_MEGAPIXELS;
use crate::detect::decode::{self, PictureLimits};
use crate::detect::finder::prepare;
use crate::detect::inputs::{Inputs, Search};
use crate::detect::progress::Progress;
use crate::detect::record::Skipped;
use crate::input::{self, InputArgs};
use crate::{fail, model};
use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};
use osprey_detector::FramePreparer;
use osprey_detector::model::{Labels, LoadOptions, LoadedModel, Task, to_probabilities};
use osprey_learn::Head;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Says which class each picture belongs to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  osprey classify photos --model pets-classifier
  osprey classify photo.jpg --model mobilenet.tflite --top 5")]
pub(crate) struct ClassifyArgs {
    /// Pictures, folders, or quoted patterns.
    #[arg(required = true, value_name = "PATHS")]
    paths: Vec<PathBuf>,
    /// A folder that `osprey train` wrote, or the .tflite file of a classifier; without it, the one
    /// that $OSPREY_MODEL names.
    #[arg(short, long, value_name = "DIR|FILE")]
    model: Option<PathBuf>,
    /// Looks into folders inside folders.
    #[arg(short, long)]
    recursive: bool,
    /// Classes that are listed for a picture, the likeliest first.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    /// Views of each picture that are asked about [default: as in training].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    views: Option<u16>,
    /// A text file with a class name a line, in place of the names that come with the model.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    #[command(flatten)]
    pictures: InputArgs,
    /// How results are written.
    #[arg(short, long, value_enum, default_value_t = FormatArg::Table)]
    format: FormatArg,
    /// No progress bar; errors are still printed.
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// For people.
    Table,
    /// A JSON object a line, one for each picture.
    Jsonl,
}

/// Classes with their probabilities, the likeliest first; and whether it is one of them at all.
struct Answer {
    ranked: Vec<(String, f32)>,
    known: bool,
}

enum Answerer {
    Personal { extractor: Box<Extractor>, head: Box<Head> },
    Model { loaded: Box<LoadedModel>, preparer: Box<FramePreparer>, labels: Labels },
}

impl Answerer {
    fn open(args: &ClassifyArgs) -> Result<Self> {
        let (given, pictures, file) = (args.model.as_deref(), &args.pictures, args.labels.as_deref());
        if let Some(dir) = given.filter(|path| path.is_dir()) {
            ensure!(
                pictures.is_empty(),
                "{} keeps the input that it was trained with; give --mean, --color and the like to `osprey train`",
                dir.display()
            );
            ensure!(file.is_none(), "{} has names of its own; --labels is for .tflite files", dir.display());
            let (extractor, head) = saved::open(dir, args.views.map(Into::into))?;
            return Ok(Self::Personal { extractor: Box::new(extractor), head: Box::new(head) });
        }
        let source = model::resolve_for(given, Task::Classification)?;
        ensure!(args.views.is_none(), "--views is for folders that `osprey train` wrote; {source} is none");
        let loaded = source.load(&LoadOptions {
            input: pictures.entry()?,
            labels: file.map(Labels::read).transpose()?,
            ..LoadOptions::default()
        })?;
        input::note(&source, &loaded);
        let preparer = FramePreparer::for_model(&loaded)?;
        let [output] = loaded.model.outputs() else {
            bail!("{source} has {} outputs; a classifier has one", loaded.model.outputs().len());
        };
        let labels = match loaded.labels.clone().unwrap_or_default().aligned(output.elements()) {
            Ok(labels) => labels,
            Err(e) if file.is_some() => return Err(e.into()),
            Err(e) => {
                eprintln!("osprey: {source}: classes go by number: {e}");
                Labels::default()
            }
        };
        Ok(Self::Model { preparer: Box::new(preparer), labels, loaded: Box::new(loaded) })
    }

    fn ask(&mut self, path: &Path, index: usize) -> Result<Answer> {
        let (mut ranked, known): (Vec<(String, f32)>, bool) = match self {
            Self::Personal { extractor, head } => {
                let views = extractor.views(path, index)?;
                let answer = head.classify_views(views.iter().map(Vec::as_slice))?;
                let named = head.classes().iter().cloned().zip(answer.probabilities);
                (named.collect(), answer.class.is_some())
            }
            Self::Model { loaded, preparer, labels } => {
                let picture = decode::open(path, &PictureLimits::megapixels(MAX_MEGAPIXELS))?.decode()?;
                let prepared = prepare(preparer, &picture)?;
                loaded.model.input_mut(0)?.assign(&prepared.input().view())?;
                loaded.model.run()?;
                let quantization = loaded.model.outputs()[0].quantization.clone();
                let scores = loaded.model.output(0)?.to_f32(quantization.as_ref());
                let mut scores: Vec<f32> = scores.iter().copied().collect();
                to_probabilities(&mut scores);
                (scores.iter().enumerate().map(|(i, s)| (labels.name(i).into_owned(), *s)).collect(), true)
            }
        };
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(Answer { ranked, known })
    }
}

pub(crate) fn run(args: &ClassifyArgs) -> Result<ExitCode> {
    let mut answerer = Answerer::open(args)?;
    let inputs = Inputs::collect(&args.paths, &Search { recursive: args.recursive, exclude: &[] })?;
    let progress = Progress::new(inputs.files.len(), args.quiet, true);
    let mut skipped = inputs.skipped;
    let mut done = 0;
    for (index, input) in inputs.files.iter().enumerate() {
        match answerer.ask(&input.path, index) {
            Ok(answer) => {
                done += 1;
                progress.around(|| write(&input.path, &answer, args))?;
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

fn write(path: &Path, answer: &Answer, args: &ClassifyArgs) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let top = answer.ranked.iter().take(args.top.into());
    match args.format {
        FormatArg::Jsonl => {
            let classes: Vec<_> =
                top.map(|(name, p)| serde_json::json!({"class": name, "probability": p})).collect();
            let class = answer.known.then(|| answer.ranked.first().map(|(name, _)| name)).flatten();
            writeln!(out, "{}", serde_json::json!({"image": path, "class": class, "classes": classes}))
        }
        FormatArg::Table => {
            let none = if answer.known { "" } else { "none of these; nearest: " };
            let named: Vec<String> = top.map(|(name, p)| format!("{name} {p:.3}")).collect();
            writeln!(out, "{}: {none}{}", path.display(), named.join(", "))
        }
    }
}
