//! A file with another graph in it.
//!
//! Tensors and operators are given anew; an operator may carry on what an old one is and how it is set.
//! Description, metadata and signatures stay. Constants that no tensor holds any more are left out.

use super::flatbuffer::Table;
use super::schema::{self as field, builtin};
use super::writer::{Value, Writer};
use super::{DType, Graph, Interface, Node, Quantization, TensorId, TensorInfo, read};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::collections::HashMap;

/// Offsets of 32 bits reach no further, and LiteRT refuses more.
const MAX_BYTES: usize = i32::MAX as usize;

/// Options that hold a vector of 32-bit numbers, by operator, and in which field.
const VECTORS: [(i32, usize); 3] = [(builtin::RESHAPE, 0), (builtin::SQUEEZE, 0), (builtin::BUCKETIZE, 0)];

/// A tensor of the graph that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTensor<'a> {
    /// Its name.
    pub name: String,
    /// Extent of each dimension.
    pub shape: Vec<usize>,
    /// The tensor of the old graph whose open dimensions it keeps.
    pub like: Option<TensorId>,
    /// Element type.
    pub dtype: DType,
    /// Scales and zero points.
    pub quantization: Option<Quantization>,
    /// The content of a constant, little-endian.
    pub data: Option<Cow<'a, [u8]>>,
    /// State that keeps its content from run to run.
    pub is_variable: bool,
}

/// What an operator of the new graph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewOp {
    /// The old graph's node of this position, with its options.
    Old(usize),
    /// QUANTIZE, or one 8-bit quantization to another.
    Quantize,
    /// DEQUANTIZE.
    Dequantize,
}

/// An operator of the graph that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNode {
    /// What is computed.
    pub op: NewOp,
    /// The least version of the operator that knows the types of its tensors.
    pub version: u32,
    /// Inputs in the operator's order; `None` where an optional one is left out.
    pub inputs: Vec<Option<TensorId>>,
    /// Outputs in the operator's order.
    pub outputs: Vec<TensorId>,
}

/// A graph to be written in place of a file's own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewGraph<'a> {
    /// All tensors; ids index into this.
    pub tensors: Vec<NewTensor<'a>>,
    /// Operators in the order of execution.
    pub nodes: Vec<NewNode>,
    /// In the place of each old input.
    pub inputs: Vec<TensorId>,
    /// In the place of each old output.
    pub outputs: Vec<TensorId>,
}

impl<'a> NewGraph<'a> {
    /// A graph as it is, with the same tensor ids.
    pub fn copy_of(graph: &Graph<'a>) -> Self {
        let tensor = |(id, t): (TensorId, &TensorInfo<'a>)| NewTensor {
            name: t.name.clone(),
            shape: t.shape.clone(),
            like: Some(id),
            dtype: t.dtype,
            quantization: t.quantization.clone(),
            data: t.data.map(Cow::Borrowed),
            is_variable: t.is_variable,
        };
        let node = |(at, n): (usize, &Node)| NewNode {
            op: NewOp::Old(at),
            version: 1,
            inputs: n.inputs.clone(),
            outputs: n.outputs.clone(),
        };
        Self {
            tensors: graph.tensors.iter().enumerate().map(tensor).collect(),
            nodes: graph.nodes.iter().enumerate().map(node).collect(),
            inputs: graph.inputs.clone(),
            outputs: graph.outputs.clone(),
        }
    }

    /// The flatbuffer of `file` with this graph in it. What is packed behind a flatbuffer is not carried over.
    ///
    /// # Errors
    /// [`Error::NotTflite`] and [`Error::Malformed`], of the file or where the graph does not fit it;
    /// [`Error::UnsupportedOperator`] for options that cannot be copied; [`Error::TooLarge`].
    pub fn write_into(&self, file: &[u8]) -> Result<Vec<u8>> {
        let model = read::root(file)?;
        let subgraphs = model.tables(field::model::SUBGRAPHS)?;
        let [main] = subgraphs.as_slice() else {
            let what = format!("it has {} graphs; one can be rewritten", subgraphs.len());
            return Err(Error::Malformed { what });
        };
        let interface = Interface::read(file)?;
        let mut parts =
            Parts { buffers: vec![Value::Table(Vec::new())], codes: Vec::new(), known: HashMap::new() };
        let tensors = self.tensors.iter().map(|t| parts.tensor(t, &interface)).collect::<Result<Vec<_>>>()?;
        let old = Old {
            codes: model.tables(field::model::OPERATOR_CODES)?,
            operators: main.tables(field::subgraph::OPERATORS)?,
        };
        let operators = self.nodes.iter().map(|n| parts.operator(n, &old)).collect::<Result<Vec<_>>>()?;
        let subgraph = Value::Table(vec![
            (field::subgraph::TENSORS, Value::Tables(Vec::new(), tensors)),
            (field::subgraph::INPUTS, ids(&self.inputs)),
            (field::subgraph::OUTPUTS, ids(&self.outputs)),
            (field::subgraph::OPERATORS, Value::Tables(Vec::new(), operators)),
        ]);
        let metadata = parts.metadata(&model)?;
        let root = Value::Table(vec![
            (field::model::VERSION, Value::U32(model.scalar(field::model::VERSION, 0)?)),
            (field::model::OPERATOR_CODES, Value::Tables(Vec::new(), parts.codes)),
            (field::model::SUBGRAPHS, Value::Tables(Vec::new(), vec![subgraph])),
            (field::model::DESCRIPTION, Value::Text(model.string(field::model::DESCRIPTION)?)),
            (field::model::BUFFERS, Value::Tables(Vec::new(), parts.buffers)),
            (field::model::METADATA, Value::Tables(Vec::new(), metadata)),
            (field::model::SIGNATURES, Value::Tables(Vec::new(), self.signatures(&interface)?)),
        ]);
        let bytes = Writer::file(&root).before(&[]);
        match bytes.len() {
            0..=MAX_BYTES => Ok(bytes),
            n => Err(Error::TooLarge { needed: n as u64, limit: MAX_BYTES as u64, unit: "bytes of file" }),
        }
    }

