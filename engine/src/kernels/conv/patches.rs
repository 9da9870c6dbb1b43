//! Windows of an image as rows of a matrix ("im2col").

use crate::kernels::window::Window;

/// Short runs are copied as this many elements at once, which costs less than their exact length.
const COPY: usize = 16;

/// How the rows of the matrix product lie in the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patches {
    /// Every pixel is a row already.
    Direct,
    /// A row is the window of an output pixel.
    Window(Window),
    /// A row is what a transposed convolution gathers for an output pixel: the window of
    /// `Window::output` over an image whose pixels lie `stride` apart.
    Transposed(Window),
}

impl Patches {
    /// Elements from one row to the next of rows of `row_len` that [`Patches::fill`] writes: enough
    /// for copies of [`COPY`] elements to reach beyond a row's end.
    pub(crate) fn stride(&self, channels: usize, row_len: usize) -> usize {
        match self {
            Self::Window(window) if window.kernel.w * channels <= COPY => {
                row_len.max((window.kernel.h - 1) * window.kernel.w * channels + COPY)
            }
            _ => row_len,
        }
    }

    /// Writes rows `first..` of the matrix into `rows`, which lie [`Patches::stride`] apart:
    /// `channels` elements for each tap, `blank` for taps beyond the image, zeros up to `row_len`.
    pub(crate) fn fill<T: Copy + Default>(
        &self,
        image: &[T],
        channels: usize,
        first: usize,
        row_len: usize,
        rows: &mut [T],
        blank: T,
    ) {
        let (window, transposed) = match self {
            Self::Direct => return copy_rows(image, channels, first, row_len, rows),
            Self::Window(window) => (window, false),
            Self::Transposed(window) => (window, true),
        };
        let pixels = window.output.h * window.output.w;
        let image_len = window.input.h * window.input.w * channels;
        let (used, tap_row_len) = (window.taps() * channels, window.kernel.w * channels);
        let stride = self.stride(channels, row_len);
        let count = rows.len() / stride;
        let mut index = 0;
        // A run of pixels of one output row at a time.
        while index < count {
            let at = first + index;
            let (batch, y, x) = (at / pixels, at % pixels / window.output.w, at % window.output.w);
            let run = (window.output.w - x).min(count - index);
            let image = &image[batch * image_len..][..image_len];
            let rows = &mut rows[index * stride..];
            for tap in 0..window.kernel.h {
                let source_row =
                    if transposed { transposed_row(window, y, tap) } else { window.input_row(y, tap) };
                let target = Target { rows: &mut rows[tap * tap_row_len..], stride, run };
                match source_row {
                    None => target.each(|_, row| row[..tap_row_len].fill(blank)),
                    Some(source_row) => {
                        let source = &image[source_row * window.input.w * channels..];
                        if transposed {
                            target.each(|i, row| {
                                transposed_taps(
                                    window,
                                    channels,
                                    source,
                                    x + i,
                                    &mut row[..tap_row_len],
                                    blank,
                                );
                            });
                        } else {
                            taps(window, channels, source, x, target, blank);
                        }
                    }
                }
            }
            if used < row_len {
                Target { rows, stride, run }.each(|_, row| row[used..row_len].fill(T::default()));
            }
            index += run;
        }
    }
}

/// The same row of taps in `run` rows of the matrix; what follows the taps may be overwritten.
struct Target<'a, T> {
    rows: &'a mut [T],
    stride: usize,
    run: usize,
}

impl<T> Target<'_, T> {
    fn each(self, mut write: impl FnMut(usize, &mut [T])) {
        for i in 0..self.run {
            write(i, &mut self.rows[i * self.stride..]);
        }
    }
}

fn copy_rows<T: Copy + Default>(image: &[T], channels: usize, first: usize, row_len: usize, rows: &mut [T]) {
    let pixels = image[first * channels..].chunks_exact(channels);
    for (row, pixel) in rows.chunks_exact_mut(row_len).zip(pixels) {
        row[..channels].copy_from_slice(pixel);
        row[channels..].fill(T::default());
    }
}

