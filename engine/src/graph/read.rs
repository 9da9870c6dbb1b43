//! From a file's bytes to a [`Graph`].

use super::flatbuffer::Table;
use super::schema as field;
use super::variables;
use super::{DType, Graph, Node, Op, Quantization, Sparsity, TensorId, TensorInfo, options};
use crate::error::{Error, Result};

/// The schema version that all TFLite files carry.
const VERSION: u32 = 3;
const IDENTIFIER: &[u8] = b"TFL3";

fn malformed(what: String) -> Error {
    Error::Malformed { what }
}

/// The root of a file of the schema that is understood.
pub(super) fn root(bytes: &[u8]) -> Result<Table<'_>> {
    if bytes.get(4..8) != Some(IDENTIFIER) {
        return Err(Error::NotTflite { reason: "it does not carry the identifier TFL3" });
    }
    let model = Table::root(bytes)?;
    let version: u32 = model.scalar(field::model::VERSION, 0)?;
    if version != VERSION {
        return Err(malformed(format!("schema version {version}, expected {VERSION}")));
    }
    Ok(model)
}

pub(super) fn read<'a>(bytes: &'a [u8]) -> Result<Graph<'a>> {
    let model = root(bytes)?;
    let buffers = model
        .tables(field::model::BUFFERS)?
        .iter()
        .map(|b| b.bytes(field::buffer::DATA))
        .collect::<Result<Vec<_>>>()?;
    let subgraphs = model.tables(field::model::SUBGRAPHS)?;
    let main = subgraphs.first().ok_or_else(|| malformed("no subgraph".into()))?;
    let mut budget = Budget::of(bytes);
    let codes = operator_codes(&model)?;
    let mut read = |t: &Table<'a>| subgraph(t, &buffers, &codes, &mut budget);
    let mut graph = Graph {
        metadata: metadata(&model, &buffers)?,
        description: model.string(field::model::DESCRIPTION)?,
        ..read(main)?
    };
    variables::resolve(&mut graph, |index| match subgraphs.get(index) {
        Some(other) if index > 0 => read(other).map(|other| Some((other.tensors, other.nodes))),
        _ => Ok(None),
    })?;
    start_states(&mut graph);
    check_order(&graph)?;
    let mut wanted = called(&graph);
    while let Some(index) = wanted.pop() {
        let Some(other) = subgraphs.get(index).filter(|_| !graph.subgraphs.contains_key(&index)) else {
            continue;
        };
        let other = read(other)?;
        check_order(&other)?;
        wanted.extend(called(&other));
        graph.subgraphs.insert(index, other);
    }
    Ok(graph)
}

/// Converters to float16 write the zeros that a state starts with as a constant and DEQUANTIZE, into the state itself.
/// States start with zeros anyway, and keep their values from run to run, as LiteRT carries out such a node once.
fn start_states(graph: &mut Graph<'_>) {
    for node in graph.nodes.iter_mut().filter(|node| node.op == Op::Dequantize) {
        let (&[Some(from)], &[to]) = (node.inputs.as_slice(), node.outputs.as_slice()) else { continue };
        let zeros = |data: &[u8]| data.iter().all(|&byte| byte == 0);
        let from = &graph.tensors[from];
        if graph.tensors[to].is_variable && from.dtype == DType::F16 && from.data.is_some_and(zeros) {
            node.outputs.clear();
        }
    }
}

/// The subgraphs that loops and branches of `graph` run.
fn called(graph: &Graph<'_>) -> Vec<usize> {
    let of = |node: &Node| match node.op {
        Op::While { condition: a, body: b } | Op::If { then: a, otherwise: b } => vec![a, b],
        _ => Vec::new(),
    };
    graph.nodes.iter().flat_map(of).collect()
}

