//! Operators that move elements without looking at them: each is a strided copy worked out at load.

mod blocks;
mod depth_to_space;
mod gather;
mod join;
mod pad;
mod slice;
mod split;
mod strided_slice;
mod transpose;

pub(super) use blocks::{mirror_pad, space_and_batch};
pub(super) use depth_to_space::{depth_to_space, space_to_depth};
pub(super) use gather::lower as gather;
pub(super) use join::{concatenation, pack};
pub(super) use pad::{lower as pad, unpadded};
pub(super) use slice::{broadcast_to, reverse, slice, tile};
pub(super) use split::{split, split_v, unpack};
pub(super) use strided_slice::lower as strided_slice;
pub(super) use transpose::lower as transpose;

use super::nest::{Dim, Nest};
use crate::arena::Io;
use crate::error::Result;
use crate::lowering::{Kernel, Lower, Operand};
use crate::threads::Pool;
use bytemuck::Pod;
use std::ops::Range;

/// Calls a generic function for elements of a width in bytes.
macro_rules! by_width {
    ($width:expr, $f:ident($($arg:expr),*)) => {
        match $width {
            8 => $f::<u64>($($arg),*),
            4 => $f::<u32>($($arg),*),
            2 => $f::<u16>($($arg),*),
            _ => $f::<u8>($($arg),*),
        }
    };
}
pub(super) use by_width;

/// Input 0 is copied to every output by a loop nest of its own, from and to.
struct Move {
    name: &'static str,
    width: usize,
    parts: Box<[Nest<2>]>,
}

impl Kernel for Move {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        for (i, nest) in self.parts.iter().enumerate() {
            by_width!(self.width, copy_shared(nest, io.input(0), io.output(i), pool));
        }
    }
}

/// Fewest bytes of a task.
const PIECE: usize = 32 << 10;

/// Copies along `nest`, on all threads where its order is that of the output.
fn copy_shared<T: Pod + Send + Sync>(nest: &Nest<2>, from: &[T], to: &mut [T], pool: &Pool) {
    if !nest.fills(1) || nest.len() != to.len() {
        return copy(nest, 0..nest.len(), 0, from, to);
    }
    pool.split(to, 1, PIECE / size_of::<T>(), &mut [], &|first, to, _| {
        copy(nest, first..first + to.len(), first, from, to);
    });
}

/// Copies `iterations` of `nest` to the part of the output that begins at `first`.
fn copy<T: Pod>(nest: &Nest<2>, iterations: Range<usize>, first: usize, from: &[T], to: &mut [T]) {
    let Dim { strides, .. } = nest.inner();
    nest.for_each_in(iterations, |[f, t], count| {
        let t = t - first;
        match strides {
            [1, 1] => to[t..t + count].copy_from_slice(&from[f..f + count]),
            [step, 1] => {
                let mut f = f;
                for to in &mut to[t..t + count] {
                    *to = from[f];
                    f = f.wrapping_add_signed(step);
                }
            }
            [from_step, to_step] => {
                let (mut f, mut t) = (f, t);
                for _ in 0..count {
                    to[t] = from[f];
                    f = f.wrapping_add_signed(from_step);
                    t = t.wrapping_add_signed(to_step);
                }
            }
        }
    });
}

/// Copies what `nest` writes to the part of the output that `to` is.
fn copy_between<T: Pod>(nest: &Nest<2>, part: &Range<usize>, from: &[T], to: &mut [T]) {
    let Dim { count, strides: [from_step, to_step] } = nest.inner();
    nest.for_each(|[f, t]| {
        if [from_step, to_step] == [1, 1] {
            let run = t.max(part.start)..(t + count).min(part.end);
            if !run.is_empty() {
                let from = &from[f + (run.start - t)..][..run.len()];
                to[run.start - part.start..run.end - part.start].copy_from_slice(from);
            }
            return;
        }
        let (mut f, mut t) = (f, t);
        for _ in 0..count {
            if part.contains(&t) {
                to[t - part.start] = from[f];
            }
            f = f.wrapping_add_signed(from_step);
            t = t.wrapping_add_signed(to_step);
        }
    });
}

/// A nest between two tensors of the node.
fn nest(
    ctx: &Lower<'_>,
    dims: &[Dim<2>],
    start: [usize; 2],
    from: Operand<'_>,
    to: Operand<'_>,
) -> Result<Nest<2>> {
    Nest::new(dims, start, [from.elements(), to.elements()])
        .ok_or_else(|| ctx.unsupported(format!("{:?} to {:?}", from.shape(), to.shape())))
}

/// The width of the elements of tensors that must all have one type.
pub(super) fn width(ctx: &Lower<'_>, tensors: &[Operand<'_>]) -> Result<usize> {
    let dtype = tensors[0].dtype();
    ctx.ensure(tensors.iter().all(|t| t.dtype() == dtype), || {
        let types: Vec<String> = tensors.iter().map(|t| t.dtype().to_string()).collect();
        format!("types differ: {}", types.join(", "))
    })?;
    match dtype.size() {
        size @ (1 | 2 | 4 | 8) => Ok(size),
        _ => Err(ctx.unsupported_types(&tensors[..1])),
    }
}
