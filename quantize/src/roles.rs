//! What each operator asks of its tensors' quantization.

use crate::source::Source;
use osprey_engine::graph::{Activation, Binary, Op, Reduction, TensorId, Unary};

/// Where the operands of a convolution or fully connected layer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weighted {
    pub(crate) input: TensorId,
    pub(crate) weights: TensorId,
    pub(crate) bias: Option<TensorId>,
    /// Position of the weights among the inputs; the bias follows the last of weights and input.
    pub(crate) at: usize,
    /// The axis that output channels run along.
    pub(crate) axis: usize,
    /// A scale for each output channel, or one for all.
    pub(crate) per_channel: bool,
}

/// How an operator takes part in an 8-bit graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// No real numbers go through it.
    Apart,
    /// It reads nothing of a tensor but its shape.
    Shape,
    /// It has no 8-bit form.
    Float,
    /// Products with constant weights.
    Weighted(Weighted),
    /// Values move, or are chosen among: outputs have the first real input's quantization.
    Moves,
    /// Several inputs, all with the output's quantization.
    Joins,
    /// Any quantization of inputs and outputs.
    Free,
    /// Outputs have this scale and zero point, by TFLite's specification.
    Fixed(f32, i32),
}

/// The role of each node. What only moves or joins numbers that come as floats is left among the floats.
pub(crate) fn roles(source: &Source<'_>) -> Vec<Role> {
    let mut is_float = vec![false; source.graph.tensors.len()];
    let mut roles = Vec::with_capacity(source.graph.nodes.len());
    for (at, node) in source.graph.nodes.iter().enumerate() {
        let mut role = role(source, at);
        let mut inputs = node.inputs.iter().flatten().filter(|&&id| source.is_activation(id));
        let stays = match role {
            Role::Moves => inputs.next().is_some_and(|&id| is_float[id]),
            Role::Joins => inputs.all(|&id| is_float[id]),
            _ => false,
        };
        if stays {
            role = Role::Float;
        }
        if role == Role::Float {
            node.outputs.iter().for_each(|&id| is_float[id] = true);
        }
        roles.push(role);
    }
    roles
}

fn role(source: &Source<'_>, node: usize) -> Role {
    let node = &source.graph.nodes[node];
    let real = |&id: &TensorId| source.is_activation(id);
    if !node.inputs.iter().flatten().any(real) {
        // What computes with constants alone stays as it is, whatever comes of it.
        return if node.outputs.iter().any(real) { Role::Float } else { Role::Apart };
    }
    match &node.op {
        Op::Shape | Op::Rank => Role::Shape,
        Op::Conv2d(o) if clamps(o.activation) => weighted(source, node, [0, 1], 0, true),
        Op::DepthwiseConv2d(o) if clamps(o.activation) => weighted(source, node, [0, 1], 3, true),
        Op::TransposeConv(o) if clamps(o.activation) => weighted(source, node, [2, 1], 0, true),
        Op::FullyConnected { activation, shuffled: false, .. } if clamps(*activation) => {
            weighted(source, node, [0, 1], 0, false)
        }
        Op::Add(a) | Op::Sub(a) | Op::Mul(a) if clamps(*a) => Role::Free,
        Op::Mean { .. } | Op::HardSwish | Op::LeakyRelu { .. } | Op::Prelu | Op::Relu | Op::Relu6 => {
            Role::Free
        }
        Op::Unary(Unary::ReluN1To1) | Op::Reduce { reduction: Reduction::Sum, .. } => Role::Free,
        Op::AveragePool2d(o) | Op::MaxPool2d(o) if clamps(o.activation) => Role::Moves,
        Op::Reshape { .. }
        | Op::Squeeze { .. }
        | Op::ExpandDims
        | Op::Transpose
        | Op::Gather { .. }
        | Op::Slice
        | Op::StridedSlice(_)
        | Op::Split
        | Op::SplitV
        | Op::Unpack { .. }
        | Op::ResizeBilinear(_)
        | Op::ResizeNearestNeighbor(_)
        | Op::Pad
        | Op::PadV2
        | Op::MirrorPad { .. }
        | Op::SpaceToDepth { .. }
        | Op::DepthToSpace { .. }
        | Op::SpaceToBatchNd
        | Op::BatchToSpaceNd
        | Op::Tile
        | Op::Reduce { reduction: Reduction::Max | Reduction::Min, .. } => Role::Moves,
        Op::Concatenation { activation: Activation::None, .. }
        | Op::Pack { .. }
        | Op::Binary(Binary::Maximum | Binary::Minimum) => Role::Joins,
        Op::Logistic | Op::Softmax { .. } => Role::Fixed(1.0 / 256.0, -128),
        Op::Tanh => Role::Fixed(1.0 / 128.0, 0),
        Op::LogSoftmax => Role::Fixed(16.0 / 256.0, 127),
        Op::L2Normalization(Activation::None) => Role::Fixed(1.0 / 128.0, 0),
        _ => Role::Float,
    }
}

/// Whether 8-bit kernels carry out an activation: by clamping.
fn clamps(activation: Activation) -> bool {
    !matches!(activation, Activation::Tanh | Activation::SignBit)
}

fn weighted(
    source: &Source<'_>,
    node: &osprey_engine::graph::Node,
    [input, at]: [usize; 2],
    axis: usize,
    per_channel: bool,
) -> Role {
    let operand = |i: usize| node.inputs.get(i).copied().flatten();
    let (Some(input_id), Some(weights)) = (operand(input), operand(at)) else { return Role::Float };
    let bias = operand(input.max(at) + 1);
    let known = source.reals(weights).is_some_and(|w| !w.is_empty())
        && bias.is_none_or(|id| source.reals(id).is_some())
        && source.shape(weights).len() > axis
        && source.is_activation(input_id);
    if !known {
        return Role::Float;
    }
    Role::Weighted(Weighted { input: input_id, weights, bias, at, axis, per_channel })
}
