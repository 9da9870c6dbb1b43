//! Who writes and reads which tensor, and which operators matter for the outputs.

use crate::graph::{Graph, TensorId};
use crate::lowering::{Constants, Use};

/// For each node whether anything depends on it, and the uses of each tensor by those nodes. What is `known` at load
/// needs no node.
pub(super) fn of(graph: &Graph<'_>, outputs: &[TensorId], known: &Constants) -> (Vec<bool>, Vec<Use>) {
    let mut uses = vec![Use::default(); graph.tensors.len()];
    for &id in outputs {
        uses[id].readers += 1;
    }
    for &id in &graph.inputs {
        uses[id].after = Some(0);
    }
    let mut live = vec![false; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate().rev() {
        let inputs = || node.inputs.iter().flatten();
        let keeps_state = inputs().any(|&id| graph.tensors[id].is_variable);
        let computed = |id: &TensorId| uses[*id].readers > 0 && !known.is_folded(*id);
        live[index] = keeps_state || node.outputs.iter().any(computed);
        if !live[index] {
            continue;
        }
        for &id in inputs() {
            uses[id].readers += 1;
            uses[id].reader = Some(index);
        }
        for &id in &node.outputs {
            uses[id].after = Some(index + 1);
        }
    }
    (live, uses)
}
