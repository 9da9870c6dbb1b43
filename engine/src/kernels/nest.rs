//! Loop nests over strided tensors, worked out at load: unit dimensions dropped, dimensions that
//! continue each other merged, every index known to lie inside its tensor.

use std::ops::Range;

/// Dimensions that remain after merging; TFLite's own operators stop at eight.
const MAX_OUTER: usize = 8;

/// One loop over `N` tensors at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dim<const N: usize> {
    /// Iterations.
    pub(crate) count: usize,
    /// What an iteration moves in each tensor, in elements; zero where it stays.
    pub(crate) strides: [isize; N],
}

impl<const N: usize> Dim<N> {
    /// Whether `self` outside `inner` walks as one longer loop would.
    fn continues(&self, inner: &Self) -> bool {
        (0..N).all(|k| Some(self.strides[k]) == inner.strides[k].checked_mul(inner.count as isize))
    }
}

/// Loops over `N` tensors at once, outermost first.
#[derive(Debug)]
pub(crate) struct Nest<const N: usize> {
    outer: Box<[Dim<N>]>,
    inner: Dim<N>,
    start: [usize; N],
}

impl<const N: usize> Nest<N> {
    /// Loops `dims` from element `start` of each tensor on. `None` where an index would leave a
    /// tensor of `lens` elements or too many dimensions remain.
    pub(crate) fn new(dims: &[Dim<N>], start: [usize; N], lens: [usize; N]) -> Option<Self> {
        let nothing = Dim { count: 0, strides: [1; N] };
        if dims.iter().any(|d| d.count == 0) {
            return Some(Self { outer: Box::new([]), inner: nothing, start: [0; N] });
        }
        for k in 0..N {
            let (mut low, mut high) = (start[k] as i128, start[k] as i128);
            for d in dims {
                let reach = d.strides[k] as i128 * (d.count - 1) as i128;
                *(if reach < 0 { &mut low } else { &mut high }) += reach;
            }
            if low < 0 || high >= lens[k] as i128 {
                return None;
            }
        }
        let mut merged: Vec<Dim<N>> = Vec::new();
        for dim in dims.iter().filter(|d| d.count > 1) {
            match merged.last_mut() {
                Some(last) if last.continues(dim) => {
                    *last = Dim { count: last.count * dim.count, strides: dim.strides };
                }
                _ => merged.push(*dim),
            }
        }
        let inner = merged.pop().unwrap_or(Dim { count: 1, strides: [1; N] });
        (merged.len() <= MAX_OUTER).then(|| Self { outer: merged.into(), inner, start })
    }

    /// The innermost loop, which [`Nest::for_each`] leaves to its callback.
    pub(crate) fn inner(&self) -> Dim<N> {
        self.inner
    }

    /// Iterations of all loops.
    pub(crate) fn len(&self) -> usize {
        self.outer.iter().map(|d| d.count).product::<usize>() * self.inner.count
    }

    /// Whether iteration i is at element i of tensor `k`, so that parts of the iterations write parts
    /// of the tensor.
    pub(crate) fn fills(&self, k: usize) -> bool {
        let mut step = 1;
        let mut in_order = |d: &Dim<N>| {
            let fits = d.count == 1 || d.strides[k] == step;
            step *= d.count as isize;
            fits
        };
        self.start[k] == 0 && in_order(&self.inner) && self.outer.iter().rev().all(in_order)
    }

    /// Outer loops, for those who look for tensors that stay in place.
    pub(crate) fn outer(&self) -> &[Dim<N>] {
        &self.outer
    }

    /// Calls `f` for every run of the innermost loop among `iterations`, or the part of a run, with
    /// the index of each tensor's first element and the length of the run.
    #[inline(always)]
    pub(crate) fn for_each_in(&self, iterations: Range<usize>, mut f: impl FnMut([usize; N], usize)) {
        if iterations.is_empty() || self.inner.count == 0 {
            return;
        }
        let (mut row, mut skip) = (iterations.start / self.inner.count, iterations.start % self.inner.count);
        let mut left = iterations.len();
        let mut index = [0; MAX_OUTER];
        let mut at = self.start;
        for (index, dim) in index.iter_mut().zip(&self.outer).take(self.outer.len()).rev() {
            *index = row % dim.count;
            row /= dim.count;
            for (at, stride) in at.iter_mut().zip(dim.strides) {
                *at = at.wrapping_add_signed(stride.wrapping_mul(*index as isize));
            }
        }
        loop {
            let count = (self.inner.count - skip).min(left);
            let first =
                |k: usize| at[k].wrapping_add_signed(self.inner.strides[k].wrapping_mul(skip as isize));
            f(std::array::from_fn(first), count);
            (left, skip) = (left - count, 0);
            if left == 0 || !self.advance(&mut index, &mut at) {
                return;
            }
        }
    }