/// A graph without what belongs to the file.
fn subgraph<'a>(
    t: &Table<'a>,
    buffers: &[&'a [u8]],
    codes: &[(i32, String)],
    budget: &mut Budget,
) -> Result<Graph<'a>> {
    let mut tensors = Vec::new();
    for (id, t) in t.tables(field::subgraph::TENSORS)?.iter().enumerate() {
        let tensor = tensor(id, t, buffers)?;
        let scales = tensor.quantization.as_ref().map_or(0, |q| q.scales.len());
        let sparsity = tensor.sparsity.as_ref().map_or(0, |s| s.len());
        budget.spend(tensor.name.len() + tensor.shape.len() + scales + sparsity)?;
        tensors.push(tensor);
    }
    let mut nodes = Vec::new();
    for (at, t) in t.tables(field::subgraph::OPERATORS)?.iter().enumerate() {
        let node = node(at, t, codes, tensors.len())?;
        budget.spend(node.inputs.len() + node.outputs.len() + node.intermediates.len())?;
        nodes.push(node);
    }
    Ok(Graph {
        inputs: ids(t, field::subgraph::INPUTS, tensors.len(), "graph inputs")?,
        outputs: ids(t, field::subgraph::OUTPUTS, tensors.len(), "graph outputs")?,
        tensors,
        nodes,
        ..Graph::default()
    })
}

/// What may be decoded from a file, in elements. Tables can point to one vector many times over, so
/// that a small file could otherwise ask for any amount of memory.
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { left: bytes.len().saturating_mul(4) }
    }

    pub(super) fn spend(&mut self, elements: usize) -> Result<()> {
        let left = self.left.checked_sub(elements);
        self.left = left.ok_or_else(|| malformed("its tables share more than the file holds".into()))?;
        Ok(())
    }
}

fn operator_codes(model: &Table<'_>) -> Result<Vec<(i32, String)>> {
    let read = |t: &Table<'_>| {
        // Codes above 127 live in the wider field, older files have only the narrow one.
        let narrow: i8 = t.scalar(field::operator_code::DEPRECATED_BUILTIN_CODE, 0)?;
        let wide: i32 = t.scalar(field::operator_code::BUILTIN_CODE, 0)?;
        Ok((wide.max(narrow.into()), t.string(field::operator_code::CUSTOM_CODE)?))
    };
    model.tables(field::model::OPERATOR_CODES)?.iter().map(read).collect()
}

