//! Loops and branches that are decided at load, laid out as plain operators.
//!
//! Converters write a recurrent layer as WHILE over its time steps, whose number the shapes tell. Such a loop becomes its
//! body, once for each round; an IF whose condition is known becomes its branch. What depends on the input's values stays,
//! and is refused when it is lowered.

use super::Options;
use super::passes::evaluate;
use crate::error::{Error, Result};
use crate::graph::{DType, Graph, Node, Op, TensorId, TensorInfo};
use crate::isa::Isa;
use std::borrow::Cow;
use std::collections::HashMap;

/// Loops within loops.
const MAX_DEPTH: usize = 4;
/// Tensors and nodes that may be gone through; a round costs those of its graphs.
const MAX_WORK: u64 = 1 << 20;
/// Elements of a value that may decide a loop: counters and shapes.
const MAX_DECISIVE: usize = 8;

/// A graph without the loops and branches that could be decided.
pub(super) struct Unrolled<'g, 'a> {
    pub(super) graph: Cow<'g, Graph<'a>>,
    /// The node of the file that each node is of; `None` where nothing changed.
    pub(super) origin: Option<Vec<usize>>,
}

/// # Errors
/// [`Error::TooLarge`].
pub(super) fn unroll<'g, 'a>(graph: &'g Graph<'a>, options: &Options, isa: Isa) -> Result<Unrolled<'g, 'a>> {
    if !graph.nodes.iter().any(|n| matches!(n.op, Op::While { .. } | Op::If { .. })) {
        return Ok(Unrolled { graph: Cow::Borrowed(graph), origin: None });
    }
    let mut layout = Layout {
        called: graph,
        graph: Graph { nodes: Vec::new(), subgraphs: Default::default(), ..graph.clone() },
        origin: Vec::new(),
        shared: HashMap::new(),
        options,
        isa,
        work: 0,
        repeated: 0,
    };
    for (index, node) in graph.nodes.iter().enumerate() {
        layout.add(node.clone(), index, 0)?;
    }
    Ok(Unrolled { graph: Cow::Owned(layout.graph), origin: Some(layout.origin) })
}

/// The graph in the making.
struct Layout<'g, 'a, 'o> {
    /// Has the subgraphs.
    called: &'g Graph<'a>,
    graph: Graph<'a>,
    origin: Vec<usize>,
    /// Tensors of subgraphs that are the same in every round: constants, and what is computed of them alone.
    shared: HashMap<(usize, TensorId), TensorId>,
    options: &'o Options,
    isa: Isa,
    work: u64,
    /// Bytes of constants that kernels keep for themselves, in every round anew.
    repeated: u64,
}

/// The values of a graph's inputs, where they are known.
type Known = Vec<Option<Vec<u8>>>;

