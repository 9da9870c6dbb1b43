//! What a file holds and needs, without running it.

use super::load::{About, engine_options, read_file};
use super::{
    Backend, Entry, HeadKind, ImageInput, InputFacts, Labels, LoadOptions, Manifest, Metadata, ModelError,
    first,
};
use crate::heads::Outline;
use crate::tensor::{DType, TensorSpec};
use osprey_engine::{Graph, PostProcess, Program};
use std::collections::BTreeMap;
use std::path::Path;

/// What a model file holds, what it needs, and every reason why it could not run.
#[derive(Debug, Clone)]
pub struct ModelInfo {
    /// Length of the file in bytes.
    pub file_bytes: u64,
    /// The converter's remark.
    pub description: String,
    /// What the file says about itself.
    pub metadata: Metadata,
    /// Names of the metadata entries, such as `min_runtime_version`.
    pub metadata_names: Vec<String>,
    /// What a manifest says about it.
    pub entry: Option<Entry>,
    /// Labels, not yet aligned with the scores.
    pub labels: Option<Labels>,
    /// What goes in.
    pub inputs: Vec<TensorSpec>,
    /// How pictures become the first input; `None` where it takes none.
    pub picture: Option<ImageInput>,
    /// What comes out, by the file.
    pub outputs: Vec<TensorSpec>,
    /// The detection head that is no SSD's, with its boxes and classes, where the outputs are one.
    pub head: Option<(HeadKind, usize, usize)>,
    /// The post-processing operator at the end, where there is one.
    pub post_process: Option<PostProcess>,
    /// Operators, most frequent first.
    pub operators: Vec<OperatorCount>,
    /// How numbers are held, such as "int8, per channel".
    pub quantization: String,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiply-accumulates of one run; `None` where the engine cannot run the model.
    pub macs: Option<u64>,
    /// Bytes that a session takes; `None` where the engine cannot run the model.
    pub arena_bytes: Option<usize>,
    /// Kernels that the engine chose on this machine, with how many steps use each.
    pub kernels: Vec<(String, usize)>,
    /// The backend that would run it; `None` where none can.
    pub backend: Option<Backend>,
    /// Why that backend, or why none.
    pub reason: String,
    /// Every reason why the native backend cannot run it.
    pub problems: Vec<Problem>,
    /// What is wrong with metadata, labels or manifest; the model runs without them.
    pub warnings: Vec<String>,
}

/// How often an operator occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorCount {
    /// Name in the TFLite schema.
    pub name: String,
    /// How many nodes.
    pub count: usize,
    /// How many of them the engine refuses.
    pub unsupported: usize,
}

/// A reason why the native backend cannot run a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The node concerned, where one is.
    pub node: Option<usize>,
    /// What is wrong and what can be done.
    pub error: osprey_engine::Error,
}

impl Problem {
    fn new(error: osprey_engine::Error) -> Self {
        use osprey_engine::Error as E;
        let node = match &error {
            E::UnsupportedOperator { node, .. }
            | E::UnsupportedVariant { node, .. }
            | E::InvalidOperator { node, .. } => Some(*node),
            _ => None,
        };
        Self { node, error }
    }
}

