//! What kernels of any instruction set are given: rows of samples, and where each column reads.

use super::axis::{Axis, TAP_BLOCK, WEIGHT_BITS};
use super::color::{SAMPLE_BITS, ToRgb};

/// Fraction bits between the two passes: 8 + 7 bits leave an i16 its sign.
const HALFWAY_BITS: u32 = 7;

/// What the pass across takes off, to leave [`HALFWAY_BITS`].
pub(super) const ACROSS_SHIFT: u32 = WEIGHT_BITS - HALFWAY_BITS;

/// What the pass down takes off, to leave [`SAMPLE_BITS`].
pub(super) const DOWN_SHIFT: u32 = HALFWAY_BITS + WEIGHT_BITS - SAMPLE_BITS;

/// Bytes that a kernel may write behind the last pixel of a row.
pub(super) const SLACK: usize = 4;

/// Number of columns, once blocks of 16 bytes at every [`TAP_BLOCK`] of taps are known to stay within
/// `source`, and each column to have its weights and its place in `out`.
pub(super) fn check_across(source: &[u8], step: usize, axis: &Axis, out: &[&mut [i16]; 3]) -> usize {
    let (taps, len) = (axis.taps, axis.starts.len());
    assert!(taps.is_multiple_of(TAP_BLOCK) && axis.weights.len() == len * taps);
    assert!(out.iter().all(|o| o.len() == len) && axis.starts.iter().all(|s| *s <= axis.last_start));
    assert!((axis.last_start as usize + taps - TAP_BLOCK) * step + 16 <= source.len());
    len
}

/// Where each output column reads, and the weights of its two samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps<'a> {
    pub(super) starts: &'a [u32],
    pub(super) weights: &'a [i16],
    last: u32,
}

impl<'a> Taps<'a> {
    pub(super) fn of(axis: &'a Axis) -> Self {
        Self { starts: &axis.starts, weights: &axis.weights, last: axis.last_start }
    }

    /// Bytes of a row that reads of `width` bytes at each start touch.
    pub(super) fn reach(&self, width: usize, step: usize) -> usize {
        self.last as usize * step + width
    }

    /// Number of columns, once reads of `width` bytes at each start are known to stay within `row`
    /// bytes, and each column to have its weights.
    pub(super) fn check(&self, width: usize, step: usize, row: usize) -> usize {
        assert!(self.weights.len() == self.starts.len() * 2 && self.starts.iter().all(|s| *s <= self.last));
        assert!(self.reach(width, step) <= row && row <= i32::MAX as usize);
        self.starts.len()
    }
}

/// First columns of blocks of `block`; the last block may overlap the one before.
pub(super) fn blocks(len: usize, block: usize) -> impl Iterator<Item = usize> {
    (0..len / block).map(move |i| i * block).chain((!len.is_multiple_of(block)).then(|| len - block))
}

/// Two rows of packed pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed<'a> {
    pub(super) top: &'a [u8],
    pub(super) bottom: &'a [u8],
    /// Bytes of a pixel: 3 or 4.
    pub(super) step: usize,
    pub(super) blue_first: bool,
    pub(super) taps: Taps<'a>,
    /// Weights of the two rows.
    pub(super) down: [i16; 2],
}

/// Two rows of luma and two of interleaved chroma.
#[derive(Debug, Clone, Copy)]
pub(super) struct Biplanar<'a> {
    pub(super) luma: [&'a [u8]; 2],
    pub(super) luma_taps: Taps<'a>,
    pub(super) luma_down: [i16; 2],
    pub(super) chroma: [&'a [u8]; 2],
    pub(super) chroma_taps: Taps<'a>,
    pub(super) chroma_down: [i16; 2],
    pub(super) cr_first: bool,
    pub(super) color: ToRgb,
}
