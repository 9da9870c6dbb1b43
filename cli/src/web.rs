//! `osprey web`: the page for browsers, served to this machine for a try.

use crate::loopback::{listen, not_found, requested, respond_isolated};
use anyhow::{Result, bail};
use clap::Args;
use std::net::TcpStream;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

/// Serve the page for browsers to this machine: camera, boxes, all in the browser.
#[derive(Debug, Args)]
pub(crate) struct WebArgs {
    /// Folder with the page, as `web/build` writes it.
    #[arg(default_value = "web/site")]
    folder: PathBuf,
    /// Port on 127.0.0.1; 0 for a free one.
    #[arg(long, default_value_t = 8737)]
    port: u16,
}

pub(crate) fn run(args: &WebArgs) -> Result<ExitCode> {
    let page = args.folder.join("index.html");
    if !page.is_file() {
        bail!(
            "{} does not exist: `web/build` in the sources writes the page, and `osprey web FOLDER` serves it",
            page.display()
        );
    }
    let listener = listen(args.port)?;
    println!("http://{}/", listener.local_addr()?);
    for stream in listener.incoming().flatten() {
        let folder = args.folder.clone();
        // Errors are viewers that went away.
        std::thread::spawn(move || answer(stream, &folder));
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(mut stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    let Some(path) = requested(&mut stream)? else { return Ok(()) };
    match file(folder, &path).and_then(|file| Some((std::fs::read(&file).ok()?, kind(&file)))) {
        Some((bytes, kind)) => respond_isolated(&mut stream, kind, &bytes),
        None => not_found(&mut stream),
    }
}

/// The file behind a path; `None` for what leads out of the folder.
fn file(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = path.split(['?', '#']).next()?.strip_prefix('/')?;
    let relative = Path::new(if path.is_empty() { "index.html" } else { path });
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| folder.join(relative))
}

/// What a browser must be told: it runs neither modules nor WebAssembly of another type.
fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|e| e.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let folder = Path::new("site");
        assert_eq!(file(folder, "/"), Some("site/index.html".into()));
        assert_eq!(file(folder, "/js/index.js?1"), Some("site/js/index.js".into()));
        for outside in ["/../secret", "/js/../../secret", "//etc/passwd", "secret", "/./../x"] {
            assert_eq!(file(folder, outside), None, "{outside}");
        }
    }
}
