//! Where an instruction set takes over from the scalar code: packed or two-plane pixels with two
//! taps on each axis, and packed pixels with many.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
use super::axis::{Axis, TAP_BLOCK};
use super::color::ToRgb;
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
use super::plan::Plan;
use crate::frame::{Components, Frame, PackedFormat, Pixels, Plane};
use osprey_engine::Isa;

/// Bytes that a kernel may write behind the last pixel of a row.
pub(super) const SLACK: usize = 4;

/// Fewest columns: a kernel's block.
const MIN_COLUMNS: usize = 8;

/// The best kernel of this CPU.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kernel {
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
}

impl Kernel {
    /// The best one up to `isa`, so that what caps the engine caps this as well.
    pub(super) fn up_to(isa: Isa) -> Option<Self> {
        if isa == Isa::Scalar {
            return None;
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::new() {
            return Some(Self::Avx2(avx2));
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(neon) = Neon::new() {
            return Some(Self::Neon(neon));
        }
        None
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "x86_64-avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "aarch64-neon",
        }
    }

    /// One output row, in memory order, of levels; false where this frame is not the kernel's.
    pub(super) fn row(self, frame: &Frame<'_>, plan: &Plan, index: usize, out: &mut [u8]) -> bool {
        let components = frame.components();
        let luma = plan.axes(&components, 0);
        if luma.across.taps != 2 || luma.down.taps != 2 || luma.across.len() < MIN_COLUMNS {
            return false;
        }
        let Some(out) = out.get_mut(..luma.across.len() * 3 + SLACK) else { return false };
        match (frame.pixels(), components) {
            (Pixels::Packed { format, plane }, Components::Rgb(_)) => {
                let step = format.bytes_per_pixel();
                let taps = Taps::of(luma.across);
                let Some([top, bottom]) = two_rows(plane, luma.down, index, taps.reach(8, step)) else {
                    return false;
                };
                let blue_first = matches!(format, PackedFormat::Bgr | PackedFormat::Bgra);
                let rows = Packed { top, bottom, step, blue_first, taps, down: weights(luma.down, index) };
                self.packed(&rows, out);
            }
            (Pixels::Biplanar { luma: y, chroma: c, cr_first, .. }, Components::Yuv(_, color)) => {
                let chroma = plan.axes(&components, 1);
                if chroma.across.taps != 2 || chroma.down.taps != 2 {
                    return false;
                }
                let (luma_taps, chroma_taps) = (Taps::of(luma.across), Taps::of(chroma.across));
                let Some(y) = two_rows(y, luma.down, index, luma_taps.reach(4, 1)) else { return false };
                let Some(c) = two_rows(c, chroma.down, index, chroma_taps.reach(4, 2)) else { return false };
                let rows = Biplanar {
                    luma: y,
                    luma_taps,
                    luma_down: weights(luma.down, index),
                    chroma: c,
                    chroma_taps,
                    chroma_down: weights(chroma.down, index),
                    cr_first: *cr_first,
                    color: ToRgb::new(color),
                };
                self.biplanar(&rows, out);
            }
            _ => return false,
        }
        true
    }

    /// A row of packed pixels resampled across, the first three channels in the order of memory;
    /// false where the row or its number of taps is not the kernel's.
    pub(super) fn across(self, source: &[u8], step: usize, across: &Axis, out: [&mut [i16]; 3]) -> bool {
        // Reads are of 16 bytes, which for three-byte pixels leave a block of four.
        let end = (across.last_start as usize + across.taps - TAP_BLOCK.min(across.taps)) * step + 16;
        if !across.taps.is_multiple_of(TAP_BLOCK) || end > source.len() {
            return false;
        }
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.across(source, step, across, out),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(neon) => neon.across(source, step, across, out),
        }
        true
    }

    /// Levels of a row of packed pixels; `out` has [`SLACK`] behind it.
    fn packed(self, rows: &Packed<'_>, out: &mut [u8]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.packed(rows, out),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(neon) => neon.packed(rows, out),
        }
    }

    /// Levels of a row of two-plane pixels; `out` has [`SLACK`] behind it.
    fn biplanar(self, rows: &Biplanar<'_>, out: &mut [u8]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.biplanar(rows, out),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(neon) => neon.biplanar(rows, out),
        }
    }
}

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
    fn of(axis: &'a Axis) -> Self {
        Self { starts: &axis.starts, weights: &axis.weights, last: axis.last_start }
    }

    /// Bytes of a row that reads of `width` bytes at each start touch.
    fn reach(&self, width: usize, step: usize) -> usize {
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

/// The two rows that make output row `index`, each at least `reach` bytes; none at the very end of
/// a plane, where whole reads would leave it.
fn two_rows<'a>(plane: &Plane<'a>, down: &Axis, index: usize, reach: usize) -> Option<[&'a [u8]; 2]> {
    let start = down.starts[index] as usize * plane.stride;
    let row = |from: usize| plane.data.get(from..from + reach);
    Some([row(start)?, row(start + plane.stride)?])
}

fn weights(down: &Axis, index: usize) -> [i16; 2] {
    [down.weights[index * 2], down.weights[index * 2 + 1]]
}
