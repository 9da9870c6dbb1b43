//! The version of each operator from which on it knows int8 tensors.

use osprey_engine::graph::Op;

/// By `tensorflow/lite/tools/versioning/op_version.cc`; old runtimes refuse a file by it.
pub(crate) fn int8(op: &Op) -> u32 {
    match op {
        Op::Conv2d(_) | Op::DepthwiseConv2d(_) => 3,
        Op::TransposeConv(_) => 3,
        Op::FullyConnected { .. } => 4,
        Op::Reshape { .. } | Op::Squeeze { .. } | Op::ExpandDims | Op::Prelu | Op::HardSwish => 1,
        _ => 2,
    }
}

/// The version of an operator with float activations and int8 weights.
pub(crate) fn hybrid(op: &Op, per_channel: bool) -> u32 {
    match (op, per_channel) {
        (Op::Conv2d(_), false) => 2,
        (Op::Conv2d(_), true) => 5,
        (Op::DepthwiseConv2d(_), false) => 4,
        (Op::DepthwiseConv2d(_), true) => 6,
        (Op::FullyConnected { .. }, false) => 3,
        (Op::FullyConnected { .. }, true) => 12,
        _ => 1,
    }
}
