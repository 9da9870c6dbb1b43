//! Puts a classifier behind a model, as one file.
//!
//! What is new (model, subgraph, and the operators, tensors and constants of the head) is written in
//! front of the old file, whose bytes stay as they are: offsets of a flatbuffer point forward, so that
//! the new tables can list the old ones, with every option the converter wrote.

use super::flatbuffer::Table;
use super::schema as field;
use super::writer::{Value, Writer};
use super::{DType, Graph, TensorId};
use crate::error::{Error, Result};

/// Numbers in the schema that reading needs no names for.
mod code {
    pub(super) const DEQUANTIZE_OF_INT8: i32 = 2;
    pub(super) const FULLY_CONNECTED_OPTIONS: u8 = 8;
    pub(super) const SOFTMAX_OPTIONS: u8 = 9;
    pub(super) const CONCATENATION_OPTIONS: u8 = 10;
    pub(super) const REDUCER_OPTIONS: u8 = 27;
    pub(super) const FLOAT32: u8 = 0;
    pub(super) const INT32: u8 = 2;
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
        if buffer.scalar::<u64>(field::buffer::OFFSET, 0)? > 1 {
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
    let subgraph = Value::Table(vec![
        (field::subgraph::TENSORS, Value::Tables(old(main.tables(field::subgraph::TENSORS)?), new.tensors)),
        (field::subgraph::INPUTS, Value::Ints(inputs)),
        (field::subgraph::OUTPUTS, Value::Ints(vec![output as i32])),
        (field::subgraph::OPERATORS, Value::Tables(old(kept), new.operators)),
    ]);
    let codes = old(model.tables(field::model::OPERATOR_CODES)?);
    let root = Value::Table(vec![
        (field::model::VERSION, Value::U32(3)),
        (field::model::OPERATOR_CODES, Value::Tables(codes, new.codes)),
        (field::model::SUBGRAPHS, Value::Tables(Vec::new(), vec![subgraph])),
        (field::model::DESCRIPTION, Value::Text("features and a classifier trained on the device".into())),
        (field::model::BUFFERS, Value::Tables(old(buffers), new.buffers)),
    ]);
    Ok(Writer::file(&root).before(file))
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
    codes: Vec<Value<'static>>,
    tensors: Vec<Value<'static>>,
    operators: Vec<Value<'static>>,
    buffers: Vec<Value<'static>>,
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
                let options = Value::Table(vec![(0, Value::U32(1))]);
                let options = Some((code::CONCATENATION_OPTIONS, options));
                self.operator(field::builtin::CONCATENATION, 1, pooled, &[1, width], "features", options)
            }
        };
        let floats = |v: &[f32]| v.iter().flat_map(|f| f.to_le_bytes()).collect();
        let weights = self.constant(code::FLOAT32, &[classes, width], floats(head.weights), "class weights");
        let bias = self.constant(code::FLOAT32, &[classes], floats(head.bias), "class bias");
        let options = Some((code::FULLY_CONNECTED_OPTIONS, Value::Table(Vec::new())));
        let inputs = vec![features, weights, bias];
        let scores =
            self.operator(field::builtin::FULLY_CONNECTED, 1, inputs, &[1, classes], "scores", options);
        let options = Some((code::SOFTMAX_OPTIONS, Value::Table(vec![(0, Value::F32(1.0))])));
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
            let options = Some((code::REDUCER_OPTIONS, Value::Table(Vec::new())));
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
        options: Option<(u8, Value<'static>)>,
    ) -> usize {
        self.codes.push(Value::Table(vec![
            // All of these are below 127, where both fields hold the number.
            (field::operator_code::DEPRECATED_BUILTIN_CODE, Value::U8(builtin as u8)),
            (field::operator_code::VERSION, Value::U32(version as u32)),
            (field::operator_code::BUILTIN_CODE, Value::U32(builtin as u32)),
        ]));
        // Buffer 0 is the empty one by the schema.
        let output = self.tensor(code::FLOAT32, shape, 0, name);
        let opcode = self.first_code + self.codes.len() - 1;
        let mut fields = vec![
            (field::operator::OPCODE_INDEX, Value::U32(opcode as u32)),
            (field::operator::INPUTS, Value::Ints(inputs.into_iter().map(|i| i as i32).collect())),
            (field::operator::OUTPUTS, Value::Ints(vec![output as i32])),
        ];
        if let Some((kind, options)) = options {
            fields.push((field::operator::BUILTIN_OPTIONS_TYPE, Value::U8(kind)));
            fields.push((field::operator::BUILTIN_OPTIONS, options));
        }
        self.operators.push(Value::Table(fields));
        output
    }

    fn constant(&mut self, dtype: u8, shape: &[usize], data: Vec<u8>, name: &str) -> usize {
        self.buffers.push(Value::Table(vec![(field::buffer::DATA, Value::Bytes(data.into()))]));
        self.tensor(dtype, shape, self.first_buffer + self.buffers.len() - 1, name)
    }

    fn tensor(&mut self, dtype: u8, shape: &[usize], buffer: usize, name: &str) -> usize {
        self.tensors.push(Value::Table(vec![
            (field::tensor::SHAPE, Value::Ints(shape.iter().map(|&d| d as i32).collect())),
            (field::tensor::TYPE, Value::U8(dtype)),
            (field::tensor::BUFFER, Value::U32(buffer as u32)),
            (field::tensor::NAME, Value::Text(name.into())),
        ]));
        self.first_tensor + self.tensors.len() - 1
    }
}