impl ModelInfo {
    /// Of the file at `path`.
    ///
    /// # Errors
    /// [`ModelError`] where the file cannot be read as a model at all; what merely cannot run is in
    /// [`ModelInfo::problems`].
    pub fn read(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, ModelError> {
        let path = path.as_ref();
        let bytes = read_file(path, options.limits.memory)?;
        let folder = path.parent();
        let manifest = folder.map(|f| f.join("manifest.toml")).filter(|m| m.is_file()).map(Manifest::read);
        let (beside, warning) = match manifest {
            Some(Ok(manifest)) => (manifest.for_file(path).cloned(), None),
            Some(Err(e)) => (None, Some(e.to_string())),
            None => (None, None),
        };
        let mut info = Self::new(&bytes, folder, beside, options)?;
        info.warnings.extend(warning);
        Ok(info)
    }

    /// Of a file held in memory.
    ///
    /// # Errors
    /// As [`ModelInfo::read`].
    pub fn from_bytes(bytes: &[u8], options: &LoadOptions) -> Result<Self, ModelError> {
        Self::new(bytes, None, None, options)
    }

    fn new(
        bytes: &[u8],
        folder: Option<&Path>,
        beside: Option<Entry>,
        options: &LoadOptions,
    ) -> Result<Self, ModelError> {
        let graph = Graph::read(bytes)?;
        let mut warnings = Vec::new();
        let about = match About::read(bytes, &graph, folder, beside, options) {
            Ok(about) => about,
            Err(e) => {
                warnings.push(e.to_string());
                let plain = LoadOptions { ignore_metadata: true, ..options.clone() };
                About::read(bytes, &graph, None, None, &plain)?
            }
        };
        let problems: Vec<Problem> =
            Program::problems(&graph, &engine_options(options)).into_iter().map(Problem::new).collect();
        let program =
            if problems.is_empty() { Program::compile(&graph, &engine_options(options)).ok() } else { None };
        let (backend, reason) = choose(bytes, &problems, options);
        let inputs = specs(&graph, &graph.inputs);
        let outputs = specs(&graph, &graph.outputs);
        let post_process = program.as_ref().and_then(|p| p.post_process().cloned());
        let outline = Outline {
            input: inputs.first(),
            outputs: &outputs,
            labels: about.labels.as_ref().map_or(0, Labels::len),
            entry: about.entry.as_ref(),
            described: about.metadata.detector.is_some(),
            given: options.head,
            ends_in_detections: post_process.is_some(),
        };
        let facts = InputFacts {
            convention: outline.convention(),
            given: Some(&options.input),
            manifest: about.entry.as_ref().map(|e| &e.input),
            metadata: about.metadata.inputs.first().and_then(|t| t.normalization),
            graph: first::expected(&graph),
        };
        let picture = inputs.first().and_then(|spec| ImageInput::new(spec, &facts).ok());
        let head = outline.fitted().map(|f| (f.kind, f.rows, f.classes));
        Ok(Self {
            picture,
            file_bytes: bytes.len() as u64,
            description: graph.description.clone(),
            metadata: about.metadata,
            metadata_names: graph.metadata.iter().map(|(name, _)| name.clone()).collect(),
            entry: about.entry,
            labels: about.labels,
            head,
            inputs,
            outputs,
            post_process,
            operators: operators(&graph, &problems),
            quantization: quantization(&graph),
            parameters: graph.parameters(),
            macs: program.as_ref().map(Program::macs),
            arena_bytes: program.as_ref().map(Program::arena_bytes),
            kernels: program.as_ref().map(kernels).unwrap_or_default(),
            backend,
            reason,
            problems,
            warnings,
        })
    }
}

/// The backend that loading would pick; tract is asked by loading, as it knows no other way.
fn choose(bytes: &[u8], problems: &[Problem], options: &LoadOptions) -> (Option<Backend>, String) {
    if problems.is_empty() {
        return (Some(Backend::Native), "the engine has every operator".into());
    }
    let count = problems.len();
    match super::load::tract(
        bytes,
        options,
        format!("a float model that the engine cannot run ({count} problems)"),
    ) {
        Ok(running) => (Some(Backend::Tract), running.reason),
        Err(e) => (None, format!("the engine lacks {count} of its operators or variants; {e}")),
    }
}

fn specs(graph: &Graph<'_>, ids: &[usize]) -> Vec<TensorSpec> {
    let spec = |&id: &usize| {
        let t = &graph.tensors[id];
        TensorSpec {
            name: t.name.clone(),
            shape: t.shape.clone(),
            dtype: t.dtype,
            quantization: t.quantization.clone(),
        }
    };
    ids.iter().map(spec).collect()
}

fn operators(graph: &Graph<'_>, problems: &[Problem]) -> Vec<OperatorCount> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let (count, unsupported) = counts.entry(node.op.label()).or_default();
        *count += 1;
        *unsupported += usize::from(problems.iter().any(|p| p.node == Some(index)));
    }
    let named = |(name, (count, unsupported))| OperatorCount { name, count, unsupported };
    let mut operators: Vec<_> = counts.into_iter().map(named).collect();
    operators.sort_by_key(|o| std::cmp::Reverse(o.count));
    operators
}

fn kernels(program: &Program) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for step in program.steps() {
        *counts.entry(step.kernel.to_owned()).or_default() += 1;
    }
    let mut kernels: Vec<_> = counts.into_iter().collect();
    kernels.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    kernels
}

/// In words: types of activations and weights, and whether scales run along channels.
fn quantization(graph: &Graph<'_>) -> String {
    let eight_bit = |d: DType| matches!(d, DType::I8 | DType::U8);
    let weights = || graph.tensors.iter().filter(|t| t.data.is_some() && t.shape.len() > 1);
    let activations = || graph.tensors.iter().filter(|t| t.data.is_none() && t.elements() > 1);
    let quantized = weights().find(|t| eight_bit(t.dtype) && t.quantization.is_some());
    let per_channel = weights().any(|t| t.quantization.as_ref().is_some_and(|q| q.scales.len() > 1));
    let scheme = if per_channel { "per channel" } else { "per tensor" };
    let computed = |d: DType| activations().filter(|t| t.dtype == d).count();
    let (bytes, words, floats) =
        (computed(DType::I8) + computed(DType::U8), computed(DType::I16), computed(DType::F32));
    match quantized {
        Some(w) if words > bytes && words > floats => {
            format!("int16 activations, {} weights, {scheme}", w.dtype)
        }
        Some(w) if bytes >= floats => format!("{}, {scheme}", w.dtype),
        Some(w) => format!("hybrid: float activations, {} weights, {scheme}", w.dtype),
        None if weights().any(|t| t.dtype == DType::F16) => "float32 with float16 weights".into(),
        None => "none (float32)".into(),
    }
}
