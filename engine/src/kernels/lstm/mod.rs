//! UNIDIRECTIONAL_SEQUENCE_LSTM: one layer over all time steps, its state kept between runs.
//!
//! | types | rule | differs from LiteRT |
//! | --- | --- | --- |
//! | float32 | float32 | by rounding, about 10⁻⁶ |
//! | float32 with int8 weights (dynamic range) | weights widened at load, float32 | by LiteRT's own rounding of activations to 8 bits, about 1 % |
//! | int8, state int16 | TFLite's integer arithmetic | no |

mod fixed;
mod float;
mod int8;

use crate::error::Result;
use crate::graph::{DType, LstmOptions};
use crate::lowering::{Lower, Lowered, Operand, Task};

/// Positions of the operator's inputs.
mod input {
    pub(super) const INPUT: usize = 0;
    pub(super) const INPUT_WEIGHTS: usize = 1;
    pub(super) const RECURRENT_WEIGHTS: usize = 5;
    pub(super) const CELL_WEIGHTS: usize = 9;
    pub(super) const BIASES: usize = 12;
    pub(super) const PROJECTION_WEIGHTS: usize = 16;
    pub(super) const PROJECTION_BIAS: usize = 17;
    pub(super) const OUTPUT_STATE: usize = 18;
    pub(super) const CELL_STATE: usize = 19;
    pub(super) const LAYER_NORM: usize = 20;
}

/// Gates in the order of the operator's inputs.
const GATES: usize = 4;
const INPUT_GATE: usize = 0;
const FORGET_GATE: usize = 1;
const CELL_GATE: usize = 2;
const OUTPUT_GATE: usize = 3;

/// Longest vector whose 8-bit dot product fits 32 bits with a bias.
const MAX_LEN: usize = 1 << 15;

/// UNIDIRECTIONAL_SEQUENCE_LSTM.
pub(super) fn lower(ctx: &Lower<'_>, options: LstmOptions) -> Result<Lowered> {
    let shape = Shape::of(ctx, options)?;
    if (0..GATES).any(|g| ctx.optional_input(input::LAYER_NORM + g).is_some()) {
        return Err(ctx.unsupported("layer normalization".into()));
    }
    match (ctx.input(input::INPUT)?.dtype(), ctx.output(0)?.dtype()) {
        (DType::F32, DType::F32) => float::lower(ctx, options, shape),
        (DType::I8, DType::I8) => int8::lower(ctx, options, shape),
        _ => Err(ctx.unsupported_types(&[ctx.input(input::INPUT)?, ctx.output(0)?])),
    }
}

/// Extents of the layer.
#[derive(Debug, Clone, Copy)]
struct Shape {
    batch: usize,
    steps: usize,
    time_major: bool,
    inputs: usize,
    cells: usize,
    outputs: usize,
}

impl Shape {
    fn of(ctx: &Lower<'_>, options: LstmOptions) -> Result<Self> {
        let x = ctx.input(input::INPUT)?;
        let &[a, b, inputs] = x.shape() else {
            return Err(ctx.invalid(format!("input of shape {:?}", x.shape())));
        };
        let (steps, batch) = if options.time_major { (a, b) } else { (b, a) };
        let (output_state, cell_state) = (ctx.input(input::OUTPUT_STATE)?, ctx.input(input::CELL_STATE)?);
        let (&[.., outputs], &[.., cells]) = (output_state.shape(), cell_state.shape()) else {
            return Err(ctx.invalid("states without a shape".into()));
        };
        let shape = Self { batch, steps, time_major: options.time_major, inputs, cells, outputs };
        ctx.ensure(inputs > 0 && cells > 0 && outputs > 0, || format!("{shape:?}"))?;
        if inputs.max(cells).max(outputs) > MAX_LEN {
            return Err(ctx.unsupported(format!("{shape:?}")));
        }
        for (state, len) in [(output_state, outputs), (cell_state, cells)] {
            ctx.ensure_shape(state, &[batch, len])?;
            ctx.ensure(state.info.is_variable && state.constant().is_none(), || {
                format!("\"{}\" is no state", state.info.name)
            })?;
        }
        ctx.ensure(output_state.id != cell_state.id, || "one tensor for both states".into())?;
        ctx.ensure_shape(ctx.output(0)?, &[a, b, outputs])?;
        Ok(shape)
    }

    /// The place of time step `step` of batch entry `batch` among all rows.
    fn row(&self, batch: usize, step: usize) -> usize {
        if self.time_major { step * self.batch + batch } else { batch * self.steps + step }
    }

    fn macs(&self) -> u64 {
        let step = GATES * self.cells * (self.inputs + self.outputs);
        (step as u64).saturating_mul(self.steps as u64).saturating_mul(self.batch as u64)
    }

    /// A weight matrix, where it is given.
    fn matrix<'g>(
        &self,
        ctx: &Lower<'g>,
        i: usize,
        rows: usize,
        columns: usize,
    ) -> Result<Option<Operand<'g>>> {
        let Some(weights) = ctx.optional_input(i) else { return Ok(None) };
        ctx.ensure_shape(weights, &[rows, columns])?;
        Ok(Some(weights))
    }
}

/// The task of an LSTM kernel: it writes the output and both states.
fn task(
    ctx: &Lower<'_>,
    kernel: impl crate::lowering::Kernel + 'static,
    shape: Shape,
    scratch: usize,
) -> Result<Lowered> {
    let id = |i: usize| ctx.input(i).map(|t| t.id);
    Ok(Lowered::Task(Task {
        kernel: Box::new(kernel),
        inputs: vec![id(input::INPUT)?],
        outputs: vec![ctx.output(0)?.id, id(input::OUTPUT_STATE)?, id(input::CELL_STATE)?],
        scratch,
        macs: shape.macs(),
        absorbed: Vec::new(),
    }))
}