impl<'g, 'a> Layout<'g, 'a, '_> {
    fn add(&mut self, node: Node, origin: usize, depth: usize) -> Result<()> {
        let decided = match node.op {
            Op::While { condition, body } if depth < MAX_DEPTH => {
                self.repeat(&node, condition, body, origin, depth)?
            }
            Op::If { then, otherwise } if depth < MAX_DEPTH => {
                self.choose(&node, then, otherwise, origin, depth)?
            }
            _ => false,
        };
        if !decided {
            self.push(node, origin)?;
        }
        Ok(())
    }

    fn push(&mut self, node: Node, origin: usize) -> Result<()> {
        let (needed, limit) = (self.graph.nodes.len() as u64 + 1, self.options.limits.nodes);
        if needed > limit {
            return Err(Error::TooLarge { needed, limit, unit: "operators" });
        }
        self.graph.nodes.push(node);
        self.origin.push(origin);
        Ok(())
    }

    fn spend(&mut self, graph: &Graph<'_>) -> Result<()> {
        self.work += (graph.tensors.len() + graph.nodes.len() + 1) as u64;
        match self.work > MAX_WORK {
            true => Err(Error::TooLarge { needed: self.work, limit: MAX_WORK, unit: "operators of loops" }),
            false => Ok(()),
        }
    }

    /// A subgraph that takes `inputs` and gives `outputs` values, and keeps no state of its own.
    fn callee(&self, index: usize, inputs: usize, outputs: usize) -> Option<&'g Graph<'a>> {
        let graph = self.called.subgraphs.get(&index)?;
        let fits = graph.inputs.len() == inputs && graph.outputs.len() == outputs;
        let keeps = graph.tensors.iter().any(|t| t.is_variable);
        (fits && !keeps).then_some(graph)
    }

    /// Lays out the rounds of a WHILE; false where their number is not known.
    fn repeat(
        &mut self,
        node: &Node,
        condition: usize,
        body: usize,
        origin: usize,
        depth: usize,
    ) -> Result<bool> {
        let Some(mut values) = node.inputs.iter().copied().collect::<Option<Vec<TensorId>>>() else {
            return Ok(false);
        };
        let count = values.len();
        let (test, round) = (self.callee(condition, count, 1), self.callee(body, count, count));
        let (Some(test), Some(round), true) = (test, round, node.outputs.len() == count) else {
            return Ok(false);
        };
        let Some(rounds) = self.rounds(test, round, self.known(&values))? else { return Ok(false) };
        let constants = round.tensors.iter().filter_map(|t| t.data).map(|d| d.len() as u64).sum::<u64>();
        self.repeated = self.repeated.saturating_add(constants.saturating_mul(rounds));
        let (needed, limit) = (self.repeated, self.options.limits.memory / 4);
        if needed > limit {
            return Err(Error::TooLarge { needed, limit, unit: "bytes of weights in the rounds of a loop" });
        }
        for _ in 0..rounds {
            values = self.call(body, round, &values, origin, depth)?;
        }
        self.give(&values, &node.outputs, origin)?;
        Ok(true)
    }

    /// How many rounds a loop has, where its condition hangs on what is known.
    fn rounds(&mut self, test: &Graph<'a>, round: &Graph<'a>, mut known: Known) -> Result<Option<u64>> {
        let operators = round.nodes.len() as u64;
        let mut decisive: Option<(Vec<bool>, Graph<'a>, Graph<'a>)> = None;
        for rounds in 0.. {
            let given: Vec<bool> = known.iter().map(Option::is_some).collect();
            // What is known changes at most once for each value.
            let (_, test, round) = match &mut decisive {
                Some(same) if same.0 == given => same,
                other => {
                    self.spend(test)?;
                    self.spend(round)?;
                    other.insert((given.clone(), computable(test, &given), computable(round, &given)))
                }
            };
            self.spend(test)?;
            self.spend(round)?;
            match self.outputs(test, &known).pop().flatten().as_deref() {
                None => return Ok(None),
                Some(flag) if flag.iter().all(|&b| b == 0) => return Ok(Some(rounds)),
                Some(_) => known = self.outputs(round, &known),
            }
            let (needed, limit) = ((rounds + 1).saturating_mul(operators), self.options.limits.nodes);
            if needed > limit {
                return Err(Error::TooLarge { needed, limit, unit: "operators" });
            }
        }
        Ok(None)
    }

    /// Lays out the branch of an IF that is taken; false where the condition is not known.
    fn choose(
        &mut self,
        node: &Node,
        then: usize,
        otherwise: usize,
        origin: usize,
        depth: usize,
    ) -> Result<bool> {
        let Some(values) = node.inputs.iter().copied().collect::<Option<Vec<TensorId>>>() else {
            return Ok(false);
        };
        let Some((&condition, values)) = values.split_first() else { return Ok(false) };
        let Some(flag) = self.known(&[condition]).pop().flatten() else { return Ok(false) };
        let taken = if flag.iter().any(|&b| b != 0) { then } else { otherwise };
        let Some(branch) = self.callee(taken, values.len(), node.outputs.len()) else { return Ok(false) };
        let values = self.call(taken, branch, values, origin, depth)?;
        self.give(&values, &node.outputs, origin)?;
        Ok(true)
    }

    /// Appends a subgraph's operators; the tensors that hold its outputs.
    fn call(
        &mut self,
        index: usize,
        callee: &Graph<'a>,
        inputs: &[TensorId],
        origin: usize,
        depth: usize,
    ) -> Result<Vec<TensorId>> {
        self.spend(callee)?;
        let mut places: HashMap<TensorId, TensorId> =
            callee.inputs.iter().copied().zip(inputs.iter().copied()).collect();
        for node in &callee.nodes {
            let operands = node.inputs.iter().map(|i| i.map(|id| self.place(index, callee, id, &mut places)));
            let operands: Vec<Option<TensorId>> = operands.collect();
            let decides = matches!(node.op, Op::While { .. } | Op::If { .. });
            let constant =
                |id: &TensorId| self.shared.contains_key(&(index, *id)) && !callee.inputs.contains(id);
            let same = !decides && !node.inputs.is_empty() && node.inputs.iter().flatten().all(constant);
            if same && node.outputs.iter().all(|&id| self.shared.contains_key(&(index, id))) {
                continue;
            }
            let mut outputs = Vec::with_capacity(node.outputs.len());
            for &id in &node.outputs {
                let place = self.place(index, callee, id, &mut places);
                if same {
                    self.shared.insert((index, id), place);
                }
                outputs.push(place);
            }
            let intermediates =
                node.intermediates.iter().map(|&id| self.place(index, callee, id, &mut places));
            let intermediates = intermediates.collect();
            self.add(
                Node { op: node.op.clone(), inputs: operands, outputs, intermediates },
                origin,
                depth + 1,
            )?;
        }
        Ok(callee.outputs.iter().map(|&id| self.place(index, callee, id, &mut places)).collect())
    }

    /// The tensor that stands for one of a subgraph's: of this call, or of all where it is a constant.
    fn place(
        &mut self,
        index: usize,
        callee: &Graph<'a>,
        id: TensorId,
        places: &mut HashMap<TensorId, TensorId>,
    ) -> TensorId {
        if let Some(&place) = places.get(&id).or_else(|| self.shared.get(&(index, id))) {
            return place;
        }
        let place = self.graph.tensors.len();
        self.graph.tensors.push(callee.tensors[id].clone());
        match callee.tensors[id].data {
            Some(_) => self.shared.insert((index, id), place),
            None => places.insert(id, place),
        };
        place
    }

    /// Lets `outputs` be the tensors that hold `values`.
    fn give(&mut self, values: &[TensorId], outputs: &[TensorId], origin: usize) -> Result<()> {
        for (&value, &output) in values.iter().zip(outputs) {
            let (inputs, outputs) = (vec![Some(value)], vec![output]);
            // DENSIFY of what is dense already: the same bytes by another name.
            self.push(Node { op: Op::Densify, inputs, outputs, intermediates: Vec::new() }, origin)?;
        }
        Ok(())
    }

    /// The values of small whole numbers that the graph so far knows at load.
    fn known(&self, ids: &[TensorId]) -> Known {
        let constant = |&id: &TensorId| {
            let tensor = &self.graph.tensors[id];
            tensor.data.filter(|_| is_decisive(tensor) && !tensor.is_variable).map(<[u8]>::to_vec)
        };
        let mut known: Known = ids.iter().map(constant).collect();
        let open = |i: &usize| known[*i].is_none() && is_decisive(&self.graph.tensors[ids[*i]]);
        let open: Vec<usize> = (0..ids.len()).filter(open).collect();
        if !open.is_empty() {
            let wanted = Graph { outputs: open.iter().map(|&i| ids[i]).collect(), ..self.graph.clone() };
            let none = vec![false; wanted.inputs.len()];
            let computed = self.outputs(&computable(&wanted, &none), &vec![None; none.len()]);
            open.into_iter().zip(computed).for_each(|(i, value)| known[i] = value);
        }
        known
    }

    /// What `graph`, made by [`computable`], gives for `known` inputs.
    fn outputs(&self, graph: &Graph<'a>, known: &Known) -> Known {
        let given: Vec<(TensorId, &[u8])> = graph
            .inputs
            .iter()
            .zip(known)
            .filter_map(|(&id, value)| Some((id, value.as_deref()?)))
            .filter(|(id, value)| graph.tensors[*id].bytes() == value.len())
            .collect();
        evaluate(graph, &given, self.options, self.isa)
    }
}

