//! RNN and UNIDIRECTIONAL_SEQUENCE_RNN in float32: h ← f(W·x + R·h + b). 8-bit weights are widened at load.

use super::math;
use super::weights;
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{Activation, DType};
use crate::lowering::{Kernel, Lower, Lowered, Task};
use crate::threads::Pool;

/// One step, or with `sequence` all steps of [batch, steps, inputs] (or [steps, batch, inputs] if `time_major`).
pub(super) fn lower(
    ctx: &Lower<'_>,
    activation: Activation,
    sequence: bool,
    time_major: bool,
) -> Result<Lowered> {
    let (input, output, state) = (ctx.input(0)?, ctx.output(0)?, ctx.input(4)?);
    let (of_input, of_state) = (ctx.input(1)?, ctx.input(2)?);
    let (batch, steps, inputs) = match *input.shape() {
        [batch, inputs] if !sequence => (batch, 1, inputs),
        [steps, batch, inputs] if sequence && time_major => (batch, steps, inputs),
        [batch, steps, inputs] if sequence => (batch, steps, inputs),
        _ => return Err(ctx.invalid(format!("input of shape {:?}", input.shape()))),
    };
    let &[units, _] = of_input.shape() else {
        return Err(ctx.invalid(format!("weights {:?}", of_input.shape())));
    };
    ctx.ensure(units > 0 && inputs > 0, || format!("weights {:?}", of_input.shape()))?;
    ctx.ensure_shape(of_input, &[units, inputs])?;
    ctx.ensure_shape(of_state, &[units, units])?;
    ctx.ensure_shape(state, &[batch, units])?;
    ctx.ensure(state.info.is_variable, || format!("\"{}\" is not a state", state.info.name))?;
    let mut shape = input.shape().to_vec();
    shape.pop();
    shape.push(units);
    ctx.ensure_shape(output, &shape)?;
    if [input, output, state].iter().any(|t| t.dtype() != DType::F32) {
        return Err(ctx.unsupported_types(&[input, of_input, state, output]));
    }
    let activation = match activation {
        Activation::None => |x| x,
        Activation::Relu => |x: f32| x.max(0.0),
        Activation::ReluN1To1 => |x: f32| x.clamp(-1.0, 1.0),
        Activation::Relu6 => |x: f32| x.clamp(0.0, 6.0),
        Activation::Tanh => |x| math::tanh(x),
        Activation::SignBit => return Err(ctx.unsupported(format!("activation {activation:?}"))),
    };
    // A column of units for each element of input and state.
    let mut columns = vec![0.0; (inputs + units).saturating_mul(units)];
    for (first, matrix) in [(0, of_input), (inputs, of_state)] {
        let width = matrix.shape()[1];
        for (unit, row) in weights::reals(ctx, matrix)?.chunks_exact(width).enumerate() {
            row.iter().enumerate().for_each(|(i, &w)| columns[(first + i) * units + unit] = w);
        }
    }
    let bias = weights::float_bias(ctx, 3, units)?;
    let kernel =
        Rnn { batch, steps, inputs, units, time_major: time_major && sequence, columns, bias, activation };
    let macs = [batch, steps, inputs + units, units].iter().fold(1u64, |n, &d| n.saturating_mul(d as u64));
    Ok(Lowered::Task(Task {
        kernel: Box::new(kernel),
        inputs: vec![input.id],
        outputs: vec![output.id, state.id],
        scratch: 0,
        macs,
        absorbed: Vec::new(),
    }))
}

struct Rnn {
    batch: usize,
    steps: usize,
    inputs: usize,
    units: usize,
    time_major: bool,
    columns: Vec<f32>,
    bias: Vec<f32>,
    activation: fn(f32) -> f32,
}

impl Kernel for Rnn {
    fn name(&self) -> &'static str {
        "portable-f32-rnn"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let units = self.units;
        let input = io.input::<f32>(0);
        let ([output, state], _) = io.outputs_and_scratch::<2>();
        let [output, state] = [output, state].map(bytemuck::cast_slice_mut::<u8, f32>);
        for (b, h) in state.chunks_exact_mut(units).enumerate() {
            for step in 0..self.steps {
                let row = if self.time_major { step * self.batch + b } else { b * self.steps + step };
                let x = &input[row * self.inputs..][..self.inputs];
                let sums = &mut output[row * units..][..units];
                sums.copy_from_slice(&self.bias);
                for (&x, column) in x.iter().chain(h.iter()).zip(self.columns.chunks_exact(units)) {
                    sums.iter_mut().zip(column).for_each(|(sum, &w)| *sum += x * w);
                }
                sums.iter_mut().for_each(|sum| *sum = (self.activation)(*sum));
                h.copy_from_slice(sums);
            }
        }
    }
}
