//! Which elements of the input meet in which element of the output.

use crate::error::Result;
use crate::kernels::nest::{Dim, Nest, row_major};
use crate::lowering::{Lower, Operand};

/// The loops of a reduction, and how many elements meet.
pub(super) struct Axes {
    pub(super) nest: Nest<2>,
    pub(super) count: usize,
}

impl Axes {
    /// Of a reduction of input 0 over the constant axes of input 1.
    pub(super) fn of<'g>(ctx: &Lower<'g>, keep_dims: bool) -> Result<(Operand<'g>, Operand<'g>, Self)> {
        let (input, output) = ctx.unary()?;
        let rank = input.shape().len();
        let mut reduced = vec![false; rank];
        for axis in ctx.integers(ctx.input(1)?)? {
            // A scalar may be reduced over axis 0.
            if rank > 0 {
                reduced[ctx.axis(axis, rank)?] = true;
            }
        }
        let ones: Vec<usize> =
            input.shape().iter().zip(&reduced).map(|(&d, &r)| if r { 1 } else { d }).collect();
        let mut shape = ones.clone();
        if !keep_dims {
            let mut reduced = reduced.iter();
            shape.retain(|_| reduced.next() == Some(&false));
        }
        ctx.ensure_shape(output, &shape)?;
        let (from, to) = (row_major(input.shape()), row_major(&ones));
        let dim = |d: usize| Dim {
            count: input.shape()[d],
            strides: [from[d], if reduced[d] { 0 } else { to[d] }],
        };
        let dims: Vec<_> = (0..rank).map(dim).collect();
        let nest = Nest::new(&dims, [0, 0], [input.elements(), output.elements()])
            .ok_or_else(|| ctx.unsupported(format!("a reduction of {:?}", input.shape())))?;
        let extents = input.shape().iter().zip(&reduced).filter(|(_, r)| **r);
        let count = extents.fold(1usize, |n, (&d, _)| n.saturating_mul(d));
        Ok((input, output, Self { nest, count }))
    }
}
