//! PAD and PADV2.

use super::{PIECE, by_width, copy_between, nest, width};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{DType, Op, Padding, Size2};
use crate::kernels::nest::{Dim, Nest, row_major};
use crate::kernels::window::Border;
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
use bytemuck::Pod;

/// The first input of a convolution, and what lies around it: the image before PAD where only the
/// convolution reads what PAD makes, so that no padded image is ever written.
pub(in crate::kernels) fn unpadded<'g>(ctx: &Lower<'g>, padding: Padding) -> Result<(Operand<'g>, Border)> {
    let folded = (padding == Padding::Valid).then(|| folded(ctx)).flatten();
    folded.map_or_else(|| Ok((ctx.input(0)?, Border::Rule(padding))), Ok)
}

/// The image that `ctx`'s node would read if the PAD before it were part of it.
fn folded<'g>(ctx: &Lower<'g>) -> Option<(Operand<'g>, Border)> {
    let pad = ctx.writer(ctx.input(0).ok()?)?;
    let reader = pad.only_reader()?;
    if pad.node.op != Op::Pad || reader.index != ctx.index {
        return None;
    }
    let (input, output) = pad.unary().ok()?;
    let bytes = [DType::I8, DType::U8].contains(&input.dtype());
    let alike = input.dtype() == output.dtype()
        && (input.dtype() == DType::F32 || bytes && pad.affine(input).ok()? == pad.affine(output).ok()?);
    let paddings = pad.integers(pad.input(1).ok()?).ok()?;
    let sizes: Vec<usize> = paddings.into_iter().map(usize::try_from).collect::<Result<_, _>>().ok()?;
    let [0, 0, top, bottom, left, right, 0, 0] = sizes[..] else { return None };
    let (before, after) = (Size2 { h: top, w: left }, Size2 { h: bottom, w: right });
    let &[batch, h, w, channels] = input.shape() else { return None };
    let padded = [batch, h.checked_add(top + bottom)?, w.checked_add(left + right)?, channels];
    (alike && output.shape() == padded).then_some((input, Border::Given { before, after }))
}

/// PAD with zeros, PADV2 with a constant; paddings are constants.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
    let part_of_reader = ctx.only_reader().is_some_and(|reader| match &reader.node.op {
        Op::Conv2d(options) | Op::DepthwiseConv2d(options) => {
            options.padding == Padding::Valid && folded(&reader).is_some()
        }
        _ => false,
    });
    if part_of_reader {
        return Ok(Lowered::Nothing);
    }
    let (input, output) = ctx.unary()?;
    let width = width(ctx, &[input, output])?;
    let paddings = ctx.integers(ctx.input(1)?)?;
    let rank = input.shape().len();
    ctx.ensure(paddings.len() == 2 * rank, || format!("{} paddings of {rank} axes", paddings.len()))?;
    let (mut shape, mut before) = (Vec::with_capacity(rank), Vec::with_capacity(rank));
    for (&extent, pair) in input.shape().iter().zip(paddings.as_chunks().0) {
        let [Ok(front), Ok(back)] = pair.map(usize::try_from) else {
            return Err(ctx.invalid(format!("padding {pair:?}")));
        };
        shape.push(extent.saturating_add(front).saturating_add(back));
        before.push(front);
    }
    ctx.ensure_shape(output, &shape)?;
    let (from, to) = (row_major(input.shape()), row_major(&shape));
    let dims: Vec<_> =
        (0..rank).map(|d| Dim { count: input.shape()[d], strides: [from[d], to[d]] }).collect();
    let start =
        before.iter().zip(&to).fold(0usize, |at, (&b, &s)| at.saturating_add(b.saturating_mul(s as usize)));
    let nest = nest(ctx, &dims, [0, start], input, output)?;
    ctx.task(Pad { width, fill: fill(ctx, output)?, nest }, &[input])
}

/// The bytes of one element of the border; the rest is zero.
fn fill(ctx: &Lower<'_>, output: Operand<'_>) -> Result<[u8; 8]> {
    let mut fill = [0; 8];
    let dtype = output.dtype();
    match (&ctx.node.op, dtype) {
        (Op::PadV2, _) => {
            let value = ctx.input(2)?;
            let bytes = value
                .constant()
                .ok_or_else(|| ctx.unsupported("a padding value computed at run time".into()))?;
            ctx.ensure(value.dtype() == dtype && bytes.len() == dtype.size(), || {
                format!("padding value of {} for {dtype}", value.dtype())
            })?;
            fill[..bytes.len()].copy_from_slice(bytes);
            if dtype == DType::I8 {
                fill[0] ^= 0x80;
            }
        }
        // The byte that stands for the real zero.
        (_, DType::U8 | DType::I8) if output.info.quantization.is_some() => {
            fill[0] = ctx.affine(output)?.zero_point as u8;
        }
        (_, DType::I8) => fill[0] = 0x80,
        _ => {}
    }
    Ok(fill)
}

