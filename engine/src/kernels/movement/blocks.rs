//! SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND and MIRROR_PAD: several nests of loops that fill one output.

use super::{by_width, copy, nest, width};
use crate::arena::Io;
use crate::error::Result;
use crate::graph::DType;
use crate::kernels::nest::{Dim, Nest, row_major};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
use bytemuck::Pod;

/// Nests that a file may ask for; MIRROR_PAD takes three for each padded axis, multiplied.
const MAX_PARTS: usize = 1 << 10;

/// SPACE_TO_BATCH_ND, or with `back` BATCH_TO_SPACE_ND: block shape and paddings (crops) are constants.
pub(in crate::kernels) fn space_and_batch(ctx: &Lower<'_>, back: bool) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let (block, edges) = (ctx.integers(ctx.input(1)?)?, ctx.integers(ctx.input(2)?)?);
    // `wide` has the spatial extents, `deep` the batch.
    let (wide_shape, rank, m) = (input.shape(), input.shape().len(), block.len());
    let positive = |v: &[i64], least: i64| -> Result<Vec<usize>> {
        let all: Option<Vec<usize>> =
            v.iter().map(|&x| usize::try_from(x).ok().filter(|_| x >= least)).collect();
        all.ok_or_else(|| ctx.invalid(format!("blocks {block:?}, edges {edges:?}")))
    };
    let (b, e) = (positive(&block, 1)?, positive(&edges, 0)?);
    ctx.ensure(m >= 1 && rank > m && e.len() == 2 * m, || format!("blocks {block:?} of {rank} axes"))?;
    let blocks = b.iter().fold(1usize, |n, &x| n.saturating_mul(x));
    let mut shape = wide_shape.to_vec();
    for d in 0..m {
        let edge = e[2 * d].saturating_add(e[2 * d + 1]);
        let extent = match back {
            true => shape[d + 1].checked_mul(b[d]).and_then(|n| n.checked_sub(edge)),
            false => shape[d + 1].checked_add(edge).filter(|n| n.is_multiple_of(b[d])).map(|n| n / b[d]),
        };
        shape[d + 1] = extent.ok_or_else(|| ctx.invalid(format!("{:?}, blocks {block:?}", input.shape())))?;
    }
    let batch = if back {
        shape[0].is_multiple_of(blocks).then(|| shape[0] / blocks)
    } else {
        shape[0].checked_mul(blocks)
    };
    shape[0] =
        batch.ok_or_else(|| ctx.invalid(format!("a batch of {}, blocks {block:?}", input.shape()[0])))?;
    ctx.ensure_shape(output, &shape)?;
    if blocks > MAX_PARTS {
        return Err(ctx.unsupported(format!("{blocks} blocks")));
    }
    let (wide, deep) = if back { (output, input) } else { (input, output) };
    let (from, to) = (row_major(wide.shape()), row_major(deep.shape()));
    let batch = wide.shape()[0];
    let mut parts = Vec::with_capacity(blocks);
    for part in 0..blocks {
        let mut dims = vec![Dim { count: batch, strides: [from[0], to[0]] }];
        let (mut rest, mut start) =
            (part, [0usize, part.saturating_mul(batch).saturating_mul(to[0] as usize)]);
        // Position within the block, last axis fastest.
        let mut place = vec![0; m];
        for d in (0..m).rev() {
            place[d] = rest % b[d];
            rest /= b[d];
        }
        for d in 0..m {
            // Deep index i stands for wide index i·block + place − edge.
            let (extent, edge) = (wide.shape()[d + 1], e[2 * d]);
            let first = edge.saturating_sub(place[d]).div_ceil(b[d]);
            let end = (extent.saturating_add(edge).saturating_sub(place[d]))
                .div_ceil(b[d])
                .min(deep.shape()[d + 1]);
            let count = end.saturating_sub(first);
            if count > 0 {
                start[0] = start[0]
                    .saturating_add((first * b[d] + place[d] - edge).saturating_mul(from[d + 1] as usize));
                start[1] = start[1].saturating_add(first.saturating_mul(to[d + 1] as usize));
            }
            dims.push(Dim { count, strides: [from[d + 1].saturating_mul(b[d] as isize), to[d + 1]] });
        }
        dims.extend((m + 1..rank).map(|d| Dim { count: wide.shape()[d], strides: [from[d], to[d]] }));
        if back {
            dims.iter_mut().for_each(|dim| dim.strides.reverse());
            start.reverse();
        }
        parts.push(nest(ctx, &dims, start, input, output)?);
    }
    let name = if back { "portable-batch-to-space" } else { "portable-space-to-batch" };
    let fill = zero(ctx, output)?;
    ctx.task(Mosaic { name, width: width(ctx, &[input, output])?, fill, parts: parts.into() }, &[input])
}

