//! A model as its file describes it: tensors, operators, quantization.
//!
//! Reading is lenient about what the engine cannot run (unknown operators and types are kept and
//! named) and strict about structure: indices, lengths and order hold once [`Graph::read`] returns.

mod append;
mod families;
pub mod flatbuffer;
mod interface;
mod names;
mod op;
mod options;
mod read;
mod rewrite;
mod schema;
mod sparse;
mod tensor;
mod variables;
mod writer;

pub use append::{ClassifierHead, append_classifier};
pub use families::{Binary, Reduction, Unary};
pub use interface::{DeclaredTensor, Interface, Signature};
pub use op::{
    Activation, ConvOptions, DetectionPostProcess, LstmOptions, Op, Padding, PoolOptions, ResizeOptions,
    Size2, StridedSliceOptions,
};
pub use rewrite::{NewGraph, NewNode, NewOp, NewTensor};
pub use sparse::Sparsity;
pub(crate) use tensor::dequantize;
pub use tensor::{DType, Quantization, TensorId, TensorInfo};

use crate::error::Result;
use std::collections::BTreeMap;

/// An operator with the tensors it connects.
#[derive(Debug, Clone)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// Inputs in the operator's order; `None` where an optional one is left out.
    pub inputs: Vec<Option<TensorId>>,
    /// Outputs in the operator's order.
    pub outputs: Vec<TensorId>,
    /// Tensors that only carry the quantization of values inside the operator (LSTM).
    pub intermediates: Vec<TensorId>,
}

/// The main graph of a TFLite file, or one that its operators run; constants borrow from the file's bytes.
#[derive(Debug, Clone, Default)]
pub struct Graph<'a> {
    /// All tensors; ids index into this.
    pub tensors: Vec<TensorInfo<'a>>,
    /// Operators in the order of execution.
    pub nodes: Vec<Node>,
    /// Tensors that the caller fills.
    pub inputs: Vec<TensorId>,
    /// Tensors that the caller reads.
    pub outputs: Vec<TensorId>,
    /// Named metadata, such as `TFLITE_METADATA` and `min_runtime_version`.
    pub metadata: Vec<(String, &'a [u8])>,
    /// The converter's remark.
    pub description: String,
    /// What its loops and branches run, by number in the file.
    pub subgraphs: BTreeMap<usize, Graph<'a>>,
}

impl<'a> Graph<'a> {
    /// Reads a `.tflite` file held in memory.
    ///
    /// # Errors
    /// [`Error::NotTflite`](crate::Error::NotTflite) and [`Error::Malformed`](crate::Error::Malformed).
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        read::read(bytes)
    }

    /// The metadata entry called `name`.
    pub fn metadata(&self, name: &str) -> Option<&'a [u8]> {
        self.metadata.iter().find(|(n, _)| n == name).map(|(_, data)| *data)
    }

    /// Number of constant elements that are weights or biases: float, 8-bit and 32-bit constants
    /// of more than one dimension, and vectors beside them.
    pub fn parameters(&self) -> usize {
        let weights =
            |t: &&TensorInfo<'_>| t.data.is_some() && !matches!(t.dtype, DType::I64 | DType::Other(_));
        self.tensors.iter().filter(weights).map(TensorInfo::elements).sum()
    }
}