    fn signatures(&self, interface: &Interface) -> Result<Vec<Value<'static>>> {
        let map = |names: &[(String, TensorId)], old: &[TensorId], new: &[TensorId]| {
            let entry = |(name, id): &(String, TensorId)| {
                let at = old.iter().position(|o| o == id);
                let tensor = at.and_then(|at| new.get(at)).ok_or_else(|| Error::Malformed {
                    what: format!("its signature names \"{name}\", which is no input or output"),
                })?;
                Ok(Value::Table(vec![
                    (field::tensor_map::NAME, Value::Text(name.clone())),
                    (field::tensor_map::TENSOR_INDEX, Value::U32(*tensor as u32)),
                ]))
            };
            let entries: Result<Vec<_>> = names.iter().map(entry).collect();
            entries.map(|entries| Value::Tables(Vec::new(), entries))
        };
        let signature = |s: &super::Signature| {
            Ok(Value::Table(vec![
                (field::signature::INPUTS, map(&s.inputs, &interface.inputs, &self.inputs)?),
                (field::signature::OUTPUTS, map(&s.outputs, &interface.outputs, &self.outputs)?),
                (field::signature::KEY, Value::Text(s.key.clone())),
                (field::signature::SUBGRAPH_INDEX, Value::U32(0)),
            ]))
        };
        interface.signatures.iter().map(signature).collect()
    }
}

/// Tables of the old file.
struct Old<'a> {
    codes: Vec<Table<'a>>,
    operators: Vec<Table<'a>>,
}

/// Lists that tensors and operators point into.
struct Parts<'a> {
    buffers: Vec<Value<'a>>,
    codes: Vec<Value<'a>>,
    /// Position in `codes` by operator, its own name and its version.
    known: HashMap<(i32, String, u32), usize>,
}

impl<'a> Parts<'a> {
    fn buffer(&mut self, data: Cow<'a, [u8]>) -> usize {
        self.buffers.push(Value::Table(vec![(field::buffer::DATA, Value::Bytes(data))]));
        self.buffers.len() - 1
    }

