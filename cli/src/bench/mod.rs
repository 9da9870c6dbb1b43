//! `osprey bench`: how long a model takes.

mod profile;
mod subject;

use crate::args::BenchArgs;
use crate::model;
use anyhow::{Context, Result};
use osprey_detector::model::Model;
use osprey_detector::tensor::TensorViewMut;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use subject::{Subject, Times};

pub(crate) fn run(args: &BenchArgs) -> Result<ExitCode> {
    let source = model::resolve(args.model.model.as_deref())?;
    let options = model::options(args.model.backend, args.model.threads());
    let loaded = source.load(&options)?;
    if args.profile {
        let program = loaded.program.context("a profile needs the engine; this model runs on tract")?;
        return profile::run(&source, &program, args);
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
    writeln!(out, "threads          {}", args.model.threads())?;
    writeln!(out, "runs             {} after {} to warm up", args.iters, args.warmup)?;
    writeln!(out, "inference        {}", Latency::of(of(|t| t.inference)))?;
    if let Subject::Detector { .. } = subject {
        writeln!(out, "post-processing  {}", Latency::of(of(|t| t.post_processing)))?;
        writeln!(out, "both             {}", Latency::of(of(total)))?;
    }
    Ok(ExitCode::SUCCESS)
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
            TensorViewMut::F32(mut a) => a.mapv_inplace(|_| (random.next() >> 32) as f32 / (1 << 24) as f32),
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
