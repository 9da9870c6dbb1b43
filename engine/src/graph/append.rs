//! Puts a classifier behind a model, as one file.
//!
//! What is new (model, subgraph, and the operators, tensors and constants of the head) is written in
//! front of the old file, whose bytes stay as they are: offsets of a flatbuffer point forward, so that
//! the new tables can list the old ones, with every option the converter wrote.

use super::flatbuffer::Table;
use super::schema as field;
use super::{DType, Graph, TensorId};
use crate::error::{Error, Result};

/// Alignment of constants, and of the old file behind the new tables.
const ALIGN: usize = 16;

/// Numbers in the schema that reading needs no names for.
mod code {
    pub(super) const DEQUANTIZE_OF_INT8: i32 = 2;
    pub(super) const FULLY_CONNECTED_OPTIONS: u8 = 8;
    pub(super) const SOFTMAX_OPTIONS: u8 = 9;
    pub(super) const CONCATENATION_OPTIONS: u8 = 10;
    pub(super) const REDUCER_OPTIONS: u8 = 27;
    pub(super) const FLOAT32: u8 = 0;
    pub(super) const INT32: u8 = 2;
    pub(super) const OPERATOR_OPTIONS_TYPE: usize = 3;
    pub(super) const OPERATOR_VERSION: usize = 2;
    pub(super) const BUFFER_OFFSET: usize = 1;
}

/// softmax(W · x + b), where x are the means of some tensors over their positions, side by side.
#[derive(Debug, Clone, Copy)]
pub struct ClassifierHead<'a> {
    /// Tensors of the graph: [1, height, width, channels] or [1, features].
    pub features: &'a [TensorId],
    /// A row of weights for each class.
    pub weights: &'a [f32],
    /// A number for each class.
    pub bias: &'a [f32],
}

/// The .tflite `file` with its outputs replaced by the probabilities of `head`, float32 of shape
/// [1, classes]. Operators that the head does not need are left out; metadata, which described the
/// old outputs, are dropped.
///
/// # Errors
/// [`Error::NotTflite`] and [`Error::Malformed`], of the file, or where the head does not fit it.
pub fn append_classifier(file: &[u8], head: &ClassifierHead<'_>) -> Result<Vec<u8>> {
    let graph = Graph::read(file)?;
    let model = Table::root(file)?;
    let subgraphs = model.tables(field::model::SUBGRAPHS)?;
    let main = subgraphs.first().ok_or_else(|| malformed("no subgraph".into()))?;
    let buffers = model.tables(field::model::BUFFERS)?;
    for buffer in &buffers {
        if buffer.scalar::<u64>(code::BUFFER_OFFSET, 0)? > 1 {
            return Err(malformed(
                "its constants lie behind the flatbuffer, where they cannot be moved".into(),
            ));
        }
    }
    let mut new = Additions::new(&graph, &model, buffers.len())?;
    let output = new.head(&graph, head)?;
    let operators = needed(&graph, head.features);

    let old = |tables: Vec<Table<'_>>| tables.iter().map(Table::offset).collect::<Vec<usize>>();
    let inputs = graph.inputs.iter().map(|&id| id as i32).collect();
    let kept = main.tables(field::subgraph::OPERATORS)?;
    let kept = kept.into_iter().zip(operators).filter(|(_, needed)| *needed).map(|(t, _)| t).collect();
    let subgraph = Node::Table(vec![
        (field::subgraph::TENSORS, Node::Tables(old(main.tables(field::subgraph::TENSORS)?), new.tensors)),
        (field::subgraph::INPUTS, Node::Ints(inputs)),
        (field::subgraph::OUTPUTS, Node::Ints(vec![output as i32])),
        (field::subgraph::OPERATORS, Node::Tables(old(kept), new.operators)),
    ]);
    let codes = old(model.tables(field::model::OPERATOR_CODES)?);
    let root = Node::Table(vec![
        (field::model::VERSION, Node::U32(3)),
        (field::model::OPERATOR_CODES, Node::Tables(codes, new.codes)),
        (field::model::SUBGRAPHS, Node::Tables(Vec::new(), vec![subgraph])),
        (field::model::DESCRIPTION, Node::Text("features and a classifier trained on the device".into())),
        (field::model::BUFFERS, Node::Tables(old(buffers), new.buffers)),
    ]);
    let mut out = Writer { bytes: vec![0, 0, 0, 0, b'T', b'F', b'L', b'3'], old: Vec::new() };
    let at = out.write(&root);
    out.point(0, at);
    Ok(out.finish(file))
}

