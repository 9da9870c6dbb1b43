//! `osprey live` and `osprey replay`.

pub(crate) mod args;
mod govern;
mod observed;
mod output;
pub(crate) mod replay;
mod source;
mod status;
mod web;
mod zones;

use crate::detect::finder;
use crate::fail::NOTHING_DONE;
use crate::files::Destination;
use crate::interrupt;
use crate::model;
use anyhow::{Context, Result};
use args::{FilterArg, LiveArgs, SummaryArg};
use govern::Governed;
use observed::ObservedOutputs;
use osprey_detector::frame::Timestamp;
use osprey_detector::pipeline::{Delivery, Detections, Pipeline, PipelineOptions, Results, WorkerOptions};
use osprey_detector::preprocess::Filter;
use osprey_detector::recording::{Header, Recorder};
use osprey_detector::track::TrackerOptions;
use osprey_detector::{Detect, DetectorError};
use output::VideoWriter;
use source::{OwnedFrame, Pace, Source, Stream};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use web::{Page, Viewers};
use zones::Zones;

/// What is made of each result that is not late.
struct Outputs {
    labels: Arc<[String]>,
    jsonl: Option<Destination>,
    zones: Option<Zones>,
    /// Decides on the interval of detection.
    governed: Option<Governed>,
}

/// Feeds the source's frames to a pipeline and writes what comes out.
pub(crate) fn run(args: &LiveArgs) -> Result<ExitCode> {
    let model = model::resolve(args.model.model.as_deref())?;
    let mut options = finder::options(&args.model, &args.choose, &args.pictures, &args.tiles)?;
    if args.model.threads.is_none() && args.tiles.tiles.is_none() {
        // Nothing else is waited for while a frame is looked at.
        options.load.threads = 0;
    }
    // Looked at before the worker owns it.
    let detector = model.detector(&options)?;
    let labels: Arc<[String]> = detector.class_names().into();
    finder::notes(&model, &detector);
    let header = Header::new(&model.name(), &model.bytes()?, detector.input_spec());
    let tiles = finder::tile_options(&args.tiles, &detector, &options);
    let blur: Result<Vec<_>, _> = args.blur.iter().map(|name| detector.labels().find(name)).collect();
    let blur = blur?;
    let zones = args.zones.as_deref().map(|file| Zones::open(file, detector.labels(), &args.events));
    let zones = zones.transpose()?;
    // Another one is made only where a fault ended the first.
    let mut first = Some(detector);
    let detectors = move || first.take().map_or_else(|| model.try_detector(&options), Ok);

    interrupt::watch()?;
    let Stream { mut source, pace, rate, every } = source::open(args)?;
    let every = every || args.every;
    let camera_fps = rate.unwrap_or(source::DEFAULT_FPS);
    let outputs = Outputs {
        labels: Arc::clone(&labels),
        jsonl: args.jsonl.as_deref().map(Destination::create).transpose()?,
        zones,
        governed: args.govern.then(|| Governed::new(camera_fps, Path::new("/sys"))),
    };
    let observed = ObservedOutputs {
        labels,
        blur,
        annotated: args.annotated.as_deref().map(|p| VideoWriter::create(p, camera_fps)).transpose()?,
        recorder: args.record.as_deref().map(|p| record(p, &header)).transpose()?,
        page: args.serve.map(Page::serve).transpose()?,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let looks =
        Looks { always: observed.annotated.is_some(), viewers: observed.page.as_ref().map(Page::viewers) };
    let (pipeline, results) =
        Pipeline::start(detectors, &PipelineOptions { tiles, ..pipeline_options(args, every) })?;
    let pipeline = Arc::new(pipeline);
    pipeline.set_interval(args.interval);
    let observing = observed.attach(&pipeline, &stop);
    let consumer = {
        let (pipeline, stop, quiet) = (Arc::clone(&pipeline), Arc::clone(&stop), args.quiet);
        std::thread::spawn(move || {
            let written = consume(&results, outputs, &pipeline, quiet);
            // Nobody is left to write for: the source need not go on.
            stop.store(true, Ordering::SeqCst);
            written.map(|()| results)
        })
    };

    let feed =
        Feed { pipeline: &pipeline, stop: &stop, pace: if every { Pace::Free } else { pace }, rate, looks };
    let fed = feed.run(&mut *source, args.frames);
    pipeline.finish();
    let results = consumer.join().map_err(|_| anyhow::anyhow!("writing results failed"))??;
    if let Some(observing) = observing {
        observing.join().map_err(|_| anyhow::anyhow!("writing pictures failed"))??;
    }
    fed?;
    let snapshot = results.snapshot();
    let nothing = snapshot.ledger.captured == 0;
    match args.summary {
        SummaryArg::Json => println!("{}", serde_json::to_string(&snapshot)?),
        SummaryArg::Text => eprint!("{}", status::summary(&snapshot)),
        SummaryArg::None => {}
    }
    Ok(if nothing { ExitCode::from(NOTHING_DONE) } else { ExitCode::SUCCESS })
}

fn pipeline_options(args: &LiveArgs, every: bool) -> PipelineOptions {
    let delivery = match every {
        true => Delivery::Every { capacity: 4 },
        false => Delivery::Newest,
    };
    PipelineOptions {
        worker: WorkerOptions { delivery, ..WorkerOptions::default() },
        tracker: (!args.no_tracking).then(TrackerOptions::default),
        filter: match args.filter {
            FilterArg::Bilinear => Filter::Bilinear,
            FilterArg::Area => Filter::Area,
            FilterArg::Antialiased => Filter::Antialiased,
        },
        ..PipelineOptions::default()
    }
}

/// Who looks at frames once their results are there.
struct Looks {
    /// Each frame is drawn on.
    always: bool,
    /// Of the page, where there is one.
    viewers: Option<Viewers>,
}

impl Looks {
    fn anybody(&self) -> bool {
        self.always || self.viewers.as_ref().is_some_and(Viewers::look)
    }
}

/// From the source to the pipeline.
struct Feed<'a> {
    pipeline: &'a Pipeline,
    stop: &'a AtomicBool,
    pace: Pace,
    /// As [`Stream::rate`].
    rate: Option<f64>,
    looks: Looks,
}

