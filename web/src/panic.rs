//! What a panic said, for the caller to read after the instance has ended.

use std::sync::{Once, OnceLock};

static MESSAGE: OnceLock<String> = OnceLock::new();
static HOOK: Once = Once::new();

/// Keeps the message of a panic from now on.
pub(crate) fn note() {
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            // Another panic cannot follow: the first ends the instance.
            let _ = MESSAGE.set(info.to_string());
        }));
    });
}

/// The message; empty where nothing panicked.
pub(crate) fn message() -> &'static str {
    MESSAGE.get().map_or("", String::as_str)
}