fn malformed(what: String) -> Error {
    Error::Malformed { what }
}

/// For each operator, whether `features` depend on it.
fn needed(graph: &Graph<'_>, features: &[TensorId]) -> Vec<bool> {
    let mut tensors = vec![false; graph.tensors.len()];
    features.iter().for_each(|&id| tensors[id] = true);
    let mut needed = vec![false; graph.nodes.len()];
    for (node, needed) in graph.nodes.iter().zip(&mut needed).rev() {
        *needed = node.outputs.iter().any(|&id| tensors[id]);
        if *needed {
            node.inputs.iter().flatten().for_each(|&id| tensors[id] = true);
        }
    }
    needed
}

/// Tables that come behind the file's own in its lists.
struct Additions {
    first_tensor: usize,
    first_buffer: usize,
    first_code: usize,
    codes: Vec<Node>,
    tensors: Vec<Node>,
    operators: Vec<Node>,
    buffers: Vec<Node>,
}

impl Additions {
    fn new(graph: &Graph<'_>, model: &Table<'_>, buffers: usize) -> Result<Self> {
        Ok(Self {
            first_tensor: graph.tensors.len(),
            first_buffer: buffers,
            first_code: model.tables(field::model::OPERATOR_CODES)?.len(),
            codes: Vec::new(),
            tensors: Vec::new(),
            operators: Vec::new(),
            buffers: Vec::new(),
        })
    }

    /// Adds the head and gives its output.
    fn head(&mut self, graph: &Graph<'_>, head: &ClassifierHead<'_>) -> Result<usize> {
        let mut pooled = Vec::new();
        let mut width = 0;
        for &id in head.features {
            let tensor =
                graph.tensors.get(id).ok_or_else(|| malformed(format!("there is no tensor {id}")))?;
            let &[1, .., channels] = tensor.shape.as_slice() else {
                return Err(malformed(format!("\"{}\" has shape {:?}", tensor.name, tensor.shape)));
            };
            width += channels;
            pooled.push(self.pooled(id, tensor, channels)?);
        }
        let classes = head.bias.len();
        if width == 0 || classes == 0 || head.weights.len() != width * classes {
            let weights = head.weights.len();
            return Err(malformed(format!("{weights} weights for {width} features and {classes} classes")));
        }
        let features = match pooled.as_slice() {
            [one] => *one,
            _ => {
                let options = Node::Table(vec![(0, Node::U32(1))]);
                let options = Some((code::CONCATENATION_OPTIONS, options));
                self.operator(field::builtin::CONCATENATION, 1, pooled, &[1, width], "features", options)
            }
        };
        let floats = |v: &[f32]| v.iter().flat_map(|f| f.to_le_bytes()).collect();
        let weights = self.constant(code::FLOAT32, &[classes, width], floats(head.weights), "class weights");
        let bias = self.constant(code::FLOAT32, &[classes], floats(head.bias), "class bias");
        let options = Some((code::FULLY_CONNECTED_OPTIONS, Node::Table(Vec::new())));
        let inputs = vec![features, weights, bias];
        let scores =
            self.operator(field::builtin::FULLY_CONNECTED, 1, inputs, &[1, classes], "scores", options);
        let options = Some((code::SOFTMAX_OPTIONS, Node::Table(vec![(0, Node::F32(1.0))])));
        Ok(self.operator(field::builtin::SOFTMAX, 1, vec![scores], &[1, classes], "probabilities", options))
    }

