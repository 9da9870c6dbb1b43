//! A model whose layers can all be read after a run.

use anyhow::{Result, bail, ensure};
use osprey_engine::graph::{DType, Op, TensorId};
use osprey_engine::{Graph, Options, Port, Program, Session};
use std::collections::HashMap;

/// A layer that computes something.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Position in the graph.
    pub(super) node: usize,
    pub(super) op: String,
    /// The output's name.
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// Layers that it reads, directly or through operators that only move values.
    pub(super) inputs: Vec<usize>,
}

pub(super) struct Tapped {
    pub(super) layers: Vec<Layer>,
    session: Session,
}

impl Tapped {
    /// Every layer's output becomes an output of the model, so that the arena keeps it.
    pub(super) fn new(bytes: &[u8]) -> Result<Self> {
        let mut graph = Graph::read(bytes)?;
        graph.nodes.retain(|n| !matches!(n.op, Op::DetectionPostProcess(_)));
        let mut layers = Vec::new();
        let mut taps = Vec::new();
        let mut origin: HashMap<TensorId, Vec<usize>> = HashMap::new();
        for (node, n) in graph.nodes.iter().enumerate() {
            let mut inputs: Vec<usize> =
                n.inputs.iter().flatten().filter_map(|id| origin.get(id)).flatten().copied().collect();
            inputs.sort_unstable();
            inputs.dedup();
            let Some(&output) = n.outputs.first() else { continue };
            let info = &graph.tensors[output];
            let compared = computes(&n.op) && is_compared(info.dtype);
            if !compared || inputs_are_constant(&graph, node) || info.elements() == 0 {
                n.outputs.iter().for_each(|id| drop(origin.insert(*id, inputs.clone())));
                continue;
            }
            n.outputs.iter().for_each(|id| drop(origin.insert(*id, vec![layers.len()])));
            let (name, shape) = (info.name.clone(), info.shape.clone());
            layers.push(Layer { node, op: n.op.label(), name, shape, inputs });
            taps.push(output);
        }
        ensure!(!layers.is_empty(), "the model computes nothing");
        graph.outputs = taps;
        let program = Program::compile(&graph, &Options::default())?;
        Ok(Self { layers, session: Session::new(program.into())? })
    }

    pub(super) fn input(&self) -> Option<&Port> {
        self.session.program().inputs().first()
    }

    /// The numbers that a quantized first input can hold.
    pub(super) fn input_range(&self) -> Option<(f32, f32)> {
        range(self.input()?)
    }

    /// Sets the first input to these numbers, quantized where it is quantized.
    pub(super) fn set(&mut self, values: &[f32]) -> Result<()> {
        let Some(port) = self.input().cloned() else { bail!("the model has no input") };
        let length: usize = port.shape.iter().product();
        ensure!(
            length == values.len(),
            "the input takes {length} numbers of shape {:?}, got {}",
            port.shape,
            values.len()
        );
        let (scale, zero_point) = affine(&port);
        let level =
            |v: &f32, low: f32, high: f32| ((v / scale).round_ties_even() + zero_point).clamp(low, high);
        let bytes: Vec<u8> = match port.dtype {
            DType::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            DType::U8 => values.iter().map(|v| level(v, 0.0, 255.0) as u8).collect(),
            DType::I8 => values.iter().map(|v| (level(v, -128.0, 127.0) as i8) as u8).collect(),
            other => bail!("inputs of {other} are not compared"),
        };
        Ok(self.session.set_input(0, &bytes)?)
    }

    pub(super) fn run(&mut self) {
        self.session.reset_state();
        self.session.run();
    }

    /// What a layer gave, as real numbers.
    pub(super) fn values(&self, layer: usize) -> Result<Vec<f32>> {
        let port = &self.session.program().outputs()[layer];
        let bytes = self.session.output(layer)?;
        let (scale, zero_point) = affine(port);
        let real = |level: f32| (level - zero_point) * scale;
        Ok(match port.dtype {
            DType::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            DType::U8 => bytes.iter().map(|b| real(f32::from(*b))).collect(),
            DType::I8 => bytes.iter().map(|b| real(f32::from(*b as i8))).collect(),
            DType::I16 => {
                bytes.as_chunks().0.iter().map(|b| real(f32::from(i16::from_le_bytes(*b)))).collect()
            }
            DType::I32 => bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b) as f32).collect(),
            other => bail!("layers of {other} are not compared"),
        })
    }

    /// The numbers that a quantized layer's output can hold, and half a step more.
    pub(super) fn range(&self, layer: usize) -> Option<(f32, f32)> {
        range(&self.session.program().outputs()[layer])
    }
}

fn range(port: &Port) -> Option<(f32, f32)> {
    let (low, high) = match port.dtype {
        DType::U8 => (0.0, 255.0),
        DType::I8 => (-128.0, 127.0),
        _ => return None,
    };
    let (scale, zero_point) = affine(port);
    Some(((low - zero_point - 0.5) * scale, (high - zero_point + 0.5) * scale))
}

fn affine(port: &Port) -> (f32, f32) {
    let pair = port.quantization.as_ref().and_then(osprey_engine::Quantization::per_tensor);
    pair.map_or((1.0, 0.0), |(scale, zero_point)| (scale, zero_point as f32))
}

/// Whether layers of this type hold numbers to compare: indices and truth values differ or do not.
const fn is_compared(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::U8 | DType::I8 | DType::I16 | DType::I32)
}

/// Whether an operator changes values, rather than moving or re-coding them.
fn computes(op: &Op) -> bool {
    !matches!(
        op,
        Op::Quantize
            | Op::Dequantize
            | Op::Reshape { .. }
            | Op::Squeeze { .. }
            | Op::Transpose
            | Op::Cast
            | Op::Pack { .. }
            | Op::Unpack { .. }
            | Op::Split
            | Op::StridedSlice(_)
            | Op::Pad
            | Op::PadV2
            | Op::Gather { .. }
    )
}

fn inputs_are_constant(graph: &Graph<'_>, node: usize) -> bool {
    graph.nodes[node].inputs.iter().flatten().all(|&id| graph.tensors[id].data.is_some())
}
