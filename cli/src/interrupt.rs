//! Ctrl-C: the first asks a command to end with what it has, the second ends it at once.

use anyhow::{Context, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
/// What shells report of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// The work ends here because the user asked for it.
#[derive(Debug, thiserror::Error)]
#[error("stopped by Ctrl-C")]
pub(crate) struct Interrupted;

/// Watches for Ctrl-C from now on.
pub(crate) fn watch() -> Result<()> {
    let handler = || {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED);
        }
    };
    ctrlc::set_handler(handler).context("cannot watch for Ctrl-C")
}

/// # Errors
/// [`Interrupted`] once Ctrl-C was pressed.
pub(crate) fn check() -> Result<(), Interrupted> {
    if ASKED.load(Ordering::SeqCst) { Err(Interrupted) } else { Ok(()) }
}
