//! `osprey live` and `osprey replay`.

pub(crate) mod args;
mod govern;
mod output;
pub(crate) mod replay;
mod source;
mod status;
mod web;

use crate::detect::{annotate, finder};
use crate::fail::NOTHING_DONE;
use crate::files::Destination;
use crate::interrupt;
use crate::model;
use anyhow::{Context, Result};
use args::{FilterArg, LiveArgs, SummaryArg};
use govern::Governed;
use image::RgbImage;
use osprey_detector::frame::{Frame, Timestamp};
use osprey_detector::pipeline::{
    Delivery, Detect, DetectError, Detections, Pipeline, PipelineOptions, Results, Stage, WorkerOptions,
};
use osprey_detector::preprocess::{Filter, Placement, PreprocessOptions, Preprocessor};
use osprey_detector::recording::{Facts, Header, Recorder};
use osprey_detector::track::TrackerOptions;
use osprey_detector::{DType, Tensor, TensorSpec};
use output::VideoWriter;
use source::{OwnedFrame, Source, Stream};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use web::{Page, Viewers};

/// What is kept of a frame until its result comes.
#[derive(Default)]
struct Kept {
    input: Option<(Tensor, Placement)>,
    picture: Option<RgbImage>,
}

type Keeper = Mutex<BTreeMap<u64, Kept>>;

/// What is made of each result.
struct Outputs {
    labels: Vec<String>,
    jsonl: Option<Destination>,
    annotated: Option<VideoWriter>,
    recorder: Option<Recorder<Destination>>,
    page: Option<Page>,
    /// Decides on the interval of detection, which the feed obeys.
    governed: Option<Governed>,
    interval: Arc<AtomicU32>,
}

/// Feeds the source's frames to a pipeline and writes what comes out.
pub(crate) fn run(args: &LiveArgs) -> Result<ExitCode> {
    let model = model::resolve(args.model.model.as_deref())?;
    let options = finder::options(&args.model, &args.choose)?;
    let load = {
        let model = model.clone();
        move || model.try_detector(&options).map_err(DetectError::from)
    };
    // Looked at before the worker owns it; loading takes milliseconds.
    let detector = load().with_context(|| format!("cannot detect with {model}"))?;
    let labels = detector.class_names();
    let header = Header::new(&model.name(), &model.bytes()?, detector.input_spec());
    drop(detector);

    interrupt::watch()?;
    let Stream { mut source, fps, rate, every } = source::open(args)?;
    let every = every || args.every;
    let interval = Arc::new(AtomicU32::new(args.interval));
    let outputs = Outputs {
        labels,
        jsonl: args.jsonl.as_deref().map(Destination::create).transpose()?,
        annotated: args
            .annotated
            .as_deref()
            .map(|p| VideoWriter::create(p, rate.or(fps).unwrap_or(source::DEFAULT_FPS)))
            .transpose()?,
        recorder: args.record.as_deref().map(|p| record(p, &header)).transpose()?,
        page: args.serve.map(Page::serve).transpose()?,
        governed: args.govern.then(|| Governed::new(fps.unwrap_or(source::DEFAULT_FPS), Path::new("/sys"))),
        interval: Arc::clone(&interval),
    };
    if let Some(page) = &outputs.page {
        eprintln!("osprey: live picture at http://{}", page.address());
    }
    let (pictures, inputs) = (outputs.annotated.is_some(), outputs.recorder.is_some());
    let viewers = outputs.page.as_ref().map(Page::viewers);
    let (pipeline, results) = Pipeline::start(load, &pipeline_options(args, every))?;
    let keeper = Arc::new(Keeper::default());
    let stop = Arc::new(AtomicBool::new(false));
    let consumer = {
        let (keeper, stop, quiet) = (Arc::clone(&keeper), Arc::clone(&stop), args.quiet);
        std::thread::spawn(move || {
            let written = consume(&results, outputs, &keeper, quiet);
            // Nobody is left to write for: the source need not go on.
            stop.store(true, Ordering::SeqCst);
            written.map(|()| results)
        })
    };

    let feed = Feed {
        pipeline: &pipeline,
        keeper: &keeper,
        stop: &stop,
        interval: &interval,
        pictures,
        viewers,
        inputs,
    };
    let fed = feed.run(&mut *source, (fps.filter(|_| !every), rate), args.frames);
    pipeline.finish();
    let results = consumer.join().map_err(|_| anyhow::anyhow!("writing results failed"))??;
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
    }
}

/// From the source to the pipeline, at the source's pace.
struct Feed<'a> {
    pipeline: &'a Pipeline,
    keeper: &'a Keeper,
    stop: &'a AtomicBool,
    interval: &'a AtomicU32,
    /// Whether each frame is drawn on later.
    pictures: bool,
    /// Of the page, where there is one.
    viewers: Option<Viewers>,
    inputs: bool,
}

