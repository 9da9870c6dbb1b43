//! `osprey motion`.

mod samples;
mod timeline;

use crate::args::ModelArgs;
use crate::{fail, files, model};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use osprey_detector::model::{Entry, Labels, LoadedModel, Task};
use osprey_senses::motion::{
    AccelerationUnit, Channel, Convention, MotionSpec, MotionStream, Prediction, Resampling, RotationUnit,
    SampleCounts, Smoothing, WindowSettings,
};
use samples::{Columns, Samples};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Classifies motion from a table of sensor samples: running, walking, gestures.
///
/// Samples may come at any times: they are brought to the model's rate. A gap starts anew; samples
/// out of order, twice, or with values that are no numbers are left out and counted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  osprey motion walk.csv --model models/run_or_walk.tflite
  osprey motion log.csv --model models/activity.tflite --units android \\
      --column acceleration_x=ax,acceleration_y=ay,acceleration_z=az --time-unit ms --plot walk.svg
  osprey motion bare.csv --no-header --sample-rate 26 --acceleration-unit mg \\
      --column acceleration_x=1,acceleration_y=2,acceleration_z=3 --model models/activity.tflite")]
pub(crate) struct MotionArgs {
    /// A CSV file with a sample a line; - for standard input.
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    units: UnitArgs,
    #[command(flatten)]
    window: WindowArgs,
    /// A text file with a class name a line, in place of the names that come with the model.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// How results are written.
    #[arg(short, long, value_enum, default_value_t = FormatArg::Table)]
    format: FormatArg,
    /// Draws the probabilities over time into this SVG file.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// No summary; errors are still printed.
    #[arg(short, long)]
    quiet: bool,
}

