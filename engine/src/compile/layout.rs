//! From kernels to a program: which bytes of the arena every tensor has.
//!
//! The arena begins with what lives longer than a run (constants that kernels read, states,
//! inputs), then holds the planned values.

use super::passes::{Lowering, stored};
use super::plan::{self, Lifetime};
use super::{Initial, Options, Port, Program, Step};
use crate::arena::{Operands, Slot, align};
use crate::error::{Error, Result};
use crate::graph::{DType, Graph, Quantization, TensorId, TensorInfo};
use crate::kernels::flip_sign;
use crate::lowering::Task;

/// Tensors of the graph, grouped into the storage they share.
struct Storage {
    /// The tensor whose bytes a tensor shares; itself for most.
    root: Vec<TensorId>,
    slots: Vec<Option<Slot>>,
}

impl Storage {
    fn new(tensors: usize, aliases: &[(TensorId, TensorId)]) -> Self {
        let mut root: Vec<TensorId> = (0..tensors).collect();
        for &(output, input) in aliases {
            root[output] = root[input];
        }
        Self { root, slots: vec![None; tensors] }
    }

    fn get(&self, id: TensorId) -> Option<Slot> {
        self.slots[self.root[id]]
    }
}

pub(super) fn program(graph: &Graph<'_>, lowering: Lowering, options: &Options) -> Result<Program> {
    let Lowering { tasks, aliases, outputs, post_process, constants: known, origin } = lowering;
    let of_file = |node: usize| origin.as_ref().map_or(Some(node), |origin| origin.get(node).copied());
    check_total(graph, &tasks, options)?;
    let mut storage = Storage::new(graph.tensors.len(), &aliases);
    let mut end = 0;
    let mut reserve = |bytes: usize| {
        let slot = Slot { offset: end, len: bytes };
        end += align(bytes);
        slot
    };

    let mut constants = Vec::new();
    let mut variables = Vec::new();
    let read = tasks.iter().flat_map(|(_, t)| t.inputs.iter().chain(&t.outputs)).chain(&outputs);
    for &id in read {
        let root = storage.root[id];
        let tensor = &graph.tensors[root];
        if storage.slots[root].is_some() {
            continue;
        }
        if let Some((data, dtype)) = known.get(graph, root) {
            let slot = reserve(data.len());
            constants.push((slot, stored(dtype, data)));
            storage.slots[root] = Some(slot);
        } else if tensor.is_variable {
            let slot = reserve(tensor.bytes());
            let initial = match tensor.data {
                Some(data) => Initial::Bytes(stored(tensor.dtype, data)),
                None => Initial::Fill(zero_byte(tensor)),
            };
            variables.push((slot, initial));
            storage.slots[root] = Some(slot);
        }
    }
    let mut ports = Vec::new();
    for &id in &graph.inputs {
        let tensor = &graph.tensors[id];
        let slot = reserve(tensor.bytes());
        let inner = if tensor.dtype == DType::I8 { reserve(tensor.bytes()) } else { slot };
        storage.slots[id] = Some(inner);
        ports.push((port(graph, id, slot), inner));
    }

    let (planned, scratch, end) = plan_values(graph, &tasks, &outputs, &storage, end);
    for (id, slot) in planned {
        storage.slots[id] = Some(slot);
    }
    let mut end = end;

    let mut steps = Vec::with_capacity(tasks.len() + 2);
    for (port, inner) in &ports {
        if port.dtype == DType::I8 {
            steps.push(border_step(port.slot, *inner)?);
        }
    }
    for ((node, task), scratch) in tasks.into_iter().zip(scratch) {
        let slots = |ids: &[TensorId]| -> Result<Vec<Slot>> {
            ids.iter().map(|&id| storage.get(id).ok_or_else(|| unwritten(graph, node, id))).collect()
        };
        let operands = Operands::new(slots(&task.inputs)?, slots(&task.outputs)?, scratch)
            .ok_or_else(|| invalid(graph, node, "a tensor is both read and written".into()))?;
        steps.push(Step { kernel: task.kernel, operands, node: of_file(node), macs: task.macs });
    }
    let mut output_ports = Vec::new();
    for &id in &outputs {
        let inner = storage.get(id).ok_or_else(|| Error::Malformed {
            what: format!("graph output \"{}\" is never written", graph.tensors[id].name),
        })?;
        let mut slot = inner;
        if graph.tensors[id].dtype == DType::I8 {
            slot = Slot { offset: end, len: inner.len };
            end += align(inner.len);
            steps.push(border_step(inner, slot)?);
        }
        output_ports.push(port(graph, id, slot));
    }
    if end as u64 > options.limits.memory {
        return Err(too_large(end as u64, options));
    }
    let threads = options.threads_for(steps.iter().map(|step| step.macs).sum());
    Ok(Program {
        steps,
        inputs: ports.into_iter().map(|(port, _)| port).collect(),
        outputs: output_ports,
        constants,
        variables,
        arena_bytes: end,
        threads,
        post_process,
    })
}