/// Whether a value is one that loops hang on.
fn is_decisive(t: &TensorInfo<'_>) -> bool {
    matches!(t.dtype, DType::I32 | DType::I64 | DType::Bool) && t.elements() <= MAX_DECISIVE
}

/// The part of `graph` that small whole numbers among its outputs need, and that inputs which are `given` suffice for.
fn computable<'a>(graph: &Graph<'a>, given: &[bool]) -> Graph<'a> {
    let mut known: Vec<bool> = graph.tensors.iter().map(|t| t.data.is_some() && !t.is_variable).collect();
    for (&id, &given) in graph.inputs.iter().zip(given) {
        known[id] = given;
    }
    // SHAPE and RANK know their result without knowing their input.
    let asks = |node: &Node| matches!(node.op, Op::Shape | Op::Rank);
    let mut nodes = Vec::new();
    for node in &graph.nodes {
        if asks(node) || node.inputs.iter().flatten().all(|&id| known[id]) {
            node.outputs.iter().for_each(|&id| known[id] = true);
            nodes.push(node.clone());
        }
    }
    let decisive = |id: &TensorId| is_decisive(&graph.tensors[*id]);
    let mut needed = vec![false; graph.tensors.len()];
    graph.outputs.iter().filter(|id| decisive(id)).for_each(|&id| needed[id] = true);
    let mut live: Vec<bool> = nodes
        .iter()
        .rev()
        .map(|node| {
            let live = node.outputs.iter().any(|&id| needed[id]);
            node.inputs.iter().flatten().for_each(|&id| needed[id] |= live);
            live
        })
        .collect();
    nodes.retain(|_| live.pop().unwrap_or(false));
    let unnamed = |t: &TensorInfo<'a>| TensorInfo { name: String::new(), ..t.clone() };
    Graph {
        tensors: graph.tensors.iter().map(unnamed).collect(),
        nodes,
        inputs: graph.inputs.clone(),
        outputs: graph.outputs.clone(),
        ..Graph::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Activation, Binary};
    use crate::{Program, Session};

    fn tensor(dtype: DType, data: Option<&'static [u8]>) -> TensorInfo<'static> {
        TensorInfo {
            name: String::new(),
            shape: Vec::new(),
            dtype,
            quantization: None,
            data,
            is_variable: false,
            sparsity: None,
        }
    }

    fn node(op: Op, inputs: &[TensorId], outputs: &[TensorId]) -> Node {
        let inputs = inputs.iter().map(|&id| Some(id)).collect();
        Node { op, inputs, outputs: outputs.to_vec(), intermediates: Vec::new() }
    }

    /// x doubled as long as a counter, which starts with `start`, is less than `rounds`.
    fn doubled(start: Option<&'static [u8]>, rounds: &'static [u8]) -> Graph<'static> {
        let (int, float) = (DType::I32, DType::F32);
        let test = Graph {
            tensors: vec![
                tensor(int, None),
                tensor(float, None),
                tensor(int, Some(rounds)),
                tensor(DType::Bool, None),
            ],
            nodes: vec![node(Op::Binary(Binary::Less), &[0, 2], &[3])],
            inputs: vec![0, 1],
            outputs: vec![3],
            ..Graph::default()
        };
        let body = Graph {
            tensors: vec![
                tensor(int, None),
                tensor(float, None),
                tensor(int, Some(&[1, 0, 0, 0])),
                tensor(int, None),
                tensor(float, None),
            ],
            nodes: vec![
                node(Op::Add(Activation::None), &[0, 2], &[3]),
                node(Op::Add(Activation::None), &[1, 1], &[4]),
            ],
            inputs: vec![0, 1],
            outputs: vec![3, 4],
            ..Graph::default()
        };
        let inputs = if start.is_some() { vec![1] } else { vec![0, 1] };
        Graph {
            tensors: vec![tensor(int, start), tensor(float, None), tensor(int, None), tensor(float, None)],
            nodes: vec![node(Op::While { condition: 1, body: 2 }, &[0, 1], &[2, 3])],
            inputs,
            outputs: vec![3],
            subgraphs: [(1, test), (2, body)].into(),
            ..Graph::default()
        }
    }

    #[test]
    fn a_loop_runs_as_often_as_its_counter_says() {
        for (start, result) in [(&[0, 0, 0, 0], 24.0f32), (&[2, 0, 0, 0], 6.0), (&[9, 0, 0, 0], 3.0)] {
            let graph = doubled(Some(start), &[3, 0, 0, 0]);
            let program = Program::compile(&graph, &Options::default()).unwrap();
            assert!(program.steps().all(|step| step.node.is_none_or(|node| node == 0)));
            let mut session = Session::new(program.into()).unwrap();
            session.set_input(0, &3.0f32.to_le_bytes()).unwrap();
            session.run();
            assert_eq!(session.output(0).unwrap(), result.to_le_bytes());
        }
    }

    #[test]
    fn loops_without_an_end_in_sight_are_refused() {
        let endless = doubled(Some(&[0, 0, 0, 0]), &[255, 255, 255, 127]);
        let error = Program::compile(&endless, &Options::default()).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        let open = doubled(None, &[3, 0, 0, 0]);
        let error = Program::compile(&open, &Options::default()).unwrap_err();
        assert!(error.is_unsupported() && error.to_string().contains("WHILE (node 0)"), "{error}");
        let mut missing = doubled(Some(&[0, 0, 0, 0]), &[3, 0, 0, 0]);
        missing.subgraphs.clear();
        assert!(Program::compile(&missing, &Options::default()).unwrap_err().is_unsupported());
    }
}
