//! What quantizing cost and gained.

use super::{QuantizeArgs, agreement};
use crate::drift;
use crate::model::Source;
use crate::samples::Samples;
use anyhow::Result;
use osprey_detector::model::{LoadOptions, LoadedModel};
use osprey_quantize::Quantized;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

/// Samples that both models are run on.
const COMPARED: u32 = 8;
/// Runs that a latency is the median of.
const RUNS: usize = 15;

pub(super) fn text(
    args: &QuantizeArgs,
    source: &Source,
    float: &[u8],
    made: &Quantized,
    options: &LoadOptions,
) -> Result<String> {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(out, "written          {}", args.output.display());
    let _ = writeln!(out, "quantized        {} {}", made.quantized, what(args));
    if !made.float.is_empty() {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        made.float.iter().for_each(|k| *kinds.entry(&k.op).or_default() += 1);
        let kinds: Vec<_> = kinds.iter().map(|(op, n)| format!("{n} {op}")).collect();
        let _ = writeln!(out, "stays float      {}", kinds.join(", "));
    }
    let megabytes = |bytes: &[u8]| bytes.len() as f64 / 1e6;
    let _ = writeln!(out, "size             {:.2} MB, was {:.2} MB", megabytes(&made.file), megabytes(float));
    let (now, before) = (milliseconds(&made.file, options)?, milliseconds(float, options)?);
    let _ = writeln!(out, "inference        {now:.2} ms, was {before:.2} ms");
    let mut samples = match (&args.calibrate, &args.inputs) {
        (Some(folder), _) => Samples::pictures(folder, COMPARED, &args.float, options)?,
        (_, Some(file)) => Samples::array(file, length(float, options)?)?,
        _ => return Ok(out),
    };
    let summary = drift::summary(float, &made.file, &mut samples, COMPARED)?;
    let boxes = match &args.calibrate {
        Some(folder) => agreement::boxes(source, &made.file, options, folder)?,
        None => None,
    };
    let (samples, same) = summary.same_first;
    let _ = match boxes {
        Some(agreement) => writeln!(out, "agreement        {agreement}"),
        None => writeln!(out, "agreement        the same greatest output on {same} of {samples} samples"),
    };
    let _ = writeln!(out, "\nlayers with the greatest errors: node, operator, error, SQNR, clipped values");
    out.push_str(&summary.worst);
    Ok(out)
}

fn what(args: &QuantizeArgs) -> &'static str {
    if args.float16 {
        "constants as float16"
    } else if args.dynamic {
        "layers' weights as int8"
    } else {
        "operators as int8"
    }
}

fn length(float: &[u8], options: &LoadOptions) -> Result<usize> {
    let loaded = LoadedModel::from_bytes(float, options)?;
    Ok(loaded.model.inputs().first().map_or(0, |spec| spec.shape.iter().product()))
}

/// The median of some runs on whatever the input holds.
fn milliseconds(bytes: &[u8], options: &LoadOptions) -> Result<f64> {
    let mut model = LoadedModel::from_bytes(bytes, options)?.model;
    model.run()?;
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        model.run()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[RUNS / 2].as_secs_f64() * 1e3)
}
