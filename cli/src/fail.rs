//! How the program ends: exit statuses and error messages.

use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Part of the work could not be done.
pub(crate) const SOME_SKIPPED: u8 = 2;
/// Nothing could be done: wrong arguments, no model, no picture.
pub(crate) const NOTHING_DONE: u8 = 1;

/// Prints clap's message. Help and version succeed; clap's own status for a wrong flag, 2, would
/// read as "some pictures were skipped".
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let failed = error.use_stderr();
    let printed = error.print();
    if failed {
        // `*` in a shell gives such names.
        let is_file =
            |a: &std::ffi::OsString| a.as_encoded_bytes().starts_with(b"-") && Path::new(a).is_file();
        if let Some(file) = std::env::args_os().skip(1).find(is_file) {
            let name = file.to_string_lossy();
            eprintln!("osprey: {name} is a file whose name looks like a flag; ./{name} names it");
        }
    }
    match printed {
        Ok(()) if !failed => ExitCode::SUCCESS,
        _ => ExitCode::from(NOTHING_DONE),
    }
}

/// Prints the error with its causes. A reader that went away (`osprey … | head`) is no error.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if error.chain().any(is_broken_pipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("osprey: {error:#}");
    ExitCode::from(NOTHING_DONE)
}

/// Writes to standard output, or ends the program where that fails.
pub(crate) fn print(text: std::fmt::Arguments<'_>) {
    use io::Write;
    if let Err(e) = io::stdout().write_fmt(text) {
        let gone = e.kind() == io::ErrorKind::BrokenPipe;
        if !gone {
            eprintln!("osprey: cannot write to standard output: {e}");
        }
        std::process::exit(if gone { 0 } else { NOTHING_DONE.into() });
    }
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let io = cause.downcast_ref::<io::Error>().or_else(|| {
        let csv = cause.downcast_ref::<csv::Error>()?;
        match csv.kind() {
            csv::ErrorKind::Io(e) => Some(e),
            _ => None,
        }
    });
    io.is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
