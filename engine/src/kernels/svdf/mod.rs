//! SVDF: a layer whose weights over time and features are of low rank (Nakkiran et al., "Compressing deep neural
//! networks using a rank-constrained topology", Interspeech 2015). Its state holds the features of the last steps.

use super::activation::float_range;
use super::fixed_point::Multiplier;
use super::weights;
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{Activation, DType, Quantization};
use crate::lowering::{Kernel, Lower, Lowered, Operand, Task};
use crate::threads::Pool;

#[derive(Clone, Copy)]
struct Shape {
    inputs: usize,
    filters: usize,
    steps: usize,
    rank: usize,
}

/// SVDF: input [batch, inputs], feature weights [filters, inputs], time weights [filters, steps], bias, state.
pub(super) fn lower(ctx: &Lower<'_>, rank: usize, activation: Activation) -> Result<Lowered> {
    let (input, features, time, state) = (ctx.input(0)?, ctx.input(1)?, ctx.input(2)?, ctx.input(4)?);
    let output = ctx.output(0)?;
    let (&[batch, inputs], &[filters, by], &[f, steps]) = (input.shape(), features.shape(), time.shape())
    else {
        return Err(ctx.invalid(format!("input {:?}, weights {:?}", input.shape(), features.shape())));
    };
    let fits = by == inputs
        && f == filters
        && filters.is_multiple_of(rank)
        && inputs > 0
        && steps > 0
        && filters > 0;
    ctx.ensure(fits, || format!("weights {:?} and {:?}, rank {rank}", features.shape(), time.shape()))?;
    ctx.ensure_shape(output, &[batch, filters / rank])?;
    ctx.ensure(
        state.info.is_variable && state.elements() == batch.saturating_mul(filters).saturating_mul(steps),
        || format!("state {:?}", state.shape()),
    )?;
    let shape = Shape { inputs, filters, steps, rank };
    let kernel: Box<dyn Kernel> = match (input.dtype(), state.dtype(), output.dtype()) {
        (DType::F32, DType::F32, DType::F32) => {
            let (low, high) = float_range(ctx, activation)?;
            Box::new(SvdfF32 {
                shape,
                features: weights::reals(ctx, features)?,
                time: weights::reals(ctx, time)?,
                bias: weights::float_bias(ctx, 3, filters / rank)?,
                range: (low, high),
            })
        }
        (DType::I8, DType::I16, DType::I8) => {
            Box::new(int8(ctx, shape, [input, features, time, state, output])?)
        }
        _ => return Err(ctx.unsupported_types(&[input, features, time, state, output])),
    };
    let macs = [batch, filters, inputs + steps].iter().fold(1u64, |n, &d| n.saturating_mul(d as u64));
    Ok(Lowered::Task(Task {
        kernel,
        inputs: vec![input.id],
        outputs: vec![output.id, state.id],
        scratch: 0,
        macs,
        absorbed: Vec::new(),
    }))
}

struct SvdfF32 {
    shape: Shape,
    features: Vec<f32>,
    time: Vec<f32>,
    bias: Vec<f32>,
    range: (f32, f32),
}

impl Kernel for SvdfF32 {
    fn name(&self) -> &'static str {
        "portable-f32-svdf"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let Shape { inputs, filters, steps, rank } = self.shape;
        let input = io.input::<f32>(0);
        let ([output, state], _) = io.outputs_and_scratch::<2>();
        let [output, state] = [output, state].map(bytemuck::cast_slice_mut::<u8, f32>);
        let rows = input.chunks_exact(inputs).zip(output.chunks_exact_mut(filters / rank));
        for ((input, output), state) in rows.zip(state.chunks_exact_mut(filters * steps)) {
            output.copy_from_slice(&self.bias);
            let weights = self.features.chunks_exact(inputs).zip(self.time.chunks_exact(steps));
            for (f, (history, (features, time))) in state.chunks_exact_mut(steps).zip(weights).enumerate() {
                history.copy_within(1.., 0);
                history[steps - 1] = input.iter().zip(features).map(|(x, w)| x * w).sum();
                output[f / rank] += history.iter().zip(time).map(|(x, w)| x * w).sum::<f32>();
            }
            output.iter_mut().for_each(|y| *y = y.max(self.range.0).min(self.range.1));
        }
    }
}

/// TFLite's integer arithmetic: features as int16, sums as int32.
struct SvdfI8 {
    shape: Shape,
    features: Vec<i16>,
    time: Vec<i16>,
    bias: Vec<i32>,
    input_zero: i32,
    output_zero: i32,
    to_state: Multiplier,
    to_output: Multiplier,
}

