//! Portable resizing: rows and columns are resolved at load.

use crate::arena::Io;
use crate::kernels::Isa;
use crate::kernels::simd::{self, Loops};
use crate::lowering::Kernel;
use crate::threads::Pool;
use bytemuck::Pod;
use std::marker::PhantomData;

/// Fewest elements of a task.
const PIECE: usize = 4 << 10;
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
    pub(super) isa: Isa,
    pub(super) rows: Box<[Tap]>,
    pub(super) columns: Box<[Tap]>,
    /// Height and width of the input.
    pub(super) input: [usize; 2],
    pub(super) channels: usize,
}

/// A value between four others.
trait Mix: Pod + Send + Sync {
    /// From top left, top right, bottom left and bottom right.
    fn mix(corners: [Self; 4], column: Tap, row: Tap) -> Self;
}

impl Mix for u8 {
    #[inline(always)]
    fn mix(corners: [Self; 4], column: Tap, row: Tap) -> Self {
        let [tl, tr, bl, br] = corners.map(i32::from);
        let top = (tl << BITS) + column.fixed * (tr - tl);
        let bottom = (bl << BITS) + column.fixed * (br - bl);
        let mixed = (top << BITS) + row.fixed * (bottom - top);
        ((mixed + (1 << (2 * BITS - 1))) >> (2 * BITS)) as Self
    }
}

impl Mix for f32 {
    #[inline(always)]
    fn mix([tl, tr, bl, br]: [Self; 4], column: Tap, row: Tap) -> Self {
        let top = tl + (tr - tl) * column.weight;
        let bottom = bl + (br - bl) * column.weight;
        top + (bottom - top) * row.weight
    }
}

pub(super) struct Resize<T> {
    bilinear: Bilinear,
    element: PhantomData<T>,
}

impl<T> Resize<T> {
    pub(super) fn new(bilinear: Bilinear) -> Self {
        Self { bilinear, element: PhantomData }
    }
}

impl<T: Mix> Kernel for Resize<T> {
    fn name(&self) -> &'static str {
        self.bilinear.name
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let bilinear = &self.bilinear;
        let row_len = bilinear.columns.len() * bilinear.channels;
        let input = io.input::<T>(0);
        pool.split(io.output::<T>(0), row_len, PIECE.div_ceil(row_len.max(1)), &mut [], &|first, out, _| {
            simd::vectorize(bilinear.isa, MixRows { bilinear, input, first, out });
        });
    }
}

/// Output rows from `first` on.
struct MixRows<'a, T> {
    bilinear: &'a Bilinear,
    input: &'a [T],
    first: usize,
    out: &'a mut [T],
}

impl<T: Mix> Loops for MixRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Bilinear { rows, columns, input: [height, width], channels: c, .. } = self.bilinear;
        for (index, out) in self.out.chunks_exact_mut(columns.len() * c).enumerate() {
            let (image, y) = ((self.first + index) / rows.len(), (self.first + index) % rows.len());
            let image = &self.input[image * height * width * c..][..height * width * c];
            let row = rows[y];
            let line = |y: usize| &image[y * width * c..][..width * c];
            let (top, bottom) = (line(row.low), line(row.high));
            for (&column, out) in columns.iter().zip(out.chunks_exact_mut(*c)) {
                let (low, high) = (column.low * c, column.high * c);
                let corners =
                    [&top[low..][..*c], &top[high..][..*c], &bottom[low..][..*c], &bottom[high..][..*c]];
                for i in 0..*c {
                    out[i] = T::mix(corners.map(|corner| corner[i]), column, row);
                }
            }
        }
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

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<u8>(0);
        let ([height, width], pixel) = (self.input, self.pixel_bytes);
        let row_len = self.columns.len() * pixel;
        pool.split(io.output::<u8>(0), row_len, PIECE.div_ceil(row_len.max(1)), &mut [], &|first, out, _| {
            for (index, out) in out.chunks_exact_mut(row_len).enumerate() {
                let (image, y) = ((first + index) / self.rows.len(), (first + index) % self.rows.len());
                let line = &from[(image * height + self.rows[y]) * width * pixel..][..width * pixel];
                for (&x, out) in self.columns.iter().zip(out.chunks_exact_mut(pixel)) {
                    out.copy_from_slice(&line[x * pixel..][..pixel]);
                }
            }
        });
    }
}
