//! `osprey quantize`: a float model made small, and what that costs.

mod agreement;
mod args;
mod description;
mod report;

pub(crate) use args::QuantizeArgs;

use crate::model::Source;
use crate::samples::Samples;
use crate::{files, model};
use anyhow::{Context, Result, ensure};
use args::{IoArg, MethodArg};
use osprey_detector::model::LoadOptions;
use osprey_quantize::{Borders, Method, Quantized, Quantizer, Settings, Storage, weights_only};
use std::process::ExitCode;

pub(crate) fn run(args: &QuantizeArgs) -> Result<ExitCode> {
    let source = model::resolve(Some(&args.float))?;
    let float = source.bytes()?;
    let options =
        LoadOptions { input: args.pictures.entry()?, ..model::options(args.backend(), args.threads) };
    let storage = match (args.float16, args.dynamic) {
        (true, _) => Some(Storage::Float16),
        (_, true) => Some(Storage::Int8),
        _ => None,
    };
    let made = match storage {
        Some(storage) => weights_only(&float, storage),
        None => Ok(integers(args, &source, &float, &options)?),
    };
    let mut made = made.with_context(|| format!("cannot quantize {source}"))?;
    made.file = description::carry_over(&float, made.file, &source, &options)?;
    files::write_whole(&args.output, &made.file)?;
    print!("{}", report::text(args, &source, &float, &made, &options)?);
    Ok(ExitCode::SUCCESS)
}

/// The full-integer model, by samples.
fn integers(args: &QuantizeArgs, source: &Source, float: &[u8], options: &LoadOptions) -> Result<Quantized> {
    let settings = Settings {
        method: match args.method {
            MethodArg::MinMax => Method::MinMax,
            MethodArg::Percentile => Method::Percentile(1.0 - args.percentile / 100.0),
            MethodArg::Mse => Method::Mse,
        },
        borders: match args.io {
            IoArg::Int8 => Borders::Int8,
            IoArg::Uint8 => Borders::Uint8,
            IoArg::Float => Borders::Float,
        },
        correct_bias: !args.no_bias_correction,
        input_range: args.calibrate.as_ref().and_then(|_| levels(source, options)),
        threads: args.threads.into(),
    };
    let mut quantizer = Quantizer::new(float, &settings)?;
    let count = each_sample(args, options, &quantizer.lengths(), |s| Ok(quantizer.observe(&[s])?))?;
    println!("calibrated       {count} samples");
    Ok(quantizer.finish()?)
}

/// What the levels 0 and 255 of a picture become.
fn levels(source: &Source, options: &LoadOptions) -> Option<(f32, f32)> {
    let loaded = source.load(options).ok()?;
    let rule = loaded.image_input().ok()?.1.normalization?;
    let ends = rule.mean.iter().zip(&rule.std).flat_map(|(mean, std)| [-mean / std, (255.0 - mean) / std]);
    Some(ends.fold((0.0, 0.0), |(low, high): (f32, f32), v| (low.min(v), high.max(v))))
}

/// Samples for a model with these inputs.
fn samples(args: &QuantizeArgs, options: &LoadOptions, lengths: &[usize]) -> Result<Samples> {
    let &[length] = lengths else {
        anyhow::bail!("the model has {} inputs; models with one can be quantized here", lengths.len());
    };
    match (&args.calibrate, &args.inputs) {
        (Some(folder), _) => Samples::pictures(folder, args.samples, &args.float, options),
        (_, Some(file)) => Samples::array(file, length),
        _ => anyhow::bail!(
            "integers need samples of what the model is made for: pass --calibrate PICTURES or --inputs FILE.npy \
             (--float16 and --dynamic need none)"
        ),
    }
}

fn each_sample(
    args: &QuantizeArgs,
    options: &LoadOptions,
    lengths: &[usize],
    mut use_it: impl FnMut(&[f32]) -> Result<()>,
) -> Result<u32> {
    let mut samples = samples(args, options, lengths)?;
    let mut count = 0;
    while count < args.samples {
        let Some(sample) = samples.next()? else { break };
        use_it(&sample)?;
        count += 1;
    }
    ensure!(count > 0, "there is no picture to calibrate with");
    Ok(count)
}