fn int8(
    ctx: &Lower<'_>,
    shape: Shape,
    [input, features, time, state, output]: [Operand<'_>; 5],
) -> Result<SvdfI8> {
    let constant = |t: Operand<'_>| -> Result<Vec<i16>> {
        match (t.constant(), t.dtype()) {
            (Some(bytes), DType::I8) => Ok(bytes.iter().map(|&b| i16::from(b as i8)).collect()),
            (Some(bytes), DType::I16) => {
                Ok(bytes.as_chunks().0.iter().map(|b| i16::from_le_bytes(*b)).collect())
            }
            _ => Err(ctx.unsupported_types(&[t])),
        }
    };
    let scale = |t: Operand<'_>| {
        let pair = t.info.quantization.as_ref().and_then(Quantization::per_tensor);
        pair.map(|(scale, _)| f64::from(scale))
            .ok_or_else(|| ctx.unsupported(format!("\"{}\" has no per-tensor quantization", t.info.name)))
    };
    let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
    Ok(SvdfI8 {
        shape,
        features: constant(features)?,
        time: constant(time)?,
        bias: weights::integer_bias(ctx, 3, shape.filters / shape.rank)?,
        input_zero: from.zero_point,
        output_zero: to.zero_point,
        to_state: Multiplier::new(f64::from(from.scale) * scale(features)? / scale(state)?),
        to_output: Multiplier::new(scale(state)? * scale(time)? / f64::from(to.scale)),
    })
}

impl Kernel for SvdfI8 {
    fn name(&self) -> &'static str {
        "portable-i8-svdf"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let Shape { inputs, filters, steps, rank } = self.shape;
        let input = io.input::<u8>(0);
        let ([output, state], _) = io.outputs_and_scratch::<2>();
        let state: &mut [i16] = bytemuck::cast_slice_mut(state);
        let units = filters / rank;
        let rows = input.chunks_exact(inputs).zip(output.chunks_exact_mut(units));
        for ((input, output), state) in rows.zip(state.chunks_exact_mut(filters * steps)) {
            for (unit, output) in output.iter_mut().enumerate() {
                let mut sum = self.bias[unit];
                for f in unit * rank..(unit + 1) * rank {
                    let history = &mut state[f * steps..][..steps];
                    let weights = &self.features[f * inputs..][..inputs];
                    let products = input
                        .iter()
                        .zip(weights)
                        .map(|(&x, &w)| (i32::from(x) - self.input_zero) * i32::from(w));
                    let feature = self.to_state.apply(products.fold(0, i32::wrapping_add));
                    history.copy_within(1.., 0);
                    history[steps - 1] = feature.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
                    let time = &self.time[f * steps..][..steps];
                    let products =
                        history.iter().zip(time).map(|(&x, &w)| i32::from(x).wrapping_mul(w.into()));
                    sum = products.fold(sum, i32::wrapping_add);
                }
                let step = self.to_output.apply(sum).saturating_add(self.output_zero);
                *output = step.clamp(0, 255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_sees_its_last_steps() {
        let shape = Shape { inputs: 2, filters: 2, steps: 3, rank: 2 };
        let layer = SvdfF32 {
            shape,
            features: vec![1.0, 10.0, 1.0, 0.0],
            time: vec![100.0, 10.0, 1.0, 0.0, 0.0, 1.0],
            bias: vec![0.5],
            range: (f32::NEG_INFINITY, f32::INFINITY),
        };
        let (mut arena, operands) = memory();
        let mut outputs = Vec::new();
        for x in [[1.0f32, 0.0], [2.0, 0.0], [0.0, 1.0]] {
            arena.slot_mut(slot(0, 8)).copy_from_slice(bytemuck::cast_slice(&x));
            layer.run(&mut arena.io(&operands), &Pool::new(1));
            outputs.push(bytemuck::cast_slice::<u8, f32>(arena.slot(slot(64, 4)))[0]);
        }
        assert_eq!(outputs, [2.5, 14.5, 130.5]);
    }

    fn slot(offset: usize, len: usize) -> crate::arena::Slot {
        crate::arena::Slot { offset, len }
    }

    fn memory() -> (crate::arena::Arena, crate::arena::Operands) {
        let operands =
            crate::arena::Operands::new(vec![slot(0, 8)], vec![slot(64, 4), slot(128, 24)], slot(0, 0));
        (crate::arena::Arena::new(192).unwrap(), operands.unwrap())
    }
}
