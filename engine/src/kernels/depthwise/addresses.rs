//! Where the taps of output pixels lie, for kernels that hold an address for each tap.

use super::TapRows;
use crate::kernels::window::Window;
use std::marker::PhantomData;

/// Most taps.
pub(super) const MAX_TAPS: usize = 64;

/// An address for each tap; what lies behind the window's last tap says nothing.
pub(super) type Addresses = [*const u8; MAX_TAPS];

/// The input rows of an output row, those beyond the image being the blank one.
pub(super) struct Lines<'a> {
    window: Window,
    channels: usize,
    blank: *const u8,
    lines: Addresses,
    rows: PhantomData<&'a u8>,
}

impl<'a> Lines<'a> {
    /// `blank` is a row of the input's zero point. Whole rows are expected, one for each row of taps.
    #[inline]
    pub(super) fn new(window: &Window, channels: usize, rows: &TapRows<'a, u8>, blank: &'a [u8]) -> Self {
        assert!(rows.len() == window.kernel.h, "a row for each row of taps");
        let mut lines = [blank.as_ptr(); MAX_TAPS];
        for (line, row) in lines.iter_mut().zip(rows) {
            if let Some(row) = row {
                assert!(row.len() >= blank.len(), "a whole row");
                *line = row.as_ptr();
            }
        }
        Self { window: *window, channels, blank: blank.as_ptr(), lines, rows: PhantomData }
    }

    /// Addresses to be filled. The blank row is as long as others, so that a channel's offset suits
    /// every address.
    #[inline]
    pub(super) fn blank(&self) -> Addresses {
        [self.blank; MAX_TAPS]
    }

    /// The taps of output column `x`; those beyond the image lie in the blank row.
    #[inline]
    pub(super) fn taps(&self, x: usize, addresses: &mut Addresses) {
        self.fill(addresses, |tap| self.window.input_column(x, tap));
    }

    /// The taps of output column `x`, all of which lie in the image.
    #[inline]
    pub(super) fn interior_taps(&self, x: usize, addresses: &mut Addresses) {
        let Window { stride, dilation, pad, .. } = self.window;
        let start = x * stride.w - pad.w;
        self.fill(addresses, |tap| Some(start + tap * dilation.w));
    }

    #[inline]
    fn fill(&self, addresses: &mut Addresses, column: impl Fn(usize) -> Option<usize>) {
        let rows = addresses[..self.window.taps()].chunks_exact_mut(self.window.kernel.w);
        for (addresses, line) in rows.zip(self.lines) {
            for (tap, address) in addresses.iter_mut().enumerate() {
                *address = match column(tap) {
                    Some(x) => line.wrapping_add(x * self.channels),
                    None => self.blank,
                };
            }
        }
    }
}
