//! Models whose weights are small and whose activations stay float32.

use crate::archive;
use crate::error::{QuantizeError, Result};
use crate::outcome::{Kept, Quantized};
use crate::roles::{Role, roles};
use crate::source::Source;
use crate::versions;
use crate::weights::{Int8Weights, Layout};
use half::f16;
use osprey_engine::graph::{DType, NewGraph, NewNode, NewOp, NewTensor, Op, Quantization, TensorId};
use std::borrow::Cow;
use std::collections::HashMap;

/// Weights of fewer numbers are not worth the work at run time; LiteRT's converter draws the line here as well.
const FEWEST: usize = 1024;

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// float16, widened when the model is loaded.
    Float16,
    /// int8, a scale for each channel. Activations become int8 layer by layer at run time.
    Int8,
}

/// The float model in `file` with smaller weights. Inputs and outputs stay as they are.
///
/// # Errors
/// [`QuantizeError::Nothing`], [`QuantizeError::AlreadyQuantized`], [`QuantizeError::Archive`],
/// [`QuantizeError::Engine`].
pub fn weights_only(file: &[u8], storage: Storage) -> Result<Quantized> {
    let source = Source::read(file)?;
    let mut copy = Copy::new(&source);
    match storage {
        Storage::Float16 => copy.narrow(),
        Storage::Int8 => copy.int8_weights(),
    }
    if copy.changed == 0 {
        return Err(QuantizeError::Nothing);
    }
    let file = archive::carry_over(file, copy.new.write_into(file)?)?;
    Ok(Quantized { file, float: copy.kept, quantized: copy.changed })
}

/// The graph as it was, with the same tensor ids, and what was changed in it.
struct Copy<'s, 'a> {
    source: &'s Source<'a>,
    new: NewGraph<'s>,
    kept: Vec<Kept>,
    changed: usize,
}

impl<'s, 'a> Copy<'s, 'a> {
    fn new(source: &'s Source<'a>) -> Self {
        let new = NewGraph::copy_of(&source.graph);
        Self { source, new, kept: Vec::new(), changed: 0 }
    }

    /// Nodes that read each constant of float32.
    fn readers(&self) -> HashMap<TensorId, Vec<usize>> {
        let mut readers: HashMap<TensorId, Vec<usize>> = HashMap::new();
        for (at, node) in self.source.graph.nodes.iter().enumerate() {
            for &id in node.inputs.iter().flatten() {
                let tensor = &self.source.graph.tensors[id];
                if tensor.dtype == DType::F32 && tensor.data.is_some() && self.source.is_constant(id) {
                    readers.entry(id).or_default().push(at);
                }
            }
        }
        readers
    }

    /// Every float constant as float16, and a DEQUANTIZE that gives it back under its old id. The anchors of
    /// post-processing, which LiteRT reads as floats, stay.
    fn narrow(&mut self) {
        let mut widen = Vec::new();
        let mut readers: Vec<_> = self.readers().into_iter().collect();
        readers.sort_unstable();
        for (id, nodes) in readers {
            let stays = nodes.iter().any(|&n| {
                matches!(self.source.graph.nodes[n].op, Op::DetectionPostProcess(_) | Op::Custom { .. })
            });
            let values = self.source.reals(id).unwrap_or_default();
            let fits = values.iter().all(|v| v.abs() <= f16::MAX.to_f32());
            if stays || !fits || values.len() < 2 {
                continue;
            }
            let data: Vec<u8> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
            let tensor = &mut self.new.tensors[id];
            tensor.data = None;
            let narrow = NewTensor {
                name: format!("{}/float16", tensor.name),
                dtype: DType::F16,
                quantization: None,
                data: Some(Cow::Owned(data)),
                ..tensor.clone()
            };
            let from = self.new.tensors.len();
            self.new.tensors.push(narrow);
            widen.push(NewNode {
                op: NewOp::Dequantize,
                version: 3,
                inputs: vec![Some(from)],
                outputs: vec![id],
            });
            self.changed += 1;
        }
        widen.append(&mut self.new.nodes);
        self.new.nodes = widen;
    }

    /// Weights of convolutions and fully connected layers as int8, where nobody else reads them.
    fn int8_weights(&mut self) {
        let roles = roles(self.source);
        let readers = self.readers();
        let layer = |at: usize| match roles[at] {
            Role::Weighted(w) if versions::hybrid(&self.source.graph.nodes[at].op, w.per_channel) > 1 => {
                Some(w)
            }
            _ => None,
        };
        for (at, node) in self.source.graph.nodes.iter().enumerate() {
            let Some(w) = layer(at) else {
                if matches!(roles[at], Role::Weighted(_)) {
                    let name = node.outputs.first().map_or("", |&id| self.source.name(id)).to_owned();
                    self.kept.push(Kept { node: at, op: node.op.label(), name });
                }
                continue;
            };
            let all_read_weights = readers.get(&w.weights).is_some_and(|nodes| {
                nodes.iter().all(|&n| {
                    layer(n).is_some_and(|other| other.weights == w.weights && other.axis == w.axis)
                })
            });
            let values = self.source.reals(w.weights).unwrap_or_default();
            if !all_read_weights || values.len() < FEWEST {
                continue;
            }
            self.new.nodes[at].version = versions::hybrid(&node.op, w.per_channel);
            self.changed += 1;
            let tensor = &mut self.new.tensors[w.weights];
            if tensor.dtype == DType::I8 {
                continue;
            }
            let layout = Layout::new(&tensor.shape, w.axis);
            let Int8Weights { values, scales } = Int8Weights::of(&values, layout, w.per_channel, &[]);
            tensor.dtype = DType::I8;
            tensor.data = Some(values.into_iter().map(|v| v as u8).collect());
            tensor.quantization =
                Some(Quantization { zero_points: vec![0; scales.len()], scales, axis: w.axis });
        }
    }
}
