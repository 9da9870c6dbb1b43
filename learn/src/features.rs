//! Feature vectors from a frozen model: an embedding it gives, or tensors inside it, pooled.

use super::LearnError;
use osprey_detector::frame::Frame;
use osprey_detector::model::{ImageInput, Model, ModelError, NativeModel};
use osprey_detector::preprocess::{PreprocessOptions, Preprocessor};
use osprey_detector::tensor::{TensorSpec, TensorView, TensorViewMut};
use osprey_engine::graph::{Graph, Op, TensorId};
use osprey_engine::{Options, Program};

/// Length of a vector below which it is rather a model's answer than an embedding.
const SHORTEST_EMBEDDING: usize = 8;
/// How many tensors an error suggests.
const SUGGESTIONS: usize = 4;

/// A model cut off at the tensors that features are taken from.
///
/// Vectors ([1, features]) are taken as they are, sequences ([1, steps, features]) and maps
/// ([1, height, width, channels]) as the mean over all positions. What the model computes beyond
/// these tensors is left out.
pub struct FeatureExtractor {
    model: NativeModel,
    dim: usize,
}

impl std::fmt::Debug for FeatureExtractor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tensors: Vec<&str> = self.tensors().collect();
        f.debug_struct("FeatureExtractor").field("tensors", &tensors).field("dim", &self.dim).finish()
    }
}

impl FeatureExtractor {
    /// Cuts the model in `file` (the bytes of a .tflite) off at the tensors called `tensors`;
    /// where none are named, [`embedding`] chooses.
    ///
    /// # Errors
    /// [`LearnError::NoEmbedding`], [`LearnError::Model`].
    pub fn new<S: AsRef<str>>(file: &[u8], tensors: &[S], options: &Options) -> Result<Self, LearnError> {
        let mut graph = Graph::read(file).map_err(ModelError::from)?;
        let outputs = choose(&graph, tensors)?;
        cut(&mut graph, outputs);
        let program = Program::compile(&graph, options).map_err(ModelError::from)?;
        let model = NativeModel::new(program.into())?;
        let dim = model.outputs().iter().filter_map(|t| t.shape.last()).sum();
        Ok(Self { model, dim })
    }

    /// Names of the tensors that features are taken from.
    pub fn tensors(&self) -> impl Iterator<Item = &str> {
        self.model.outputs().iter().map(|t| t.name.as_str())
    }

    /// Length of a feature vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// What the model's inputs expect.
    pub fn inputs(&self) -> &[TensorSpec] {
        self.model.inputs()
    }

    /// Input `index` of the model, to be filled before [`Self::extract`].
    ///
    /// # Errors
    /// [`ModelError::NoSuchTensor`].
    pub fn input_mut(&mut self, index: usize) -> Result<TensorViewMut<'_>, ModelError> {
        self.model.input_mut(index)
    }

    /// Sets states inside the model back to zero.
    pub fn reset_state(&mut self) {
        self.model.reset_state();
    }

    /// Runs the model and writes the features, [`Self::dim`] numbers.
    ///
    /// # Errors
    /// [`LearnError::FeatureLength`], [`LearnError::Model`].
    pub fn extract(&mut self, features: &mut [f32]) -> Result<(), LearnError> {
        if features.len() != self.dim {
            return Err(LearnError::FeatureLength { expected: self.dim, actual: features.len() });
        }
        self.model.run()?;
        let mut rest = features;
        for (i, spec) in self.model.outputs().iter().enumerate() {
            let width = spec.shape.last().copied().unwrap_or(0);
            let (own, others) = rest.split_at_mut(width);
            pool(&self.model.output(i)?, spec, own);
            rest = others;
        }
        Ok(())
    }
}

/// Pictures to feature vectors.
#[derive(Debug)]
pub struct PictureFeatures {
    extractor: FeatureExtractor,
    preprocessor: Preprocessor,
    size: (usize, usize),
}

