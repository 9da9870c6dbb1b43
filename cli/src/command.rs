//! The program's commands, each with its arguments.

use crate::args::{BenchArgs, DetectArgs, DriftArgs, EvalArgs, InfoArgs, ModelsArgs, RunArgs};
use crate::digits::DigitsArgs;
use crate::learn::{ClassifyArgs, TrainArgs};
use crate::live::args::{LiveArgs, ReplayArgs};
use crate::motion::MotionArgs;
use crate::quantize::QuantizeArgs;
use crate::web::WebArgs;
use clap::{Parser, Subcommand};

/// Finds objects in pictures, from quantized TFLite models, on the CPU.
#[derive(Debug, Parser)]
#[command(name = "osprey", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Detect(Box<DetectArgs>),
    Info(InfoArgs),
    Run(RunArgs),
    Bench(BenchArgs),
    Eval(Box<EvalArgs>),
    Models(ModelsArgs),
    Drift(DriftArgs),
    Quantize(QuantizeArgs),
    Motion(Box<MotionArgs>),
    Digits(DigitsArgs),
    Train(Box<TrainArgs>),
    Classify(ClassifyArgs),
    Live(Box<LiveArgs>),
    Replay(Box<ReplayArgs>),
    Web(WebArgs),
}
