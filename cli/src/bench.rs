//! `osprey bench`: how long a model takes.

use crate::args::BenchArgs;
use crate::model::{self, Source};
use anyhow::{Context, Result, ensure};
use osprey_detector::geometry::Detection;
use osprey_detector::model::{LoadOptions, LoadedModel, Model};
use osprey_detector::ssd::{Detector, DetectorOptions, Nms, NmsKind};
use osprey_detector::tensor::{DType, TensorViewMut};
use osprey_engine::{Graph, Isa, PostProcess, Program, Session, peak_macs_per_second};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) fn run(args: &BenchArgs) -> Result<ExitCode> {
    let source = model::resolve(args.model.model.as_deref())?;
    let options = model::options(args.model.backend, args.model.threads);
    let loaded = source.load(&options)?;
    if args.profile {
        let program = loaded.program.context("a profile needs the engine; this model runs on tract")?;
        return profile(&source, &program, args);
    }
    let backend = format!("{} ({})", loaded.backend, loaded.reason);
    let mut subject = Subject::new(&source, loaded, &options, args.raw_outputs)?;
    let times = measure(&mut subject, args)?;
    let of = |stage: fn(&Times) -> Duration| times.iter().map(|t| stage(t).as_secs_f64() * 1e3).collect();
    let total = |t: &Times| t.inference + t.post_processing;
    let mut out = std::io::stdout().lock();
    if args.raw {
        let totals: Vec<f64> = of(total);
        for ms in totals {
            writeln!(out, "{ms:.4}")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "model            {source}")?;
    writeln!(out, "backend          {backend}")?;
    writeln!(out, "threads          {}", args.model.threads)?;
    writeln!(out, "runs             {} after {} to warm up", args.iters, args.warmup)?;
    writeln!(out, "inference        {}", Latency::of(of(|t| t.inference)))?;
    if let Subject::Detector { .. } = subject {
        writeln!(out, "post-processing  {}", Latency::of(of(|t| t.post_processing)))?;
        writeln!(out, "both             {}", Latency::of(of(total)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is run again and again.
enum Subject {
    Model(Box<dyn Model>),
    Detector { detector: Box<Detector>, detections: Vec<Detection> },
}

impl Subject {
    /// A detector where the model can be one, unless its raw outputs are wanted.
    fn new(
        source: &Source,
        mut loaded: LoadedModel,
        options: &LoadOptions,
        raw_outputs: bool,
    ) -> Result<Self> {
        fill(loaded.model.as_mut())?;
        if raw_outputs {
            return Ok(Self::Model(loaded.model));
        }
        let detector_options = loaded.post_process.as_ref().map_or_else(DetectorOptions::default, as_in_file);
        if let Ok(detector) = Detector::from_model(loaded, &detector_options) {
            return Ok(Self::Detector { detector: detector.into(), detections: Vec::new() });
        }
        let mut model = source.load(options)?.model;
        fill(model.as_mut())?;
        Ok(Self::Model(model))
    }

    fn run(&mut self) -> Result<Times> {
        let start = Instant::now();
        match self {
            Self::Model(model) => {
                model.run()?;
                Ok(Times { inference: start.elapsed(), post_processing: Duration::ZERO })
            }
            Self::Detector { detector, detections } => {
                detector.infer()?;
                let inference = start.elapsed();
                detector.detections(detections)?;
                Ok(Times { inference, post_processing: start.elapsed() - inference })
            }
        }
    }
}

/// Thresholds, rule and limit of the file's own post-processing operator, so that the work is what
/// LiteRT does in it.
fn as_in_file(end: &PostProcess) -> DetectorOptions {
    let operator = &end.options;
    let kind = match operator.use_regular_nms {
        true => NmsKind::TfliteRegular { detections_per_class: operator.detections_per_class },
        false => NmsKind::TfliteFast { max_classes_per_detection: operator.max_classes_per_detection },
    };
    DetectorOptions {
        score_threshold: operator.nms_score_threshold,
        nms: Nms { kind, iou_threshold: Some(operator.nms_iou_threshold) },
        max_detections: operator.max_detections,
        ..DetectorOptions::default()
    }
}

/// How long the stages of a run took.
struct Times {
    inference: Duration,
    post_processing: Duration,
}

fn measure(subject: &mut Subject, args: &BenchArgs) -> Result<Vec<Times>> {
    for _ in 0..args.warmup {
        subject.run()?;
    }
    (0..args.iters).map(|_| subject.run()).collect()
}

/// Quantiles of latencies, in milliseconds.
struct Latency {
    sorted: Vec<f64>,
}

impl Latency {
    fn of(mut latencies: Vec<f64>) -> Self {
        latencies.sort_by(f64::total_cmp);
        Self { sorted: latencies }
    }

    /// The smallest latency that at least `share` of the runs did not exceed (nearest rank).
    fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.sorted.len() as f64).ceil() as usize;
        self.sorted[rank.clamp(1, self.sorted.len()) - 1]
    }
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let q = |share| self.quantile(share);
        write!(
            f,
            "min {:.3} ms, median {:.3} ms, p95 {:.3} ms, p99 {:.3} ms",
            q(0.0),
            q(0.5),
            q(0.95),
            q(0.99)
        )
    }
}

/// The same random numbers every time: integers over their whole range, floats over 0..1.
fn fill(model: &mut dyn Model) -> Result<()> {
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    for index in 0..model.inputs().len() {
        match model.input_mut(index)? {
            TensorViewMut::F32(mut a) => a.mapv_inplace(|_| (random.next() >> 40) as f32 / (1 << 24) as f32),
            TensorViewMut::U8(mut a) => a.mapv_inplace(|_| random.next() as u8),
            TensorViewMut::I8(mut a) => a.mapv_inplace(|_| random.next() as i8),
            TensorViewMut::I16(mut a) => a.mapv_inplace(|_| random.next() as i16),
            // Wider integers are indices and sizes: any but small ones would be out of range.
            _ => {}
        }
    }
    Ok(())
}

/// Marsaglia's xorshift64.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }
}

/// Mean time of each step, then of each kind of operator.
fn profile(source: &Source, program: &Arc<Program>, args: &BenchArgs) -> Result<ExitCode> {
    let bytes = source.bytes()?;
    let graph = Graph::read(&bytes)?;
    let steps: Vec<_> = program.steps().collect();
    let mut session = Session::new(program.clone())?;
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    for (index, port) in program.inputs().iter().enumerate() {
        if matches!(port.dtype, DType::U8 | DType::I8) {
            session.input_mut(index)?.fill_with(|| random.next() as u8);
        }
    }
    for _ in 0..args.warmup {
        session.run();
    }
    let mut totals = vec![Duration::ZERO; steps.len()];
    for _ in 0..args.iters {
        session.run_profiled(|step, time| totals[step] += time);
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(args.iters);
    let sum = ms(totals.iter().sum());
    ensure!(!steps.is_empty(), "the model has nothing to compute");

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:>5}  {:<30} {:<36} {:>9}  {:>6}  {:>7}  {:>7}",
        "node", "operator", "kernel", "ms", "share", "GMAC/s", "of peak"
    )?;
    // What the 8-bit kernel reaches on this machine with all operands in cache.
    let peak = peak_macs_per_second(Isa::detect()) * f64::from(args.model.threads);
    let rate = |macs, ms| rate(macs, ms, peak);
    let mut kinds: BTreeMap<String, (usize, f64, u64)> = BTreeMap::new();
    for (step, total) in steps.iter().zip(&totals) {
        let name = step.node.map_or("conversion".to_owned(), |n| graph.nodes[n].op.label());
        let node = step.node.map_or(String::new(), |n| n.to_string());
        let time = ms(*total);
        writeln!(
            out,
            "{node:>5}  {name:<30} {:<36} {time:>9.4}  {:>4.1} %  {}",
            step.kernel,
            share(time, sum),
            rate(step.macs, time)
        )?;
        let (count, spent, macs) = kinds.entry(name).or_default();
        (*count, *spent, *macs) = (*count + 1, *spent + time, *macs + step.macs);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by(|a, b| b.1.1.total_cmp(&a.1.1));
    writeln!(out)?;
    for (name, (count, spent, macs)) in kinds {
        writeln!(
            out,
            "{count:>5}  {name:<67} {spent:>9.4}  {:>4.1} %  {}",
            share(spent, sum),
            rate(macs, spent)
        )?;
    }
    writeln!(out, "\n{sum:.3} ms a run, mean of {}; peak {:.1} GMAC/s, measured", args.iters, peak / 1e9)?;
    Ok(ExitCode::SUCCESS)
}

fn share(part: f64, whole: f64) -> f64 {
    100.0 * part / whole.max(f64::MIN_POSITIVE)
}

/// Billions of multiply-accumulates a second, and their share of `peak` a second; nothing for steps
/// without.
fn rate(macs: u64, ms: f64, peak: f64) -> String {
    if macs == 0 {
        return String::new();
    }
    let rate = macs as f64 / ms.max(1e-9) * 1e3;
    format!("{:>7.1}  {:>5.1} %", rate / 1e9, share(rate, peak))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measured_values() {
        let latency = Latency::of((1..=100).rev().map(f64::from).collect());
        assert_eq!([0.0, 0.5, 0.95, 0.99, 1.0].map(|s| latency.quantile(s)), [1.0, 50.0, 95.0, 99.0, 100.0]);
        let single = Latency::of(vec![7.0]);
        assert_eq!([0.0, 0.5, 0.99].map(|s| single.quantile(s)), [7.0; 3]);
    }
}