/// The bytes of the element that stands for zero.
fn zero(ctx: &Lower<'_>, output: Operand<'_>) -> Result<[u8; 8]> {
    let mut fill = [0; 8];
    match output.dtype() {
        DType::U8 | DType::I8 if output.info.quantization.is_some() => {
            fill[0] = ctx.affine(output)?.zero_point as u8;
        }
        DType::I8 => fill[0] = 0x80,
        _ => {}
    }
    Ok(fill)
}

/// A run of one axis of MIRROR_PAD.
struct Run {
    first: usize,
    to: usize,
    count: usize,
    backward: bool,
}

/// MIRROR_PAD: what lies beyond an edge is the mirror image of what lies before it, the edge itself repeated if it is
/// `symmetric`.
pub(in crate::kernels) fn mirror_pad(ctx: &Lower<'_>, symmetric: bool) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let paddings = ctx.integers(ctx.input(1)?)?;
    let rank = input.shape().len();
    ctx.ensure(paddings.len() == 2 * rank, || format!("{} paddings of {rank} axes", paddings.len()))?;
    let skip = usize::from(!symmetric);
    let (mut shape, mut axes) = (Vec::new(), Vec::new());
    for (&extent, pair) in input.shape().iter().zip(paddings.as_chunks().0) {
        let [Ok(before), Ok(after)] = pair.map(usize::try_from) else {
            return Err(ctx.invalid(format!("padding {pair:?}")));
        };
        let most = extent.saturating_sub(skip);
        ctx.ensure(before <= most && after <= most, || format!("padding {pair:?} of {extent}"))?;
        shape.push(extent.saturating_add(before + after));
        let mut runs = vec![Run { first: 0, to: before, count: extent, backward: false }];
        if before > 0 {
            runs.push(Run { first: before - 1 + skip, to: 0, count: before, backward: true });
        }
        if after > 0 {
            runs.push(Run { first: extent - 1 - skip, to: before + extent, count: after, backward: true });
        }
        axes.push(runs);
    }
    ctx.ensure_shape(output, &shape)?;
    let count = axes.iter().fold(1usize, |n, runs| n.saturating_mul(runs.len()));
    if count > MAX_PARTS {
        return Err(ctx.unsupported(format!("mirrors along {} axes", axes.len())));
    }
    let (from, to) = (row_major(input.shape()), row_major(&shape));
    let mut parts = Vec::with_capacity(count);
    for part in 0..count {
        let (mut rest, mut dims, mut start) = (part, Vec::with_capacity(rank), [0usize; 2]);
        for (d, runs) in axes.iter().enumerate() {
            let run = &runs[rest % runs.len()];
            rest /= runs.len();
            start[0] = start[0].saturating_add(run.first.saturating_mul(from[d] as usize));
            start[1] = start[1].saturating_add(run.to.saturating_mul(to[d] as usize));
            dims.push(Dim {
                count: run.count,
                strides: [if run.backward { -from[d] } else { from[d] }, to[d]],
            });
        }
        parts.push(nest(ctx, &dims, start, input, output)?);
    }
    let width = width(ctx, &[input, output])?;
    ctx.task(Mosaic { name: "portable-mirror-pad", width, fill: [0; 8], parts: parts.into() }, &[input])
}

/// One output, filled, then covered by copies of parts of the input.
struct Mosaic {
    name: &'static str,
    width: usize,
    fill: [u8; 8],
    parts: Box<[Nest<2>]>,
}

impl Kernel for Mosaic {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        by_width!(self.width, cover(self, io.input(0), io.output(0)));
    }
}

fn cover<T: Pod>(mosaic: &Mosaic, from: &[T], to: &mut [T]) {
    to.fill(bytemuck::pod_read_unaligned(&mosaic.fill[..size_of::<T>()]));
    for nest in &mosaic.parts {
        copy(nest, 0..nest.len(), 0, from, to);
    }
}
