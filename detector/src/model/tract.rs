//! Float models on tract-tflite.
//!
//! tract states its requirements by panicking here and there, on files of others' making; a panic
//! while loading or running becomes [`ModelError::Backend`].

use super::backend::is_float;
use super::{Model, ModelError, find};
use crate::tensor::{DType, Tensor, TensorSpec, TensorView, TensorViewMut};
use ndarray::{ArrayD, IxDyn};
use osprey_engine::graph::{Node, Op};
use osprey_engine::{Graph, Limits};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tract_tflite::prelude::*;

type Plan = Arc<TypedRunnableModel>;

/// A model on tract. [`Model::run`] allocates, as tract does.
pub(crate) struct TractModel {
    plan: Plan,
    inputs: Vec<TensorSpec>,
    outputs: Vec<TensorSpec>,
    given: Vec<Tensor>,
    computed: Vec<Tensor>,
}

impl TractModel {
    pub(crate) fn load(bytes: &[u8], limits: &Limits) -> Result<Self, ModelError> {
        let graph = Graph::read(bytes)?;
        if !is_float(&graph) {
            return Err(failed(
                "it takes float models only: quantized operators fail or come out wrong".into(),
            ));
        }
        // Its division is that of quantized types, also for floats: means come out whole.
        if let Some(node) = graph.nodes.iter().position(|n| matches!(n.op, Op::Mean { .. })) {
            return Err(failed(format!("MEAN (node {node}) comes out rounded; use the native backend")));
        }
        check(&graph, limits)?;
        let plan = guarded(|| {
            let framework = tract_tflite::tflite();
            let model = framework.model_for_read(&mut &bytes[..])?;
            model.into_optimized()?.into_runnable()
        })?;
        let (inputs, outputs) =
            (specs(&graph, &graph.inputs, "input")?, specs(&graph, &graph.outputs, "output")?);
        let (given, computed) = (zeros(&inputs, "input")?, zeros(&outputs, "output")?);
        Ok(Self { plan, inputs, outputs, given, computed })
    }
}

impl Model for TractModel {
    fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    fn input_mut(&mut self, index: usize) -> Result<TensorViewMut<'_>, ModelError> {
        find(&self.given, index, "input")?;
        Ok(self.given[index].view_mut())
    }

    fn run(&mut self) -> Result<(), ModelError> {
        let results = guarded(|| {
            let inputs = self.given.iter().map(to_tract).collect::<TractResult<TVec<TValue>>>()?;
            self.plan.run(inputs)
        })?;
        if results.len() != self.computed.len() {
            return Err(failed(format!("{} outputs in place of {}", results.len(), self.computed.len())));
        }
        for ((result, to), spec) in results.iter().zip(&mut self.computed).zip(&self.outputs) {
            guarded(|| from_tract(result, to, spec))?;
        }
        Ok(())
    }

    fn output(&self, index: usize) -> Result<TensorView<'_>, ModelError> {
        Ok(find(&self.computed, index, "output")?.view())
    }
}

fn failed(message: String) -> ModelError {
    ModelError::Backend { backend: "tract", message }
}

/// The start of a text, on one line: some of tract's errors are dumps of the graph.
fn brief(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

/// Runs `work`; errors and panics become [`ModelError::Backend`].
fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, ModelError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        // The outer contexts print whole operators; the cause says what is wrong.
        Ok(Err(e)) => Err(failed(brief(&e.root_cause().to_string()))),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(failed(format!("it panicked: {}", brief(&text.unwrap_or_default()))))
        }
    }
}

/// What the engine checks for its own models: tract asks for memory and computes as the file says.
fn check(graph: &Graph<'_>, limits: &Limits) -> Result<(), ModelError> {
    let too_large = |needed, limit, unit| Err(osprey_engine::Error::TooLarge { needed, limit, unit }.into());
    let nodes = graph.nodes.len() as u64;
    if nodes > limits.nodes {
        return too_large(nodes, limits.nodes, "operators");
    }
    let memory = graph.tensors.iter().map(|t| t.bytes() as u64).fold(0, u64::saturating_add);
    if memory > limits.memory {
        return too_large(memory, limits.memory, "bytes of memory");
    }
    let macs = graph.nodes.iter().map(|n| macs(graph, n)).fold(0, u64::saturating_add);
    if macs > limits.macs {
        return too_large(macs, limits.macs, "multiply-accumulates");
    }
    Ok(())
}

/// Multiply-accumulates of the operators that can have many for the size of their tensors.
fn macs(graph: &Graph<'_>, node: &Node) -> u64 {
    let elements = |id: Option<&usize>| id.map_or(0, |&id| graph.tensors[id].elements() as u64);
    let filter = node.inputs.get(1).copied().flatten();
    let shape: &[usize] = filter.map_or(&[], |id| &graph.tensors[id].shape);
    let outputs = elements(node.outputs.first());
    let window = |dims: &[usize]| dims.iter().map(|&d| d as u64).fold(1, u64::saturating_mul);
    match (&node.op, shape) {
        (Op::Conv2d(_) | Op::FullyConnected { .. }, [_, rest @ ..]) => outputs.saturating_mul(window(rest)),
        (Op::DepthwiseConv2d(_), &[_, h, w, _]) => outputs.saturating_mul(window(&[h, w])),
        (Op::TransposeConv(_), &[_, h, w, c]) => outputs.saturating_mul(window(&[h, w, c])),
        (Op::AveragePool2d(p) | Op::MaxPool2d(p), _) => {
            outputs.saturating_mul(window(&[p.window.h, p.window.w]))
        }
        _ => outputs,
    }
}

fn specs(graph: &Graph<'_>, ids: &[usize], kind: &'static str) -> Result<Vec<TensorSpec>, ModelError> {
    let spec = |&id: &usize| {
        let t = &graph.tensors[id];
        let (name, shape, dtype, quantization) =
            (t.name.clone(), t.shape.clone(), t.dtype, t.quantization.clone());
        match dtype {
            DType::F16 | DType::Other(_) => Err(ModelError::UnsupportedTensor { kind, name, dtype }),
            _ => Ok(TensorSpec { name, shape, dtype, quantization }),
        }
    };
    ids.iter().map(spec).collect()
}

fn zeros(specs: &[TensorSpec], kind: &'static str) -> Result<Vec<Tensor>, ModelError> {
    let zero = |s: &TensorSpec| {
        let (name, dtype) = (s.name.clone(), s.dtype);
        Tensor::zeros(dtype, &s.shape).ok_or(ModelError::UnsupportedTensor { kind, name, dtype })
    };
    specs.iter().map(zero).collect()
}

macro_rules! by_dtype {
    ($($variant:ident)*) => {
        fn to_tract(tensor: &Tensor) -> TractResult<TValue> {
            use tract_tflite::prelude::Tensor as T;
            let tensor = match tensor {
                $(Tensor::$variant(a) => T::from_shape(a.shape(), a.as_slice().unwrap_or_default())?,)*
            };
            Ok(tensor.into())
        }

        fn from_tract(from: &TValue, to: &mut Tensor, spec: &TensorSpec) -> TractResult<()> {
            match to {
                $(Tensor::$variant(to) => {
                    let values = from.try_as_plain_ram()?;
                    let values = values.as_slice()?;
                    *to = ArrayD::from_shape_vec(IxDyn(&spec.shape), values.to_vec())?;
                })*
            }
            Ok(())
        }
    };
}
by_dtype!(F32 U8 I8 I16 I32 I64 Bool);
