//! Which model to use, and how to load it.

use crate::args::BackendArg;
use crate::models::Catalogue;
use anyhow::{Context, Result, bail};
use osprey_detector::model::{Backend, BackendChoice, LoadOptions, LoadedModel, load};
use std::env;
use std::path::{Path, PathBuf};

/// Names the model where no argument does.
const VARIABLE: &str = "OSPREY_MODEL";

/// The model's file: the one given, by path or by its name in the catalogue, else the one that the
/// environment names.
pub(crate) fn resolve(given: Option<&Path>) -> Result<PathBuf> {
    let (path, origin) = match (given, env::var_os(VARIABLE).filter(|v| !v.is_empty())) {
        (Some(path), _) => (path.to_owned(), String::new()),
        (None, Some(path)) => (PathBuf::from(path), format!(" (from ${VARIABLE})")),
        (None, None) => bail!("which model? Pass a .tflite file, or set ${VARIABLE} to one"),
    };
    if path.is_dir() {
        bail!("{}{origin} is a folder; pass the .tflite file itself", path.display());
    }
    if path.exists() {
        return Ok(path);
    }
    let name = path.to_str().filter(|_| path.components().count() == 1);
    if let (Some(name), Ok(catalogue)) = (name, Catalogue::open())
        && let Some(file) = catalogue.file(name)?
    {
        return Ok(file);
    }
    bail!("there is no model file {}{origin}, and `osprey models` lists none of this name", path.display());
}

pub(crate) fn options(backend: BackendArg, threads: u16) -> LoadOptions {
    let backend = match backend {
        BackendArg::Auto => BackendChoice::Auto,
        BackendArg::Native => BackendChoice::Only(Backend::Native),
        BackendArg::Tract => BackendChoice::Only(Backend::Tract),
    };
    LoadOptions { backend, threads: threads.into(), ..LoadOptions::default() }
}

/// Loads a model; an error names the file.
pub(crate) fn open(path: &Path, options: &LoadOptions) -> Result<LoadedModel> {
    load(path, options).with_context(|| format!("cannot use the model {}", path.display()))
}
