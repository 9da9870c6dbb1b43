//! Which model to use, and how to load it.

use crate::args::BackendArg;
use crate::models::Catalogue;
use anyhow::{Context, Result, bail};
use osprey_detector::model::{Backend, BackendChoice, LoadOptions, LoadedModel, ModelInfo, Task};
use osprey_detector::{Detector, DetectorError, DetectorOptions};
use osprey_models::ModelSource;
use std::borrow::Cow;
use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

/// Names the model where no argument does.
const VARIABLE: &str = "OSPREY_MODEL";

/// A model, found but not yet read; errors name it.
#[derive(Debug, Clone)]
pub(crate) struct Source(ModelSource);

/// The model given, else the one that the environment names, else the built-in detector. Names are
/// those of files, then of the catalogue, then of built-in models.
pub(crate) fn resolve(given: Option<&Path>) -> Result<Source> {
    resolve_for(given, Task::Detection)
}

/// As [`resolve`], with the built-in model of another task.
pub(crate) fn resolve_for(given: Option<&Path>, task: Task) -> Result<Source> {
    let (path, origin) = match (given, env::var_os(VARIABLE).filter(|v| !v.is_empty())) {
        (Some(path), _) => (path.to_owned(), String::new()),
        (None, Some(path)) => (PathBuf::from(path), format!(" (from ${VARIABLE})")),
        (None, None) => {
            let default = ModelSource::default_for(task)?;
            let default = default
                .with_context(|| format!("which model? Pass a .tflite file, or set ${VARIABLE} to one"));
            return Ok(Source(default?));
        }
    };
    if path.is_dir() {
        bail!("{}{origin} is a folder; pass the .tflite file itself", path.display());
    }
    if path.exists() {
        return Ok(Source::file(path));
    }
    if let Some(name) = path.to_str().filter(|_| path.components().count() == 1) {
        if let Some(file) = Catalogue::open().map_or(Ok(None), |catalogue| catalogue.file(name))? {
            return Ok(Source::file(file));
        }
        if let Some(model) = ModelSource::named(name)? {
            return Ok(Source(model));
        }
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

impl Source {
    /// The model in a file.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self(ModelSource::File(path))
    }

    pub(crate) fn load(&self, options: &LoadOptions) -> Result<LoadedModel> {
        self.0.load(options).with_context(|| format!("cannot use the model {self}"))
    }

    pub(crate) fn detector(&self, options: &DetectorOptions) -> Result<Detector> {
        self.try_detector(options).with_context(|| format!("cannot detect with {self}"))
    }

    /// As [`Source::detector`], without the model's name in the error.
    pub(crate) fn try_detector(&self, options: &DetectorOptions) -> Result<Detector, DetectorError> {
        self.0.detector(options)
    }

    pub(crate) fn info(&self, options: &LoadOptions) -> Result<ModelInfo> {
        self.0.info(options).with_context(|| format!("cannot read {self}"))
    }

    pub(crate) fn bytes(&self) -> Result<Cow<'static, [u8]>> {
        self.0.bytes().with_context(|| format!("cannot read {self}"))
    }

    /// A short name to show beside results.
    pub(crate) fn name(&self) -> String {
        self.0.name()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
