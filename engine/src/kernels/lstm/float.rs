//! The float32 layer, with optional coupled gates, peepholes and projection (Sak et al.,
//! arXiv:1402.1128).

use super::{CELL_GATE, FORGET_GATE, GATES, INPUT_GATE, OUTPUT_GATE, Shape, input, task};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{Activation, DType, LstmOptions};
use crate::kernels::math;
use crate::kernels::weights::reals;
use crate::lowering::{Kernel, Lower, Lowered};
use crate::threads::Pool;

pub(super) fn lower(ctx: &Lower<'_>, options: LstmOptions, shape: Shape) -> Result<Lowered> {
    let states = [ctx.input(input::OUTPUT_STATE)?, ctx.input(input::CELL_STATE)?];
    if states.iter().any(|s| s.dtype() != DType::F32) {
        return Err(ctx.unsupported_types(&states));
    }
    let activation = match options.activation {
        Activation::None => |x| x,
        Activation::Relu => |x: f32| x.max(0.0),
        Activation::Relu6 => |x: f32| x.clamp(0.0, 6.0),
        Activation::Tanh => |x| math::tanh(x),
        other => return Err(ctx.unsupported(format!("activation {other:?}"))),
    };
    let coupled = ctx.optional_input(input::INPUT_WEIGHTS).is_none();
    let mut gates = Gates {
        weights: vec![0.0; (shape.inputs + shape.outputs) * GATES * shape.cells],
        bias: vec![0.0; GATES * shape.cells],
    };
    for gate in 0..GATES {
        if gate == INPUT_GATE && coupled {
            continue;
        }
        let missing = || ctx.invalid(format!("weights of gate {gate} are missing"));
        let of_input = shape.matrix(ctx, input::INPUT_WEIGHTS + gate, shape.cells, shape.inputs)?;
        let of_output = shape.matrix(ctx, input::RECURRENT_WEIGHTS + gate, shape.cells, shape.outputs)?;
        gates.pack(shape, gate, 0, &reals(ctx, of_input.ok_or_else(missing)?)?);
        gates.pack(shape, gate, shape.inputs, &reals(ctx, of_output.ok_or_else(missing)?)?);
        if let Some(bias) = vector(ctx, input::BIASES + gate, shape.cells)? {
            gates.bias[gate * shape.cells..][..shape.cells].copy_from_slice(&bias);
        }
    }
    let projection = match shape.matrix(ctx, input::PROJECTION_WEIGHTS, shape.outputs, shape.cells)? {
        Some(weights) => Some(Projection {
            weights: reals(ctx, weights)?,
            bias: vector(ctx, input::PROJECTION_BIAS, shape.outputs)?,
        }),
        None => {
            ctx.ensure(shape.cells == shape.outputs, || format!("no projection, {shape:?}"))?;
            None
        }
    };
    let peephole = |gate| vector(ctx, input::CELL_WEIGHTS + gate, shape.cells);
    let kernel = LstmF32 {
        shape,
        coupled,
        activation,
        gates,
        peepholes: [peephole(0)?, peephole(1)?, peephole(2)?],
        projection,
        cell_clip: clip(options.cell_clip),
        projection_clip: clip(options.projection_clip),
    };
    let scratch = (GATES + 1) * shape.cells * size_of::<f32>();
    task(ctx, kernel, shape, scratch)
}

/// Zero, or anything that is no positive number, means no limit.
fn clip(limit: f32) -> f32 {
    if limit > 0.0 { limit } else { f32::INFINITY }
}

fn vector(ctx: &Lower<'_>, i: usize, len: usize) -> Result<Option<Vec<f32>>> {
    let Some(t) = ctx.optional_input(i) else { return Ok(None) };
    ctx.ensure_shape(t, &[len])?;
    reals(ctx, t).map(Some)
}

