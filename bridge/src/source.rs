//! Models by name or by file.

use crate::error::{Failure, FailureKind};
use crate::guard::{guarded, shielded};
use osprey_detector::model::{Entry, LoadOptions, LoadedModel, ModelInfo, Task};
use osprey_detector::{Detector, DetectorError, DetectorOptions};
use osprey_models::ModelSource as Source;
use std::borrow::Cow;
use std::sync::Arc;

/// A model, found and looked through, but not loaded. Any thread may use it.
#[derive(Debug, Clone)]
pub struct ModelSource(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    info: ModelInfo,
}

/// Numbers of tasks in [`model_for_task`].
const TASKS: [Task; 4] = [Task::Detection, Task::Classification, Task::Digits, Task::Motion];

/// The built-in model of this name.
///
/// # Errors
/// [`FailureKind::Model`] where this build has none of the name.
pub fn model_named(name: String) -> Result<ModelSource, Failure> {
    guarded(|| {
        let source = Source::named(&name).map_err(failed)?;
        let names = built_in_names();
        let source = source.ok_or_else(|| {
            let known = if names.is_empty() { "this build has none".to_owned() } else { names.join(", ") };
            Failure::new(FailureKind::Model, format!("there is no built-in model \"{name}\" ({known})"))
        })?;
        ModelSource::look_through(source)
    })
}

/// The built-in model for a task: 0 detection, 1 classification, 2 digits, 3 motion.
///
/// # Errors
/// [`FailureKind::Model`] where this build has none.
pub fn model_for_task(task: u8) -> Result<ModelSource, Failure> {
    guarded(|| {
        let wanted = TASKS.get(usize::from(task));
        let wanted =
            *wanted.ok_or_else(|| Failure::new(FailureKind::Options, format!("there is no task {task}")))?;
        let found = Source::default_for(wanted).map_err(failed)?;
        let missing = || format!("this build has no model for {wanted:?}; take one from a file");
        ModelSource::look_through(found.ok_or_else(|| Failure::new(FailureKind::Model, missing()))?)
    })
}

/// The model file at `path`. A `manifest.toml` in its folder that lists it adds what it knows.
///
/// # Errors
/// [`FailureKind::Storage`], [`FailureKind::Model`].
pub fn model_file(path: String) -> Result<ModelSource, Failure> {
    guarded(|| ModelSource::look_through(Source::File(path.into())))
}

/// Names of the built-in models, one a line.
pub fn built_in_models() -> String {
    shielded(String::new(), || built_in_names().join("\n"))
}

fn built_in_names() -> Vec<String> {
    osprey_models::manifest().map_or_else(|_| Vec::new(), |m| m.models.into_iter().map(|m| m.name).collect())
}

fn failed(e: osprey_models::BuiltInError) -> Failure {
    Failure::new(FailureKind::Model, e)
}

impl ModelSource {
    fn look_through(source: Source) -> Result<Self, Failure> {
        let info = source.info(&LoadOptions::default())?;
        Ok(Self(Arc::new(Inner { source, info })))
    }

    /// The built-in model's name, or the file's.
    pub fn name(&self) -> String {
        self.0.source.name()
    }

    /// What the manifest or the file says of itself; may be empty.
    pub fn description(&self) -> String {
        let info = &self.0.info;
        let told = info.entry.as_ref().map(|e| e.description.clone()).filter(|d| !d.is_empty());
        told.unwrap_or_else(|| info.metadata.description.clone())
    }

    /// Length of the file in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.0.info.file_bytes
    }

    /// Bytes of memory that a loaded model takes for its numbers; 0 where it cannot be run.
    pub fn arena_bytes(&self) -> u64 {
        self.0.info.arena_bytes.unwrap_or(0) as u64
    }

    /// Labels as the file or the manifest lists them, one a line; may be empty.
    pub fn labels(&self) -> String {
        let labels = self.0.info.labels.as_ref();
        labels.map(|l| l.iter().collect::<Vec<_>>().join("\n")).unwrap_or_default()
    }

    /// Width of the picture that the model takes; 0 for other models.
    pub fn input_width(&self) -> u32 {
        self.image_side(2)
    }

    /// Height of the picture that the model takes; 0 for other models.
    pub fn input_height(&self) -> u32 {
        self.image_side(1)
    }

    fn image_side(&self, axis: usize) -> u32 {
        match self.0.info.inputs.first().map(|input| input.shape.as_slice()) {
            Some(shape @ [1, _, _, 1 | 3]) => shape.get(axis).map_or(0, |n| *n as u32),
            _ => 0,
        }
    }

    pub(crate) fn load(&self, options: &LoadOptions) -> Result<LoadedModel, Failure> {
        Ok(self.0.source.load(options)?)
    }

    pub(crate) fn detector(&self, options: &DetectorOptions) -> Result<Detector, DetectorError> {
        self.0.source.detector(options)
    }

    pub(crate) fn bytes(&self) -> Result<Cow<'static, [u8]>, Failure> {
        Ok(self.0.source.bytes()?)
    }

    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.0.info.entry.as_ref()
    }
}
