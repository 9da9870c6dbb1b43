//! People and things made unrecognizable: boxes filled with a few large squares.

use image::{Rgb, RgbImage};

/// Squares along the longer side of a box: no face or number plate is told by so few.
const SQUARES: u32 = 8;
/// Boxes are a little small at times: so much of their sides is added all round.
const MARGIN: f32 = 0.1;

/// Fills a box, in pixels of `image` as left, top, right, bottom, and a margin around it with squares of its
/// mean colours. No pixel of the inside stays.
pub(crate) fn pixelate(image: &mut RgbImage, [left, top, right, bottom]: [f32; 4]) {
    let (width, height) = image.dimensions();
    let (x, y) = ((right - left).max(0.0) * MARGIN, (bottom - top).max(0.0) * MARGIN);
    let low = |edge: f32, side: u32| (edge.floor().max(0.0) as u32).min(side);
    let high = |edge: f32, side: u32| (edge.ceil().max(0.0) as u32).min(side);
    let (x0, x1) = (low(left - x, width), high(right + x, width));
    let (y0, y1) = (low(top - y, height), high(bottom + y, height));
    let square = (x1.saturating_sub(x0)).max(y1.saturating_sub(y0)).div_ceil(SQUARES).max(1);
    for y in (y0..y1).step_by(square as usize) {
        for x in (x0..x1).step_by(square as usize) {
            fill(image, [x, y, (x + square).min(x1), (y + square).min(y1)]);
        }
    }
}

fn fill(image: &mut RgbImage, [x0, y0, x1, y1]: [u32; 4]) {
    let inside = || (y0..y1).flat_map(|y| (x0..x1).map(move |x| (x, y)));
    let mut sums = [0u64; 3];
    for (x, y) in inside() {
        for (sum, value) in sums.iter_mut().zip(image.get_pixel(x, y).0) {
            *sum += u64::from(value);
        }
    }
    let count = u64::from(x1 - x0) * u64::from(y1 - y0);
    let mean = Rgb(sums.map(|sum| (sum / count.max(1)) as u8));
    inside().for_each(|(x, y)| image.put_pixel(x, y, mean));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_inside_stays_and_nothing_else_goes() {
        let noise = |x: u32, y: u32| Rgb([(x * 37 + y * 101) as u8, (x * 59 + y * 7) as u8, (x * y) as u8]);
        let before = RgbImage::from_fn(200, 120, noise);
        let mut image = before.clone();
        pixelate(&mut image, [50.0, 30.0, 130.0, 90.0]);
        // A tenth of 80 and of 60 pixels more on each side.
        let (x, y) = (42..138, 24..96);
        for (px, py, pixel) in before.enumerate_pixels() {
            if !(x.contains(&px) && y.contains(&py)) {
                assert_eq!(image.get_pixel(px, py), pixel, "{px} {py}");
            }
        }
        let inside = x.clone().flat_map(|px| y.clone().map(move |py| (px, py)));
        let colors: std::collections::HashSet<_> = inside.map(|(px, py)| image.get_pixel(px, py).0).collect();
        assert!(colors.len() <= (SQUARES * SQUARES) as usize, "{} colours", colors.len());
    }

    #[test]
    fn boxes_beyond_the_picture_are_harmless() {
        let mut image = RgbImage::new(20, 10);
        for edges in [
            [-1e9, -1e9, 1e9, 1e9],
            [30.0, 30.0, 40.0, 40.0],
            [5.0, 5.0, 1.0, 1.0],
            [f32::NAN; 4],
            [3.0, 3.0, 3.0, 3.0],
        ] {
            pixelate(&mut image, edges);
        }
    }
}
