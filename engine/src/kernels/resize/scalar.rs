//! Portable resizing: rows and columns are resolved at load.

use crate::arena::Io;
use crate::lowering::Kernel;
use crate::threads::Pool;

/// Bits of an 8-bit weight.
const BITS: u32 = 11;

/// Two neighbours along an axis and the weight of the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tap {
    low: usize,
    high: usize,
    weight: f32,
    /// The weight in 2¹¹ths.
    fixed: i32,
}

impl Tap {
    /// `at` lies within the `extent` input pixels.
    pub(super) fn new(at: f32, extent: usize) -> Self {
        let low = (at as usize).min(extent - 1);
        let weight = at - low as f32;
        let fixed = (weight * (1 << BITS) as f32).round_ties_even() as i32;
        Self { low, high: (low + 1).min(extent - 1), weight, fixed }
    }
}

pub(super) struct Bilinear {
    pub(super) name: &'static str,
    pub(super) rows: Box<[Tap]>,
    pub(super) columns: Box<[Tap]>,
    /// Height and width of the input.
    pub(super) input: [usize; 2],
    pub(super) channels: usize,
}

impl Bilinear {
    /// Calls `mix` for each output pixel: its channels, the input's at top left, top right, bottom
    /// left and bottom right, the row and the column.
    #[inline(always)]
    fn for_each<T>(
        &self,
        input: &[T],
        output: &mut [T],
        mut mix: impl FnMut(&mut [T], [&[T]; 4], &Tap, &Tap),
    ) {
        let c = self.channels;
        if output.is_empty() {
            return;
        }
        let [height, width] = self.input;
        let mut pixels = output.chunks_exact_mut(c);
        for image in input.chunks_exact(height * width * c) {
            for row in &self.rows {
                for (column, out) in self.columns.iter().zip(&mut pixels) {
                    let pixel = |y: usize, x: usize| &image[(y * width + x) * c..][..c];
                    let corners = [
                        pixel(row.low, column.low),
                        pixel(row.low, column.high),
                        pixel(row.high, column.low),
                        pixel(row.high, column.high),
                    ];
                    mix(out, corners, row, column);
                }
            }
        }
    }
}

pub(super) struct BilinearU8(pub(super) Bilinear);

impl Kernel for BilinearU8 {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        self.0.for_each(io.input::<u8>(0), io.output(0), |out, [tl, tr, bl, br], row, column| {
            for (i, out) in out.iter_mut().enumerate() {
                let [tl, tr, bl, br] = [tl[i], tr[i], bl[i], br[i]].map(i32::from);
                let top = (tl << BITS) + column.fixed * (tr - tl);
                let bottom = (bl << BITS) + column.fixed * (br - bl);
                let mixed = (top << BITS) + row.fixed * (bottom - top);
                *out = ((mixed + (1 << (2 * BITS - 1))) >> (2 * BITS)) as u8;
            }
        });
    }
}

pub(super) struct BilinearF32(pub(super) Bilinear);

impl Kernel for BilinearF32 {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        self.0.for_each(io.input::<f32>(0), io.output(0), |out, [tl, tr, bl, br], row, column| {
            for (i, out) in out.iter_mut().enumerate() {
                let top = tl[i] + (tr[i] - tl[i]) * column.weight;
                let bottom = bl[i] + (br[i] - bl[i]) * column.weight;
                *out = top + (bottom - top) * row.weight;
            }
        });
    }
}

pub(super) struct Nearest {
    pub(super) rows: Box<[usize]>,
    pub(super) columns: Box<[usize]>,
    /// Height and width of the input.
    pub(super) input: [usize; 2],
    pub(super) pixel_bytes: usize,
}

impl Kernel for Nearest {
    fn name(&self) -> &'static str {
        "portable-resize-nearest"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let (from, to) = (io.input::<u8>(0), io.output::<u8>(0));
        if to.is_empty() {
            return;
        }
        let [height, width] = self.input;
        let mut pixels = to.chunks_exact_mut(self.pixel_bytes);
        for image in from.chunks_exact(height * width * self.pixel_bytes) {
            for &y in &self.rows {
                for (&x, out) in self.columns.iter().zip(&mut pixels) {
                    out.copy_from_slice(&image[(y * width + x) * self.pixel_bytes..][..self.pixel_bytes]);
                }
            }
        }
    }
}
