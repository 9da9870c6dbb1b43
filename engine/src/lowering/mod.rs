//! What a kernel's constructor sees of the graph, and what it makes of it.

mod constants;

pub(crate) use constants::Constants;

use crate::arena::Io;
use crate::error::{Error, Result};
use crate::graph::{DType, Graph, Node, Op, Quantization, TensorId, TensorInfo};
use crate::isa::Isa;
use crate::threads::Pool;
use std::cell::RefCell;

/// A prepared operator: weights packed, options resolved, ready to run any number of times.
pub(crate) trait Kernel: Send + Sync {
    /// Architecture, types and variant, as in `x86_64-u8i8-avx512vnni`; `osprey info` prints it.
    fn name(&self) -> &str;

    /// Computes the outputs from the inputs. Never allocates, locks or fails.
    fn run(&self, io: &mut Io<'_>, pool: &Pool);
}

/// What an operator becomes.
pub(crate) enum Lowered {
    /// The output is the input's bytes under another shape.
    Alias { input: TensorId, output: TensorId },
    /// A kernel to run.
    Task(Task),
    /// Nothing by itself: the only operator that reads the output does it.
    Nothing,
    /// The output is known at load, whatever the inputs hold: its bytes, little-endian.
    Known { output: TensorId, bytes: Vec<u8> },
}

impl Lowered {
    /// Lets a task stand for later nodes too, whose output it writes in place of its own.
    pub(crate) fn absorbing(mut self, nodes: Vec<usize>, output: TensorId) -> Self {
        if let Self::Task(task) = &mut self {
            task.outputs = vec![output];
            task.absorbed = nodes;
        }
        self
    }
}

/// A kernel and what it reads and writes.
pub(crate) struct Task {
    pub(crate) kernel: Box<dyn Kernel>,
    /// Tensors that the kernel reads from the arena, in the order it expects.
    pub(crate) inputs: Vec<TensorId>,
    /// Tensors that it writes, states included, in the order it expects.
    pub(crate) outputs: Vec<TensorId>,
    /// Bytes of scratch memory.
    pub(crate) scratch: usize,
    /// Multiply-accumulates of one run; zero where that is no measure.
    pub(crate) macs: u64,
    /// Later nodes that the kernel carries out as well.
    pub(crate) absorbed: Vec<usize>,
}

/// Scale and zero point of a value as the arena holds it.
///
/// The arena knows one 8-bit type: unsigned. An int8 value v is held as v + 128 and its zero point
/// moves along, so that int8 and uint8 models take the same kernels and results do not change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine {
    pub(crate) scale: f32,
    pub(crate) zero_point: i32,
}

/// What has to be added to a stored 8-bit value to get the arena's.
pub(crate) const fn u8_offset(dtype: DType) -> i32 {
    match dtype {
        DType::I8 => 128,
        _ => 0,
    }
}

/// Who writes and reads a tensor.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Use {
    /// Nodes that run before it is there: none for inputs. `None` where no node writes it.
    pub(crate) after: Option<usize>,
    /// How many operators and outputs of the program read it.
    pub(crate) readers: usize,
    /// The first node that reads it.
    pub(crate) reader: Option<usize>,
}

/// One node of the graph, while it is turned into a kernel.
#[derive(Clone, Copy)]
pub(crate) struct Lower<'g> {
    pub(crate) graph: &'g Graph<'g>,
    pub(crate) constants: &'g Constants,
    pub(crate) index: usize,
    pub(crate) node: &'g Node,
    pub(crate) uses: &'g [Use],
    pub(crate) isa: Isa,
    pub(crate) threads: usize,
    /// Where [`Lower::ensure_shape`] leaves the shape that an output must have, if the file gives another: files with
    /// dimensions that are computed at run time hold placeholders.
    pub(crate) computed: &'g RefCell<Option<(TensorId, Vec<usize>)>>,
}

/// A tensor as an operand of the node that is lowered.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'g> {
    pub(crate) id: TensorId,
    pub(crate) info: &'g TensorInfo<'g>,
    /// Content and type of a constant, float16 already widened.
    constant: Option<(&'g [u8], DType)>,
}