/// The row of taps of output columns `x..`, from one row of the image and what follows it.
fn taps<T: Copy>(window: &Window, channels: usize, source: &[T], x: usize, target: Target<'_, T>, blank: T) {
    let Window { input, kernel, stride, pad, .. } = *window;
    let len = kernel.w * channels;
    // Columns whose taps all lie in the image: left ≤ column < right.
    let left = pad.w.div_ceil(stride.w);
    let right = (input.w + pad.w).checked_sub(kernel.w).map_or(0, |last| last / stride.w + 1);
    let contiguous = window.dilation.w == 1;
    // Columns of the run whose taps are one piece of the source.
    let end = x + target.run;
    let first = if contiguous { left.clamp(x, end) } else { end };
    let (inside, step) = (first..right.clamp(first, end), stride.w * channels);
    if !inside.is_empty() {
        let rows = &mut target.rows[(inside.start - x) * target.stride..];
        let source = &source[(inside.start * stride.w - pad.w) * channels..];
        for index in 0..inside.len() {
            let (source, row) = (&source[index * step..], &mut rows[index * target.stride..]);
            match (source.first_chunk::<COPY>(), row.first_chunk_mut::<COPY>()) {
                (Some(source), Some(row)) if len <= COPY => *row = *source,
                _ => row[..len].copy_from_slice(&source[..len]),
            }
        }
    }
    for column in (x..inside.start).chain(inside.end..end) {
        let row = &mut target.rows[(column - x) * target.stride..];
        for tap in 0..kernel.w {
            let row = &mut row[tap * channels..][..channels];
            match window.input_column(column, tap) {
                Some(column) => row.copy_from_slice(&source[column * channels..][..channels]),
                None => row.fill(blank),
            }
        }
    }
}

/// The input row or column that reaches output position `out` through `tap`.
fn gathered(out: usize, tap: usize, pad: usize, stride: usize, extent: usize) -> Option<usize> {
    let distance = (out + pad).checked_sub(tap)?;
    (distance.is_multiple_of(stride) && distance / stride < extent).then(|| distance / stride)
}

fn transposed_row(window: &Window, y: usize, tap: usize) -> Option<usize> {
    gathered(y, tap, window.pad.h, window.stride.h, window.input.h)
}

fn transposed_taps<T: Copy>(
    window: &Window,
    channels: usize,
    source: &[T],
    x: usize,
    row: &mut [T],
    blank: T,
) {
    for (tap, row) in row.chunks_exact_mut(channels).enumerate() {
        match gathered(x, tap, window.pad.w, window.stride.w, window.input.w) {
            Some(column) => row.copy_from_slice(&source[column * channels..][..channels]),
            None => row.fill(blank),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Size2;
    use proptest::prelude::*;

    fn size((h, w): (usize, usize)) -> Size2 {
        Size2 { h, w }
    }

    proptest! {
        #[test]
        fn rows_are_the_windows_of_their_pixels(
            input in (1usize..9, 1usize..9), kernel in (1usize..5, 1usize..5), stride in (1usize..4, 1usize..4),
            dilation in (1usize..3, 1usize..3), channels in 1usize..8, batch in 1usize..3, skip in 0usize..7,
            transposed: bool,
        ) {
            let pad = size((kernel.0 / 2, kernel.1 / 2));
            let output = if transposed {
                size((input.0 * stride.0, input.1 * stride.1))
            } else {
                size((input.0.div_ceil(stride.0), input.1.div_ceil(stride.1)))
            };
            let dilation = if transposed { size((1, 1)) } else { size(dilation) };
            let (input, kernel, stride) = (size(input), size(kernel), size(stride));
            let window = Window { batch, input, output, kernel, stride, dilation, pad };
            let patches = if transposed { Patches::Transposed(window) } else { Patches::Window(window) };
            let image: Vec<u16> = (0..batch * input.h * input.w * channels).map(|i| i as u16 + 2).collect();
            let row_len = (window.taps() * channels).next_multiple_of(4);
            let (first, stride) = (skip.min(window.output_pixels() - 1), patches.stride(channels, row_len));
            let count = window.output_pixels() - first;
            let mut rows = vec![9999; count * stride];
            patches.fill(&image, channels, first, row_len, &mut rows, 1);
            for (i, row) in rows.chunks_exact(stride).enumerate() {
                let (b, pixel) = ((first + i) / (output.h * output.w), (first + i) % (output.h * output.w));
                let (y, x) = (pixel / output.w, pixel % output.w);
                for (at, &value) in row[..row_len].iter().enumerate() {
                    let (tap, c) = (at / channels, at % channels);
                    let (ky, kx) = (tap / kernel.w, tap % kernel.w);
                    let source = if tap >= window.taps() {
                        prop_assert_eq!(value, 0);
                        continue;
                    } else if transposed {
                        transposed_row(&window, y, ky).zip(gathered(x, kx, pad.w, window.stride.w, input.w))
                    } else {
                        window.input_row(y, ky).zip(window.input_column(x, kx))
                    };
                    let expected = source.map_or(1, |(row, column)| {
                        image[((b * input.h + row) * input.w + column) * channels + c]
                    });
                    prop_assert_eq!(value, expected);
                }
            }
        }
    }
}