    /// Calls `f` with the index of each tensor's first element for every run of the innermost loop.
    #[inline(always)]
    pub(crate) fn for_each(&self, mut f: impl FnMut([usize; N])) {
        if self.inner.count == 0 {
            return;
        }
        let mut index = [0; MAX_OUTER];
        let mut at = self.start;
        loop {
            f(at);
            if !self.advance(&mut index, &mut at) {
                return;
            }
        }
    }

    /// One iteration of the outer loops further; `false` behind the last.
    #[inline(always)]
    fn advance(&self, index: &mut [usize; MAX_OUTER], at: &mut [usize; N]) -> bool {
        for (d, &Dim { count, strides }) in self.outer.iter().enumerate().rev() {
            index[d] += 1;
            let back = if index[d] == count { count as isize } else { 0 };
            for k in 0..N {
                at[k] = at[k].wrapping_add_signed(strides[k].wrapping_mul(1 - back));
            }
            if back == 0 {
                return true;
            }
            index[d] = 0;
        }
        false
    }
}

/// Elements between neighbours along each dimension of a row-major tensor.
pub(crate) fn row_major(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1isize; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d].saturating_mul(isize::try_from(shape[d]).unwrap_or(isize::MAX));
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dim(count: usize, a: isize, b: isize) -> Dim<2> {
        Dim { count, strides: [a, b] }
    }

    fn visited(nest: &Nest<2>) -> Vec<[usize; 2]> {
        let mut all = Vec::new();
        let Dim { count, strides } = nest.inner();
        nest.for_each(|at| {
            for i in 0..count as isize {
                all.push([0, 1].map(|k| at[k].wrapping_add_signed(strides[k] * i)));
            }
        });
        all
    }

    #[test]
    fn continuing_dimensions_become_one_loop() {
        let nest = Nest::new(&[dim(2, 12, 12), dim(1, 7, 9), dim(3, 4, 4), dim(4, 1, 1)], [0, 0], [24, 24]);
        let nest = nest.unwrap();
        assert_eq!(nest.inner(), dim(24, 1, 1));
        assert!(nest.outer.is_empty());
    }

    #[test]
    fn a_transpose_visits_every_element_once() {
        let nest = Nest::new(&[dim(3, 1, 2), dim(2, 3, 1)], [0, 0], [6, 6]).unwrap();
        assert_eq!(visited(&nest), [[0, 0], [3, 1], [1, 2], [4, 3], [2, 4], [5, 5]]);
    }

    #[test]
    fn parts_of_the_iterations_are_the_whole() {
        let nest = Nest::new(&[dim(2, 1, 12), dim(4, 6, 3), dim(3, 2, 1)], [0, 0], [30, 24]).unwrap();
        let all = visited(&nest);
        assert_eq!((nest.len(), nest.fills(1), nest.fills(0)), (24, true, false));
        let [step_from, step_to] = nest.inner().strides;
        for (start, end) in (0..25).flat_map(|start| (start..25).map(move |end| (start, end))) {
            let mut part = Vec::new();
            nest.for_each_in(start..end, |[f, t], count| {
                for i in 0..count as isize {
                    part.push([f.wrapping_add_signed(i * step_from), t.wrapping_add_signed(i * step_to)]);
                }
            });
            assert_eq!(part, all[start..end]);
        }
    }

    #[test]
    fn backward_loops_stay_inside() {
        assert_eq!(visited(&Nest::new(&[dim(3, -1, 1)], [2, 0], [3, 3]).unwrap()), [[2, 0], [1, 1], [0, 2]]);
        assert!(Nest::new(&[dim(3, -1, 1)], [1, 0], [3, 3]).is_none());
        assert!(Nest::new(&[dim(4, 1, 1)], [0, 0], [3, 4]).is_none());
    }

    #[test]
    fn nothing_is_visited_where_a_dimension_is_empty() {
        let nest = Nest::new(&[dim(3, 1, 1), dim(0, 1, 1)], [5, 5], [0, 0]).unwrap();
        assert!(visited(&nest).is_empty());
    }
}
