//! A model by its file or by its built-in name, found but not loaded.

use crate::{BuiltIn, BuiltInError};
use osprey_detector::model::{LoadOptions, LoadedModel, ModelError, ModelInfo, Task, load};
use osprey_detector::{Detector, DetectorError, DetectorOptions};
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a model comes from.
#[derive(Debug, Clone)]
pub enum ModelSource {
    /// A `.tflite` file; a `manifest.toml` in its folder that lists it adds what it knows.
    File(PathBuf),
    /// One that is part of the program.
    BuiltIn(Box<BuiltIn>),
}

impl ModelSource {
    /// The built-in model of this name; `None` if there is none.
    ///
    /// # Errors
    /// [`BuiltInError`].
    pub fn named(name: &str) -> Result<Option<Self>, BuiltInError> {
        Ok(crate::named(name)?.map(Self::from))
    }

    /// The built-in model for a task; `None` if there is none.
    ///
    /// # Errors
    /// [`BuiltInError`].
    pub fn default_for(task: Task) -> Result<Option<Self>, BuiltInError> {
        Ok(crate::default_for(task)?.map(Self::from))
    }

    /// Loads the model.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn load(&self, options: &LoadOptions) -> Result<LoadedModel, ModelError> {
        match self {
            Self::File(path) => load(path, options),
            Self::BuiltIn(model) => LoadedModel::from_bytes(model.bytes, &model.options(options)),
        }
    }

    /// Loads the model as a detector.
    ///
    /// # Errors
    /// [`DetectorError`].
    pub fn detector(&self, options: &DetectorOptions) -> Result<Detector, DetectorError> {
        match self {
            Self::File(path) => Detector::load(path, options),
            Self::BuiltIn(model) => {
                let options = DetectorOptions { load: model.options(&options.load), ..options.clone() };
                Detector::from_bytes(model.bytes, &options)
            }
        }
    }

    /// What the model holds and needs, without running it.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn info(&self, options: &LoadOptions) -> Result<ModelInfo, ModelError> {
        match self {
            Self::File(path) => ModelInfo::read(path, options),
            Self::BuiltIn(model) => ModelInfo::from_bytes(model.bytes, &model.options(options)),
        }
    }

    /// The bytes of the model's file.
    ///
    /// # Errors
    /// [`ModelError::Read`].
    pub fn bytes(&self) -> Result<Cow<'static, [u8]>, ModelError> {
        match self {
            Self::File(path) => match std::fs::read(path) {
                Ok(bytes) => Ok(bytes.into()),
                Err(e) => Err(ModelError::Read { path: path.clone(), source: Arc::new(e) }),
            },
            Self::BuiltIn(model) => Ok(model.bytes.into()),
        }
    }

    /// The file's name, or the built-in model's.
    pub fn name(&self) -> String {
        let path = match self {
            Self::File(path) => path,
            Self::BuiltIn(model) => Path::new(&model.entry.name),
        };
        path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
    }
}

impl From<BuiltIn> for ModelSource {
    fn from(model: BuiltIn) -> Self {
        Self::BuiltIn(Box::new(model))
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::BuiltIn(model) => write!(f, "{} (built in)", model.entry.name),
        }
    }
}
