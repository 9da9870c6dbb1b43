//! From a graph to kernels: shapes worked out, what constants alone decide computed, a kernel for every other operator.
//!
//! Converters leave dimensions open (a batch, a length) and compute shapes from the shapes of tensors. As in LiteRT the
//! inputs' shapes decide: each operator says what shape its outputs have, and the graph is corrected where the file
//! says otherwise. Operators whose inputs are all known run here, once, by the same kernels.

use super::end::End;
use super::{Options, PostProcess, uses};
use crate::arena::{Arena, Operands, Slot, align};
use crate::error::{Error, Result};
use crate::graph::{DType, Graph, Op, TensorId};
use crate::isa::Isa;
use crate::kernels;
use crate::lowering::{Constants, Lower, Lowered, Task, Use};
use crate::threads::Pool;
use std::borrow::Cow;
use std::cell::RefCell;

/// The graph as kernels, before memory is assigned.
pub(crate) struct Lowering {
    /// Node and task, in the order of execution.
    pub(crate) tasks: Vec<(usize, Task)>,
    /// (output, input) pairs that share their bytes, in the order of execution.
    pub(crate) aliases: Vec<(TensorId, TensorId)>,
    pub(crate) outputs: Vec<TensorId>,
    pub(crate) post_process: Option<PostProcess>,
    pub(crate) constants: Constants,
    /// The nodes of the file that the graph's are of, where loops were unrolled.
    pub(crate) origin: Option<Vec<usize>>,
}

/// The graph, its shapes corrected, and its kernels; else every reason against it.
pub(super) fn passes<'g, 'a>(
    graph: Cow<'g, Graph<'a>>,
    constants: Constants,
    options: &Options,
    isa: Isa,
) -> Result<(Cow<'g, Graph<'a>>, Lowering), Vec<Error>> {
    let mut pass = Pass::new(graph, constants, options, isa);
    pass.run()?;
    if pass.corrected {
        // Operators that were fused, or not, by a shape that proved wrong get another chance.
        let Pass { graph, lowering, .. } = pass;
        pass = Pass::new(graph, lowering.constants, options, isa);
        pass.run()?;
    }
    Ok((pass.graph, pass.lowering))
}

/// What `graph` makes of inputs that are `known`, for each output; `None` where it takes more than those.
pub(super) fn evaluate(
    graph: &Graph<'_>,
    known: &[(TensorId, &[u8])],
    options: &Options,
    isa: Isa,
) -> Vec<Option<Vec<u8>>> {
    let mut constants = Constants::default();
    for &(id, bytes) in known {
        constants.insert(id, bytes.to_vec(), graph.tensors[id].dtype);
    }
    let mut pass = Pass::new(Cow::Borrowed(graph), constants, options, isa);
    // What cannot be computed stays unknown.
    let _ = pass.run();
    let of = |&id| pass.lowering.constants.get(&pass.graph, id).map(|(bytes, _)| bytes.to_vec());
    graph.outputs.iter().map(of).collect()
}

/// One walk through the graph.
struct Pass<'g, 'a, 'o> {
    graph: Cow<'g, Graph<'a>>,
    options: &'o Options,
    isa: Isa,
    lowering: Lowering,
    /// Whether a shape of the file was replaced.
    corrected: bool,
    macs: u64,
}

impl<'g, 'a, 'o> Pass<'g, 'a, 'o> {
    fn new(graph: Cow<'g, Graph<'a>>, constants: Constants, options: &'o Options, isa: Isa) -> Self {
        let outputs = graph.outputs.clone();
        let lowering = Lowering {
            tasks: Vec::new(),
            aliases: Vec::new(),
            outputs,
            post_process: None,
            constants,
            origin: None,
        };
        Self { graph, options, isa, lowering, corrected: false, macs: 0 }
    }

