//! `osprey detect`.

pub(crate) mod annotate;
pub(crate) mod decode;
pub(crate) mod finder;
pub(crate) mod inputs;
mod output;
pub(crate) mod pipeline;
pub(crate) mod progress;
pub(crate) mod record;
pub(crate) mod report;
mod summary;

pub(crate) use inputs::EXTENSIONS;

use crate::args::{DetectArgs, Format, WriteArgs};
use crate::fail::{NOTHING_DONE, SOME_SKIPPED};
use crate::files;
use crate::interrupt::{self, Interrupted};
use ab_glyph::FontRef;
use anyhow::{Result, bail};
use decode::{Picture, PictureLimits};
use finder::Finder;
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};
use inputs::{Inputs, Search};
use output::Writer;
use pipeline::{Finish, Outcome, Plan};
use progress::Progress;
use record::{Record, Skipped};
use report::Report;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;
use summary::Summary;

/// Quality of annotated JPEG files: no visible loss.
const ANNOTATED_QUALITY: u8 = 92;

/// Everything that was asked for, checked.
struct Job {
    inputs: Inputs,
    finder: Finder,
    writer: Box<dyn Writer>,
    report: Option<Report>,
    sketcher: Sketcher,
    plan: Plan,
    progress: Progress,
    quiet: bool,
}

pub(crate) fn run(args: &DetectArgs) -> Result<ExitCode> {
    Job::check(args)?.run()
}

