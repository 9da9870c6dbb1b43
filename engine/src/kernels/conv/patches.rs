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
    /// Writes rows `first..` of the matrix into `rows`, each `row_len` long: `channels` elements
    /// for each tap, `blank` for taps beyond the image, zero after the last tap.
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
        let used = window.taps() * channels;
        let (mut batch, mut y, mut x) =
            (first / pixels, first % pixels / window.output.w, first % window.output.w);
        for index in 0..rows.len() / row_len {
            let row = &mut rows[index * row_len..];
            let image = &image[batch * image_len..][..image_len];
            for tap in 0..window.kernel.h {
                let source_row =
                    if transposed { transposed_row(window, y, tap) } else { window.input_row(y, tap) };
                let start = tap * window.kernel.w * channels;
                let len = window.kernel.w * channels;
                match source_row {
                    None => row[start..][..len].fill(blank),
                    Some(source_row) => {
                        let source = &image[source_row * window.input.w * channels..];
                        if transposed {
                            transposed_taps(window, channels, source, x, &mut row[start..][..len], blank);
                        } else {
                            taps(window, channels, source, x, &mut row[start..], blank);
                        }
                    }
                }
            }
            row[used..row_len].fill(T::default());
            x += 1;
            if x == window.output.w {
                (x, y) = (0, y + 1);
                if y == window.output.h {
                    (y, batch) = (0, batch + 1);
                }
            }
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

/// One row of taps; `row` may continue, and what follows the taps may be overwritten.
fn taps<T: Copy>(window: &Window, channels: usize, source: &[T], x: usize, row: &mut [T], blank: T) {
    let left = x * window.stride.w;
    let inside = left >= window.pad.w && left - window.pad.w + window.kernel.w <= window.input.w;
    if inside && window.dilation.w == 1 {
        let len = window.kernel.w * channels;
        let source = &source[(left - window.pad.w) * channels..];
        if len <= COPY && row.len() >= COPY && source.len() >= COPY {
            row[..COPY].copy_from_slice(&source[..COPY]);
        } else {
            row[..len].copy_from_slice(&source[..len]);
        }
        return;
    }
    for tap in 0..window.kernel.w {
        let row = &mut row[tap * channels..][..channels];
        match window.input_column(x, tap) {
            Some(column) => row.copy_from_slice(&source[column * channels..][..channels]),
            None => row.fill(blank),
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
