//! From a file to a running model: which backend, and why.

use super::associated::Archive;
use super::backend::{Backend, BackendChoice, is_float};
use super::native::NativeModel;
use super::{
    Calibration, Entry, HeadKind, ImageInput, InputConvention, InputEntry, InputFacts, LabelSource, Labels,
    Manifest, Metadata, Model, ModelError, Normalization, ScoreKind, exporter, first, last, metadata,
};
// The two places where the loader knows of heads: what pictures become depends on the family, and
// `PostProcessing::Apply` needs the file's graph, which is gone once this module has compiled it.
use crate::heads::{Fitted, Outline};
use crate::ssd::LiteRtModel;
use crate::tensor::TensorSpec;
use osprey_engine::{Graph, Isa, Limits, Options, PostProcess, Program};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Name of the packed file that describes a model as a manifest would.
pub const PACKED_ENTRY: &str = "osprey.toml";

/// What becomes of the operator TFLite_Detection_PostProcess at a graph's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum PostProcessing {
    /// The model's outputs are the raw boxes and scores; [`LoadedModel::post_process`] has the rest.
    #[default]
    Leave,
    /// The model's outputs are LiteRT's four: boxes, classes, scores, count.
    Apply,
}

/// How a model is loaded.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Which backend.
    pub backend: BackendChoice,
    /// Threads of one run, the caller's included; zero, the default, stands for
    /// [`osprey_engine::performance_cores`] where the model is large enough to be shared.
    pub threads: usize,
    /// Strongest instruction set to use; by default the CPU's strongest, capped by `OSPREY_ISA`.
    pub isa: Option<Isa>,
    /// What the model may ask of the machine.
    pub limits: Limits,
    /// What becomes of a post-processing operator.
    pub post_processing: PostProcessing,
    /// Labels in place of those of the file or the manifest.
    pub labels: Option<Labels>,
    /// A description in place of the packed one and of the manifest beside the file.
    pub entry: Option<Entry>,
    /// How pictures become inputs, in place of what manifest and file say.
    pub input: InputEntry,
    /// Which head a detector's outputs are, in place of what manifest and shapes say.
    pub head: Option<HeadKind>,
    /// Take nothing from the metadata, where they are damaged or wrong.
    pub ignore_metadata: bool,
}

/// A model with all that is known of it.
pub struct LoadedModel {
    /// The model.
    pub model: Box<dyn Model>,
    /// What runs it.
    pub backend: Backend,
    /// Why that backend.
    pub reason: String,
    /// The post-processing operator that ended the graph, where there was one.
    pub post_process: Option<PostProcess>,
    /// Whether the model's outputs are those of the operator, or the raw ones.
    pub post_processing: PostProcessing,
    /// Labels as they were found: given, packed or in the manifest; not yet aligned with the scores.
    pub labels: Option<Labels>,
    /// Calibration of scores, where the metadata ask for one.
    pub calibration: Option<Calibration>,
    /// What the file says about itself.
    pub metadata: Metadata,
    /// What a manifest says about it.
    pub entry: Option<Entry>,
    /// What the caller says of its input.
    pub given_input: InputEntry,
    /// Which head the caller says its outputs are.
    pub given_head: Option<HeadKind>,
    /// What the graph's first operators expect of a float input.
    pub graph_input: Option<Normalization>,
    /// Whether each output holds probabilities or logits, where the graph's last operators tell.
    pub graph_scores: Vec<Option<ScoreKind>>,
    /// What the authors of its family feed such a detector.
    pub convention: Option<InputConvention>,
    /// The compiled program, where the backend is native: kernels, memory, multiply-accumulates.
    pub program: Option<Arc<Program>>,
}

impl fmt::Debug for LoadedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedModel")
            .field("inputs", &self.model.inputs())
            .field("outputs", &self.model.outputs())
            .field("backend", &self.backend)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Loads the model file at `path`. A `manifest.toml` in the same folder that lists the file adds
/// what it knows.
///
/// # Errors
/// [`ModelError`].
pub fn load(path: impl AsRef<Path>, options: &LoadOptions) -> Result<LoadedModel, ModelError> {
    let path = path.as_ref();
    let bytes = read_file(path, options.limits.memory)?;
    let entry = if options.entry.is_some() { None } else { beside(path)? };
    LoadedModel::from_bytes_at(&bytes, path.parent(), entry, options)
}

