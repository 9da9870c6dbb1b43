//! The one block of memory that a session computes in.

#![allow(unsafe_code, reason = "slots of one block are borrowed at the same time")]

use bytemuck::{Pod, Zeroable};
use std::marker::PhantomData;

/// Alignment of every slot: a cache line, and the widest vector register.
pub(crate) const ALIGN: usize = 64;

/// Rounds up to [`ALIGN`].
pub(crate) const fn align(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGN)
}

/// A range of bytes in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Slot {
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

impl Slot {
    pub(crate) fn end(self) -> usize {
        self.offset + self.len
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.len > 0 && other.len > 0 && self.offset < other.end() && other.offset < self.end()
    }
}

/// The slots of one kernel call. [`Operands::new`] is the only constructor, and it checks what
/// [`Io`] relies on: nothing that is written overlaps anything else.
#[derive(Debug)]
pub(crate) struct Operands {
    inputs: Box<[Slot]>,
    outputs: Box<[Slot]>,
    scratch: Slot,
    end: usize,
}

impl Operands {
    /// `None` where a written slot overlaps another slot.
    pub(crate) fn new(inputs: Vec<Slot>, outputs: Vec<Slot>, scratch: Slot) -> Option<Self> {
        let written: Vec<Slot> = outputs.iter().copied().chain([scratch]).collect();
        let clash = written.iter().enumerate().any(|(i, &w)| {
            inputs.iter().any(|&r| r.overlaps(w)) || written[..i].iter().any(|&o| o.overlaps(w))
        });
        let aligned = inputs.iter().chain(&written).all(|s| s.offset % ALIGN == 0);
        let end = inputs.iter().chain(&written).map(|s| s.end()).max().unwrap_or(0);
        (!clash && aligned).then(|| Self { inputs: inputs.into(), outputs: outputs.into(), scratch, end })
    }
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; ALIGN]);

/// Zeroed, cache-line aligned memory.
pub(crate) struct Arena {
    lines: Vec<Line>,
}

impl Arena {
    pub(crate) fn new(bytes: usize) -> Result<Self, std::collections::TryReserveError> {
        let count = bytes.div_ceil(ALIGN);
        let mut lines = Vec::new();
        lines.try_reserve_exact(count)?;
        lines.resize(count, Line::zeroed());
        Ok(Self { lines })
    }

    pub(crate) fn slot(&self, slot: Slot) -> &[u8] {
        &bytemuck::must_cast_slice(&self.lines)[slot.offset..slot.end()]
    }

    pub(crate) fn slot_mut(&mut self, slot: Slot) -> &mut [u8] {
        &mut bytemuck::must_cast_slice_mut(&mut self.lines)[slot.offset..slot.end()]
    }

    /// The operands of one kernel call.
    pub(crate) fn io<'a>(&'a mut self, operands: &'a Operands) -> Io<'a> {
        let bytes: &mut [u8] = bytemuck::must_cast_slice_mut(&mut self.lines);
        assert!(operands.end <= bytes.len(), "operands lie within the arena they were planned for");
        Io { base: bytes.as_mut_ptr(), operands, arena: PhantomData }
    }
}

/// What a kernel sees of the arena: inputs to read, outputs and scratch to write.
pub(crate) struct Io<'a> {
    base: *mut u8,
    operands: &'a Operands,
    arena: PhantomData<&'a mut [u8]>,
}

impl<'a> Io<'a> {
    fn read(&self, slot: Slot) -> &'a [u8] {
        // SAFETY: the arena is borrowed for 'a and `Arena::io` checked that the slot lies in it;
        // `Operands::new` checked that no written slot overlaps an input.
        unsafe { std::slice::from_raw_parts(self.base.add(slot.offset), slot.len) }
    }

    #[allow(clippy::mut_from_ref, reason = "callers hold &mut self and ask for each slot once")]
    fn write(&self, slot: Slot) -> &mut [u8] {
        // SAFETY: as in `read`; written slots are pairwise disjoint, and both callers borrow
        // `self` mutably for as long as the slices live.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(slot.offset), slot.len) }
    }

    /// Input `i` as numbers. Slots are aligned, so that only a wrong length could fail, which the
    /// lowering has checked.
    pub(crate) fn input<T: Pod>(&self, i: usize) -> &'a [T] {
        bytemuck::cast_slice(self.read(self.operands.inputs[i]))
    }

    /// Output `i` as numbers.
    pub(crate) fn output<T: Pod>(&mut self, i: usize) -> &mut [T] {
        bytemuck::cast_slice_mut(self.write(self.operands.outputs[i]))
    }

    /// The first `N` outputs as bytes, and the scratch memory.
    pub(crate) fn outputs_and_scratch<const N: usize>(&mut self) -> ([&mut [u8]; N], &mut [u8]) {
        let outputs = std::array::from_fn(|i| self.write(self.operands.outputs[i]));
        (outputs, self.write(self.operands.scratch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(offset: usize, len: usize) -> Slot {
        Slot { offset, len }
    }

    #[test]
    fn written_slots_may_not_overlap_anything() {
        let none = Slot::default();
        assert!(Operands::new(vec![slot(0, 64)], vec![slot(64, 64)], slot(128, 1)).is_some());
        assert!(Operands::new(vec![slot(0, 65)], vec![slot(64, 64)], none).is_none());
        assert!(Operands::new(vec![], vec![slot(0, 64), slot(0, 1)], none).is_none());
        assert!(Operands::new(vec![], vec![slot(0, 64)], slot(0, 64)).is_none());
        assert!(Operands::new(vec![slot(0, 64), slot(0, 64)], vec![slot(64, 4)], none).is_some());
    }

    #[test]
    fn slots_are_aligned() {
        let arena = Arena::new(200).unwrap();
        assert_eq!(arena.slot(slot(64, 1)).as_ptr() as usize % ALIGN, 0);
    }
}
