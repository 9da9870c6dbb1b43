//! Files that tests read.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The optional folder of third-party models, goldens and images: `$OSPREY_ASSETS`, else
/// `../shared/assets` beside the repository. Prints one line where there is none.
pub fn optional(test: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("OSPREY_ASSETS") {
        Some(folder) => PathBuf::from(folder),
        None => repository().join("../shared/assets"),
    };
    if folder.join("models").is_dir() {
        return Some(folder);
    }
    println!("{test}: skipped, no assets at {} (set OSPREY_ASSETS)", folder.display());
    None
}

/// Files of `folder` whose name ends in `suffix`, sorted.
pub fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(suffix)))
        .collect();
    paths.sort();
    paths
}

/// The small models that the project made of every operator.
pub fn operator_models() -> Vec<PathBuf> {
    files(&repository().join("tests/models"), ".tflite")
}

/// A path's name without its extension.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