    /// The mean of a tensor over its positions, in float32.
    fn pooled(&mut self, id: TensorId, tensor: &super::TensorInfo<'_>, channels: usize) -> Result<usize> {
        let mut at = id;
        match tensor.dtype {
            DType::F32 => {}
            DType::I8 | DType::U8 => {
                let version = if tensor.dtype == DType::I8 { code::DEQUANTIZE_OF_INT8 } else { 1 };
                at = self.operator(
                    field::builtin::DEQUANTIZE,
                    version,
                    vec![at],
                    &tensor.shape,
                    "real features",
                    None,
                );
            }
            other => {
                return Err(malformed(format!("\"{}\" holds {other}, which is no feature", tensor.name)));
            }
        }
        let axes = tensor.shape.len().saturating_sub(2) as i32;
        if axes > 0 {
            let data = (1..=axes).flat_map(i32::to_le_bytes).collect();
            let axes = self.constant(code::INT32, &[axes as usize], data, "positions");
            let options = Some((code::REDUCER_OPTIONS, Node::Table(Vec::new())));
            at = self.operator(
                field::builtin::MEAN,
                1,
                vec![at, axes],
                &[1, channels],
                "pooled features",
                options,
            );
        }
        Ok(at)
    }

    fn operator(
        &mut self,
        builtin: i32,
        version: i32,
        inputs: Vec<usize>,
        shape: &[usize],
        name: &str,
        options: Option<(u8, Node)>,
    ) -> usize {
        self.codes.push(Node::Table(vec![
            // All of these are below 127, where both fields hold the number.
            (field::operator_code::DEPRECATED_BUILTIN_CODE, Node::U8(builtin as u8)),
            (code::OPERATOR_VERSION, Node::U32(version as u32)),
            (field::operator_code::BUILTIN_CODE, Node::U32(builtin as u32)),
        ]));
        // Buffer 0 is the empty one by the schema.
        let output = self.tensor(code::FLOAT32, shape, 0, name);
        let opcode = self.first_code + self.codes.len() - 1;
        let mut fields = vec![
            (field::operator::OPCODE_INDEX, Node::U32(opcode as u32)),
            (field::operator::INPUTS, Node::Ints(inputs.into_iter().map(|i| i as i32).collect())),
            (field::operator::OUTPUTS, Node::Ints(vec![output as i32])),
        ];
        if let Some((kind, options)) = options {
            fields.push((code::OPERATOR_OPTIONS_TYPE, Node::U8(kind)));
            fields.push((field::operator::BUILTIN_OPTIONS, options));
        }
        self.operators.push(Node::Table(fields));
        output
    }

    fn constant(&mut self, dtype: u8, shape: &[usize], data: Vec<u8>, name: &str) -> usize {
        self.buffers.push(Node::Table(vec![(field::buffer::DATA, Node::Bytes(data))]));
        self.tensor(dtype, shape, self.first_buffer + self.buffers.len() - 1, name)
    }

    fn tensor(&mut self, dtype: u8, shape: &[usize], buffer: usize, name: &str) -> usize {
        self.tensors.push(Node::Table(vec![
            (field::tensor::SHAPE, Node::Ints(shape.iter().map(|&d| d as i32).collect())),
            (field::tensor::TYPE, Node::U8(dtype)),
            (field::tensor::BUFFER, Node::U32(buffer as u32)),
            (field::tensor::NAME, Node::Text(name.into())),
        ]));
        self.first_tensor + self.tensors.len() - 1
    }
}

/// A value of a flatbuffer.
enum Node {
    U8(u8),
    U32(u32),
    F32(f32),
    Text(String),
    Bytes(Vec<u8>),
    Ints(Vec<i32>),
    /// Tables of the old file, by their positions there, and new ones.
    Tables(Vec<usize>, Vec<Node>),
    /// Fields by their position in the schema.
    Table(Vec<(usize, Node)>),
}

