//! `osprey bench --profile`: time, speed and share of the machine's peak of each operator.

use super::XorShift;
use crate::args::BenchArgs;
use crate::model::Source;
use anyhow::{Result, ensure};
use osprey_detector::tensor::DType;
use osprey_engine::{Graph, Isa, Program, Session, peak_macs_per_second};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Mean time of each step, then of each kind of operator.
pub(super) fn run(source: &Source, program: &Arc<Program>, args: &BenchArgs) -> Result<ExitCode> {
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
    let peak = peak_macs_per_second(Isa::from_env()?) * f64::from(args.model.threads());
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
