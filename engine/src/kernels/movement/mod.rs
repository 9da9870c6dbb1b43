//! Operators that move elements without looking at them: each is a strided copy worked out at load.

mod depth_to_space;
mod gather;
mod join;
mod pad;
mod split;
mod strided_slice;
mod transpose;

pub(super) use depth_to_space::lower as depth_to_space;
pub(super) use gather::lower as gather;
pub(super) use join::{concatenation, pack};
pub(super) use pad::{lower as pad, unpadded};
pub(super) use split::{split, unpack};
pub(super) use strided_slice::lower as strided_slice;
pub(super) use transpose::lower as transpose;

use super::nest::{Dim, Nest};
use crate::arena::Io;
use crate::error::Result;
use crate::lowering::{Kernel, Lower, Operand};
use crate::threads::Pool;
use bytemuck::Pod;

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
use by_width;

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

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        for (i, nest) in self.parts.iter().enumerate() {
            by_width!(self.width, copy(nest, io.input(0), io.output(i)));
        }
    }
}

/// Copies along `nest`.
fn copy<T: Pod>(nest: &Nest<2>, from: &[T], to: &mut [T]) {
    let Dim { count, strides } = nest.inner();
    nest.for_each(|[f, t]| match strides {
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
fn width(ctx: &Lower<'_>, tensors: &[Operand<'_>]) -> Result<usize> {
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
