//! How fast this device is, by the work of `cargo bench --bench device_classes`: a camera frame goes through the
//! live pipeline, and its tracked boxes come back, one frame after the other.

use crate::border::ffi::BenchmarkFigures;
use crate::error::{Failure, FailureKind};
use crate::guard::{guarded, lock, shielded};
use crate::options::SessionOptions;
use crate::source::ModelSource;
use osprey_detector::frame::{Frame, Plane, YuvColor};
use osprey_detector::pipeline::{Detections, Pipeline, Results, Stage, Timings};
use osprey_detector::{Detector, DetectorError};
use osprey_engine::Isa;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Most frames of one call: minutes on any device.
const MOST_FRAMES: u32 = 10_000;

/// A pipeline with a camera frame to run it on. Any thread may use it, one at a time.
pub struct Benchmark(Mutex<Bench>);

struct Bench {
    pipeline: Pipeline<Detector>,
    results: Results<Detections, DetectorError>,
    size: (u32, u32),
    pixels: Vec<u8>,
}

/// A benchmark of camera frames (NV12, video range) of `width` × `height`, with the model, threads, filter and
/// tracker that a session would have.
///
/// # Errors
/// [`FailureKind::Model`], [`FailureKind::Frame`], [`FailureKind::Options`].
pub fn benchmark(
    source: &ModelSource,
    options: &SessionOptions,
    width: u32,
    height: u32,
) -> Result<Benchmark, Failure> {
    guarded(|| {
        // Checked before memory is asked for. Chroma has half the rows and columns.
        let pixels = width as usize * height as usize;
        if pixels == 0 || pixels > 1 << 26 || width % 2 == 1 || height % 2 == 1 {
            return Err(Failure::new(FailureKind::Frame, format!("no camera has {width}x{height} pixels")));
        }
        let options = options.values();
        let source = source.clone();
        let make = move || source.detector(&options.detector);
        let (pipeline, results) = Pipeline::start(make, &options.pipeline)?;
        // The picture of the bench: a gradient with texture. What is in it hardly changes the time.
        let level = |i: u32| (i.wrapping_mul(2_654_435_761) >> 26) as u8 + (i / width % 128) as u8;
        let pixels = (0..width * height * 3 / 2).map(level).collect();
        Ok(Benchmark(Mutex::new(Bench { pipeline, results, size: (width, height), pixels })))
    })
}

/// Name of the strongest instruction set that this CPU has kernels for.
pub fn instruction_set() -> String {
    shielded(String::new(), || Isa::best().to_string())
}

/// Version of the library.
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

impl Benchmark {
    /// Runs `frames` frames one after the other, each from its submission until its boxes are there.
    ///
    /// # Errors
    /// [`FailureKind::Options`], [`FailureKind::Model`].
    pub fn run(&self, frames: u32) -> Result<BenchmarkFigures, Failure> {
        guarded(|| {
            if frames == 0 || frames > MOST_FRAMES {
                let what = format!("{frames} frames: 1 to {MOST_FRAMES} are measured at a time");
                return Err(Failure::new(FailureKind::Options, what));
            }
            let bench = &*lock(&self.0);
            let (mut stages, mut totals) = (Vec::new(), Vec::new());
            let start = Instant::now();
            for _ in 0..frames {
                let begun = Instant::now();
                stages.push(bench.frame()?);
                totals.push(begun.elapsed());
            }
            let seconds = start.elapsed().as_secs_f64();
            let of = |stage| Quantiles::of(stages.iter().filter_map(|t: &Timings| t.get(stage)).collect());
            let (inference, total) = (of(Stage::Inference), Quantiles::of(totals));
            Ok(BenchmarkFigures {
                frames,
                seconds,
                preprocess_p50_ms: of(Stage::Preprocess).at(0.5),
                inference_p50_ms: inference.at(0.5),
                inference_p95_ms: inference.at(0.95),
                inference_p99_ms: inference.at(0.99),
                post_p50_ms: of(Stage::Post).at(0.5),
                total_p50_ms: total.at(0.5),
                total_p95_ms: total.at(0.95),
                total_min_ms: total.at(0.0),
            })
        })
    }
}

impl Bench {
    /// How long a frame's stages took.
    fn frame(&self) -> Result<Timings, Failure> {
        let (width, height) = self.size;
        let stride = width as usize;
        let (luma, chroma) = self.pixels.split_at(stride * height as usize);
        let (luma, chroma) = (Plane::new(luma, stride), Plane::new(chroma, stride));
        let frame = Frame::nv12(luma, chroma, width, height, YuvColor::BT709_VIDEO)?;
        self.pipeline.submit(&frame).map_err(|e| Failure::from(e.error))?;
        let ended = || Failure::new(FailureKind::Model, "the detector ended while it was measured");
        let outcome = self.results.recv().map_err(|_| ended())?;
        Ok(outcome?.timings)
    }
}

/// Times in rising order.
struct Quantiles(Vec<Duration>);

impl Quantiles {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// Milliseconds that at least `share` of the runs did not exceed (nearest rank).
    fn at(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).map_or(0.0, |t| t.as_secs_f64() * 1e3)
    }
}

const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<Benchmark>();
};
