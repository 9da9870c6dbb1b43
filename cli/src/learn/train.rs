//! `osprey train`.

use super::description::Description;
use super::pictures::{Extractor, Folders};
use super::plot;
use super::saved;
use super::validate::{self, CrossValidation, Recipe};
use crate::input::InputArgs;
use crate::model::Source;
use crate::{fail, files, model};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use osprey_learn::ConfusionMatrix;
use osprey_learn::{
    Event, Examples, FeatureScaling, Head, KnnSettings, Metric, NearestNeighbors, Optimizer, Schedule,
    Trainer, TrainingSettings, Votes,
};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Learns classes from pictures: a folder for each class, a few pictures in each.
///
/// A frozen model turns pictures into features; on these a head is trained. A checkpoint is written
/// after every epoch, so that a training that is stopped in whatever way goes on with --resume.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  osprey train pets --output pets-classifier
  osprey train pets --test more-pets --head knn
  osprey train pets --folds 5 --seeds 5
  osprey train pets --output pets-classifier --resume --epochs 60")]
pub(crate) struct TrainArgs {
    /// A folder with a folder of pictures for each class.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The .tflite file that features come from; without it, the one that $OSPREY_MODEL names, else the
    /// built-in detector.
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Tensors of the model to take features from [default: a wide, deep layer].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    tensors: Vec<String>,
    /// What is learned.
    #[arg(long, value_enum, default_value_t = HeadArg::Linear)]
    head: HeadArg,
    /// Views of each picture: mirrored, turned, cropped, in another light; 1 for the picture alone.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    views: u16,
    /// Pictures to test with, in folders of the same names.
    #[arg(long, value_name = "DIR")]
    test: Option<PathBuf>,
    /// Where the classifier is written.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Goes on with the training in --output.
    #[arg(long, requires = "output")]
    resume: bool,
    /// Trains from the beginning where --output holds an earlier training, which is lost.
    #[arg(long, requires = "output", conflicts_with = "resume")]
    replace: bool,
    /// Cross-validates with this many folds in place of training on everything.
    #[arg(long, value_name = "K", conflicts_with_all = ["output", "test"], value_parser = clap::value_parser!(u16).range(2..=1000))]
    folds: Option<u16>,
    /// Repeats the cross-validation with this many seeds.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "folds")]
    seeds: u64,
    /// No progress bar.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    pictures: InputArgs,
    #[command(flatten)]
    linear: LinearArgs,
    #[command(flatten)]
    nearest: NearestArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HeadArg {
    /// A trained last layer.
    Linear,
    /// k-nearest neighbours.
    Knn,
}

/// The trained last layer.
#[derive(Debug, Args)]
#[command(next_help_heading = "The trained last layer")]
struct LinearArgs {
    /// Passes over all examples.
    #[arg(long, value_name = "N", default_value_t = 30)]
    epochs: usize,
    /// Examples in a step.
    #[arg(long, value_name = "N", default_value_t = 16)]
    batch_size: usize,
    /// Step size.
    #[arg(long, value_name = "RATE", default_value_t = 1e-3)]
    learning_rate: f32,
    /// Rule of a step.
    #[arg(long, value_enum, default_value_t = OptimizerArg::Adam)]
    optimizer: OptimizerArg,
    /// Change of the learning rate over the epochs.
    #[arg(long, value_enum, default_value_t = ScheduleArg::Cosine)]
    schedule: ScheduleArg,
    /// Weight decay.
    #[arg(long, value_name = "L2", default_value_t = 1.0)]
    l2: f32,
    /// Seed of shuffling and of the views.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Share of the pictures that is held back for validation, 0 to below 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    validation: f32,
    /// Stops after this many epochs without a better one.
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
}

/// Nearest neighbours.
#[derive(Debug, Args)]
#[command(next_help_heading = "Nearest neighbours")]
struct NearestArgs {
    /// Neighbours that vote [default: 2 for each view, at least 5].
    #[arg(short, value_name = "K")]
    k: Option<usize>,
    /// Distance between pictures.
    #[arg(long, value_enum, default_value_t = MetricArg::Cosine)]
    metric: MetricArg,
    /// All votes count the same, whatever the distance.
    #[arg(long)]
    uniform: bool,
    /// "None of these" where the nearest example is farther than this.
    #[arg(long, value_name = "DISTANCE")]
    reject_beyond: Option<f32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OptimizerArg {
    /// Adam.
    Adam,
    /// Stochastic gradient descent with momentum 0.9.
    Sgd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScheduleArg {
    /// Falls to nothing along half a cosine.
    Cosine,
    /// Stays.
    Constant,
    /// A tenth after every third of the epochs.
    Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MetricArg {
    /// Angle.
    Cosine,
    /// Length of the difference.
    Euclidean,
}

impl TrainArgs {
    fn recipe(&self) -> Recipe {
        match self.head {
            HeadArg::Linear => Recipe::Linear(self.linear.settings()),
            HeadArg::Knn => Recipe::Nearest(self.nearest.settings(self.views.into())),
        }
    }
}

impl LinearArgs {
    fn settings(&self) -> TrainingSettings {
        TrainingSettings {
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            optimizer: match self.optimizer {
                OptimizerArg::Adam => Optimizer::ADAM,
                OptimizerArg::Sgd => Optimizer::SGD,
            },
            schedule: match self.schedule {
                ScheduleArg::Cosine => Schedule::Cosine { last: 0.0 },
                ScheduleArg::Constant => Schedule::Constant,
                ScheduleArg::Step => Schedule::Step { epochs: self.epochs.div_ceil(3).max(1), factor: 0.1 },
            },
            l2: self.l2,
            shuffle: true,
            seed: self.seed,
            scaling: FeatureScaling::default(),
            patience: self.patience,
        }
    }
}

impl NearestArgs {
    fn settings(&self, views: usize) -> KnnSettings {
        KnnSettings {
            k: self.k.unwrap_or((2 * views).max(5)),
            metric: match self.metric {
                MetricArg::Cosine => Metric::Cosine,
                MetricArg::Euclidean => Metric::Euclidean,
            },
            votes: if self.uniform { Votes::Uniform } else { Votes::Distance },
            scaling: FeatureScaling::default(),
            reject_beyond: self.reject_beyond,
        }
    }
}

pub(crate) fn run(args: &TrainArgs) -> Result<ExitCode> {
    match &args.output {
        None if args.test.is_none() && args.folds.is_none() => bail!(
            "nothing would be kept: --output DIR says where the classifier goes; --test DIR or --folds K \
             measure without keeping it"
        ),
        Some(dir) if !args.resume && !args.replace && saved::exists(dir) => bail!(
            "{} holds an earlier training; --resume goes on with it, --replace begins again",
            dir.display()
        ),
        _ => {}
    }
    let earlier = match &args.output {
        Some(dir) if args.resume => Some(saved::describe(dir)?),
        _ => None,
    };
    let input = args.pictures.entry()?;
    if let Some(e) = earlier.as_ref().filter(|e| !args.pictures.is_empty() && e.input != input) {
        bail!(
            "the training began with another input ({:?}); leave --mean, --color and the like out",
            e.input
        );
    }
    let source = match (&earlier, &args.output) {
        (Some(_), Some(dir)) => Source::file(saved::features(dir)),
        _ => model::resolve(args.model.as_deref())?,
    };
    let name = args.recipe().name();
    let mut about = Description::new(name, &args.tensors, args.views.into(), args.linear.seed, input);
    if let Some(e) = &earlier {
        about.tensors.clone_from(&e.tensors);
        (about.views, about.input) = (e.views, e.input.clone());
    }
    let mut extractor = Extractor::open(&source, &about)?;
    let known = match &args.output {
        Some(dir) if args.resume => known_classes(dir, args.head)?,
        _ => Vec::new(),
    };
    let folders = Folders::read(&args.dir, &known, &mut extractor, args.quiet)?;
    let skipped = folders.skipped;
    if earlier.as_ref().is_some_and(|e| e.pictures != 0 && e.pictures != folders.checksum) {
        eprintln!(
            "osprey: {} holds other pictures than those that the training began with; it goes on with these",
            args.dir.display()
        );
    }
    let job = Job { args, folders, dim: extractor.dim() };
    if let Some(folds) = args.folds {
        let recipe = args.recipe();
        let (classes, pictures) = (&job.folders.classes, &job.folders.pictures);
        let limits = (usize::from(folds), args.seeds);
        let found = validate::cross_validate(&recipe, classes, job.dim, pictures, limits)?;
        report_folds(&recipe, folds, &found);
        return Ok(status(skipped));
    }
    if let Some(dir) = &args.output {
        if earlier.as_ref().is_some_and(|e| e.head != name) {
            bail!("{} holds another kind of head; pass --head as for the first training", dir.display());
        }
        if earlier.is_none() {
            (about.tensors, about.pictures) = (extractor.tensors(), job.folders.checksum);
            saved::begin(dir, &source, &about)?;
        }
    }
    let mut head = match args.head {
        HeadArg::Linear => job.train_linear()?,
        HeadArg::Knn => job.collect_neighbors()?,
    };
    if let Some(dir) = &args.test {
        let tested = Folders::read(dir, head.classes(), &mut extractor, args.quiet)?;
        if tested.classes.len() > head.classes().len() {
            let new = &tested.classes[head.classes().len()..];
            bail!("{} has classes that were not trained: {}", dir.display(), new.join(", "));
        }
        let all: Vec<usize> = (0..tested.pictures.len()).collect();
        let matrix = validate::test(&mut head, &tested.pictures, &all)?;
        println!("{}", summary(&matrix));
        if let Some(output) = &args.output {
            write_matrix(&output.join("test.json"), &matrix)?;
        }
    }
    if let Some(dir) = &args.output {
        println!(
            "written to {}; `osprey classify --model {} PICTURES` uses it",
            dir.display(),
            dir.display()
        );
    }
    Ok(status(skipped))
}

fn status(skipped: usize) -> ExitCode {
    if skipped > 0 { ExitCode::from(fail::SOME_SKIPPED) } else { ExitCode::SUCCESS }
}

fn known_classes(dir: &Path, head: HeadArg) -> Result<Vec<String>> {
    Ok(match head {
        HeadArg::Linear => saved::checkpoints(dir)?.latest()?.map(|(_, t)| t.head().classes().to_vec()),
        HeadArg::Knn => saved::neighbors(dir)?.latest()?.map(|(_, n)| n.examples().classes().to_vec()),
    }
    .unwrap_or_default())
}

/// What a training works on.
struct Job<'a> {
    args: &'a TrainArgs,
    folders: Folders,
    dim: usize,
}

impl Job<'_> {
    fn examples(&self, indices: impl IntoIterator<Item = usize>) -> Result<Examples> {
        validate::examples(&self.folders.classes, self.dim, &self.folders.pictures, indices)
    }

    /// Pictures to train on and to validate with; views of one picture stay together.
    fn split(&self) -> Result<(Examples, Option<Examples>)> {
        let pictures = &self.folders.pictures;
        let mut whole = Examples::with_classes(1, self.folders.classes.iter().cloned())?;
        for picture in pictures {
            whole.push(picture.class, &[0.0])?;
        }
        whole.check_trainable()?;
        let split = whole.split(self.args.linear.validation, self.args.linear.seed)?;
        let validation = (!split.held_out.is_empty()).then(|| self.examples(split.held_out)).transpose()?;
        Ok((self.examples(split.train)?, validation))
    }

    fn train_linear(&self) -> Result<Head> {
        let (examples, validation) = self.split()?;
        let settings = self.args.linear.settings();
        let mut store = self.args.output.as_deref().map(saved::checkpoints).transpose()?;
        let earlier = match &store {
            Some(store) if self.args.resume => store.latest()?.map(|(_, trainer)| trainer),
            _ => None,
        };
        let mut trainer = match earlier {
            Some(mut trainer) => {
                for new in &self.folders.classes[trainer.head().classes().len()..] {
                    trainer.add_class(new.clone())?;
                }
                let scaling = trainer.settings().scaling;
                trainer.set_settings(TrainingSettings { scaling, ..settings })?;
                trainer
            }
            None => Trainer::new(settings, &examples)?,
        };
        let bar = bar(self.args.quiet);
        let mut on_event = |event: &Event<'_>| show(&bar, event);
        validate::train(&mut trainer, &examples, validation.as_ref(), store.as_mut(), &mut on_event)?;
        bar.finish_and_clear();
        let head = trainer.best().map_or_else(|| trainer.head().clone(), |(_, head)| head);
        let last = trainer.history().last().context("no epoch was trained; raise --epochs")?;
        print!("{} epochs, training loss {:.4}", last.epoch, last.training.loss);
        match last.validation {
            Some(v) => println!(", validation loss {:.4}, accuracy {:.1} %", v.loss, 100.0 * v.accuracy),
            None => println!(", accuracy {:.1} %", 100.0 * last.training.accuracy),
        }
        if let Some(dir) = &self.args.output {
            saved::export(dir, &head)?;
            files::write_whole(&dir.join("training.svg"), plot::history(trainer.history())?.as_bytes())?;
            let history = serde_json::to_string_pretty(trainer.history())?;
            files::write_whole(&dir.join("training.json"), format!("{history}\n").as_bytes())?;
        }
        Ok(head.into())
    }

    fn collect_neighbors(&self) -> Result<Head> {
        let examples = self.examples(0..self.folders.pictures.len())?;
        examples.check_trainable()?;
        let count = examples.len();
        let head = NearestNeighbors::new(examples, self.args.nearest.settings(self.args.views.into()))?;
        if let Some(dir) = &self.args.output {
            saved::neighbors(dir)?.save(&head)?;
        }
        println!("{count} examples of {} classes", head.examples().classes().len());
        Ok(head.into())
    }
}

fn bar(quiet: bool) -> ProgressBar {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let style = ProgressStyle::with_template("{wide_bar} epoch {pos}/{len}  {msg}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, event: &Event<'_>) {
    match event {
        Event::Begin { done, epochs, .. } => {
            bar.set_length(*epochs as u64);
            bar.set_position(*done as u64);
        }
        Event::Epoch { report, .. } => {
            bar.set_position(report.epoch as u64);
            let shown = report.validation.unwrap_or(report.training);
            bar.set_message(format!("loss {:.3}  accuracy {:.1} %", shown.loss, 100.0 * shown.accuracy));
        }
        _ => {}
    }
}

fn report_folds(recipe: &Recipe, folds: u16, found: &CrossValidation) {
    let count = found.runs.len() as f64;
    let mean = found.runs.iter().sum::<f64>() / count;
    let runs: Vec<String> = found.runs.iter().map(|a| format!("{:.1}", 100.0 * a)).collect();
    println!("{} head, {folds} folds, accuracy of each seed: {} %", recipe.name(), runs.join(", "));
    println!("mean {:.1} %\n\n{}", 100.0 * mean, summary(&found.matrix));
}

fn summary(matrix: &ConfusionMatrix) -> String {
    let percent = |v: Option<f64>| v.map_or_else(|| "-".into(), |v| format!("{:.1} %", 100.0 * v));
    let (accuracy, f1) = (percent(matrix.accuracy()), percent(matrix.macro_f1()));
    format!(
        "rows are the true classes\n{matrix}\naccuracy {accuracy}, macro F1 {f1} of {} pictures",
        matrix.total()
    )
}

fn write_matrix(path: &Path, matrix: &ConfusionMatrix) -> Result<()> {
    let name = |class: usize| matrix.classes()[class].clone();
    let confusions: Vec<_> = matrix
        .confusions()
        .into_iter()
        .map(|(truth, answer, count)| serde_json::json!({"class": name(truth), "answer": answer.map(name), "count": count}))
        .collect();
    let report = serde_json::json!({
        "pictures": matrix.total(),
        "accuracy": matrix.accuracy(),
        "macro_f1": matrix.macro_f1(),
        "classes": matrix.reports(),
        "confusions": confusions,
    });
    files::write_whole(path, format!("{}\n", serde_json::to_string_pretty(&report)?).as_bytes())
}