/// Reads a whole model file, unless it is longer than `limit` bytes.
///
/// # Errors
/// [`ModelError::Read`], [`ModelError::FileTooLarge`].
pub(super) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, ModelError> {
    use std::io::Read;
    let failed = |source: std::io::Error| ModelError::Read { path: path.into(), source: Arc::new(source) };
    let file = std::fs::File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes > limit {
        return Err(ModelError::FileTooLarge { path: path.into(), bytes, limit });
    }
    let mut content = Vec::with_capacity(bytes as usize);
    // A pipe or a growing file may hold more than its length says.
    file.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(failed)?;
    let bytes = content.len() as u64;
    if bytes > limit {
        Err(ModelError::FileTooLarge { path: path.into(), bytes, limit })
    } else {
        Ok(content)
    }
}

/// The entry of the manifest beside a model file, if there is one.
///
/// # Errors
/// [`ModelError::Manifest`] if the manifest is damaged: without it, labels, anchors and thresholds
/// would be missing and nobody would know why.
pub(super) fn beside(path: &Path) -> Result<Option<Entry>, ModelError> {
    let Some(manifest) = path.parent().map(|folder| folder.join("manifest.toml")) else { return Ok(None) };
    if !manifest.is_file() {
        return Ok(None);
    }
    Ok(Manifest::read(manifest)?.for_file(path).cloned())
}

impl LoadedModel {
    /// The first input, as one for images.
    ///
    /// # Errors
    /// [`ModelError::NoSuchTensor`], [`ModelError::NotAnImage`].
    pub fn image_input(&self) -> Result<(&TensorSpec, ImageInput), ModelError> {
        let none = ModelError::NoSuchTensor { kind: "input", index: 0, count: 0 };
        let spec = self.model.inputs().first().ok_or(none)?;
        let facts = InputFacts {
            convention: self.convention,
            given: Some(&self.given_input),
            manifest: self.entry.as_ref().map(|e| &e.input),
            metadata: self.metadata.inputs.first().and_then(|t| t.normalization),
            graph: self.graph_input,
        };
        Ok((spec, ImageInput::new(spec, &facts)?))
    }

    /// What the choice of a head depends on.
    fn outline(&self) -> Outline<'_> {
        Outline {
            input: self.model.inputs().first(),
            outputs: self.model.outputs(),
            labels: self.labels.as_ref().map_or(0, Labels::len),
            entry: self.entry.as_ref(),
            described: self.metadata.detector.is_some(),
            given: self.given_head,
            ends_in_detections: self.post_process.is_some(),
        }
    }

    /// The head that is no SSD's, where there is one.
    pub(crate) fn other_head(&self) -> Option<Fitted> {
        self.outline().fitted()
    }

    /// The head that caller or manifest name.
    pub(crate) fn named_head(&self) -> Option<HeadKind> {
        self.outline().named()
    }

    /// Loads a model from the bytes of its file; they are not needed afterwards.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn from_bytes(bytes: &[u8], options: &LoadOptions) -> Result<Self, ModelError> {
        Self::from_bytes_at(bytes, None, None, options)
    }

    fn from_bytes_at(
        bytes: &[u8],
        folder: Option<&Path>,
        beside: Option<Entry>,
        options: &LoadOptions,
    ) -> Result<Self, ModelError> {
        let graph = Graph::read(bytes)?;
        let about = About::read(bytes, &graph, folder, beside, options)?;
        let running = start(bytes, &graph, options)?;
        let mut loaded = Self {
            model: running.model,
            backend: running.backend,
            reason: running.reason,
            post_process: running.post_process,
            post_processing: options.post_processing,
            program: running.program,
            labels: about.labels,
            calibration: about.calibration,
            metadata: about.metadata,
            entry: about.entry,
            given_input: options.input.clone(),
            given_head: options.head,
            graph_input: first::expected(&graph),
            graph_scores: last::scores(&graph),
            convention: None,
        };
        loaded.convention = loaded.outline().convention();
        Ok(loaded)
    }
}

/// What is known of a model besides its graph.
pub(super) struct About {
    pub(super) labels: Option<Labels>,
    calibration: Option<Calibration>,
    pub(super) metadata: Metadata,
    pub(super) entry: Option<Entry>,
}

