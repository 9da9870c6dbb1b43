//! The program `osprey`.

use std::process::ExitCode;

fn main() -> ExitCode {
    osprey_cli::main(std::env::args_os())
}
