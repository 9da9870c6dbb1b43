//! PAD and PADV2.

use super::{by_width, copy, nest, width};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{DType, Op};
use crate::kernels::nest::{Dim, Nest, row_major};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
use bytemuck::Pod;

/// PAD with zeros, PADV2 with a constant; paddings are constants.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
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

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        by_width!(self.width, pad(&self.fill, &self.nest, io.input(0), io.output(0)));
    }
}

fn pad<T: Pod>(fill: &[u8; 8], nest: &Nest<2>, from: &[T], to: &mut [T]) {
    to.fill(bytemuck::pod_read_unaligned(&fill[..size_of::<T>()]));
    copy(nest, from, to);
}
