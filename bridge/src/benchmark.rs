//! How fast this device is.

use crate::border::ffi::BenchmarkFigures;
use crate::error::{Failure, FailureKind};
use crate::guard::{guarded, lock, shielded};
use crate::options::SessionOptions;
use crate::source::ModelSource;
use osprey_detector::Detection;
use osprey_detector::frame::{Frame, Plane, YuvColor};
use osprey_detector::preprocess::{PreprocessOptions, Preprocessor};
use osprey_detector::ssd::Detector;
use osprey_engine::Isa;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Most frames of one call: minutes on any device.
const MOST_FRAMES: u32 = 10_000;

/// A detector with a camera frame to run it on. Any thread may use it, one at a time.
pub struct Benchmark(Mutex<Bench>);

struct Bench {
    detector: Detector,
    preprocessor: Preprocessor,
    size: (u32, u32),
    luma: Vec<u8>,
    chroma: Vec<u8>,
    found: Vec<Detection>,
}

/// A benchmark of camera frames (NV12, full range) of `width` × `height`, with the model, threads and
/// filter that a session would have.
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
        let options = options.values();
        let detector = source.detector(&options.detector)?;
        let filter = options.pipeline.filter;
        let preprocess = PreprocessOptions { filter, ..detector.input().into() };
        let no_input = || Failure::new(FailureKind::Model, "the model has no input");
        let spec = detector.model().inputs().first().ok_or_else(no_input)?;
        let preprocessor = Preprocessor::new(spec, preprocess)?;
        // Checked before memory is asked for.
        let (w, h) = (width as usize, height as usize);
        if width == 0 || height == 0 || w.saturating_mul(h) > 1 << 26 {
            return Err(Failure::new(FailureKind::Frame, format!("no camera has {width}x{height} pixels")));
        }
        let level = |i: usize| ((i % w) ^ (i / w)) as u8;
        let luma = (0..w * h).map(level).collect();
        let chroma = (0..w.div_ceil(2) * 2 * h.div_ceil(2)).map(|i| level(i) / 2 + 64).collect();
        let size = (width, height);
        Ok(Benchmark(Mutex::new(Bench { detector, preprocessor, size, luma, chroma, found: Vec::new() })))
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
    /// Runs `frames` frames one after the other on this thread: preparing, inference, decoding.
    ///
    /// # Errors
    /// [`FailureKind::Options`], [`FailureKind::Model`].
    pub fn run(&self, frames: u32) -> Result<BenchmarkFigures, Failure> {
        guarded(|| {
            if frames == 0 || frames > MOST_FRAMES {
                let what = format!("{frames} frames: 1 to {MOST_FRAMES} are measured at a time");
                return Err(Failure::new(FailureKind::Options, what));
            }
            let bench = &mut *lock(&self.0);
            let mut stages: [Vec<Duration>; 4] = Default::default();
            let start = Instant::now();
            for _ in 0..frames {
                stages.iter_mut().zip(bench.frame()?).for_each(|(all, one)| all.push(one));
            }
            let seconds = start.elapsed().as_secs_f64();
            let [prepare, inference, post, total] = stages.map(Quantiles::of);
            Ok(BenchmarkFigures {
                frames,
                seconds,
                preprocess_p50_ms: prepare.at(0.5),
                inference_p50_ms: inference.at(0.5),
                inference_p95_ms: inference.at(0.95),
                inference_p99_ms: inference.at(0.99),
                post_p50_ms: post.at(0.5),
                total_p50_ms: total.at(0.5),
                total_p95_ms: total.at(0.95),
                total_min_ms: total.at(0.0),
            })
        })
    }
}

impl Bench {
    /// Times of preparing, inference, decoding, and all three.
    fn frame(&mut self) -> Result<[Duration; 4], Failure> {
        let start = Instant::now();
        let (width, height) = self.size;
        let stride = width.div_ceil(2) as usize * 2;
        let (luma, chroma) = (Plane::new(&self.luma, width as usize), Plane::new(&self.chroma, stride));
        let frame = Frame::nv12(luma, chroma, width, height, YuvColor::BT709_FULL)?;
        self.preprocessor.run(&frame, &mut self.detector.input_mut()?)?;
        let prepared = Instant::now();
        self.detector.infer()?;
        let inferred = Instant::now();
        self.detector.detections(&mut self.found)?;
        let done = Instant::now();
        Ok([prepared - start, inferred - prepared, done - inferred, done - start])
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