/// Where the samples are in the table.
#[derive(Debug, Args)]
#[command(next_help_heading = "The table")]
struct TableArgs {
    /// The column of each channel, by name or by number from 1, where it is not called as the
    /// channel is.
    #[arg(long, value_name = "CHANNEL=COLUMN", value_delimiter = ',')]
    column: Vec<String>,
    /// The column of times, by name or number [default: time].
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// Unit of the times.
    #[arg(long, value_enum, default_value_t = TimeUnitArg::S)]
    time_unit: TimeUnitArg,
    /// Samples come at this rate in Hz; there is no column of times.
    #[arg(long, value_name = "HZ", conflicts_with = "time")]
    sample_rate: Option<f64>,
    /// The first line is a sample already.
    #[arg(long)]
    no_header: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TimeUnitArg {
    S,
    Ms,
    Us,
    Ns,
}

impl TimeUnitArg {
    fn seconds(self) -> f64 {
        match self {
            Self::S => 1.0,
            Self::Ms => 1e-3,
            Self::Us => 1e-6,
            Self::Ns => 1e-9,
        }
    }
}

/// What the numbers mean.
#[derive(Debug, Args)]
#[command(next_help_heading = "Units and axes of the samples")]
struct UnitArgs {
    /// Units and axes of a platform.
    #[arg(long, value_enum, default_value_t = PlatformArg::Ios)]
    units: PlatformArg,
    /// Unit of accelerations, where it is not the platform's.
    #[arg(long, value_enum)]
    acceleration_unit: Option<AccelerationArg>,
    /// Unit of rotations, where it is not the platform's.
    #[arg(long, value_enum)]
    rotation_unit: Option<RotationArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlatformArg {
    /// g and rad/s; a device on its back measures z = -1.
    Ios,
    /// m/s2 and rad/s; a device on its back measures z = +9.81.
    Android,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AccelerationArg {
    G,
    Mg,
    #[value(name = "m/s2")]
    Ms2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RotationArg {
    #[value(name = "rad/s")]
    Radians,
    #[value(name = "deg/s")]
    Degrees,
}

impl UnitArgs {
    fn convention(&self) -> Convention {
        let platform = match self.units {
            PlatformArg::Ios => Convention::IOS,
            PlatformArg::Android => Convention::ANDROID,
        };
        let acceleration = self.acceleration_unit.map(|u| match u {
            AccelerationArg::G => AccelerationUnit::G,
            AccelerationArg::Mg => AccelerationUnit::MilliG,
            AccelerationArg::Ms2 => AccelerationUnit::MetersPerSecondSquared,
        });
        let rotation = self.rotation_unit.map(|u| match u {
            RotationArg::Radians => RotationUnit::RadiansPerSecond,
            RotationArg::Degrees => RotationUnit::DegreesPerSecond,
        });
        Convention {
            acceleration: acceleration.unwrap_or(platform.acceleration),
            rotation: rotation.unwrap_or(platform.rotation),
            axes: platform.axes,
        }
    }
}

/// Windows and answers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Windows and answers")]
struct WindowArgs {
    /// Channels of the model's input, in order, where no manifest says.
    #[arg(long, value_name = "CHANNELS", value_delimiter = ',')]
    channels: Vec<String>,
    /// Samples per second that the model expects, where no manifest says.
    #[arg(long, value_name = "HZ")]
    rate: Option<f64>,
    /// Multiplies every value, for models that were trained on other numbers than units say.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, allow_negative_numbers = true)]
    scale: f32,
    /// Samples from one window to the next [default: the model's, or a whole window].
    #[arg(long, value_name = "N")]
    hop: Option<usize>,
    /// Seconds over which probabilities are smoothed; 0 for none.
    #[arg(long, value_name = "SECONDS", default_value_t = Smoothing::default().time_constant)]
    smooth: f64,
    /// A class becomes the answer from this smoothed probability on.
    #[arg(long, value_name = "P", default_value_t = Smoothing::default().enter)]
    enter: f32,
    /// The answer is given up below this smoothed probability.
    #[arg(long, value_name = "P", default_value_t = Smoothing::default().leave)]
    leave: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// A line a window, for people.
    Table,
    /// A JSON object a line, one for each window.
    Jsonl,
}

pub(crate) fn run(args: &MotionArgs) -> Result<ExitCode> {
    let source = model::resolve_for(args.model.model.as_deref(), Task::Motion)?;
    let loaded = source.load(&model::options(args.model.backend, args.model.threads()))?;
    let spec = args.window.spec(loaded.entry.as_ref())?;
    let labels = labels(args, &loaded)?;
    let columns = Columns::new(&spec.channels, &args.table)?;
    let smoothing =
        Smoothing { time_constant: args.window.smooth, enter: args.window.enter, leave: args.window.leave };
    let mut stream = MotionStream::new(loaded.model, &spec, args.units.convention(), smoothing)
        .with_context(|| format!("cannot classify motion with {source}"))?;

    let mut samples = Samples::open(&args.file, &columns, &args.table)?;
    let mut found: Vec<Prediction> = Vec::new();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut values = vec![0.0; spec.channels.len()];
    let mut windows = 0u64;
    while let Some(time) = samples.next(&mut values)? {
        values.iter_mut().for_each(|v| *v *= args.window.scale);
        let mut failure = None;
        let pushed = stream.push_each(time, &values, |prediction| {
            windows += 1;
            failure = failure.take().or(write(&mut out, &prediction, &labels, args.format).err());
            if args.plot.is_some() {
                found.push(prediction);
            }
        });
        if let Some(e) = failure {
            return Err(e.into());
        }
        // What is wrong with single samples is counted, and told at the end.
        if let Err(osprey_senses::motion::MotionError::Model(e)) = pushed {
            return Err(e.into());
        }
    }
    out.flush()?;
    if let Some(plot) = args.plot.as_ref().filter(|_| !found.is_empty()) {
        files::write_whole(plot, timeline::draw(&found, &labels)?.as_bytes())?;
    }
    let counts = stream.counts();
    if !args.quiet {
        eprintln!("{}", summary(&counts));
    }
    if windows == 0 {
        bail!("{}", nothing_found(&counts, stream.window(), &args.table));
    }
    let left_out = counts.late + counts.not_finite + counts.bad_time;
    Ok(if left_out > 0 { ExitCode::from(fail::SOME_SKIPPED) } else { ExitCode::SUCCESS })
}

impl WindowArgs {
    fn spec(&self, entry: Option<&Entry>) -> Result<MotionSpec> {
        let known = entry.and_then(|e| e.motion.clone());
        let channels: Vec<Channel> = self.channels.iter().map(|c| c.parse()).collect::<Result<_, _>>()?;
        let mut spec = match (known, channels.is_empty(), self.rate) {
            (Some(spec), ..) => spec,
            (None, false, Some(rate)) => MotionSpec {
                channels: Vec::new(),
                rate,
                convention: Convention::IOS,
                hop: None,
                resampling: Resampling::Linear,
            },
            _ => bail!("no manifest says what the model takes; pass --channels and --rate"),
        };
        if !channels.is_empty() {
            spec.channels = channels;
        }
        spec.rate = self.rate.unwrap_or(spec.rate);
        spec.hop = self.hop.or(spec.hop);
        Ok(spec)
    }
}

fn labels(args: &MotionArgs, loaded: &LoadedModel) -> Result<Labels> {
    let given = args.labels.as_ref().map(Labels::read).transpose()?;
    let labels = given.or_else(|| loaded.labels.clone()).unwrap_or_default();
    let classes = loaded.model.outputs().first().map_or(0, |o| o.elements());
    if !labels.is_empty() && labels.len() != classes {
        bail!("there are {} labels for {classes} classes; pass --labels with as many", labels.len());
    }
    Ok(labels)
}

fn write(out: &mut impl Write, p: &Prediction, labels: &Labels, format: FormatArg) -> std::io::Result<()> {
    let likeliest = p.likeliest();
    match format {
        FormatArg::Table => {
            let steady = p.class.map_or("-".into(), |c| labels.name(c));
            let now = labels.name(likeliest);
            writeln!(out, "{:>12.3} s  {steady:<14} {now} {:.3}", p.time, p.probabilities[likeliest])
        }
        FormatArg::Jsonl => {
            let line = serde_json::json!({
                "time": p.time,
                "class": p.class.map(|c| labels.name(c)),
                "likeliest": labels.name(likeliest),
                "probabilities": p.probabilities,
                "smoothed": p.smoothed,
            });
            writeln!(out, "{line}")
        }
    }
}

/// Why no window was full, and what may help.
fn nothing_found(counts: &SampleCounts, window: &WindowSettings, table: &TableArgs) -> String {
    let mut text = format!("no window of {} samples at {} Hz was full", window.length, window.rate);
    let unit = "are the times in another unit? --time-unit ms, us or ns says so";
    if counts.bad_time > 0 {
        text += &format!("; {} times are no seconds of this century: {unit}", counts.bad_time);
    } else if counts.restarts > 1 && table.sample_rate.is_none() {
        let gap = window.max_gap;
        text +=
            &format!("; {} times, more than {gap} s passed between two samples: {unit}", counts.restarts - 1);
    } else if counts.taken == 0 {
        text += "; no sample could be read";
    }
    text
}

fn summary(c: &SampleCounts) -> String {
    let mut text = format!("{} samples", c.taken);
    let parts = [
        (c.restarts.saturating_sub(1), "gaps, after each of which windows begin again"),
        (c.duplicates, "at the time of the one before, left out"),
        (c.late, "out of order, left out"),
        (c.not_finite, "with a value that is no number or beyond 1e9, left out"),
        (c.bad_time, "with a time that is no number or beyond 4e9 s, left out"),
    ];
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        text += &format!("; {count} {what}");
    }
    text
}
