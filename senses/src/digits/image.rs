//! MNIST's own preparation (<http://yann.lecun.com/exdb/mnist/>): the digit is scaled into a box of
//! 20 × 20 with its shape kept, smoothed by the scaling, and moved so that its centre of mass lies in
//! the middle of 28 × 28.

use osprey_detector::model::ModelError;

const SIDE: usize = 28;
const BOX: f32 = 20.0;
/// Half the width of a pen's line in pixels of the box: MNIST's lines are two to three pixels wide.
const PEN: f32 = 1.2;
/// Ink below this share of the darkest is paper.
const PAPER: f32 = 0.2;
/// Levels between ink and paper below which a picture is blank.
const CONTRAST: f32 = 25.0;
/// Points of all strokes: minutes of drawing on the fastest screen.
const MAX_POINTS: usize = 100_000;

/// Why there is no digit to classify.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DigitError {
    /// Neither a stroke nor a dark spot.
    #[error("there is nothing drawn; draw a digit, or photograph one with more contrast")]
    Blank,
    /// A point whose coordinates are NaN or infinite.
    #[error("point {point} of stroke {stroke} is not finite; leave it out")]
    NotFinite {
        /// Index of the stroke.
        stroke: usize,
        /// Index of the point in it.
        point: usize,
    },
    /// More points than a digit can have.
    #[error("{points} points are more than the {MAX_POINTS} that are drawn; thin the strokes out")]
    TooManyPoints {
        /// How many there are.
        points: usize,
    },
    /// A picture whose pixels do not fill its size.
    #[error("{width} × {height} gray pixels take as many bytes, got {bytes}")]
    Size {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
        /// Bytes given.
        bytes: usize,
    },
    /// A model of something else.
    #[error("the model takes {input:?} and gives {output:?}; a model of digits takes 28 × 28 and gives 10")]
    NotDigits {
        /// Shape of its input.
        input: Vec<usize>,
        /// Shape of its output.
        output: Vec<usize>,
    },
    /// The model did not load or run.
    #[error(transparent)]
    Model(ModelError),
}

/// Where a pen went between touching the paper and leaving it: (x, y), x to the right, y down, in
/// any unit.
pub type Stroke = [(f32, f32)];

/// A digit as MNIST has them.
#[derive(Debug, Clone, PartialEq)]
pub struct DigitImage {
    ink: Vec<f32>,
}

impl Default for DigitImage {
    /// A blank sheet.
    fn default() -> Self {
        Self { ink: vec![0.0; Self::PIXELS] }
    }
}

impl DigitImage {
    /// Number of pixels.
    pub const PIXELS: usize = SIDE * SIDE;

    /// From an image that is prepared already: 28 × 28 levels row by row, 0 paper, 255 ink.
    ///
    /// # Errors
    /// [`DigitError::Size`].
    pub fn from_mnist(levels: &[u8]) -> Result<Self, DigitError> {
        if levels.len() != Self::PIXELS {
            return Err(DigitError::Size { width: SIDE, height: SIDE, bytes: levels.len() });
        }
        Ok(Self { ink: levels.iter().map(|&l| f32::from(l) / 255.0).collect() })
    }

    /// Ink of each pixel, 0..1, row by row.
    pub fn ink(&self) -> &[f32] {
        &self.ink
    }

