//! What a graph does with an output last, and so what its numbers are.

use super::ScoreKind;
use osprey_engine::Graph;
use osprey_engine::graph::{Op, TensorId};

/// Whether the numbers of each output are probabilities or logits, where the last operator that computes tells.
pub(super) fn scores(graph: &Graph<'_>) -> Vec<Option<ScoreKind>> {
    graph.outputs.iter().map(|&id| kind(graph, id)).collect()
}

fn kind(graph: &Graph<'_>, mut at: TensorId) -> Option<ScoreKind> {
    // Each step leads to an earlier node; a chain is no longer than the graph.
    for _ in 0..graph.nodes.len() {
        let node = graph.nodes.iter().find(|n| n.outputs.contains(&at))?;
        at = match &node.op {
            Op::Logistic | Op::Softmax { .. } => return Some(ScoreKind::Probabilities),
            Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::FullyConnected { .. } => {
                return Some(ScoreKind::Logits);
            }
            Op::Concatenation { .. }
            | Op::Dequantize
            | Op::ExpandDims
            | Op::Quantize
            | Op::Reshape { .. }
            | Op::Squeeze { .. }
            | Op::Transpose => node.inputs.first().copied().flatten()?,
            _ => return None,
        };
    }
    None
}
