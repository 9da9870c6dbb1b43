//! The program `osprey`, as a library: [`main`] is all of it, for those who ship it as something else than
//! an executable of its own; [`pictures`] is how it looks at a picture file, for those who want its boxes.

#![cfg_attr(not(test), deny(clippy::unwrap_used))]
/// As the standard macro, without its panic where standard error cannot be written: nobody is left to be
/// told.
macro_rules! eprintln {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = ::std::writeln!(::std::io::stderr(), $($text)*);
    }};
}

/// As the standard macro; where standard output cannot be written, the program ends with status 1 in place
/// of a panic, or quietly where the reader has gone away (`osprey … | head`).
macro_rules! println {
    ($($text:tt)*) => { $crate::fail::print(::std::format_args!("{}\n", ::std::format_args!($($text)*))) };
}

/// As [`println`], without the end of the line.
macro_rules! print {
    ($($text:tt)*) => { $crate::fail::print(::std::format_args!($($text)*)) };
}

mod args;
mod bench;
mod command;
mod detect;
mod digits;
mod drift;
mod eval;
mod fail;
mod fetch;
mod files;
mod info;
mod input;
mod interrupt;
mod learn;
mod live;
mod loopback;
mod model;
mod models;
mod motion;
pub mod pictures;
mod quantize;
mod run;
mod samples;
mod web;

use clap::Parser;
use command::{Cli, Command};
use osprey_engine::Isa;
use std::ffi::OsString;
use std::process::ExitCode;

/// Does what the arguments say, the program's own name first among them. What it prints goes to the
/// process's standard output and standard error; Ctrl-C is watched for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(e) => return fail::usage(&e),
    };
    // Not only where a model is loaded: a cap that is misspelt would be believed.
    if let Err(e) = Isa::from_env() {
        return fail::report(&e.into());
    }
    let result = match cli.command {
        Command::Detect(args) => detect::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Drift(args) => drift::run(&args),
        Command::Quantize(args) => quantize::run(&args),
        Command::Motion(args) => motion::run(&args),
        Command::Digits(args) => digits::run(&args),
        Command::Train(args) => learn::train(&args),
        Command::Classify(args) => learn::classify(&args),
        Command::Live(args) => live::run(&args),
        Command::Replay(args) => live::replay::run(&args),
        Command::Web(args) => web::run(&args),
    };
    result.unwrap_or_else(|e| fail::report(&e))
}
