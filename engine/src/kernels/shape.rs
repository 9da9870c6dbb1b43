//! Operators that leave the bytes as they are, and those that tell a shape.

use crate::error::Result;
use crate::graph::DType;
use crate::lowering::{Lower, Lowered, Operand};

/// RESHAPE: the shape is a constant input, an option, or what the file gives the output.
pub(super) fn reshape(ctx: &Lower<'_>, option: Option<&[i32]>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let wanted: Option<Vec<i64>> = match ctx.optional_input(1) {
        Some(shape) if shape.constant().is_some() => Some(ctx.integers(shape)?),
        Some(_) => None,
        None => option.map(|shape| shape.iter().map(|&d| d.into()).collect()),
    };
    let shape = wanted.and_then(|wanted| fit(&wanted, input.elements()));
    alias(ctx, input, output, shape.as_deref().unwrap_or(output.shape()))
}

/// `wanted` with its open dimension, if it has one, worked out. `None` if it does not hold `elements`.
fn fit(wanted: &[i64], elements: usize) -> Option<Vec<usize>> {
    let known =
        wanted.iter().filter(|&&d| d != -1).try_fold(1usize, |n, &d| n.checked_mul(d.try_into().ok()?))?;
    match wanted.iter().filter(|&&d| d == -1).count() {
        0 if known == elements => {}
        1 if known > 0 && elements.is_multiple_of(known) => {}
        _ => return None,
    }
    let extent = |&d: &i64| if d == -1 { elements / known } else { d as usize };
    Some(wanted.iter().map(extent).collect())
}

/// SQUEEZE: without the given dimensions of one, or without all of them.
pub(super) fn squeeze(ctx: &Lower<'_>, dims: &[i32]) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let rank = input.shape().len();
    let dims = dims.iter().map(|&d| ctx.axis(d.into(), rank)).collect::<Result<Vec<_>>>()?;
    ctx.ensure(dims.iter().all(|&d| input.shape()[d] == 1), || format!("{dims:?} of {:?}", input.shape()))?;
    let kept = |&(d, &extent): &(usize, &usize)| extent != 1 || !(dims.is_empty() || dims.contains(&d));
    let shape: Vec<usize> =
        input.shape().iter().enumerate().filter(kept).map(|(_, &extent)| extent).collect();
    alias(ctx, input, output, &shape)
}

/// EXPAND_DIMS: one more dimension of one.
pub(super) fn expand_dims(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let axis = match ctx.integers(ctx.input(1)?)?[..] {
        [axis] => ctx.axis(axis, input.shape().len() + 1)?,
        ref axes => return Err(ctx.invalid(format!("axes {axes:?}"))),
    };
    let mut shape = input.shape().to_vec();
    shape.insert(axis, 1);
    alias(ctx, input, output, &shape)
}

/// DENSIFY of weights that were read as dense ones.
pub(super) fn same(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    alias(ctx, input, output, input.shape())
}

fn alias(ctx: &Lower<'_>, input: Operand<'_>, output: Operand<'_>, shape: &[usize]) -> Result<Lowered> {
    ctx.ensure_shape(output, shape)?;
    ctx.ensure(input.elements() == output.elements() && input.dtype() == output.dtype(), || {
        format!("{} {:?} cannot become {} {:?}", input.dtype(), input.shape(), output.dtype(), output.shape())
    })?;
    Ok(Lowered::Alias { input: input.id, output: output.id })
}

/// SHAPE, which is known at load.
pub(super) fn shape(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, &[input.shape().len()])?;
    known(ctx, output, input.shape())
}

/// RANK, which is known at load.
pub(super) fn rank(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, &[])?;
    known(ctx, output, &[input.shape().len()])
}

fn known(ctx: &Lower<'_>, output: Operand<'_>, values: &[usize]) -> Result<Lowered> {
    let bytes = match output.dtype() {
        DType::I32 => values.iter().flat_map(|&v| (v as i32).to_le_bytes()).collect(),
        DType::I64 => values.iter().flat_map(|&v| (v as i64).to_le_bytes()).collect(),
        _ => return Err(ctx.unsupported_types(&[output])),
    };
    Ok(Lowered::Known { output: output.id, bytes })
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn one_dimension_may_be_open() {
        assert_eq!(fit(&[2, -1, 3], 24), Some(vec![2, 4, 3]));
        assert_eq!(fit(&[24], 24), Some(vec![24]));
        assert_eq!(fit(&[], 1), Some(vec![]));
        for (wanted, elements) in
            [(vec![-1, -1], 4), (vec![5, -1], 4), (vec![0, -1], 0), (vec![3], 4), (vec![-2, -2], 4)]
        {
            assert_eq!(fit(&wanted, elements), None, "{wanted:?}");
        }
        assert_eq!(fit(&[i64::MAX, i64::MAX, -1], 4), None);
    }
}