/// Refuses before anything is planned what could not fit even with perfect reuse of memory.
fn check_total(graph: &Graph<'_>, tasks: &[(usize, Task)], options: &Options) -> Result<()> {
    let tensors = graph.tensors.iter().map(|t| t.bytes() as u64).max().unwrap_or(0);
    let scratch = tasks.iter().map(|(_, t)| t.scratch as u64).max().unwrap_or(0);
    let largest = tensors.max(scratch);
    if largest > options.limits.memory { Err(too_large(largest, options)) } else { Ok(()) }
}

fn too_large(needed: u64, options: &Options) -> Error {
    Error::TooLarge { needed, limit: options.limits.memory, unit: "bytes of memory" }
}

fn invalid(graph: &Graph<'_>, node: usize, reason: String) -> Error {
    Error::InvalidOperator { node, op: graph.nodes[node].op.name(), reason }
}

fn unwritten(graph: &Graph<'_>, node: usize, id: TensorId) -> Error {
    invalid(graph, node, format!("tensor \"{}\" has no value", graph.tensors[id].name))
}

/// The byte that stands for zero all over a state.
fn zero_byte(tensor: &TensorInfo<'_>) -> u8 {
    let zero_point = tensor.quantization.as_ref().and_then(Quantization::per_tensor).map_or(0, |(_, z)| z);
    match tensor.dtype {
        DType::I8 => zero_point as u8 ^ 0x80,
        DType::U8 => zero_point as u8,
        _ => 0,
    }
}

fn port(graph: &Graph<'_>, id: TensorId, slot: Slot) -> Port {
    let t = &graph.tensors[id];
    Port {
        name: t.name.clone(),
        shape: t.shape.clone(),
        dtype: t.dtype,
        quantization: t.quantization.clone(),
        slot,
    }
}

/// Between the model's int8 and the arena's unsigned bytes.
fn border_step(from: Slot, to: Slot) -> Result<Step> {
    let operands = Operands::new(vec![from], vec![to], Slot::default())
        .ok_or_else(|| Error::Malformed { what: "an input or output overlaps itself".into() })?;
    Ok(Step { kernel: Box::new(flip_sign::FlipSign), operands, node: None, macs: 0 })
}

/// Slots of the values and of each task's scratch memory, and the arena's end.
fn plan_values(
    graph: &Graph<'_>,
    tasks: &[(usize, Task)],
    outputs: &[TensorId],
    storage: &Storage,
    base: usize,
) -> (Vec<(TensorId, Slot)>, Vec<Slot>, usize) {
    let mut span: Vec<Option<(usize, usize)>> = vec![None; graph.tensors.len()];
    for (step, (_, task)) in tasks.iter().enumerate() {
        for &id in &task.outputs {
            let root = storage.root[id];
            span[root].get_or_insert((step, step)).1 = step;
        }
        for &id in &task.inputs {
            if let Some((_, last)) = &mut span[storage.root[id]] {
                *last = step;
            }
        }
    }
    for &id in outputs {
        if let Some((_, last)) = &mut span[storage.root[id]] {
            *last = tasks.len();
        }
    }
    let (ids, mut lifetimes): (Vec<TensorId>, Vec<Lifetime>) = span
        .iter()
        .enumerate()
        .filter(|&(id, _)| storage.slots[id].is_none())
        .filter_map(|(id, span)| span.map(|(first, last)| (id, first, last)))
        .map(|(id, first, last)| (id, Lifetime { bytes: graph.tensors[id].bytes(), first, last }))
        .unzip();
    for (step, (_, task)) in tasks.iter().enumerate() {
        lifetimes.push(Lifetime { bytes: task.scratch, first: step, last: step });
    }
    let (mut slots, end) = plan::assign(&lifetimes, base);
    let scratch = slots.split_off(ids.len());
    (ids.into_iter().zip(slots).collect(), scratch, end)
}