    /// # Errors
    /// All that stand in the way. What merely follows from an operator that was refused before is not told.
    fn run(&mut self) -> Result<(), Vec<Error>> {
        let mut problems = Vec::new();
        let mut refused = vec![false; self.graph.tensors.len()];
        self.find_end(&mut problems);
        let (live, uses) = uses::of(&self.graph, &self.lowering.outputs, &self.lowering.constants);
        let mut absorbed = vec![false; self.graph.nodes.len()];
        for index in 0..self.graph.nodes.len() {
            let node = &self.graph.nodes[index];
            let known = node.outputs.iter().all(|&id| self.lowering.constants.is_folded(id));
            let unresolved = matches!(node.op, Op::CallOnce { resolved: false, .. });
            let is_end = matches!(node.op, Op::DetectionPostProcess(_));
            if !unresolved && (known && !node.outputs.is_empty() || is_end || !live[index] || absorbed[index])
            {
                continue;
            }
            let follows = node.inputs.iter().flatten().any(|&id| refused[id]);
            match self.attempt(index, &uses).and_then(|lowered| self.accept(index, lowered)) {
                Ok(later) => later.into_iter().for_each(|node| absorbed[node] = true),
                Err(e @ Error::TooLarge { .. }) => {
                    problems.push(e);
                    return Err(problems);
                }
                Err(e) => {
                    self.graph.nodes[index].outputs.iter().for_each(|&id| refused[id] = true);
                    if !follows || matches!(e, Error::UnsupportedOperator { .. }) {
                        problems.push(e);
                    }
                }
            }
            if follows {
                self.graph.nodes[index].outputs.iter().for_each(|&id| refused[id] = true);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn context<'c>(
        &'c self,
        index: usize,
        uses: &'c [Use],
        computed: &'c RefCell<Option<(TensorId, Vec<usize>)>>,
    ) -> Lower<'c> {
        Lower {
            graph: &self.graph,
            constants: &self.lowering.constants,
            index,
            node: &self.graph.nodes[index],
            uses,
            isa: self.isa,
            threads: self.options.threads(),
            computed,
        }
    }

    /// The outputs end before a post-processing operator.
    fn find_end(&mut self, problems: &mut Vec<Error>) {
        let computed = RefCell::default();
        for (index, node) in self.graph.nodes.iter().enumerate() {
            if let Op::DetectionPostProcess(options) = &node.op {
                match End::before(&self.context(index, &[], &computed), options) {
                    Ok(End { outputs, post_process }) => {
                        (self.lowering.outputs, self.lowering.post_process) = (outputs, post_process);
                        return;
                    }
                    Err(e) => problems.push(e),
                }
            }
        }
    }

    /// The kernel of node `index`, once its outputs have the shapes that it computes.
    fn attempt(&mut self, index: usize, uses: &[Use]) -> Result<Lowered> {
        for _ in 0..=self.graph.nodes[index].outputs.len() {
            let computed = RefCell::default();
            let refusal = match kernels::lower(&self.context(index, uses, &computed)) {
                Ok(lowered) => return Ok(lowered),
                Err(refusal) => refusal,
            };
            let Some((id, shape)) = computed.into_inner() else { return Err(refusal) };
            let size = self.graph.tensors[id].dtype.size().max(1);
            let bytes = shape.iter().try_fold(size, |n, &d| n.checked_mul(d));
            let (needed, limit) = (bytes.map_or(u64::MAX, |n| n as u64), self.options.limits.memory);
            if needed > limit {
                return Err(Error::TooLarge { needed, limit, unit: "bytes of memory" });
            }
            self.graph.to_mut().tensors[id].shape = shape;
            self.corrected = true;
        }
        kernels::lower(&self.context(index, uses, &RefCell::default()))
    }

    /// Notes what node `index` became, or computes it; the later nodes that it stands for.
    fn accept(&mut self, index: usize, lowered: Lowered) -> Result<Vec<usize>> {
        let constants = &self.lowering.constants;
        let is_known = |id: &Option<TensorId>| id.is_none_or(|id| constants.get(&self.graph, id).is_some());
        let inputs = &self.graph.nodes[index].inputs;
        let all_known = !inputs.is_empty() && inputs.iter().all(is_known);
        match lowered {
            Lowered::Known { output, bytes } => self.keep(output, bytes)?,
            Lowered::Alias { input, output } if all_known => {
                let bytes = constants.get(&self.graph, input).map(|(bytes, _)| bytes.to_vec());
                self.keep(output, bytes.unwrap_or_default())?;
            }
            Lowered::Alias { input, output } => self.lowering.aliases.push((output, input)),
            Lowered::Nothing => {}
            Lowered::Task(task) => {
                self.macs = self.macs.saturating_add(task.macs);
                let limit = self.options.limits.macs;
                if self.macs > limit {
                    return Err(Error::TooLarge { needed: self.macs, limit, unit: "multiply-accumulates" });
                }
                let reads_known = task.inputs.iter().all(|&id| is_known(&Some(id)));
                if all_known && reads_known && task.absorbed.is_empty() {
                    self.compute(&task)?;
                    return Ok(Vec::new());
                }
                let absorbed = task.absorbed.clone();
                self.lowering.tasks.push((index, task));
                return Ok(absorbed);
            }
        }
        Ok(Vec::new())
    }

    fn keep(&mut self, id: TensorId, bytes: Vec<u8>) -> Result<()> {
        self.lowering.constants.reserve(bytes.len(), self.options.limits.memory)?;
        self.lowering.constants.insert(id, bytes, self.graph.tensors[id].dtype);
        Ok(())
    }

    /// Runs a task whose inputs are known, and keeps its outputs.
    fn compute(&mut self, task: &Task) -> Result<()> {
        let (graph, constants) = (&self.graph, &self.lowering.constants);
        let mut end = 0usize;
        let mut reserve = |len: usize| {
            let slot = Slot { offset: end, len };
            end = end.saturating_add(align(len));
            slot
        };
        let known = |&id: &TensorId| constants.get(graph, id).map(|(data, dtype)| stored(dtype, data));
        let inputs: Vec<Vec<u8>> = task.inputs.iter().filter_map(known).collect();
        let read: Vec<Slot> = inputs.iter().map(|data| reserve(data.len())).collect();
        let written: Vec<Slot> = task.outputs.iter().map(|&id| reserve(graph.tensors[id].bytes())).collect();
        let scratch = reserve(task.scratch);
        let (needed, limit) = (end as u64, self.options.limits.memory);
        let too_large = |limit| Error::TooLarge { needed, limit, unit: "bytes of memory" };
        if needed > limit {
            return Err(too_large(limit));
        }
        let mut arena = Arena::new(end).map_err(|_| too_large(0))?;
        for (slot, data) in read.iter().zip(&inputs) {
            arena.slot_mut(*slot).copy_from_slice(data);
        }
        let operands = Operands::new(read, written.clone(), scratch)
            .ok_or_else(|| Error::Malformed { what: "an operator of constants overlaps itself".into() })?;
        task.kernel.run(&mut arena.io(&operands), &Pool::new(1));
        let outputs: Vec<_> = task.outputs.iter().copied().zip(written).collect();
        for (id, slot) in outputs {
            // The arena's int8 is its own inverse.
            let bytes = stored(self.graph.tensors[id].dtype, arena.slot(slot));
            self.keep(id, bytes)?;
        }
        Ok(())
    }
}

/// A constant's bytes as the arena holds them.
pub(super) fn stored(dtype: DType, data: &[u8]) -> Vec<u8> {
    match dtype {
        DType::I8 => data.iter().map(|b| b ^ 0x80).collect(),
        _ => data.to_vec(),
    }
}