    /// Draws `strokes`, of any size and anywhere.
    ///
    /// # Errors
    /// [`DigitError::Blank`], [`DigitError::NotFinite`], [`DigitError::TooManyPoints`].
    pub fn from_strokes<S: AsRef<Stroke>>(strokes: &[S]) -> Result<Self, DigitError> {
        let points: usize = strokes.iter().map(|s| s.as_ref().len()).sum();
        if points > MAX_POINTS {
            return Err(DigitError::TooManyPoints { points });
        }
        for (stroke, points) in strokes.iter().enumerate() {
            if let Some(point) = points.as_ref().iter().position(|(x, y)| !x.is_finite() || !y.is_finite()) {
                return Err(DigitError::NotFinite { stroke, point });
            }
        }
        let all = || strokes.iter().flat_map(|s| s.as_ref()).map(|&(x, y)| (f64::from(x), f64::from(y)));
        let (first_x, first_y) = all().next().ok_or(DigitError::Blank)?;
        let extremes = all().fold((first_x, first_y, first_x, first_y), |(l, t, r, b), (x, y)| {
            (l.min(x), t.min(y), r.max(x), b.max(y))
        });
        let (left, top, right, bottom) = extremes;
        let extent = (right - left).max(bottom - top);
        // The line's own width belongs to the digit; a dot stays a dot.
        let scale = if extent > 0.0 { f64::from(BOX - 2.0 * PEN) / extent } else { 0.0 };
        let place = |(x, y): (f32, f32)| {
            let x = (f64::from(x) - left) * scale;
            let y = (f64::from(y) - top) * scale;
            (x as f32 + PEN, y as f32 + PEN)
        };
        let mut ink = Ink::new(BOX as usize, BOX as usize);
        for stroke in strokes {
            let stroke = stroke.as_ref();
            for (i, &end) in stroke.iter().enumerate() {
                ink.line(place(stroke[i.saturating_sub(1)]), place(end));
            }
        }
        ink.centred()
    }

    /// Finds the digit in a gray picture, dark on light or light on dark.
    ///
    /// # Errors
    /// [`DigitError::Blank`], [`DigitError::Size`].
    pub fn from_gray(levels: &[u8], width: usize, height: usize) -> Result<Self, DigitError> {
        if width.checked_mul(height) != Some(levels.len()) {
            return Err(DigitError::Size { width, height, bytes: levels.len() });
        }
        if levels.is_empty() {
            return Err(DigitError::Blank);
        }
        let paper = f32::from(border_level(levels, width, height));
        let (darkest, lightest) = levels.iter().fold((255, 0), |(d, l), &v| (v.min(d), v.max(l)));
        let (down, up) = (paper - f32::from(darkest), f32::from(lightest) - paper);
        let contrast = down.max(up);
        if contrast < CONTRAST {
            return Err(DigitError::Blank);
        }
        let sign = if down >= up { -1.0 } else { 1.0 };
        let ink = |v: u8| (sign * (f32::from(v) - paper) / contrast).max(0.0);
        let inked = |x: usize, y: usize| ink(levels[y * width + x]) >= PAPER;
        let columns: Vec<usize> = (0..width).filter(|&x| (0..height).any(|y| inked(x, y))).collect();
        let rows: Vec<usize> = (0..height).filter(|&y| (0..width).any(|x| inked(x, y))).collect();
        let (Some(&left), Some(&top)) = (columns.first(), rows.first()) else {
            return Err(DigitError::Blank);
        };
        let (w, h) = (columns[columns.len() - 1] + 1 - left, rows[rows.len() - 1] + 1 - top);
        let scale = BOX / w.max(h) as f32;
        let side = |n: usize| ((n as f32 * scale).round() as usize).clamp(1, BOX as usize);
        let mut small = Ink::new(side(w), side(h));
        let source = |x: usize, y: usize| {
            let v = ink(levels[(top + y) * width + left + x]);
            if v >= PAPER { v } else { 0.0 }
        };
        small.shrink(w, h, source);
        small.centred()
    }
}

/// The median level along the picture's border.
fn border_level(levels: &[u8], width: usize, height: usize) -> u8 {
    let (top, bottom) = (&levels[..width], &levels[(height - 1) * width..]);
    let sides = levels.chunks_exact(width).flat_map(|row| [row[0], row[width - 1]]);
    let mut border: Vec<u8> = top.iter().chain(bottom).copied().chain(sides).collect();
    border.sort_unstable();
    border[border.len() / 2]
}

/// A canvas.
struct Ink {
    width: usize,
    height: usize,
    levels: Vec<f32>,
}