    fn tensor<'s: 'a>(&mut self, tensor: &'s NewTensor<'_>, interface: &Interface) -> Result<Value<'a>> {
        // Buffer 0 is the empty one by the schema.
        let buffer = tensor.data.as_deref().map_or(0, |data| self.buffer(Cow::Borrowed(data)));
        let shape = tensor.shape.iter().map(|&d| d as i32).collect();
        let mut fields = vec![
            (field::tensor::SHAPE, Value::Ints(shape)),
            (field::tensor::TYPE, Value::U8(tensor.dtype.code() as u8)),
            (field::tensor::BUFFER, Value::U32(buffer as u32)),
            (field::tensor::NAME, Value::Text(tensor.name.clone())),
        ];
        if let Some(q) = &tensor.quantization {
            fields.push((
                field::tensor::QUANTIZATION,
                Value::Table(vec![
                    (field::quantization::SCALE, Value::Floats(q.scales.clone())),
                    (
                        field::quantization::ZERO_POINT,
                        Value::Longs(q.zero_points.iter().map(|&z| z.into()).collect()),
                    ),
                    (field::quantization::QUANTIZED_DIMENSION, Value::U32(q.axis as u32)),
                ]),
            ));
        }
        if tensor.is_variable {
            fields.push((field::tensor::IS_VARIABLE, Value::U8(1)));
        }
        let declared = tensor.like.and_then(|id| interface.subgraphs.first()?.get(id));
        if let Some(open) = declared.map(|d| &d.shape_signature).filter(|s| s.len() == tensor.shape.len()) {
            fields.push((field::tensor::SHAPE_SIGNATURE, Value::Ints(open.clone())));
        }
        // Of rank 0, rather than of a rank nobody knows.
        fields.push((field::tensor::HAS_RANK, Value::U8(1)));
        Ok(Value::Table(fields))
    }

    fn code(&mut self, code: i32, custom: String, version: u32) -> usize {
        let key = (code, custom, version);
        if let Some(&at) = self.known.get(&key) {
            return at;
        }
        let (code, custom, version) = &key;
        let mut fields = vec![
            (field::operator_code::DEPRECATED_BUILTIN_CODE, Value::U8((*code).clamp(0, 127) as u8)),
            (field::operator_code::VERSION, Value::U32(*version)),
            (field::operator_code::BUILTIN_CODE, Value::U32(*code as u32)),
        ];
        if !custom.is_empty() {
            fields.push((field::operator_code::CUSTOM_CODE, Value::Text(custom.clone())));
        }
        self.codes.push(Value::Table(fields));
        self.known.insert(key, self.codes.len() - 1);
        self.codes.len() - 1
    }

    fn operator(&mut self, node: &NewNode, old: &Old<'a>) -> Result<Value<'a>> {
        let inputs = node.inputs.iter().map(|i| i.map_or(-1, |id| id as i32)).collect();
        let mut fields = vec![
            (field::operator::INPUTS, Value::Ints(inputs)),
            (field::operator::OUTPUTS, ids(&node.outputs)),
        ];
        let code = match node.op {
            NewOp::Quantize => self.code(builtin::QUANTIZE, String::new(), node.version),
            NewOp::Dequantize => self.code(builtin::DEQUANTIZE, String::new(), node.version),
            NewOp::Old(at) => {
                let missing = || Error::Malformed { what: format!("there is no node {at}") };
                let operator = old.operators.get(at).ok_or_else(missing)?;
                let index: u32 = operator.scalar(field::operator::OPCODE_INDEX, 0)?;
                let code = old.codes.get(index as usize).ok_or_else(missing)?;
                let narrow: i8 = code.scalar(field::operator_code::DEPRECATED_BUILTIN_CODE, 0)?;
                let builtin = code.scalar(field::operator_code::BUILTIN_CODE, 0)?.max(i32::from(narrow));
                fields.extend(options(at, builtin, operator)?);
                let version = code.scalar(field::operator_code::VERSION, 1u32)?.max(node.version);
                self.code(builtin, code.string(field::operator_code::CUSTOM_CODE)?, version)
            }
        };
        fields.push((field::operator::OPCODE_INDEX, Value::U32(code as u32)));
        Ok(Value::Table(fields))
    }

    fn metadata(&mut self, model: &Table<'a>) -> Result<Vec<Value<'a>>> {
        let buffers = model.tables(field::model::BUFFERS)?;
        let mut entries = Vec::new();
        for entry in model.tables(field::model::METADATA)? {
            let name = entry.string(field::metadata::NAME)?;
            let index: u32 = entry.scalar(field::metadata::BUFFER, 0)?;
            let buffer = buffers.get(index as usize);
            let buffer = buffer
                .ok_or_else(|| Error::Malformed { what: format!("metadata \"{name}\" have no buffer") })?;
            let at = self.buffer(Cow::Borrowed(buffer.bytes(field::buffer::DATA)?));
            entries.push(Value::Table(vec![
                (field::metadata::NAME, Value::Text(name)),
                (field::metadata::BUFFER, Value::U32(at as u32)),
            ]));
        }
        Ok(entries)
    }
}

/// The fields of an operator that say how it is set.
fn options<'a>(at: usize, builtin: i32, operator: &Table<'a>) -> Result<Vec<(usize, Value<'a>)>> {
    let refused = || Error::UnsupportedOperator {
        node: at,
        op: super::names::builtin(builtin).unwrap_or("an operator of a later schema").into(),
        inputs: String::new(),
        remedy: "its options cannot be copied; convert the model without it",
    };
    let has_names = builtin == builtin::VAR_HANDLE;
    let has_intermediates = !operator.scalars::<i32>(field::operator::INTERMEDIATES)?.is_empty();
    if has_names || has_intermediates || operator.table(field::operator::BUILTIN_OPTIONS_2)?.is_some() {
        return Err(refused());
    }
    let mut fields = Vec::new();
    if let Some(table) = operator.table(field::operator::BUILTIN_OPTIONS)? {
        let mut children = Vec::new();
        for (_, vector) in VECTORS.iter().filter(|(code, _)| *code == builtin) {
            children.push((*vector, Value::Ints(table.scalars::<i32>(*vector)?)));
        }
        let kind: u8 = operator.scalar(field::operator::BUILTIN_OPTIONS_TYPE, 0)?;
        fields.push((field::operator::BUILTIN_OPTIONS_TYPE, Value::U8(kind)));
        fields.push((field::operator::BUILTIN_OPTIONS, Value::Copied(table.inline()?, children)));
    }
    let custom = operator.bytes(field::operator::CUSTOM_OPTIONS)?;
    if !custom.is_empty() {
        fields.push((field::operator::CUSTOM_OPTIONS, Value::Bytes(Cow::Borrowed(custom))));
    }
    Ok(fields)
}

fn ids(ids: &[TensorId]) -> Value<'static> {
    Value::Ints(ids.iter().map(|&id| id as i32).collect())
}
