//! `osprey detect`.

pub(crate) mod annotate;
pub(crate) mod blur;
pub(crate) mod decode;
pub(crate) mod finder;
pub(crate) mod inputs;
mod output;
pub(crate) mod pipeline;
pub(crate) mod progress;
pub(crate) mod record;
pub(crate) mod report;
mod resume;
mod summary;
pub(crate) mod tile_args;

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
use record::{Found, Record, Skipped};
use report::Report;
use resume::Journal;
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
    journal: Option<Journal>,
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
        let mut inputs = collect_inputs(args, format)?;
        let finder = Finder::load(&args.model, &args.choose, &args.pictures, &args.tiles)?;
        for folder in [&write.annotated, &write.crop].into_iter().flatten() {
            files::make_folder(folder)?;
        }
        let journal = journal(args, format, &finder)?;
        let mut done = 0;
        if let Some(journal) = &journal {
            let before = inputs.files.len();
            inputs.files.retain(|input| !journal.knows(&input.path));
            done = before - inputs.files.len();
        }
        let report = match &write.report {
            Some(path) => Some(Report::create(path, finder.settings())?),
            None => None,
        };
        let sketcher = Sketcher {
            font: annotate::font(),
            annotated: write.annotated.clone(),
            crop: write.crop.clone(),
            blur: blurred(args, &finder)?,
            thumbnails: if report.is_some() { write.report_pictures } else { 0 },
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let draws = sketcher.needs_pictures();
        let plan = Plan {
            limits: PictureLimits::megapixels(args.max_megapixels),
            decoders: args.decode_threads.map_or(cores, usize::from),
            finishers: if draws { cores.min(8) } else { 1 },
            identify: output::identifies(format),
        };
        let progress = Progress::new(inputs.files.len(), args.quiet, write.output == Path::new("-"));
        if done > 0 {
            progress.note(&format!("{done} pictures were done before"));
        }
        Ok(Self {
            writer: output::writer(format, write, finder.labels(), journal.as_ref().map(Journal::end))?,
            progress,
            journal,
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
        let mut summary = Summary::new(self.finder.is_calibrated());
        let (writer, report, progress) = (&mut self.writer, &mut self.report, &self.progress);
        let journal = &mut self.journal;
        let skip =
            |s: &Skipped, writer: &mut dyn Writer, summary: &mut Summary, report: &mut Option<Report>| {
                progress.skipped(s);
                summary.skip();
                if let Some(report) = report {
                    report.skip(s);
                }
                writer.skip(s)
            };
        for s in &self.inputs.skipped {
            skip(s, &mut **writer, &mut summary, report)?;
        }
        self.inputs.left_out().for_each(|line| progress.note(&line));
        summary.skipped += self.inputs.unread.values().sum::<u64>();
        interrupt::watch()?;
        let done =
            pipeline::run(&self.inputs.files, &self.plan, &mut self.finder, &self.sketcher, |outcome| {
                match outcome {
                    Outcome::Found(record, thumbnail) => {
                        progress.around(|| writer.write(&record))?;
                        if let Some(journal) = journal {
                            journal.note(&record.image, writer.settle()?)?;
                        }
                        summary.add(&record);
                        if let (Some(report), Some(jpeg)) = (&mut *report, thumbnail) {
                            report.add(&record, &jpeg)?;
                        }
                    }
                    Outcome::Skipped(s) => skip(&s, &mut **writer, &mut summary, report)?,
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
            // All was done before.
            (0, 0) if self.journal.is_some() => 0,
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
    let drawn = [write.annotated.as_deref(), write.crop.as_deref()].into_iter().flatten();
    let exclude: Vec<_> = drawn.chain(output).collect();
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
    for (flag, folder) in [("--annotated", &write.annotated), ("--crop", &write.crop)] {
        let Some(folder) = folder.as_ref().and_then(|f| f.canonicalize().ok()) else { continue };
        let lies_there = |path: &Path| path.canonicalize().is_ok_and(|p| p.parent() == Some(&folder));
        if let Some(input) = inputs.files.iter().find(|i| lies_there(&i.path)) {
            bail!(
                "{} lies in the folder that {flag} names; choose another, so that no picture is overwritten",
                input.path.display()
            );
        }
    }
    Ok(())
}

/// Which pictures are done, where `--resume` asks for it.
fn journal(args: &DetectArgs, format: Format, finder: &Finder) -> Result<Option<Journal>> {
    let write = &args.write;
    if !write.resume {
        return Ok(None);
    }
    if !output::can_resume(format) || write.output == Path::new("-") {
        bail!("--resume goes with an --output of the format jsonl, csv, yolo or voc");
    }
    let mut made_with = finder.made_with()?;
    made_with.extend(format!("{format:?} {} {}", write.yolo_scores, args.max_megapixels).bytes());
    Ok(Some(Journal::open(&write.output, matches!(format, Format::Yolo | Format::Voc), &made_with)?))
}

/// Numbers of the classes that are made unrecognizable.
fn blurred(args: &DetectArgs, finder: &Finder) -> Result<Vec<usize>> {
    let write = &args.write;
    if !write.blur.is_empty() && write.annotated.is_none() && write.report.is_none() {
        bail!("--blur is for what --annotated or --report writes");
    }
    let find = |names: &[String]| names.iter().map(|n| finder.class(n)).collect::<Result<Vec<_>, _>>();
    let (blur, only, except) =
        (find(&write.blur)?, find(&args.choose.classes)?, find(&args.choose.exclude_classes)?);
    let looked_for = |class: &usize| (only.is_empty() || only.contains(class)) && !except.contains(class);
    if let Some(class) = blur.iter().find(|class| !looked_for(class)) {
        bail!("{} is to be blurred, and is not looked for: see --classes", finder.labels()[*class]);
    }
    Ok(blur)
}

/// Draws annotated copies and makes small ones for the report.
struct Sketcher {
    font: FontRef<'static>,
    annotated: Option<PathBuf>,
    crop: Option<PathBuf>,
    /// Classes that are made unrecognizable.
    blur: Vec<usize>,
    /// How many of the first pictures the report shows.
    thumbnails: usize,
}

impl Finish for Sketcher {
    /// A small copy for the report.
    type Output = Option<Vec<u8>>;

    fn needs_pictures(&self) -> bool {
        self.thumbnails > 0 || self.annotated.is_some() || self.crop.is_some()
    }

    fn prepare(&self, index: usize, record: &Record, picture: Option<Picture>) -> Result<Self::Output> {
        let for_report = index < self.thumbnails;
        let wanted = for_report || self.annotated.is_some() || self.crop.is_some();
        let Some(picture) = picture.filter(|_| wanted) else { return Ok(None) };
        let format = picture.format;
        let mut image = picture.into_upright();
        if let Some(folder) = &self.crop {
            for (number, found) in record.found.iter().enumerate() {
                let part = cut_out(&image, found);
                let name = format!("-{number}-{}", file_name(&found.label));
                save(&part, format, &folder.join(output::with_suffix(&record.name, &name)))?;
            }
        }
        for found in record.found.iter().filter(|f| self.blur.contains(&f.class_id)) {
            blur::pixelate(&mut image, found.bbox.edges());
        }
        let thumbnail = if for_report { Some(report::thumbnail(&image)?) } else { None };
        if let Some(folder) = &self.annotated {
            annotate::draw(&mut image, &record.found, (record.width, record.height), &self.font);
            save(&image, format, &folder.join(&record.name))?;
        }
        Ok(thumbnail)
    }
}

/// The pixels of an object.
fn cut_out(image: &RgbImage, found: &Found) -> RgbImage {
    let (width, height) = image.dimensions();
    let [left, top, right, bottom] = found.bbox.edges().map(|edge| edge.max(0.0));
    let (x, y) = ((left as u32).min(width - 1), (top as u32).min(height - 1));
    let (x_end, y_end) =
        ((right.ceil() as u32).clamp(x + 1, width), (bottom.ceil() as u32).clamp(y + 1, height));
    image::imageops::crop_imm(image, x, y, x_end - x, y_end - y).to_image()
}

/// A label as part of a file's name.
fn file_name(label: &str) -> String {
    label.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
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
