//! What a file says of its tensors before anything is done with them: shapes with their open dimensions, raw
//! quantization, names of inputs and outputs. Programs that talk to a model by tensor numbers, as TFLite's own
//! interpreter has its users do, need this beside a [`Graph`](super::Graph), which is about running it.

use super::flatbuffer::Table;
use super::read::{self, Budget};
use super::schema as field;
use super::{DType, TensorId};
use crate::error::{Error, Result};

/// A tensor as it was declared.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredTensor {
    /// Name given by the converter.
    pub name: String,
    /// Extent of each dimension that the file starts with.
    pub shape: Vec<i32>,
    /// The same with -1 for each dimension that is open; empty where the file does not say.
    pub shape_signature: Vec<i32>,
    /// Element type.
    pub dtype: DType,
    /// One scale for each zero point, or none at all.
    pub scales: Vec<f32>,
    /// Zero points, as stored.
    pub zero_points: Vec<i64>,
    /// The axis that several scales run along.
    pub axis: i32,
    /// Whether its content is kept from run to run.
    pub is_variable: bool,
}

/// Names for inputs and outputs, as a program would call them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its own name.
    pub key: String,
    /// Names of inputs, with their tensors.
    pub inputs: Vec<(String, TensorId)>,
    /// Names of outputs, with their tensors.
    pub outputs: Vec<(String, TensorId)>,
    /// Which of the file's graphs it calls.
    pub subgraph: usize,
}

/// What a file declares.
#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// The tensors of each graph; the first graph is the one that runs.
    pub subgraphs: Vec<Vec<DeclaredTensor>>,
    /// Tensors that the caller of the first graph fills.
    pub inputs: Vec<TensorId>,
    /// Tensors that the caller of the first graph reads.
    pub outputs: Vec<TensorId>,
    /// Named ways to call.
    pub signatures: Vec<Signature>,
}

impl Interface {
    /// Reads the declarations in the bytes of a `.tflite` file.
    ///
    /// # Errors
    /// [`Error::NotTflite`], [`Error::Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let model = read::root(bytes)?;
        let subgraphs = model.tables(field::model::SUBGRAPHS)?;
        let Some(main) = subgraphs.first() else {
            return Err(Error::Malformed { what: "no subgraph".into() });
        };
        let mut budget = Budget::of(bytes);
        let mut tensors = Vec::new();
        for subgraph in &subgraphs {
            let listed = subgraph.tables(field::subgraph::TENSORS)?;
            tensors.push(listed.iter().map(|t| declared(t, &mut budget)).collect::<Result<Vec<_>>>()?);
        }
        let counts: Vec<usize> = tensors.iter().map(Vec::len).collect();
        let count = counts.first().copied().unwrap_or(0);
        Ok(Self {
            inputs: read::ids(main, field::subgraph::INPUTS, count, "graph inputs")?,
            outputs: read::ids(main, field::subgraph::OUTPUTS, count, "graph outputs")?,
            signatures: model
                .tables(field::model::SIGNATURES)?
                .iter()
                .map(|t| signature(t, &counts))
                .collect::<Result<Vec<_>>>()?,
            subgraphs: tensors,
        })
    }
}

fn declared(t: &Table<'_>, budget: &mut Budget) -> Result<DeclaredTensor> {
    let quantization = t.table(field::tensor::QUANTIZATION)?;
    let (mut scales, mut zero_points, mut axis) = (Vec::new(), Vec::new(), 0);
    if let Some(q) = quantization {
        scales = q.scalars::<f32>(field::quantization::SCALE)?;
        zero_points = q.scalars::<i64>(field::quantization::ZERO_POINT)?;
        axis = q.scalar(field::quantization::QUANTIZED_DIMENSION, 0)?;
    }
    // One zero point may stand for all, and none for zero.
    if zero_points.len() <= 1 {
        zero_points.resize(scales.len(), zero_points.first().copied().unwrap_or(0));
    }
    let tensor = DeclaredTensor {
        name: t.string(field::tensor::NAME)?,
        shape: t.scalars(field::tensor::SHAPE)?,
        shape_signature: t.scalars(field::tensor::SHAPE_SIGNATURE)?,
        dtype: DType::from_code(t.scalar(field::tensor::TYPE, 0)?),
        scales,
        zero_points,
        axis,
        is_variable: t.flag(field::tensor::IS_VARIABLE)?,
    };
    let numbers = tensor.shape.len() + tensor.shape_signature.len() + tensor.scales.len();
    budget.spend(1 + tensor.name.len() + numbers)?;
    Ok(tensor)
}

fn signature(t: &Table<'_>, counts: &[usize]) -> Result<Signature> {
    let key = t.string(field::signature::KEY)?;
    let subgraph: u32 = t.scalar(field::signature::SUBGRAPH_INDEX, 0)?;
    let count = counts.get(subgraph as usize).copied();
    let named = |f: usize| -> Result<Vec<(String, TensorId)>> {
        let entry = |e: &Table<'_>| {
            let tensor: u32 = e.scalar(field::tensor_map::TENSOR_INDEX, 0)?;
            let name = e.string(field::tensor_map::NAME)?;
            match count.filter(|count| (tensor as usize) < *count) {
                Some(_) => Ok((name, tensor as usize)),
                None => Err(Error::Malformed {
                    what: format!("signature \"{key}\" calls tensor {tensor} of graph {subgraph} \"{name}\""),
                }),
            }
        };
        t.tables(f)?.iter().map(entry).collect()
    };
    let (inputs, outputs) = (named(field::signature::INPUTS)?, named(field::signature::OUTPUTS)?);
    Ok(Signature { key, inputs, outputs, subgraph: subgraph as usize })
}
