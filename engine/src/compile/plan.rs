//! Where every value lies in the arena.
//!
//! Offsets are assigned greedily, largest value first, each into the smallest gap between the
//! values that live at the same time ("greedy by size", Pisarchyk & Lee, arXiv:2001.03288).

use crate::arena::{Slot, align};

/// A value's size and the steps between which it must survive, both inclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    pub(crate) bytes: usize,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Lifetime {
    fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Slots from `base` on, one for each lifetime, and the end of the last.
pub(crate) fn assign(lifetimes: &[Lifetime], base: usize) -> (Vec<Slot>, usize) {
    let mut order: Vec<usize> = (0..lifetimes.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(lifetimes[i].bytes));
    let mut slots = vec![Slot::default(); lifetimes.len()];
    // Indices of the values placed so far, by offset.
    let mut placed: Vec<usize> = Vec::with_capacity(lifetimes.len());
    let mut end = base;
    for i in order {
        let need = align(lifetimes[i].bytes);
        let mut best: Option<(usize, usize)> = None;
        let mut cursor = base;
        for &j in placed.iter().filter(|&&j| lifetimes[j].meets(&lifetimes[i])) {
            let gap = slots[j].offset.saturating_sub(cursor);
            if slots[j].offset >= cursor && gap >= need && best.is_none_or(|(g, _)| gap < g) {
                best = Some((gap, cursor));
            }
            cursor = cursor.max(align(slots[j].end()));
        }
        let offset = best.map_or(cursor, |(_, offset)| offset);
        slots[i] = Slot { offset, len: lifetimes[i].bytes };
        end = end.max(offset + need);
        let at = placed.partition_point(|&j| slots[j].offset <= offset);
        placed.insert(at, i);
    }
    (slots, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_alive_together_do_not_overlap(
            cases in prop::collection::vec((1usize..5000, 0usize..30, 0usize..10), 1..60)
        ) {
            let lifetimes: Vec<_> =
                cases.iter().map(|&(bytes, first, len)| Lifetime { bytes, first, last: first + len }).collect();
            let (slots, end) = assign(&lifetimes, 128);
            for i in 0..slots.len() {
                prop_assert!(slots[i].offset >= 128 && slots[i].end() <= end);
                for j in 0..i {
                    if lifetimes[i].meets(&lifetimes[j]) {
                        prop_assert!(!slots[i].overlaps(slots[j]));
                    }
                }
            }
        }
    }

    #[test]
    fn memory_is_reused() {
        let chain: Vec<_> = (0..10).map(|i| Lifetime { bytes: 640, first: i, last: i + 1 }).collect();
        assert_eq!(assign(&chain, 0).1, 1280);
    }
}
