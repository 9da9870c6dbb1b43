//! Arguments of `osprey quantize`.

use crate::args::BackendArg;
use crate::input::InputArgs;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How the range of a tensor is chosen by what it held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MethodArg {
    /// From the least to the greatest value.
    MinMax,
    /// All but the rarest values; see --percentile.
    Percentile,
    /// Where clipping and rounding add up to the least squared error.
    Mse,
}

/// Types of the model's inputs and outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IoArg {
    /// int8, as inside.
    Int8,
    /// uint8: the bytes of a picture.
    Uint8,
    /// float32, so that callers need not change.
    Float,
}

/// Makes a float model small and fast: full-integer int8 by what its tensors hold on pictures.
///
/// Weights get a scale for each channel, activations one for each tensor, by TFLite's specification. Operators
/// without an 8-bit form stay float and are named. What the model tells of itself (labels, metadata, names) stays.
/// At the end stand size, milliseconds, the layers that lost most, and how often both models agree.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  osprey quantize float.tflite --calibrate photos -o int8.tflite
  osprey quantize float.tflite --calibrate photos --io uint8 --method min-max -o int8.tflite
  osprey quantize motion.tflite --inputs windows.npy -o motion_int8.tflite
  osprey quantize float.tflite --float16 -o half.tflite")]
pub(crate) struct QuantizeArgs {
    /// The float model.
    #[arg(value_name = "FLOAT.tflite")]
    pub(crate) float: PathBuf,
    /// Where the small model is written.
    #[arg(short, long, value_name = "FILE.tflite")]
    pub(crate) output: PathBuf,
    /// A folder of pictures of what the model is made for; labels are not needed.
    #[arg(long, value_name = "PICTURES", conflicts_with = "inputs")]
    pub(crate) calibrate: Option<PathBuf>,
    /// A .npy array of float samples in place of pictures.
    #[arg(long, value_name = "FILE.npy")]
    pub(crate) inputs: Option<PathBuf>,
    /// The most samples that are run, spread evenly over the folder.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) samples: u32,
    /// How ranges are chosen.
    #[arg(long, value_enum, default_value_t = MethodArg::Mse)]
    pub(crate) method: MethodArg,
    /// The percentage of values that a range holds.
    #[arg(long, value_name = "PERCENT", default_value_t = 99.99, value_parser = percentage)]
    pub(crate) percentile: f32,
    /// Types of inputs and outputs. What an operator that stays float reads or writes is float32 in any case.
    #[arg(long, value_enum, default_value_t = IoArg::Int8)]
    pub(crate) io: IoArg,
    /// Leaves biases as they are, rather than letting them make up for what rounding of the weights does to the mean
    /// of each channel.
    #[arg(long)]
    pub(crate) no_bias_correction: bool,
    /// Stores weights as float16 and leaves everything else: half the size, no samples needed.
    #[arg(long, conflicts_with_all = ["dynamic", "calibrate", "no_bias_correction", "io", "method"])]
    pub(crate) float16: bool,
    /// Stores weights as int8 and leaves everything else: a quarter of the size, no samples needed.
    #[arg(long, conflicts_with_all = ["calibrate", "no_bias_correction", "io", "method"])]
    pub(crate) dynamic: bool,
    /// Threads that run the float model.
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    #[command(flatten)]
    pub(crate) pictures: InputArgs,
}

impl QuantizeArgs {
    /// Ranges are read from the engine's tensors.
    pub(crate) fn backend(&self) -> BackendArg {
        BackendArg::Native
    }
}

fn percentage(text: &str) -> Result<f32, String> {
    let value: f32 = text.parse().map_err(|_| "a number is wanted".to_owned())?;
    if (50.0..=100.0).contains(&value) { Ok(value) } else { Err("50 to 100 is wanted".into()) }
}
