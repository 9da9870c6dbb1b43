//! Constants: those of the file, and what operators compute from them at load.
//!
//! Converters keep weights as float16 or int8 and put DEQUANTIZE behind them; widened once at load
//! they are plain float32 weights for every kernel. Shapes and indices that a graph computes from the shapes of its
//! tensors become constants too.

use crate::error::{Error, Result};
use crate::graph::{DType, Graph, Op, TensorId, dequantize};
use std::collections::HashMap;

/// Constants by tensor: those of the file, and those computed at load.
#[derive(Default)]
pub(crate) struct Constants {
    folded: HashMap<TensorId, (Vec<u8>, DType)>,
    total: u64,
}

impl Constants {
    /// Lays sparse constants out densely and folds every DEQUANTIZE whose input is a constant, where the results stay under `limit` bytes.
    pub(crate) fn fold(graph: &Graph<'_>, limit: u64) -> Result<Self> {
        let mut constants = Self::default();
        for (id, tensor) in graph.tensors.iter().enumerate() {
            if let (Some(sparsity), Some(data)) = (&tensor.sparsity, tensor.data) {
                constants.reserve(tensor.bytes(), limit)?;
                let dense = sparsity.densify(data, &tensor.shape, tensor.dtype.size())?;
                constants.folded.insert(id, (dense, tensor.dtype));
            }
        }
        for (index, node) in graph.nodes.iter().enumerate() {
            let (Op::Dequantize, [Some(input)], [output]) =
                (&node.op, node.inputs.as_slice(), node.outputs.as_slice())
            else {
                continue;
            };
            let (source, target) = (&graph.tensors[*input], &graph.tensors[*output]);
            let Some((data, _)) = constants.get(graph, *input) else { continue };
            if target.dtype != DType::F32 || target.elements() != source.elements() {
                let reason = format!("{} {:?} from {:?}", target.dtype, target.shape, source.shape);
                return Err(Error::InvalidOperator { node: index, op: node.op.name(), reason });
            }
            if let Some(values) = dequantize(source, data) {
                constants.reserve(target.bytes(), limit)?;
                let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
                constants.folded.insert(*output, (bytes, DType::F32));
            }
        }
        Ok(constants)
    }

    /// Counts `bytes` that are to be kept.
    pub(crate) fn reserve(&mut self, bytes: usize, limit: u64) -> Result<()> {
        self.total = self.total.saturating_add(bytes as u64);
        if self.total > limit {
            return Err(Error::TooLarge { needed: self.total, limit, unit: "bytes of memory" });
        }
        Ok(())
    }

    /// Keeps what was computed at load, little-endian, in the file's type.
    pub(crate) fn insert(&mut self, id: TensorId, bytes: Vec<u8>, dtype: DType) {
        self.folded.insert(id, (bytes, dtype));
    }

    /// Content and type of a constant.
    pub(crate) fn get<'a>(&'a self, graph: &'a Graph<'a>, id: TensorId) -> Option<(&'a [u8], DType)> {
        let tensor = &graph.tensors[id];
        match self.folded.get(&id) {
            Some((bytes, dtype)) => Some((bytes, *dtype)),
            None if tensor.is_variable => None,
            None => tensor.data.map(|bytes| (bytes, tensor.dtype)),
        }
    }

    /// Whether `id` was computed at load, so that its node need not run.
    pub(crate) fn is_folded(&self, id: TensorId) -> bool {
        self.folded.contains_key(&id)
    }
}