/// Writes parents before children, so that all offsets point forward.
struct Writer {
    bytes: Vec<u8>,
    /// Offsets to tables of the old file: where they stand, and the position in the old file.
    old: Vec<(usize, usize)>,
}

impl Writer {
    fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    fn word(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    /// Makes the offset at `from` point to `to`.
    fn point(&mut self, from: usize, to: usize) {
        self.bytes[from..from + 4].copy_from_slice(&((to - from) as u32).to_le_bytes());
    }

    /// Writes what is not stored inline and gives its position.
    fn write(&mut self, node: &Node) -> usize {
        match node {
            Node::Table(fields) => self.table(fields),
            Node::Tables(old, new) => {
                self.align(4);
                let at = self.bytes.len();
                self.word((old.len() + new.len()) as u32);
                for &position in old {
                    self.old.push((self.bytes.len(), position));
                    self.word(0);
                }
                let first = self.bytes.len();
                self.bytes.resize(first + 4 * new.len(), 0);
                for (i, node) in new.iter().enumerate() {
                    let to = self.write(node);
                    self.point(first + 4 * i, to);
                }
                at
            }
            Node::Ints(values) => {
                self.align(4);
                let at = self.bytes.len();
                self.word(values.len() as u32);
                values.iter().for_each(|v| self.word(*v as u32));
                at
            }
            Node::Text(text) => self.vector(text.as_bytes(), 4, true),
            Node::Bytes(data) => self.vector(data, ALIGN, false),
            Node::U8(_) | Node::U32(_) | Node::F32(_) => self.bytes.len(),
        }
    }

    /// Bytes behind their length; the first of them is aligned.
    fn vector(&mut self, data: &[u8], align: usize, terminated: bool) -> usize {
        while !(self.bytes.len() + 4).is_multiple_of(align) {
            self.bytes.push(0);
        }
        let at = self.bytes.len();
        self.word(data.len() as u32);
        self.bytes.extend(data);
        if terminated {
            self.bytes.push(0);
        }
        at
    }

    fn table(&mut self, fields: &[(usize, Node)]) -> usize {
        // Every field takes a word: sizes and alignment then need no thought.
        let slots = fields.iter().map(|(f, _)| f + 1).max().unwrap_or(0);
        self.align(4);
        let vtable = self.bytes.len();
        let vtable_len = 4 + 2 * slots;
        self.bytes.resize(vtable + vtable_len, 0);
        self.align(4);
        let at = self.bytes.len();
        self.word((at - vtable) as u32);
        let mut put = |at: usize, v: usize| {
            self.bytes[at..at + 2].copy_from_slice(&(v as u16).to_le_bytes());
        };
        put(vtable, vtable_len);
        put(vtable + 2, 4 + 4 * fields.len());
        for (i, (field, _)) in fields.iter().enumerate() {
            put(vtable + 4 + 2 * field, 4 + 4 * i);
        }
        for (_, node) in fields {
            match node {
                Node::U8(v) => self.word(u32::from(*v)),
                Node::U32(v) => self.word(*v),
                Node::F32(v) => self.word(v.to_bits()),
                _ => self.word(0),
            }
        }
        for (i, (_, node)) in fields.iter().enumerate() {
            if !matches!(node, Node::U8(_) | Node::U32(_) | Node::F32(_)) {
                let to = self.write(node);
                self.point(at + 4 + 4 * i, to);
            }
        }
        at
    }

    /// The new tables, then the old file.
    fn finish(mut self, file: &[u8]) -> Vec<u8> {
        self.align(ALIGN);
        let start = self.bytes.len();
        for (from, position) in std::mem::take(&mut self.old) {
            self.point(from, start + position);
        }
        self.bytes.extend(file);
        self.bytes
    }
}