struct Pad {
    width: usize,
    fill: [u8; 8],
    nest: Nest<2>,
}

impl Kernel for Pad {
    fn name(&self) -> &'static str {
        "portable-pad"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        by_width!(self.width, pad(&self.fill, &self.nest, io.input(0), io.output(0), pool));
    }
}

fn pad<T: Pod + Send + Sync>(fill: &[u8; 8], nest: &Nest<2>, from: &[T], to: &mut [T], pool: &Pool) {
    let blank: T = bytemuck::pod_read_unaligned(&fill[..size_of::<T>()]);
    pool.split(to, 1, PIECE / size_of::<T>(), &mut [], &|first, to, _| {
        to.fill(blank);
        copy_between(nest, &(first..first + to.len()), from, to);
    });
}

#[cfg(test)]
mod tests {
    use crate::graph::{
        Activation, ConvOptions, DType, Graph, Node, Op, Padding, Quantization, Size2, TensorInfo,
    };
    use crate::{Options, Program, Session};
    use proptest::prelude::*;

    /// Input → PAD → (depthwise) convolution of 3×3 with `Padding::Valid`. Where PAD's output is one of the
    /// graph's, the padded image is written.
    fn run(size: Size2, paddings: [i32; 4], stride: usize, depthwise: bool, alone: bool) -> (usize, Vec<u8>) {
        let channels = 8;
        let [top, bottom, left, right] = paddings.map(|p| p as usize);
        let (h, w) = (size.h + top + bottom, size.w + left + right);
        let out = |extent: usize| (extent - 3) / stride + 1;
        let bytes: Vec<u8> = (0..9 * channels * channels).map(|i| (i * i % 251) as u8).collect();
        let pads: Vec<u8> = [[0, 0], [paddings[0], paddings[1]], [paddings[2], paddings[3]], [0, 0]]
            .as_flattened()
            .iter()
            .flat_map(|p| p.to_le_bytes())
            .collect();
        let tensor = |name: &str, shape: Vec<usize>, dtype, scale: f32, zero_point, data| TensorInfo {
            name: name.into(),
            shape,
            dtype,
            quantization: (dtype == DType::U8).then(|| Quantization {
                scales: vec![scale],
                zero_points: vec![zero_point],
                axis: 0,
            }),
            data,
            is_variable: false,
            sparsity: None,
        };
        let weights = if depthwise { vec![1, 3, 3, channels] } else { vec![channels, 3, 3, channels] };
        let weight_bytes = &bytes[..weights.iter().product()];
        let image = |h, w| vec![1, h, w, channels];
        let one = Size2 { h: 1, w: 1 };
        let options = ConvOptions {
            padding: Padding::Valid,
            stride: Size2 { h: stride, w: stride },
            dilation: one,
            activation: Activation::None,
        };
        let op = if depthwise { Op::DepthwiseConv2d(options) } else { Op::Conv2d(options) };
        let node = |op, inputs: [usize; 2], output| Node {
            op,
            inputs: inputs.map(Some).to_vec(),
            outputs: vec![output],
            intermediates: Vec::new(),
        };
        let graph = Graph {
            tensors: vec![
                tensor("input", image(size.h, size.w), DType::U8, 0.1, 77, None),
                tensor("paddings", vec![4, 2], DType::I32, 0.0, 0, Some(&pads)),
                tensor("padded", image(h, w), DType::U8, 0.1, 77, None),
                tensor("weights", weights, DType::U8, 0.01, 120, Some(weight_bytes)),
                tensor("output", image(out(h), out(w)), DType::U8, 0.5, 128, None),
            ],
            nodes: vec![node(Op::Pad, [0, 1], 2), node(op, [2, 3], 4)],
            inputs: vec![0],
            outputs: if alone { vec![4, 2] } else { vec![4] },
            metadata: Vec::new(),
            description: String::new(),
            ..Graph::default()
        };
        let program = Program::compile(&graph, &Options::default()).unwrap();
        let steps = program.steps().len();
        let mut session = Session::new(program.into()).unwrap();
        session.input_mut(0).unwrap().iter_mut().enumerate().for_each(|(i, b)| *b = (i * 37 % 251) as u8);
        session.run();
        (steps, session.output(0).unwrap().to_vec())
    }

    proptest! {
        #[test]
        fn folding_changes_no_byte(
            (h, w) in (3usize..20, 3usize..40), top in 0i32..3, bottom in 0i32..3, left in 0i32..3, right in 0i32..3,
            stride in 1usize..3, depthwise: bool,
        ) {
            let (size, paddings) = (Size2 { h, w }, [top, bottom, left, right]);
            let (two, expected) = run(size, paddings, stride, depthwise, true);
            let (one, bytes) = run(size, paddings, stride, depthwise, false);
            prop_assert_eq!(bytes, expected);
            prop_assert_eq!((one, two), (1, 2));
        }
    }
}
