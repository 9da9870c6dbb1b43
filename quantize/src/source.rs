//! The float model: its graph, what its tensors are, and its constants as numbers.

use crate::error::{QuantizeError, Result};
use osprey_engine::graph::{DType, Graph, Op, TensorId};

/// A float model that was read.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a [u8],
    pub(crate) graph: Graph<'a>,
    /// For each tensor, the constant behind it: itself, or what a DEQUANTIZE widens.
    constants: Vec<Option<TensorId>>,
}

impl<'a> Source<'a> {
    pub(crate) fn read(file: &'a [u8]) -> Result<Self> {
        let graph = Graph::read(file)?;
        if let Some(sparse) = graph.tensors.iter().find(|t| t.sparsity.is_some()) {
            return Err(QuantizeError::Sparse { tensor: sparse.name.clone() });
        }
        let mut constants: Vec<Option<TensorId>> = (0..graph.tensors.len()).map(Some).collect();
        for (id, constant) in constants.iter_mut().enumerate() {
            let tensor = &graph.tensors[id];
            if tensor.data.is_none() || tensor.is_variable {
                *constant = None;
            }
        }
        for node in &graph.nodes {
            if let (Op::Dequantize, Some(&Some(from)), Some(&to)) =
                (&node.op, node.inputs.first(), node.outputs.first())
            {
                constants[to] = constants[from];
            }
        }
        let source = Self { file, graph, constants };
        for node in &source.graph.nodes {
            for &id in node.inputs.iter().flatten() {
                let tensor = &source.graph.tensors[id];
                let is_byte = matches!(tensor.dtype, DType::I8 | DType::U8) && tensor.quantization.is_some();
                if is_byte && source.constants[id].is_none() {
                    return Err(QuantizeError::AlreadyQuantized {
                        tensor: tensor.name.clone(),
                        dtype: tensor.dtype,
                    });
                }
            }
        }
        Ok(source)
    }

    /// Whether a node only widens a constant.
    pub(crate) fn widens(&self, node: usize) -> bool {
        let node = &self.graph.nodes[node];
        matches!(node.op, Op::Dequantize)
            && node.outputs.first().is_some_and(|&id| self.constants[id].is_some())
    }

    pub(crate) fn is_constant(&self, id: TensorId) -> bool {
        self.constants[id].is_some()
    }

    /// Whether the tensor is of real numbers that are computed.
    pub(crate) fn is_activation(&self, id: TensorId) -> bool {
        self.graph.tensors[id].dtype == DType::F32 && self.constants[id].is_none()
    }

    /// Whether the tensor is of real numbers that are known.
    pub(crate) fn is_real_constant(&self, id: TensorId) -> bool {
        self.graph.tensors[id].dtype == DType::F32 && self.constants[id].is_some()
    }

    /// The numbers of a constant.
    pub(crate) fn reals(&self, id: TensorId) -> Option<Vec<f32>> {
        self.graph.tensors[self.constants[id]?].reals()
    }

    pub(crate) fn shape(&self, id: TensorId) -> &[usize] {
        &self.graph.tensors[id].shape
    }

    pub(crate) fn name(&self, id: TensorId) -> &str {
        &self.graph.tensors[id].name
    }
}