impl PictureFeatures {
    /// Pictures are brought into the model's input as `input` says.
    ///
    /// # Errors
    /// [`LearnError::Picture`].
    pub fn new(extractor: FeatureExtractor, input: &ImageInput) -> Result<Self, LearnError> {
        let spec = extractor.inputs().first().ok_or(ModelError::NoSuchTensor {
            kind: "input",
            index: 0,
            count: 0,
        })?;
        let preprocessor = Preprocessor::new(spec, PreprocessOptions::from(input))?;
        Ok(Self { extractor, preprocessor, size: (input.width, input.height) })
    }

    /// Width and height of the model's input.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Length of a feature vector.
    pub fn dim(&self) -> usize {
        self.extractor.dim()
    }

    /// The extractor.
    pub fn extractor(&self) -> &FeatureExtractor {
        &self.extractor
    }

    /// Writes the features of `frame`, [`Self::dim`] numbers.
    ///
    /// # Errors
    /// [`LearnError::Picture`], [`LearnError::FeatureLength`], [`LearnError::Model`].
    pub fn extract(&mut self, frame: &Frame<'_>, features: &mut [f32]) -> Result<(), LearnError> {
        self.preprocessor.run(frame, &mut self.extractor.input_mut(0)?)?;
        self.extractor.extract(features)
    }
}

/// The tensors to take features from where none are named.
///
/// In a network of inverted residuals this is the first of its widest depthwise maps, at their
/// coarsest stride: from few pictures it tells new classes apart as well as deeper layers, which are
/// tuned to the classes of the training, or better, and it takes less time. In other convolutional
/// networks it is the deepest map; in the rest the vector before the last fully connected layer.
///
/// # Errors
/// [`LearnError::NoEmbedding`].
pub fn embedding(graph: &Graph<'_>) -> Result<Vec<TensorId>, LearnError> {
    let made = |wanted: fn(&Op) -> bool| {
        let nodes = graph.nodes.iter().filter(move |n| wanted(&n.op));
        nodes
            .filter_map(|n| n.outputs.first().copied())
            .filter(|&id| positions(graph, id).is_some_and(|n| n > 1))
    };
    let width = |id: TensorId| graph.tensors[id].shape.last().copied().unwrap_or(0);
    let depthwise: Vec<TensorId> = made(|op| matches!(op, Op::DepthwiseConv2d(_))).collect();
    if let Some(widest) = depthwise.iter().map(|&id| width(id)).max() {
        let wide: Vec<TensorId> = depthwise.into_iter().filter(|&id| width(id) == widest).collect();
        let coarsest = wide.iter().filter_map(|&id| positions(graph, id)).min();
        return Ok(wide.into_iter().find(|&id| positions(graph, id) == coarsest).into_iter().collect());
    }
    if let Some(last) = made(|op| matches!(op, Op::Conv2d(_))).next_back() {
        return Ok(vec![last]);
    }
    let last = graph.nodes.iter().rev().find(|n| matches!(n.op, Op::FullyConnected { .. }));
    let before = last.and_then(|n| n.inputs.first().copied().flatten());
    match before.filter(|id| !graph.inputs.contains(id) && positions(graph, *id) == Some(1)) {
        Some(id) if width(id) >= SHORTEST_EMBEDDING => Ok(vec![id]),
        _ => Err(no_embedding(graph, "nothing between its input and its output is a vector or a map".into())),
    }
}

/// The tensors called `names`, or those that [`embedding`] chooses where there are none.
pub(super) fn choose<S: AsRef<str>>(graph: &Graph<'_>, names: &[S]) -> Result<Vec<TensorId>, LearnError> {
    match names {
        [] => embedding(graph),
        names => names.iter().map(|n| named(graph, n.as_ref())).collect(),
    }
}