/// Weights of all gates, a row for each element of input and output state, in it all gates' cells
/// side by side, so that the inner loop runs over cells.
struct Gates {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Gates {
    fn pack(&mut self, shape: Shape, gate: usize, first_row: usize, matrix: &[f32]) {
        let columns = matrix.len() / shape.cells;
        for (cell, weights) in matrix.chunks_exact(columns).enumerate() {
            for (i, &w) in weights.iter().enumerate() {
                self.weights[((first_row + i) * GATES + gate) * shape.cells + cell] = w;
            }
        }
    }
}

struct Projection {
    weights: Vec<f32>,
    bias: Option<Vec<f32>>,
}

struct LstmF32 {
    shape: Shape,
    /// The input gate is one minus the forget gate.
    coupled: bool,
    activation: fn(f32) -> f32,
    gates: Gates,
    /// Weights of the cell state in input, forget and output gate.
    peepholes: [Option<Vec<f32>>; 3],
    projection: Option<Projection>,
    cell_clip: f32,
    projection_clip: f32,
}

impl LstmF32 {
    fn add_peephole(&self, which: usize, sums: &mut [f32], cell: &[f32]) {
        if let Some(weights) = &self.peepholes[which] {
            for ((sum, &w), &c) in sums.iter_mut().zip(weights).zip(cell) {
                *sum += w * c;
            }
        }
    }

    fn step(&self, x: &[f32], h: &mut [f32], cell: &mut [f32], scratch: &mut [f32]) {
        let n = self.shape.cells;
        let (sums, hidden) = scratch.split_at_mut(GATES * n);
        sums.copy_from_slice(&self.gates.bias);
        for (&x, row) in x.iter().chain(h.iter()).zip(self.gates.weights.chunks_exact(GATES * n)) {
            sums.iter_mut().zip(row).for_each(|(sum, &w)| *sum += x * w);
        }
        self.add_peephole(0, &mut sums[INPUT_GATE * n..][..n], cell);
        self.add_peephole(1, &mut sums[FORGET_GATE * n..][..n], cell);
        for i in 0..n {
            let forget = math::logistic(sums[FORGET_GATE * n + i]);
            let input = if self.coupled { 1.0 - forget } else { math::logistic(sums[INPUT_GATE * n + i]) };
            let new = forget * cell[i] + input * (self.activation)(sums[CELL_GATE * n + i]);
            cell[i] = new.max(-self.cell_clip).min(self.cell_clip);
        }
        self.add_peephole(2, &mut sums[OUTPUT_GATE * n..][..n], cell);
        for i in 0..n {
            hidden[i] = math::logistic(sums[OUTPUT_GATE * n + i]) * (self.activation)(cell[i]);
        }
        match &self.projection {
            None => h.copy_from_slice(hidden),
            Some(p) => {
                for (o, (h, row)) in h.iter_mut().zip(p.weights.chunks_exact(n)).enumerate() {
                    let bias = p.bias.as_ref().map_or(0.0, |b| b[o]);
                    let sum = bias + row.iter().zip(hidden.iter()).map(|(w, x)| w * x).sum::<f32>();
                    *h = sum.max(-self.projection_clip).min(self.projection_clip);
                }
            }
        }
    }
}

impl Kernel for LstmF32 {
    fn name(&self) -> &'static str {
        "portable-f32-lstm"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let Shape { batch, steps, inputs, outputs, cells, .. } = self.shape;
        let input = io.input::<f32>(0);
        let ([output, h, cell], scratch) = io.outputs_and_scratch::<3>();
        let [output, h, cell] = [output, h, cell].map(bytemuck::cast_slice_mut::<u8, f32>);
        let scratch = bytemuck::cast_slice_mut::<u8, f32>(scratch);
        for b in 0..batch {
            let h = &mut h[b * outputs..][..outputs];
            let cell = &mut cell[b * cells..][..cells];
            for step in 0..steps {
                let row = self.shape.row(b, step);
                self.step(&input[row * inputs..][..inputs], h, cell, scratch);
                output[row * outputs..][..outputs].copy_from_slice(h);
            }
        }
    }
}