impl Ink {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, levels: vec![0.0; width * height] }
    }

    /// Draws a line with round ends; its edge is smoothed over a pixel.
    fn line(&mut self, (x0, y0): (f32, f32), (x1, y1): (f32, f32)) {
        let (dx, dy) = (x1 - x0, y1 - y0);
        let squared = dx * dx + dy * dy;
        let reach = PEN + 0.5;
        let range = |a: f32, b: f32, end: usize| {
            let first = (a.min(b) - reach).floor().max(0.0) as usize;
            first..((a.max(b) + reach).ceil().max(0.0) as usize).min(end)
        };
        for y in range(y0, y1, self.height) {
            for x in range(x0, x1, self.width) {
                let (px, py) = (x as f32 + 0.5 - x0, y as f32 + 0.5 - y0);
                let along = if squared > 0.0 { ((px * dx + py * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
                let distance = (px - along * dx).hypot(py - along * dy);
                let level = &mut self.levels[y * self.width + x];
                *level = level.max((reach - distance).clamp(0.0, 1.0));
            }
        }
    }

    /// Fills the canvas with a `width` × `height` source: each pixel the mean of what it covers,
    /// between source pixels where the canvas is larger.
    fn shrink(&mut self, width: usize, height: usize, source: impl Fn(usize, usize) -> f32) {
        let rows = coverage(height, self.height);
        let columns = coverage(width, self.width);
        for (y, (first_row, row_weights)) in rows.iter().enumerate() {
            for (x, (first_column, column_weights)) in columns.iter().enumerate() {
                let mut sum = 0.0;
                for (dy, wy) in row_weights.iter().enumerate() {
                    for (dx, wx) in column_weights.iter().enumerate() {
                        sum += wy * wx * source(first_column + dx, first_row + dy);
                    }
                }
                self.levels[y * self.width + x] = sum;
            }
        }
    }

    /// On 28 × 28, with the centre of mass in the middle, and all of the digit inside.
    fn centred(&self) -> Result<DigitImage, DigitError> {
        let darkest = self.levels.iter().copied().fold(0.0, f32::max);
        let mass: f32 = self.levels.iter().sum();
        if darkest <= 0.0 {
            return Err(DigitError::Blank);
        }
        let mut centre = (0.0, 0.0);
        for (i, level) in self.levels.iter().enumerate() {
            centre.0 += level * ((i % self.width) as f32 + 0.5) / mass;
            centre.1 += level * ((i / self.width) as f32 + 0.5) / mass;
        }
        let shift = |centre: f32, extent: usize| {
            let wanted = (SIDE as f32 / 2.0 - centre).round().max(0.0) as usize;
            wanted.min(SIDE - extent)
        };
        let (left, top) = (shift(centre.0, self.width), shift(centre.1, self.height));
        let mut ink = vec![0.0; DigitImage::PIXELS];
        for (y, row) in self.levels.chunks_exact(self.width).enumerate() {
            let to = &mut ink[(top + y) * SIDE + left..][..self.width];
            to.iter_mut().zip(row).for_each(|(t, f)| *t = (f / darkest).min(1.0));
        }
        Ok(DigitImage { ink })
    }
}

/// For each of `to` pixels, the first of `from` pixels it covers and their weights, which sum to 1.
fn coverage(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let step = from as f32 / to as f32;
    let cover = |i: usize| {
        let (start, end) = (i as f32 * step, ((i + 1) as f32 * step).min(from as f32));
        let first = (start as usize).min(from - 1);
        let last = (end.ceil() as usize).clamp(first + 1, from);
        let weight = |p: usize| (end.min((p + 1) as f32) - start.max(p as f32)).max(0.0) / (end - start);
        (first, (first..last).map(weight).collect())
    };
    (0..to).map(cover).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn centre(image: &DigitImage) -> (f32, f32) {
        let mass: f32 = image.ink.iter().sum();
        let sum = |f: fn(usize) -> usize| -> f32 {
            image.ink.iter().enumerate().map(|(i, v)| v * (f(i) as f32 + 0.5)).sum::<f32>() / mass
        };
        (sum(|i| i % SIDE), sum(|i| i / SIDE))
    }

    /// Width and height of the ink.
    fn extent(image: &DigitImage) -> (usize, usize) {
        let any = |f: fn(usize) -> usize| {
            let at: Vec<usize> = (0..DigitImage::PIXELS).filter(|&i| image.ink[i] > 0.05).map(f).collect();
            at.iter().max().unwrap() + 1 - at.iter().min().unwrap()
        };
        (any(|i| i % SIDE), any(|i| i / SIDE))
    }

    #[test]
    fn strokes_fill_the_box_and_balance_in_the_middle() {
        let seven = [vec![(0.0, 0.0), (60.0, 0.0), (20.0, 100.0)]];
        let image = DigitImage::from_strokes(&seven).unwrap();
        let (w, h) = extent(&image);
        assert!(h == 20 && (12..=15).contains(&w), "{w} × {h}");
        let (x, y) = centre(&image);
        assert!((x - 14.0).abs() <= 0.5 && (y - 14.0).abs() <= 0.5, "{x} {y}");
        // Size and place do not matter.
        let elsewhere = [seven[0].iter().map(|(x, y)| (x * 0.01 - 5.0, y * 0.01 + 9.0)).collect::<Vec<_>>()];
        let other = DigitImage::from_strokes(&elsewhere).unwrap();
        assert!(image.ink.iter().zip(&other.ink).all(|(a, b)| (a - b).abs() < 0.01));
    }

    #[test]
    fn lines_keep_their_shape() {
        let upright = DigitImage::from_strokes(&[vec![(3.0, 0.0), (3.0, 9.0)]]).unwrap();
        let (w, h) = extent(&upright);
        assert!(h == 20 && w <= 4, "{w} × {h}");
        let flat = DigitImage::from_strokes(&[vec![(0.0, 1.0), (9.0, 1.0)]]).unwrap();
        assert_eq!(extent(&flat), (h, w));
        let dot = DigitImage::from_strokes(&[vec![(4.0, 4.0)]]).unwrap();
        assert!(extent(&dot).0 <= 4 && extent(&dot).1 <= 4);
    }

    #[test]
    fn a_picture_is_found_dark_on_light_and_light_on_dark() {
        // A bar of 10 × 40 on a picture of 90 × 60, on paper that is not quite even.
        let picture: Vec<u8> = (0..90 * 60)
            .map(|i| {
                if (50..60).contains(&(i % 90)) && (10..50).contains(&(i / 90)) {
                    20
                } else {
                    200 + (i % 7) as u8
                }
            })
            .collect();
        let dark = DigitImage::from_gray(&picture, 90, 60).unwrap();
        assert_eq!(extent(&dark), (5, 20));
        let inverted: Vec<u8> = picture.iter().map(|v| 255 - v).collect();
        let light = DigitImage::from_gray(&inverted, 90, 60).unwrap();
        assert!(dark.ink.iter().zip(&light.ink).all(|(a, b)| (a - b).abs() < 0.01));
    }

    #[test]
    fn nothing_is_blank_and_nonsense_is_refused() {
        let none: [Vec<(f32, f32)>; 0] = [];
        assert!(matches!(DigitImage::from_strokes(&none), Err(DigitError::Blank)));
        assert!(matches!(DigitImage::from_strokes(&[Vec::new()]), Err(DigitError::Blank)));
        let nan = DigitImage::from_strokes(&[vec![(0.0, 0.0)], vec![(1.0, f32::NAN)]]);
        assert!(matches!(nan, Err(DigitError::NotFinite { stroke: 1, point: 0 })));
        let far = DigitImage::from_strokes(&[vec![(-f32::MAX, 0.0), (f32::MAX, 1.0)]]).unwrap();
        assert_eq!(extent(&far).0, 20);
        let many = vec![(0.0, 0.0); MAX_POINTS + 1];
        assert!(matches!(DigitImage::from_strokes(&[many]), Err(DigitError::TooManyPoints { .. })));
        assert!(matches!(DigitImage::from_gray(&[128; 100], 10, 10), Err(DigitError::Blank)));
        assert!(matches!(DigitImage::from_gray(&[], 0, 5), Err(DigitError::Blank)));
        assert!(matches!(DigitImage::from_gray(&[0; 9], 2, 4), Err(DigitError::Size { .. })));
        // The smallest picture: one pixel of ink on a ground of one pixel.
        assert_eq!(extent(&DigitImage::from_gray(&[0, 255], 2, 1).unwrap()), (20, 20));
    }
}