fn tensor<'a>(id: TensorId, t: &Table<'a>, buffers: &[&'a [u8]]) -> Result<TensorInfo<'a>> {
    let name = t.string(field::tensor::NAME)?;
    let complain = |what: String| malformed(format!("tensor {id} \"{name}\": {what}"));
    let shape = t
        .scalars::<i32>(field::tensor::SHAPE)?
        .into_iter()
        // An open dimension, of a batch for example, is taken as one.
        .map(|d| usize::try_from(if d == -1 { 1 } else { d }).map_err(|_| complain(format!("dimension {d}"))))
        .collect::<Result<Vec<_>>>()?;
    let dtype = DType::from_code(t.scalar(field::tensor::TYPE, 0)?);
    let bytes = shape
        .iter()
        .try_fold(dtype.size().max(1), |n, &d| n.checked_mul(d))
        .filter(|&n| n <= isize::MAX as usize)
        .ok_or_else(|| complain("its size overflows".into()))?;
    let sparsity = t
        .table(field::tensor::SPARSITY)?
        .map(|s| Sparsity::read(&s, shape.len()).map(Box::new))
        .transpose()
        .map_err(|e| complain(e.to_string()))?;
    let buffer: u32 = t.scalar(field::tensor::BUFFER, 0)?;
    // Buffer 0 is the empty one, which some writers leave out.
    let data: &[u8] = match buffers.get(buffer as usize) {
        Some(data) => data,
        None if buffer == 0 => &[],
        None => return Err(complain(format!("buffer {buffer} of {}", buffers.len()))),
    };
    if !data.is_empty() && dtype.size() > 0 && sparsity.is_none() && data.len() != bytes {
        return Err(complain(format!("{} bytes of data where its shape takes {bytes}", data.len())));
    }
    let quantization = t
        .table(field::tensor::QUANTIZATION)?
        .map(|q| quantization(&q, &shape))
        .transpose()
        .map_err(|e| complain(e.to_string()))?
        .flatten();
    let is_variable = t.flag(field::tensor::IS_VARIABLE)?;
    let data = (!data.is_empty()).then_some(data);
    Ok(TensorInfo { quantization, data, name, shape, dtype, is_variable, sparsity })
}

fn quantization(q: &Table<'_>, shape: &[usize]) -> Result<Option<Quantization>> {
    let scales = q.scalars::<f32>(field::quantization::SCALE)?;
    if scales.is_empty() {
        return Ok(None);
    }
    if let Some(bad) = scales.iter().find(|s| !s.is_finite() || **s < 0.0) {
        return Err(malformed(format!("quantization scale {bad}")));
    }
    let mut zero_points = q
        .scalars::<i64>(field::quantization::ZERO_POINT)?
        .into_iter()
        .map(|z| i32::try_from(z).map_err(|_| malformed(format!("zero point {z}"))))
        .collect::<Result<Vec<_>>>()?;
    if zero_points.len() <= 1 {
        zero_points.resize(scales.len(), zero_points.first().copied().unwrap_or(0));
    }
    let axis: i32 = q.scalar(field::quantization::QUANTIZED_DIMENSION, 0)?;
    let extent = usize::try_from(axis).ok().and_then(|a| shape.get(a).copied());
    if zero_points.len() != scales.len() || (scales.len() > 1 && extent != Some(scales.len())) {
        return Err(malformed(format!(
            "{} scales and {} zero points along axis {axis} of {shape:?}",
            scales.len(),
            zero_points.len()
        )));
    }
    Ok(Some(Quantization { scales, zero_points, axis: axis as usize }))
}

fn node(at: usize, t: &Table<'_>, codes: &[(i32, String)], tensors: usize) -> Result<Node> {
    let complain = |what: String| malformed(format!("node {at}: {what}"));
    let index: u32 = t.scalar(field::operator::OPCODE_INDEX, 0)?;
    let (code, custom_name) =
        codes.get(index as usize).ok_or_else(|| complain(format!("operator code {index}")))?;
    let op = options::read(
        *code,
        custom_name,
        t.table(field::operator::BUILTIN_OPTIONS)?,
        t.bytes(field::operator::CUSTOM_OPTIONS)?,
    )
    .map_err(|e| complain(e.to_string()))?;
    let inputs = t
        .scalars::<i32>(field::operator::INPUTS)?
        .into_iter()
        .map(|i| match usize::try_from(i) {
            Ok(id) if id < tensors => Ok(Some(id)),
            Err(_) if i == -1 => Ok(None),
            _ => Err(complain(format!("input tensor {i} of {tensors}"))),
        })
        .collect::<Result<Vec<_>>>()?;
    let outputs = ids(t, field::operator::OUTPUTS, tensors, op.name())?;
    let intermediates = ids(t, field::operator::INTERMEDIATES, tensors, op.name())?;
    Ok(Node { op, inputs, outputs, intermediates })
}

pub(super) fn ids(t: &Table<'_>, field: usize, tensors: usize, whose: &str) -> Result<Vec<TensorId>> {
    t.scalars::<i32>(field)?
        .into_iter()
        .map(|i| usize::try_from(i).ok().filter(|&id| id < tensors))
        .map(|id| id.ok_or_else(|| malformed(format!("{whose}: a tensor index outside 0..{tensors}"))))
        .collect()
}

fn metadata<'a>(model: &Table<'a>, buffers: &[&'a [u8]]) -> Result<Vec<(String, &'a [u8])>> {
    let read = |t: &Table<'a>| {
        let buffer: u32 = t.scalar(field::metadata::BUFFER, 0)?;
        let data =
            buffers.get(buffer as usize).ok_or_else(|| malformed(format!("metadata buffer {buffer}")))?;
        Ok((t.string(field::metadata::NAME)?, *data))
    };
    model.tables(field::model::METADATA)?.iter().map(read).collect()
}

/// Every tensor is written once, and before it is read.
fn check_order(graph: &Graph<'_>) -> Result<()> {
    let mut ready: Vec<bool> = graph.tensors.iter().map(|t| t.data.is_some() || t.is_variable).collect();
    for &id in &graph.inputs {
        if std::mem::replace(&mut ready[id], true) {
            return Err(malformed(format!("graph input {id} is a constant, a state or listed twice")));
        }
    }
    for (at, node) in graph.nodes.iter().enumerate() {
        if let Some(id) =
            node.inputs.iter().flatten().find(|&&id| !ready[id] && graph.tensors[id].elements() > 0)
        {
            let op = node.op.label();
            return Err(malformed(format!("node {at} ({op}) reads tensor {id} before it is written")));
        }
        for &id in &node.outputs {
            if std::mem::replace(&mut ready[id], true) {
                return Err(malformed(format!("node {at} writes tensor {id}, which has a value already")));
            }
        }
    }
    match graph.outputs.iter().find(|&&id| !ready[id]) {
        Some(id) => Err(malformed(format!("graph output {id} is never written"))),
        None => Ok(()),
    }
}
