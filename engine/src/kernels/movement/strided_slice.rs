//! STRIDED_SLICE.

use super::{Move, nest, width};
use crate::error::Result;
use crate::graph::StridedSliceOptions;
use crate::kernels::nest::{Dim, row_major};
use crate::lowering::{Lower, Lowered};

/// STRIDED_SLICE with constant begin, end and strides, and all masks.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>, options: StridedSliceOptions) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let [begin, end, strides] = [1, 2, 3].map(|i| ctx.input(i).and_then(|t| ctx.integers(t)));
    let (begin, end, strides) = (begin?, end?, strides?);
    ctx.ensure(begin.len() == end.len() && begin.len() == strides.len() && begin.len() < 32, || {
        format!("{} begins, {} ends, {} strides", begin.len(), end.len(), strides.len())
    })?;
    let spec = Spec { options, begin, end, strides };
    let ranges = spec.ranges(input.shape()).map_err(|reason| ctx.invalid(reason))?;
    let from = row_major(input.shape());
    let (mut shape, mut dims, mut start) = (Vec::new(), Vec::new(), 0isize);
    for range in ranges {
        match range {
            Range::NewAxis => shape.push(1),
            Range::Index { axis, at } => start = start.saturating_add(from[axis].saturating_mul(at as isize)),
            Range::Run { axis, first, step, count } => {
                start = start.saturating_add(from[axis].saturating_mul(first as isize));
                shape.push(count);
                dims.push((count, from[axis].saturating_mul(step as isize)));
            }
        }
    }
    ctx.ensure_shape(output, &shape)?;
    // New axes have extent one, so that they need no loop.
    let kept: Vec<usize> = dims.iter().map(|&(count, _)| count).collect();
    let to = row_major(&kept);
    let dims: Vec<_> =
        dims.iter().zip(&to).map(|(&(count, step), &to)| Dim { count, strides: [step, to] }).collect();
    let start = usize::try_from(start).unwrap_or(0);
    let parts = Box::new([nest(ctx, &dims, [start, 0], input, output)?]);
    ctx.task(Move { name: "portable-strided-slice", width: width(ctx, &[input, output])?, parts }, &[input])
}

struct Spec {
    options: StridedSliceOptions,
    begin: Vec<i64>,
    end: Vec<i64>,
    strides: Vec<i64>,
}

/// What happens to one axis of the input, or of the output.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    NewAxis,
    Index { axis: usize, at: i64 },
    Run { axis: usize, first: i64, step: i64, count: usize },
}

impl Spec {
    /// The slice of each axis, as NumPy counts: from either end, clamped, an ellipsis for the axes
    /// that are not named.
    fn ranges(&self, shape: &[usize]) -> Result<Vec<Range>, String> {
        let bit = |mask: i32, i: usize| mask >> i & 1 == 1;
        let entries = self.begin.len();
        let o = &self.options;
        let consumes = |i: usize| !bit(o.new_axis_mask, i) && !bit(o.ellipsis_mask, i);
        let named = (0..entries).filter(|&i| consumes(i)).count();
        let unnamed = shape.len().checked_sub(named).ok_or_else(|| format!("{named} slices of {shape:?}"))?;
        let whole = |axis: usize| Range::Run { axis, first: 0, step: 1, count: shape[axis] };
        let mut ranges = Vec::new();
        let (mut axis, mut left) = (0, unnamed);
        for i in 0..entries {
            if bit(o.ellipsis_mask, i) {
                ranges.extend((axis..axis + left).map(whole));
                axis += std::mem::take(&mut left);
            } else if bit(o.new_axis_mask, i) {
                ranges.push(Range::NewAxis);
            } else {
                ranges.push(self.range(i, axis, shape[axis] as i64)?);
                axis += 1;
            }
        }
        ranges.extend((axis..shape.len()).map(whole));
        Ok(ranges)
    }

    fn range(&self, i: usize, axis: usize, extent: i64) -> Result<Range, String> {
        let bit = |mask: i32| mask >> i & 1 == 1;
        let o = &self.options;
        let (begin, end, step) = (self.begin[i], self.end[i], self.strides[i]);
        if step == 0 || step == i64::MIN {
            return Err(format!("stride {step}"));
        }
        let from_front = |x: i64| if x < 0 { x.saturating_add(extent) } else { x };
        if bit(o.shrink_axis_mask) {
            let at = if bit(o.begin_mask) { 0 } else { from_front(begin) };
            return if (0..extent).contains(&at) {
                Ok(Range::Index { axis, at })
            } else {
                Err(format!("index {begin} of {extent}"))
            };
        }
        // One past either end is where a run in that direction may start or stop.
        let (low, high) = if step > 0 { (0, extent) } else { (-1, extent - 1) };
        let first = match bit(o.begin_mask) {
            true if step > 0 => low,
            true => high,
            false => from_front(begin).clamp(low, high),
        };
        let end = if o.offset { from_front(begin).saturating_add(end) } else { from_front(end) };
        let last = match bit(o.end_mask) {
            true if step > 0 => high,
            true => low,
            false => end.clamp(low, high),
        };
        let span = if step > 0 { last - first } else { first - last };
        let count = if span > 0 { (span - 1) / step.abs() + 1 } else { 0 };
        Ok(Range::Run { axis, first, step, count: count as usize })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(begin: &[i64], end: &[i64], strides: &[i64], masks: [i32; 5], shape: &[usize]) -> Vec<Range> {
        let [begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask] = masks;
        let options = StridedSliceOptions {
            begin_mask,
            end_mask,
            ellipsis_mask,
            new_axis_mask,
            shrink_axis_mask,
            offset: false,
        };
        let spec = Spec { options, begin: begin.into(), end: end.into(), strides: strides.into() };
        spec.ranges(shape).unwrap()
    }

    fn run(axis: usize, first: i64, step: i64, count: usize) -> Range {
        Range::Run { axis, first, step, count }
    }

    #[test]
    fn slices_count_as_in_numpy() {
        let plain = [0; 5];
        assert_eq!(runs(&[1], &[4], &[2], plain, &[5]), [run(0, 1, 2, 2)]);
        assert_eq!(runs(&[-1], &[-6], &[-1], plain, &[5]), [run(0, 4, -1, 5)]);
        assert_eq!(runs(&[9], &[99], &[1], plain, &[5]), [run(0, 5, 1, 0)]);
        assert_eq!(runs(&[3], &[0], &[-2], [1, 1, 0, 0, 0], &[5]), [run(0, 4, -2, 3)]);
    }

    #[test]
    fn masks_name_axes() {
        // x[..., None, 2]
        let ranges = runs(&[0, 0, 2], &[0, 0, 3], &[1, 1, 1], [0, 0, 1, 2, 4], &[4, 5, 6]);
        assert_eq!(
            ranges,
            [run(0, 0, 1, 4), run(1, 0, 1, 5), Range::NewAxis, Range::Index { axis: 2, at: 2 }]
        );
    }
}
