//! Where an instruction set takes over from the scalar code: packed or two-plane pixels with two
//! taps on each axis, and packed pixels with many.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
use super::axis::{Axis, TAP_BLOCK};
use super::color::ToRgb;
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
use super::plan::Plan;
use super::rows::{Biplanar, Packed, SLACK, Taps};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::simd128::Simd128;
use crate::frame::{Components, Frame, PackedFormat, Pixels, Plane};
use osprey_engine::Isa;

/// Fewest columns: a kernel's block.
const MIN_COLUMNS: usize = 8;

/// The best kernel of this CPU.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kernel {
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128(Simd128),
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
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return Some(Self::Simd128(Simd128));
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        None
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "x86_64-avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "aarch64-neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128(_) => "wasm32-simd128",
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
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128(simd) => simd.across(source, step, across, out),
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
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128(simd) => simd.packed(rows, out),
        }
    }

    /// Levels of a row of two-plane pixels; `out` has [`SLACK`] behind it.
    fn biplanar(self, rows: &Biplanar<'_>, out: &mut [u8]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.biplanar(rows, out),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(neon) => neon.biplanar(rows, out),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128(simd) => simd.biplanar(rows, out),
        }
    }
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