impl Job {
    fn check(args: &DetectArgs) -> Result<Self> {
        let write = &args.write;
        let format = output::format(write)?;
        let inputs = collect_inputs(args, format)?;
        let finder = Finder::load(&args.model, &args.choose, &args.pictures)?;
        if let Some(folder) = &write.annotated {
            files::make_folder(folder)?;
        }
        let report = match &write.report {
            Some(path) => Some(Report::create(path, finder.settings())?),
            None => None,
        };
        let sketcher = Sketcher {
            font: annotate::font(),
            annotated: write.annotated.clone(),
            thumbnails: if report.is_some() { write.report_pictures } else { 0 },
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let draws = write.annotated.is_some() || report.is_some();
        let plan = Plan {
            limits: PictureLimits::megapixels(args.max_megapixels),
            decoders: args.decode_threads.map_or(cores, usize::from),
            finishers: if draws { cores.min(8) } else { 1 },
        };
        Ok(Self {
            writer: output::writer(format, write, finder.labels())?,
            progress: Progress::new(inputs.files.len(), args.quiet, write.output == Path::new("-")),
            quiet: args.quiet,
            inputs,
            finder,
            report,
            sketcher,
            plan,
        })
    }

    fn run(mut self) -> Result<ExitCode> {
        let start = Instant::now();
        let mut summary = Summary::default();
        let (writer, report, progress) = (&mut self.writer, &mut self.report, &self.progress);
        let skip = |s: &Skipped, summary: &mut Summary, report: &mut Option<Report>| {
            progress.skipped(s);
            summary.skip();
            if let Some(report) = report {
                report.skip(s);
            }
        };
        for s in &self.inputs.skipped {
            skip(s, &mut summary, report);
        }
        self.inputs.left_out().for_each(|line| progress.note(&line));
        summary.skipped += self.inputs.unread.values().sum::<u64>();
        interrupt::watch()?;
        let done =
            pipeline::run(&self.inputs.files, &self.plan, &mut self.finder, &self.sketcher, |outcome| {
                match outcome {
                    Outcome::Found(record, thumbnail) => {
                        progress.around(|| writer.write(&record))?;
                        summary.add(&record);
                        if let (Some(report), Some(jpeg)) = (&mut *report, thumbnail) {
                            report.add(&record, &jpeg)?;
                        }
                    }
                    Outcome::Skipped(s) => skip(&s, &mut summary, report),
                }
                progress.advance();
                Ok(interrupt::check()?)
            });
        self.progress.finish();
        // What is finished is kept, in every format.
        let stopped = match done {
            Err(e) if e.is::<Interrupted>() => true,
            other => other.map(|()| false)?,
        };
        self.writer.finish()?;
        summary.elapsed = start.elapsed();
        if let Some(report) = self.report {
            report.finish(&summary)?;
        }
        if !self.quiet {
            eprintln!("{summary}");
            if let Some(hint) = self.finder.hint() {
                eprintln!("{hint}");
            }
        }
        let through = summary.pictures + summary.skipped;
        if stopped && through < self.inputs.files.len() as u64 {
            let all = self.inputs.files.len();
            eprintln!(
                "osprey: stopped by Ctrl-C after {through} of {all} pictures; their results are written"
            );
            return Ok(ExitCode::from(SOME_SKIPPED));
        }
        Ok(ExitCode::from(match (summary.pictures, summary.skipped) {
            (0, _) => NOTHING_DONE,
            (_, 0) => 0,
            _ => SOME_SKIPPED,
        }))
    }
}

/// The pictures, less those that lie in the folders that results go to.
fn collect_inputs(args: &DetectArgs, format: Format) -> Result<Inputs> {
    let write = &args.write;
    let output = matches!(format, Format::Yolo | Format::Voc).then_some(write.output.as_path());
    let exclude: Vec<_> = write.annotated.as_deref().into_iter().chain(output).collect();
    let inputs = Inputs::collect(&args.paths, &Search { recursive: args.recursive, exclude: &exclude })?;
    refuse_to_overwrite(&inputs, write)?;
    Ok(inputs)
}

/// Results never replace the pictures they are made from.
fn refuse_to_overwrite(inputs: &Inputs, write: &WriteArgs) -> Result<()> {
    for output in [Some(&write.output), write.report.as_ref()].into_iter().flatten() {
        let Ok(output) = output.canonicalize() else { continue };
        if let Some(input) = inputs.files.iter().find(|i| i.path.canonicalize().is_ok_and(|p| p == output)) {
            bail!("{} is one of the pictures to look at; write the results elsewhere", input.path.display());
        }
    }
    let Some(folder) = write.annotated.as_ref().and_then(|f| f.canonicalize().ok()) else { return Ok(()) };
    let lies_there = |path: &Path| path.canonicalize().is_ok_and(|p| p.parent() == Some(&folder));
    if let Some(input) = inputs.files.iter().find(|i| lies_there(&i.path)) {
        bail!(
            "{} lies in the folder that --annotated names; choose another, so that no picture is overwritten",
            input.path.display()
        );
    }
    Ok(())
}

/// Draws annotated copies and makes small ones for the report.
struct Sketcher {
    font: FontRef<'static>,
    annotated: Option<PathBuf>,
    /// How many of the first pictures the report shows.
    thumbnails: usize,
}

impl Finish for Sketcher {
    /// A small copy for the report.
    type Output = Option<Vec<u8>>;

    fn needs_pictures(&self) -> bool {
        self.thumbnails > 0 || self.annotated.is_some()
    }

    fn prepare(&self, index: usize, record: &Record, picture: Option<Picture>) -> Result<Self::Output> {
        let for_report = index < self.thumbnails;
        let Some(picture) = picture.filter(|_| for_report || self.annotated.is_some()) else {
            return Ok(None);
        };
        let format = picture.format;
        let mut image = picture.into_upright();
        let thumbnail = if for_report { Some(report::thumbnail(&image)?) } else { None };
        if let Some(folder) = &self.annotated {
            annotate::draw(&mut image, record, &self.font);
            save(&image, format, &folder.join(&record.name))?;
        }
        Ok(thumbnail)
    }
}

/// JPEG stays JPEG, everything else becomes PNG.
fn save(image: &RgbImage, format: ImageFormat, name: &Path) -> Result<()> {
    let mut bytes = Vec::new();
    let extension = if format == ImageFormat::Jpeg {
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, ANNOTATED_QUALITY))?;
        ".jpg"
    } else {
        image.write_to(&mut std::io::Cursor::new(&mut bytes), ImageFormat::Png)?;
        ".png"
    };
    files::write_whole(&output::with_suffix(name, extension), &bytes)
}