impl<'g> Operand<'g> {
    pub(crate) fn shape(&self) -> &'g [usize] {
        &self.info.shape
    }

    /// Type of the elements; for a folded constant the type after folding.
    pub(crate) fn dtype(&self) -> DType {
        self.constant.map_or(self.info.dtype, |(_, dtype)| dtype)
    }

    pub(crate) fn elements(&self) -> usize {
        self.info.elements()
    }

    /// Bytes of a constant, little-endian, in the file's type.
    pub(crate) fn constant(&self) -> Option<&'g [u8]> {
        self.constant.map(|(bytes, _)| bytes)
    }
}

impl<'g> Lower<'g> {
    fn operand(&self, id: TensorId) -> Operand<'g> {
        Operand { id, info: &self.graph.tensors[id], constant: self.constants.get(self.graph, id) }
    }

    /// Input `i`, which must be there.
    pub(crate) fn input(&self, i: usize) -> Result<Operand<'g>> {
        self.optional_input(i).ok_or_else(|| self.invalid(format!("input {i} is missing")))
    }

    /// Input `i`, where it is given.
    pub(crate) fn optional_input(&self, i: usize) -> Option<Operand<'g>> {
        self.node.inputs.get(i).copied().flatten().map(|id| self.operand(id))
    }

    /// Output `i`, which must be there.
    pub(crate) fn output(&self, i: usize) -> Result<Operand<'g>> {
        let id = self.node.outputs.get(i).ok_or_else(|| self.invalid(format!("output {i} is missing")))?;
        Ok(self.operand(*id))
    }

    /// The only input and the only output, of a unary operator.
    pub(crate) fn unary(&self) -> Result<(Operand<'g>, Operand<'g>)> {
        Ok((self.input(0)?, self.output(0)?))
    }

    /// The same for node `index`.
    fn of_node(&self, index: usize) -> Self {
        Self { index, node: &self.graph.nodes[index], ..*self }
    }

    /// Whether a tensor has its values before this node runs.
    pub(crate) fn is_ready(&self, id: TensorId) -> bool {
        let constant = self.constants.get(self.graph, id).is_some();
        constant || self.uses[id].after.is_some_and(|nodes| nodes <= self.index)
    }

    /// The node that writes a tensor.
    pub(crate) fn writer(&self, t: Operand<'_>) -> Option<Self> {
        let index = self.uses.get(t.id)?.after?.checked_sub(1)?;
        Some(self.of_node(index))
    }

    /// The node that alone reads output 0, where all else that it reads is there before this node
    /// runs.
    pub(crate) fn only_reader(&self) -> Option<Self> {
        let output = *self.node.outputs.first()?;
        let Use { readers: 1, reader: Some(index), .. } = *self.uses.get(output)? else { return None };
        let reader = self.of_node(index);
        let ready = |&id: &TensorId| id == output || self.is_ready(id);
        (index > self.index && reader.node.inputs.iter().flatten().all(ready)).then_some(reader)
    }

    /// The quantization that holds for the whole tensor, in the arena's terms.
    pub(crate) fn affine(&self, t: Operand<'_>) -> Result<Affine> {
        let (scale, zero_point) =
            t.info.quantization.as_ref().and_then(Quantization::per_tensor).ok_or_else(|| {
                self.unsupported(format!("\"{}\" has no per-tensor quantization", t.info.name))
            })?;
        let zero_point = zero_point.saturating_add(u8_offset(t.info.dtype));
        let in_range = !matches!(t.info.dtype, DType::I8 | DType::U8) || (0..=255).contains(&zero_point);
        if !in_range || scale.is_nan() || scale < 0.0 {
            return Err(
                self.invalid(format!("\"{}\" has scale {scale}, zero point {zero_point}", t.info.name))
            );
        }
        Ok(Affine { scale, zero_point })
    }

    /// A constant of 32- or 64-bit integers, such as axes, paddings and shapes.
    pub(crate) fn integers(&self, t: Operand<'_>) -> Result<Vec<i64>> {
        let bytes = t.constant().ok_or_else(|| {
            self.unsupported(format!("\"{}\" is computed at run time, not a constant", t.info.name))
        })?;
        match t.dtype() {
            DType::I32 => Ok(bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect()),
            DType::I64 => Ok(bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect()),
            other => Err(self.invalid(format!("\"{}\" is {other}, not an integer", t.info.name))),
        }
    }

    /// A constant of float32.
    pub(crate) fn floats(&self, t: Operand<'_>) -> Result<Vec<f32>> {
        match (t.constant(), t.dtype()) {
            (Some(bytes), DType::F32) => {
                Ok(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
            }
            _ => Err(self.unsupported(format!("\"{}\" is not a float32 constant", t.info.name))),
        }
    }

    /// An axis counted from either end, as an index below `rank`.
    pub(crate) fn axis(&self, axis: i64, rank: usize) -> Result<usize> {
        let from_front = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(from_front)
            .ok()
            .filter(|&a| a < rank)
            .ok_or_else(|| self.invalid(format!("axis {axis} of {rank} dimensions")))
    }

    /// Fails unless `condition` holds.
    pub(crate) fn ensure(&self, condition: bool, reason: impl FnOnce() -> String) -> Result<()> {
        if condition { Ok(()) } else { Err(self.invalid(reason())) }
    }

    /// Fails unless the tensor's shape is what the operator computes. For an output of the node the operator is right:
    /// the caller of the lowering corrects the graph and tries again.
    pub(crate) fn ensure_shape(&self, t: Operand<'_>, expected: &[usize]) -> Result<()> {
        if t.shape() != expected && self.node.outputs.contains(&t.id) {
            self.computed.replace(Some((t.id, expected.to_vec())));
        }
        self.ensure(t.shape() == expected, || {
            format!("\"{}\" has shape {:?} where {expected:?} follows", t.info.name, t.shape())
        })
    }

    /// The tensors contradict the operator's definition.
    pub(crate) fn invalid(&self, reason: String) -> Error {
        Error::InvalidOperator { node: self.index, op: self.node.op.name(), reason }
    }

    /// No kernel for the operator at all.
    pub(crate) fn unsupported_operator(&self) -> Error {
        let describe = |id: &Option<TensorId>| match id {
            None => "nothing".to_owned(),
            Some(id) => {
                let t = &self.graph.tensors[*id];
                format!("{} {:?}", t.dtype, t.shape)
            }
        };
        let inputs: Vec<String> = self.node.inputs.iter().map(describe).collect();
        let remedy = match &self.node.op {
            Op::Custom { name } if name.starts_with("Flex") => {
                "it is a TensorFlow operator: convert the model without SELECT_TF_OPS"
            }
            Op::Custom { .. } => "convert the model without custom operators",
            _ => "convert the model without it",
        };
        Error::UnsupportedOperator {
            node: self.index,
            op: self.node.op.label(),
            inputs: inputs.join(", "),
            remedy,
        }
    }

    /// The variant exists in TFLite and has no kernel here.
    pub(crate) fn unsupported(&self, reason: String) -> Error {
        Error::UnsupportedVariant {
            node: self.index,
            op: self.node.op.name(),
            reason,
            remedy: "convert the model with full-integer (int8) or float32 operators, or without this one",
        }
    }

    /// The types of the operands have no kernel here.
    pub(crate) fn unsupported_types(&self, operands: &[Operand<'_>]) -> Error {
        let types: Vec<String> = operands.iter().map(|t| format!("{} {:?}", t.dtype(), t.shape())).collect();
        self.unsupported(format!("no kernel for {}", types.join(" × ")))
    }

    /// A task that reads `inputs` and writes the node's first output.
    pub(crate) fn task(&self, kernel: impl Kernel + 'static, inputs: &[Operand<'_>]) -> Result<Lowered> {
        self.task_with(kernel, inputs, 0, 0)
    }

    /// A task with scratch memory and a count of multiply-accumulates.
    pub(crate) fn task_with(
        &self,
        kernel: impl Kernel + 'static,
        inputs: &[Operand<'_>],
        scratch: usize,
        macs: u64,
    ) -> Result<Lowered> {
        Ok(Lowered::Task(Task {
            kernel: Box::new(kernel),
            inputs: inputs.iter().map(|t| t.id).collect(),
            outputs: self.node.outputs.clone(),
            scratch,
            macs,
            absorbed: Vec::new(),
        }))
    }
}
