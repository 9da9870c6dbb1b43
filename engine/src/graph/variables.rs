//! Variables: the tensors that VAR_HANDLE names, READ_VARIABLE reads and ASSIGN_VARIABLE writes.
//!
//! They become states of the graph like those of recurrent layers: every handle of one name is replaced by one tensor,
//! which starts with what the subgraph of CALL_ONCE assigns, or with zeros.

use super::{Graph, Node, Op, TensorId, TensorInfo};
use crate::error::Result;
use std::collections::HashMap;

/// Tensors and nodes of a subgraph.
pub(super) type Subgraph<'a> = (Vec<TensorInfo<'a>>, Vec<Node>);

/// Replaces the handles of `graph`; `subgraph` reads another subgraph of the file.
pub(super) fn resolve<'a>(
    graph: &mut Graph<'a>,
    mut subgraph: impl FnMut(usize) -> Result<Option<Subgraph<'a>>>,
) -> Result<()> {
    let mut initial: HashMap<String, TensorInfo<'a>> = HashMap::new();
    for node in &mut graph.nodes {
        let Op::CallOnce { subgraph: index, resolved } = &mut node.op else { continue };
        if let Some(values) = subgraph(*index)?.and_then(assigned) {
            *resolved = true;
            initial.extend(values);
        }
    }
    // The name behind each handle, and the tensor that each name became.
    let mut names: HashMap<TensorId, String> = HashMap::new();
    let mut variables: HashMap<String, TensorId> = HashMap::new();
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        if let (Op::VarHandle { name }, Some(&handle)) = (&node.op, node.outputs.first()) {
            names.insert(handle, name.clone());
            continue;
        }
        let like = match node.op {
            Op::ReadVariable => node.outputs.first().copied(),
            Op::AssignVariable => node.inputs.get(1).copied().flatten(),
            _ => continue,
        };
        let name = node.inputs.first().copied().flatten().and_then(|handle| names.get(&handle));
        let (Some(like), Some(name)) = (like, name) else { continue };
        let id = match variables.get(name) {
            Some(&id) => id,
            None => {
                let tensor = initial
                    .remove(name)
                    .unwrap_or_else(|| TensorInfo { data: None, ..graph.tensors[like].clone() });
                graph.tensors.push(TensorInfo { name: name.clone(), is_variable: true, ..tensor });
                variables.insert(name.clone(), graph.tensors.len() - 1);
                graph.tensors.len() - 1
            }
        };
        graph.nodes[index].inputs[0] = Some(id);
    }
    Ok(())
}

/// The constants that a subgraph assigns to variables by name. `None` if it does anything else.
fn assigned<'a>((tensors, nodes): Subgraph<'a>) -> Option<Vec<(String, TensorInfo<'a>)>> {
    let mut names: HashMap<TensorId, &str> = HashMap::new();
    let mut values = Vec::new();
    for node in &nodes {
        match (&node.op, node.inputs.as_slice(), node.outputs.as_slice()) {
            (Op::VarHandle { name }, _, &[handle]) => {
                names.insert(handle, name);
            }
            (Op::AssignVariable, &[Some(handle), Some(value)], _) => {
                let tensor = tensors.get(value).filter(|t| t.data.is_some())?;
                values.push(((*names.get(&handle)?).to_owned(), tensor.clone()));
            }
            _ => return None,
        }
    }
    Some(values)
}
