//! Elements of two operands whose shapes differ.

use crate::arena::Io;
use crate::error::Result;
use crate::lowering::Lower;
use bytemuck::Pod;

/// Steps through two operands along an output of up to [`RANK`] dimensions.
pub(super) struct Broadcast {
    extents: [usize; RANK],
    /// Elements from one index to the next along each dimension; zero where an operand repeats.
    strides: [[usize; RANK]; 2],
}

/// TFLite's own limit for broadcasting.
const RANK: usize = 6;

impl Broadcast {
    pub(super) fn new(ctx: &Lower<'_>, inputs: [&[usize]; 2], output: &[usize]) -> Result<Self> {
        if output.len() > RANK {
            return Err(ctx.unsupported(format!("broadcasting over {} dimensions", output.len())));
        }
        let padded = |shape: &[usize]| {
            let mut extents = [1; RANK];
            let skip = RANK.checked_sub(shape.len())?;
            extents[skip..].copy_from_slice(shape);
            Some(extents)
        };
        let mismatch = || ctx.invalid(format!("{:?} and {:?} do not give {output:?}", inputs[0], inputs[1]));
        let extents = padded(output).ok_or_else(mismatch)?;
        let mut strides = [[0; RANK]; 2];
        for (strides, shape) in strides.iter_mut().zip(inputs) {
            let shape = padded(shape).ok_or_else(mismatch)?;
            let mut step = 1;
            for d in (0..RANK).rev() {
                ctx.ensure(shape[d] == extents[d] || shape[d] == 1, || {
                    format!("{:?} and {:?} do not give {output:?}", inputs[0], inputs[1])
                })?;
                strides[d] = if shape[d] == 1 { 0 } else { step };
                step *= shape[d];
            }
        }
        Ok(Self { extents, strides })
    }

    pub(super) fn run<T: Pod>(&self, io: &mut Io<'_>, op: impl Fn(T, T) -> T) {
        let (a, b) = (io.input::<T>(0), io.input::<T>(1));
        let mut index = [0; RANK];
        for out in io.output::<T>(0) {
            let at =
                |strides: &[usize; RANK]| -> usize { index.iter().zip(strides).map(|(i, s)| i * s).sum() };
            *out = op(a[at(&self.strides[0])], b[at(&self.strides[1])]);
            for d in (0..RANK).rev() {
                index[d] += 1;
                if index[d] < self.extents[d] {
                    break;
                }
                index[d] = 0;
            }
        }
    }
}