impl Feed<'_> {
    /// At `pace`, where there is one, and with times by the source's own `rate`, where it has one.
    fn run(
        &self,
        source: &mut dyn Source,
        (pace, rate): (Option<f64>, Option<f64>),
        frames: Option<u64>,
    ) -> Result<()> {
        let (start, mut frame) = (Instant::now(), OwnedFrame::default());
        for sequence in 0..frames.unwrap_or(u64::MAX) {
            let stopped = self.stop.load(Ordering::SeqCst) || interrupt::check().is_err();
            if stopped || !source.next(&mut frame)? {
                break;
            }
            let due = |rate: f64| Duration::from_secs_f64(sequence as f64 / rate);
            if let Some(pace) = pace {
                std::thread::sleep(due(pace).saturating_sub(start.elapsed()));
            }
            let at: Timestamp = rate.map_or_else(|| start.elapsed(), due).into();
            self.submit(&frame.view()?.at(at), sequence);
        }
        Ok(())
    }

    fn submit(&self, frame: &Frame<'_>, sequence: u64) {
        // Nobody looks at most frames of most sessions.
        if self.pictures || self.viewers.as_ref().is_some_and(Viewers::look) {
            let picture = render(frame);
            lock(self.keeper).entry(sequence).or_default().picture = picture;
        }
        self.pipeline.set_interval(self.interval.load(Ordering::Relaxed));
        let submitted = self.pipeline.submit_with(frame, |input, placement| {
            if self.inputs {
                lock(self.keeper).entry(sequence).or_default().input = Some((input.clone(), *placement));
            }
        });
        if let Err(e) = submitted {
            eprintln!("osprey: {e}");
        }
    }
}

/// The frame as it is seen, at its own size.
fn render(frame: &Frame<'_>) -> Option<RgbImage> {
    let (width, height) = frame.upright_size();
    let shape = vec![1, height as usize, width as usize, 3];
    let spec = TensorSpec { name: String::new(), shape, dtype: DType::U8, quantization: None };
    let options = PreprocessOptions { filter: Filter::Bilinear, ..PreprocessOptions::default() };
    let mut tensor = Tensor::zeros(spec.dtype, &spec.shape)?;
    Preprocessor::new(&spec, options).ok()?.run(frame, &mut tensor.view_mut()).ok()?;
    match tensor {
        Tensor::U8(array) => RgbImage::from_raw(width, height, array.into_raw_vec_and_offset().0),
        _ => None,
    }
}

fn consume(
    results: &Results<Detections, DetectError>,
    mut outputs: Outputs,
    keeper: &Keeper,
    quiet: bool,
) -> Result<()> {
    let font = annotate::font();
    let mut status = status::Status::new(quiet);
    for outcome in results.iter() {
        let shown = match outcome {
            Ok(shown) => shown,
            Err(e) => {
                eprintln!("osprey: {e}");
                continue;
            }
        };
        let inference = shown.timings.get(Stage::Inference).unwrap_or_default();
        if let Some(interval) = outputs.governed.as_mut().and_then(|g| g.observe(inference)) {
            outputs.interval.store(interval, Ordering::Relaxed);
        }
        let kept = {
            let mut keeper = lock(keeper);
            let later = keeper.split_off(&(shown.sequence + 1));
            std::mem::replace(&mut *keeper, later).remove(&shown.sequence).unwrap_or_default()
        };
        if let Some(out) = &mut outputs.jsonl {
            writeln!(out, "{}", output::line(&shown, &outputs.labels))?;
            if out.is_live() {
                out.flush()?;
            }
        }
        if let (Some(recorder), Some((input, placement))) = (&mut outputs.recorder, &kept.input) {
            recorder.add(&Facts::new(&shown, placement), input)?;
        }
        if let Some(page) = outputs.page.as_ref().filter(|p| p.viewers().any()) {
            let picture = kept.picture.as_ref().filter(|_| page.viewers().look());
            page.show(picture.cloned(), &output::line(&shown, &outputs.labels), &results.snapshot());
        }
        if let (Some(mut picture), Some(video)) = (kept.picture, &mut outputs.annotated) {
            output::draw(&mut picture, &shown, &outputs.labels, &font);
            video.write(&picture)?;
        }
        status.show(results);
    }
    status.end();
    outputs.jsonl.map(Destination::commit).transpose()?;
    outputs.annotated.map(VideoWriter::commit).transpose()?;
    outputs.recorder.map(|r| r.finish().commit()).transpose()?;
    Ok(())
}

fn record(path: &Path, header: &Header) -> Result<Recorder<Destination>> {
    Recorder::new(Destination::create(path)?, header).context("cannot write the recording")
}

fn lock(keeper: &Keeper) -> std::sync::MutexGuard<'_, BTreeMap<u64, Kept>> {
    keeper.lock().unwrap_or_else(PoisonError::into_inner)
}