impl About {
    pub(super) fn read(
        bytes: &[u8],
        graph: &Graph<'_>,
        folder: Option<&Path>,
        beside: Option<Entry>,
        options: &LoadOptions,
    ) -> Result<Self, ModelError> {
        let mut archive = if options.ignore_metadata { None } else { Archive::open(bytes)? };
        let mut packed = |name: &str| match &mut archive {
            Some(archive) => archive.read(name),
            None => Ok(None),
        };
        let metadata = match graph.metadata(metadata::BUFFER) {
            Some(buffer) if !options.ignore_metadata => Metadata::read(buffer)?,
            _ => Metadata::default(),
        };
        let entry = match (&options.entry, packed(PACKED_ENTRY)?) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(text)) => Some(Entry::parse(&String::from_utf8_lossy(&text))?),
            (None, None) => beside,
        };
        let mut labels = options.labels.clone();
        if labels.is_none() {
            labels = entry.as_ref().map_or(Ok(None), |e| e.labels(folder))?;
        }
        if let (None, Some(name)) = (&labels, metadata.labels_file()) {
            let source = || LabelSource::Metadata(name.into());
            labels = packed(name)?.map(|text| Labels::parse(&text, source())).transpose()?;
        }
        if labels.is_none() {
            for file in exporter::FILES {
                let names = packed(file)?.and_then(|text| exporter::names(&text));
                labels = labels.or(names.map(|names| Labels::new(names, LabelSource::Metadata(file.into()))));
            }
        }
        let calibration = match metadata.calibration_file() {
            Some((rule, name)) => packed(name)?.map(|text| Calibration::parse(rule, &text)).transpose()?,
            None => None,
        };
        Ok(Self { labels, calibration, metadata, entry })
    }
}

pub(super) struct Running {
    model: Box<dyn Model>,
    backend: Backend,
    pub(super) reason: String,
    post_process: Option<PostProcess>,
    program: Option<Arc<Program>>,
}

pub(super) fn engine_options(options: &LoadOptions) -> Options {
    Options { threads: options.threads, isa: options.isa, limits: options.limits }
}

fn start(bytes: &[u8], graph: &Graph<'_>, options: &LoadOptions) -> Result<Running, ModelError> {
    match options.backend {
        BackendChoice::Only(Backend::Native) => native(graph, options, "it was asked for".into()),
        BackendChoice::Only(Backend::Tract) => tract(bytes, options, "it was asked for".into()),
        BackendChoice::Auto => match native(graph, options, "the engine has every operator".into()) {
            Err(ModelError::Engine(refusal)) if refusal.is_unsupported() && is_float(graph) => {
                let reason = format!("a float model that the engine cannot run: {refusal}");
                tract(bytes, options, reason).map_err(|e| match e {
                    ModelError::Backend { message, .. } => {
                        ModelError::NoBackend { native: refusal, tract: message }
                    }
                    other => other,
                })
            }
            other => other,
        },
    }
}

fn native(graph: &Graph<'_>, options: &LoadOptions, reason: String) -> Result<Running, ModelError> {
    let program = Arc::new(Program::compile(graph, &engine_options(options))?);
    let post_process = program.post_process().cloned();
    let mut model: Box<dyn Model> = Box::new(NativeModel::new(program.clone())?);
    if let (PostProcessing::Apply, Some(end)) = (options.post_processing, &post_process) {
        model = Box::new(LiteRtModel::new(model, graph, end)?);
    }
    Ok(Running { model, backend: Backend::Native, reason, post_process, program: Some(program) })
}

#[cfg(feature = "tract")]
pub(super) fn tract(bytes: &[u8], options: &LoadOptions, reason: String) -> Result<Running, ModelError> {
    let model = Box::new(super::tract::TractModel::load(bytes, &options.limits)?);
    Ok(Running { model, backend: Backend::Tract, reason, post_process: None, program: None })
}

#[cfg(not(feature = "tract"))]
pub(super) fn tract(_: &[u8], _: &LoadOptions, _: String) -> Result<Running, ModelError> {
    let message = "not in this build; enable the cargo feature `tract`".into();
    Err(ModelError::Backend { backend: "tract", message })
}