fn named(graph: &Graph<'_>, name: &str) -> Result<TensorId, LearnError> {
    let computed = graph.nodes.iter().flat_map(|n| &n.outputs).copied();
    let id = computed
        .rev()
        .find(|&id| graph.tensors[id].name == name)
        .ok_or_else(|| no_embedding(graph, format!("it computes no tensor \"{name}\"")))?;
    match positions(graph, id) {
        Some(_) => Ok(id),
        None => {
            let shape = &graph.tensors[id].shape;
            Err(no_embedding(graph, format!("\"{name}\" has shape {shape:?}")))
        }
    }
}

fn no_embedding(graph: &Graph<'_>, reason: String) -> LearnError {
    let computed = graph.nodes.iter().rev().filter_map(|n| n.outputs.first().copied());
    let fit = computed.filter(|&id| {
        positions(graph, id).is_some() && graph.tensors[id].shape.last() >= Some(&SHORTEST_EMBEDDING)
    });
    let names: Vec<String> =
        fit.take(SUGGESTIONS).map(|id| format!("\"{}\"", graph.tensors[id].name)).collect();
    let suggestion = if names.is_empty() { "none in this model".into() } else { names.join(", ") };
    LearnError::NoEmbedding { reason, suggestion }
}

/// Over how many positions a tensor is pooled; `None` where it is no vector, sequence or map.
fn positions(graph: &Graph<'_>, id: TensorId) -> Option<usize> {
    match *graph.tensors[id].shape.as_slice() {
        [1, c] if c > 0 => Some(1),
        [1, n, c] if n * c > 0 => Some(n),
        [1, h, w, c] if h * w * c > 0 => Some(h * w),
        _ => None,
    }
}

/// Makes `outputs` the graph's outputs and drops what they do not depend on.
fn cut(graph: &mut Graph<'_>, outputs: Vec<TensorId>) {
    let mut needed = vec![false; graph.tensors.len()];
    outputs.iter().for_each(|&id| needed[id] = true);
    let mut kept: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for node in graph.nodes.iter().rev() {
        let keep = node.outputs.iter().any(|&id| needed[id]);
        if keep {
            node.inputs.iter().flatten().for_each(|&id| needed[id] = true);
        }
        kept.push(keep);
    }
    let mut kept = kept.into_iter().rev();
    graph.nodes.retain(|_| kept.next().unwrap_or(false));
    graph.outputs = outputs;
}

/// The mean over all positions of a tensor, channel by channel.
fn pool(view: &TensorView<'_>, spec: &TensorSpec, features: &mut [f32]) {
    let width = features.len().max(1);
    let (scale, zero_point) = spec.affine();
    let count = (spec.elements() / width).max(1) as f32;
    macro_rules! sums {
        ($slice:expr, $sum:ty) => {{
            let mut sums = vec![<$sum>::default(); width];
            for row in $slice.chunks_exact(width) {
                sums.iter_mut().zip(row).for_each(|(s, v)| *s += <$sum>::from(*v));
            }
            sums
        }};
    }
    // Integer sums are exact; the quantization is undone once for each channel.
    let quantized = |sums: Vec<i32>, features: &mut [f32]| {
        for (f, sum) in features.iter_mut().zip(sums) {
            *f = scale * (sum as f32 / count - zero_point as f32);
        }
    };
    match (view.as_slice::<u8>(), view.as_slice::<i8>(), view.as_slice::<f32>()) {
        (Some(values), ..) => quantized(sums!(values, i32), features),
        (_, Some(values), _) => quantized(sums!(values, i32), features),
        (.., Some(values)) => {
            let sums = sums!(values, f64);
            features.iter_mut().zip(sums).for_each(|(f, s)| *f = (s / f64::from(count)) as f32);
        }
        _ => {
            let values = view.to_f32(spec.quantization.as_ref());
            features.fill(0.0);
            for (i, v) in values.iter().enumerate() {
                features[i % width] += v / count;
            }
        }
    }
}