impl Feed<'_> {
    fn run(&self, source: &mut dyn Source, frames: Option<u64>) -> Result<()> {
        let (start, mut frame) = (Instant::now(), OwnedFrame::default());
        for sequence in 0..frames.unwrap_or(u64::MAX) {
            let stopped = self.stop.load(Ordering::SeqCst) || interrupt::check().is_err();
            if stopped || !source.next(&mut frame)? {
                break;
            }
            let even = |rate: f64| Duration::from_secs_f64(sequence as f64 / rate);
            let own = frame.time.or_else(|| self.rate.map(even));
            let due = match self.pace {
                Pace::Free => None,
                Pace::Own => own,
                Pace::Fps(fps) => Some(even(fps)),
            };
            std::thread::sleep(due.unwrap_or_default().saturating_sub(start.elapsed()));
            let at: Timestamp = own.unwrap_or_else(|| start.elapsed()).into();
            // Nobody looks at most frames of most sessions.
            self.pipeline.keep_images(self.looks.anybody());
            if let Err(e) = self.pipeline.submit(&frame.view()?.at(at)) {
                eprintln!("osprey: {e}");
            }
        }
        Ok(())
    }
}

fn consume(
    results: &Results<Detections, DetectorError>,
    mut outputs: Outputs,
    pipeline: &Pipeline,
    quiet: bool,
) -> Result<()> {
    let mut status = status::Status::new(quiet);
    for outcome in results.iter() {
        let shown = match outcome {
            Ok(shown) => shown,
            Err(e) => {
                eprintln!("osprey: {e}");
                continue;
            }
        };
        let governed = outputs.governed.as_mut();
        if let Some(interval) = governed.and_then(|g| g.observe(|| pipeline.recent_inference_ms())) {
            pipeline.set_interval(interval);
        }
        if let Some(out) = &mut outputs.jsonl {
            writeln!(out, "{}", output::line(&shown, &outputs.labels))?;
            if out.is_live() {
                out.flush()?;
            }
        }
        if let Some(zones) = &mut outputs.zones {
            zones.see(&shown, &outputs.labels)?;
        }
        status.show(results);
    }
    status.end();
    outputs.jsonl.map(Destination::commit).transpose()?;
    if let Some(zones) = outputs.zones {
        let counts = zones.finish(&outputs.labels)?;
        if !quiet {
            eprint!("{counts}");
        }
    }
    Ok(())
}

fn record(path: &Path, header: &Header) -> Result<Recorder<Destination>> {
    Recorder::new(Destination::create(path)?, header).context("cannot write the recording")
}
