//! The int8 layer with an int16 cell state: TFLite's integer arithmetic. Gates are 16-bit numbers
//! with three integer bits before their activation and fractions of 15 bits behind it.

use super::fixed;
use super::{CELL_GATE, FORGET_GATE, GATES, INPUT_GATE, OUTPUT_GATE, Shape, input, task};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{DType, LstmOptions, Quantization};
use crate::kernels::fixed_point::{Multiplier, divide_by_power_of_two};
use crate::lowering::{Affine, Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;

/// Scale of a gate's sum before its activation.
const GATE_SCALE: f32 = 1.0 / 4096.0;

pub(super) fn lower(ctx: &Lower<'_>, options: LstmOptions, shape: Shape) -> Result<Lowered> {
    let (x, h, cell) =
        (ctx.input(input::INPUT)?, ctx.input(input::OUTPUT_STATE)?, ctx.input(input::CELL_STATE)?);
    if (h.dtype(), cell.dtype()) != (DType::I8, DType::I16) {
        return Err(ctx.unsupported_types(&[x, h, cell]));
    }
    let extras =
        (0..3).map(|i| input::CELL_WEIGHTS + i).chain([input::PROJECTION_WEIGHTS, input::PROJECTION_BIAS]);
    if extras.into_iter().any(|i| ctx.optional_input(i).is_some()) {
        return Err(ctx.unsupported("peepholes or projection in an int8 layer".into()));
    }
    ctx.ensure(shape.cells == shape.outputs, || format!("no projection, {shape:?}"))?;
    // The output is a copy of the state's bytes, whatever scale the file gives it, as in LiteRT.
    let (from, state) = (ctx.affine(x)?, ctx.affine(h)?);
    let coupled = ctx.optional_input(input::INPUT_WEIGHTS).is_none();
    let mut gates = Vec::with_capacity(GATES);
    for gate in 0..GATES {
        let skip = gate == INPUT_GATE && coupled;
        gates.push(if skip { None } else { Some(Gate::new(ctx, shape, gate, from, state)?) });
    }
    let cell_affine = ctx.affine(cell)?;
    let log2 = cell_affine.scale.log2().round();
    let state_bits = 15 + log2 as i32;
    let is_power = (cell_affine.scale.log2() - log2).abs() < 1e-3 && cell_affine.zero_point == 0;
    if !is_power || !(0..=6).contains(&state_bits) {
        return Err(ctx.unsupported(format!("a cell state in steps of {}", cell_affine.scale)));
    }
    let hidden = hidden_quantization(ctx).unwrap_or(state);
    let unit = f64::from(2f32.powi(-15));
    let clip = options.cell_clip / cell_affine.scale;
    let kernel = LstmI8 {
        shape,
        gates,
        state_bits: state_bits as u32,
        hidden_factor: Multiplier::new(f64::from((unit / f64::from(hidden.scale) * unit) as f32)),
        hidden_zero: hidden.zero_point,
        state_zero: state.zero_point,
        input_zero: from.zero_point,
        cell_range: if clip > 0.0 { (-(clip as i16), clip as i16) } else { (i16::MIN, i16::MAX) },
    };
    let scratch = shape.cells * (size_of::<i32>() + GATES * size_of::<i16>());
    task(ctx, kernel, shape, scratch)
}

/// Quantization of the cell's output, which converters keep beside the operator.
fn hidden_quantization(ctx: &Lower<'_>) -> Option<Affine> {
    let hidden = &ctx.graph.tensors[*ctx.node.intermediates.get(4)?];
    let (scale, zero_point) = hidden.quantization.as_ref().and_then(Quantization::per_tensor)?;
    let zero_point = zero_point.checked_add(128).filter(|z| (0..=255).contains(z))?;
    (scale > 0.0).then_some(Affine { scale, zero_point })
}

/// Weights of one gate for one operand, transposed: a row of cells for each element.
struct Product {
    weights: Vec<i8>,
    factor: Multiplier,
}

struct Gate {
    bias: Vec<i32>,
    input: Product,
    output: Product,
}

impl Gate {
    fn new(ctx: &Lower<'_>, shape: Shape, gate: usize, from: Affine, state: Affine) -> Result<Self> {
        let missing = || ctx.invalid(format!("weights of gate {gate} are missing"));
        let input = shape.matrix(ctx, input::INPUT_WEIGHTS + gate, shape.cells, shape.inputs)?;
        let output = shape.matrix(ctx, input::RECURRENT_WEIGHTS + gate, shape.cells, shape.outputs)?;
        let bias = match ctx.optional_input(input::BIASES + gate) {
            None => vec![0; shape.cells],
            Some(bias) => {
                ctx.ensure_shape(bias, &[shape.cells])?;
                ctx.ensure(bias.dtype() == DType::I32, || format!("bias of {}", bias.dtype()))?;
                // Twice as large a sum is far beyond a gate's 16 bits, and cannot overflow 32.
                ctx.integers(bias)?.into_iter().map(|b| b.clamp(-(1 << 30), 1 << 30) as i32).collect()
            }
        };
        Ok(Self {
            bias,
            input: Product::new(ctx, shape, input.ok_or_else(missing)?, from)?,
            output: Product::new(ctx, shape, output.ok_or_else(missing)?, state)?,
        })
    }
}

impl Product {
    fn new(ctx: &Lower<'_>, shape: Shape, weights: Operand<'_>, operand: Affine) -> Result<Self> {
        let (scale, data) = match (ctx.affine(weights)?, weights.constant(), weights.dtype()) {
            (Affine { scale, zero_point: 128 }, Some(data), DType::I8) => (scale, data),
            _ => {
                return Err(ctx.unsupported(format!("\"{}\" as weights of an int8 layer", weights.info.name)));
            }
        };
        let columns = data.len() / shape.cells;
        let transposed =
            (0..columns).flat_map(|j| (0..shape.cells).map(move |i| data[i * columns + j] as i8));
        let factor = Multiplier::new(f64::from(scale * operand.scale / GATE_SCALE));
        Ok(Self { weights: transposed.collect(), factor })
    }

    /// `sums` plus the weights times `x`, whose zero is `zero`.
    fn accumulate(&self, x: &[u8], zero: i32, sums: &mut [i32]) {
        for (&x, row) in x.iter().zip(self.weights.chunks_exact(sums.len())) {
            let x = i32::from(x) - zero;
            sums.iter_mut().zip(row).for_each(|(sum, &w)| *sum += x * i32::from(w));
        }
    }
}

struct LstmI8 {
    shape: Shape,
    /// The input gate is missing where it is one minus the forget gate.
    gates: Vec<Option<Gate>>,
    /// Integer bits of the cell state.
    state_bits: u32,
    hidden_factor: Multiplier,
    hidden_zero: i32,
    state_zero: i32,
    input_zero: i32,
    cell_range: (i16, i16),
}

fn saturate(x: i32) -> i16 {
    x.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

fn product(a: i16, b: i16, shift: i32) -> i16 {
    saturate(divide_by_power_of_two(i32::from(a) * i32::from(b), shift))
}

impl LstmI8 {
    fn gate(&self, gate: &Gate, x: &[u8], h: &[u8], sums: &mut [i32], out: &mut [i16]) {
        sums.copy_from_slice(&gate.bias);
        gate.input.accumulate(x, self.input_zero, sums);
        for (out, &sum) in out.iter_mut().zip(sums.iter()) {
            *out = saturate(gate.input.factor.apply(sum));
        }
        sums.fill(0);
        gate.output.accumulate(h, self.state_zero, sums);
        for (out, &sum) in out.iter_mut().zip(sums.iter()) {
            *out = saturate(i32::from(*out).saturating_add(gate.output.factor.apply(sum)));
        }
    }

    fn step(&self, x: &[u8], h: &mut [u8], cell: &mut [i16], sums: &mut [i32], gates: &mut [i16]) {
        let n = self.shape.cells;
        for (gate, values) in self.gates.iter().zip(gates.chunks_exact_mut(n)) {
            if let Some(gate) = gate {
                self.gate(gate, x, h, sums, values);
            }
        }
        for i in 0..n {
            let forget = fixed::logistic(gates[FORGET_GATE * n + i]);
            let input = match self.gates[INPUT_GATE] {
                Some(_) => fixed::logistic(gates[INPUT_GATE * n + i]),
                None => i16::MAX - forget,
            };
            let candidate = fixed::tanh(gates[CELL_GATE * n + i], 3);
            let kept = product(forget, cell[i], 15);
            let added = product(input, candidate, 30 - (15 - self.state_bits as i32));
            cell[i] = kept.saturating_add(added).clamp(self.cell_range.0, self.cell_range.1);
            let output = fixed::logistic(gates[OUTPUT_GATE * n + i]);
            let value = i32::from(output) * i32::from(fixed::tanh(cell[i], self.state_bits));
            let step = self.hidden_factor.apply(value);
            h[i] = step.saturating_add(self.hidden_zero).clamp(0, 255) as u8;
        }
    }
}

impl Kernel for LstmI8 {
    fn name(&self) -> &'static str {
        "portable-u8i8-lstm"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let Shape { batch, steps, inputs, outputs, cells, .. } = self.shape;
        let input = io.input::<u8>(0);
        let ([output, h, cell], scratch) = io.outputs_and_scratch::<3>();
        let cell: &mut [i16] = bytemuck::cast_slice_mut(cell);
        let (sums, gates) = scratch.split_at_mut(cells * size_of::<i32>());
        let (sums, gates) = (bytemuck::cast_slice_mut(sums), bytemuck::cast_slice_mut(gates));
        for b in 0..batch {
            let h = &mut h[b * outputs..][..outputs];
            let cell = &mut cell[b * cells..][..cells];
            for step in 0..steps {
                let row = self.shape.row(b, step);
                self.step(&input[row * inputs..][..inputs], h, cell, sums, gates);
                output[row * outputs..][..outputs].copy_from_slice(h);
            }
        }
    }
}
