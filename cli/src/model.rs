//! Which model to use, and how to load it.

use crate::args::BackendArg;
use crate::models::Catalogue;
use anyhow::{Context, Result, bail};
use osprey_detector::model::{Backend, BackendChoice, LoadOptions, LoadedModel, ModelInfo, Task, load};
use osprey_detector::{Detector, DetectorError, DetectorOptions};
use osprey_models::BuiltIn;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Names the model where no argument does.
const VARIABLE: &str = "OSPREY_MODEL";

/// A model, found but not yet read.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    File(PathBuf),
    BuiltIn(Box<BuiltIn>),
}

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
            let default = osprey_models::default_for(task)?;
            let default = default
                .with_context(|| format!("which model? Pass a .tflite file, or set ${VARIABLE} to one"));
            return Ok(Source::BuiltIn(Box::new(default?)));
        }
    };
    if path.is_dir() {
        bail!("{}{origin} is a folder; pass the .tflite file itself", path.display());
    }
    if path.exists() {
        return Ok(Source::File(path));
    }
    if let Some(name) = path.to_str().filter(|_| path.components().count() == 1) {
        if let Some(file) = Catalogue::open().map_or(Ok(None), |catalogue| catalogue.file(name))? {
            return Ok(Source::File(file));
        }
        if let Some(model) = osprey_models::named(name)? {
            return Ok(Source::BuiltIn(Box::new(model)));
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
    /// Loads the model; an error names it.
    pub(crate) fn load(&self, options: &LoadOptions) -> Result<LoadedModel> {
        let loaded = match self {
            Self::File(path) => load(path, options),
            Self::BuiltIn(model) => LoadedModel::from_bytes(model.bytes, &model.options(options)),
        };
        loaded.with_context(|| format!("cannot use the model {self}"))
    }

    /// Loads the model as a detector; an error names it.
    pub(crate) fn detector(&self, options: &DetectorOptions) -> Result<Detector> {
        self.try_detector(options).with_context(|| format!("cannot detect with {self}"))
    }

    /// Loads the model as a detector.
    pub(crate) fn try_detector(&self, options: &DetectorOptions) -> Result<Detector, DetectorError> {
        match self {
            Self::File(path) => Detector::load(path, options),
            Self::BuiltIn(model) => {
                let options = DetectorOptions { load: model.options(&options.load), ..options.clone() };
                Detector::from_bytes(model.bytes, &options)
            }
        }
    }

    /// What the model holds, without running it.
    pub(crate) fn info(&self, options: &LoadOptions) -> Result<ModelInfo> {
        let info = match self {
            Self::File(path) => ModelInfo::read(path, options),
            Self::BuiltIn(model) => ModelInfo::from_bytes(model.bytes, &model.options(options)),
        };
        info.with_context(|| format!("cannot read {self}"))
    }

    /// The bytes of the model's file.
    pub(crate) fn bytes(&self) -> Result<Cow<'static, [u8]>> {
        match self {
            Self::File(_) => Ok(fs::read(self.path()).with_context(|| format!("cannot read {self}"))?.into()),
            Self::BuiltIn(model) => Ok(model.bytes.into()),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::BuiltIn(model) => Path::new(&model.entry.name),
        }
    }

    /// A short name to show beside results.
    pub(crate) fn name(&self) -> String {
        let path = self.path();
        path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::BuiltIn(model) => write!(f, "{} (built in)", model.entry.name),
        }
    }
}
