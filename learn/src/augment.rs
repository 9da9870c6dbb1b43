//! Many views of one picture: mirrored, turned, cropped, in another light.

use super::{LearnError, PictureFeatures};
use osprey_detector::frame::Frame;
use osprey_detector::preprocess::{PreprocessOptions, Preprocessor};
use osprey_detector::tensor::{DType, Tensor, TensorSpec};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};

/// How different views may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Whether half of the views are mirrored left to right.
    pub mirror: bool,
    /// Turned by up to this many degrees, either way.
    pub rotation: f32,
    /// Cropped to this share of width and height or more, above 0 to 1.
    pub crop: f32,
    /// Each colour channel is multiplied with 1 ± up to this, 0 to below 1.
    pub contrast: f32,
    /// Up to this is added to all levels or taken away, 0..255.
    pub brightness: f32,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self { mirror: true, rotation: 25.0, crop: 0.7, contrast: 0.25, brightness: 20.0 }
    }
}

impl Augmentation {
    fn check(&self) -> Result<(), LearnError> {
        let fits = |v: f32, range: std::ops::RangeInclusive<f32>| range.contains(&v);
        let (setting, value, allowed) = match *self {
            a if !fits(a.rotation, 0.0..=180.0) => ("the rotation", a.rotation, "0 to 180 degrees"),
            a if !fits(a.crop, 0.05..=1.0) => ("the smallest crop", a.crop, "0.05 to 1"),
            a if !fits(a.contrast, 0.0..=0.99) => ("the contrast", a.contrast, "0 to 0.99"),
            a if !fits(a.brightness, 0.0..=255.0) => ("the brightness", a.brightness, "0 to 255"),
            _ => return Ok(()),
        };
        Err(LearnError::Setting { setting, value: value.into(), allowed })
    }

    /// The view that belongs to `seed`.
    fn view(&self, seed: u64) -> View {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut within = |reach: f32| reach * (2.0 * rng.random::<f32>() - 1.0);
        let angle = within(self.rotation).to_radians();
        let size = 1.0 - (1.0 - self.crop) * (within(0.5) + 0.5);
        let shift = [within(1.0 - size) / 2.0, within(1.0 - size) / 2.0];
        let gain = [0; 3].map(|_| 1.0 + within(self.contrast));
        let offset = within(self.brightness);
        View { mirror: self.mirror && within(1.0) > 0.0, angle, size, shift, gain, offset }
    }
}

/// One way to look at a picture, in fractions of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct View {
    mirror: bool,
    angle: f32,
    size: f32,
    shift: [f32; 2],
    gain: [f32; 3],
    offset: f32,
}

/// Features of many views of a picture.
///
/// The first view is the picture as it is, the second its mirror image where mirroring is on, the
/// rest are drawn at random.
#[derive(Debug)]
pub struct Augmenter {
    settings: Augmentation,
    /// Brings a picture to `base`, a little larger than the model's input.
    reduce: Preprocessor,
    base: Tensor,
    side: (usize, usize),
    view: Vec<u8>,
}

/// Width and height of the picture that views are taken from, in sizes of the model's input:
/// crops then keep their detail.
const BASE: f32 = 1.25;

impl Augmenter {
    /// Views for a model whose input is `width` × `height`.
    ///
    /// # Errors
    /// [`LearnError::Setting`], [`LearnError::Picture`].
    pub fn new(settings: Augmentation, (width, height): (usize, usize)) -> Result<Self, LearnError> {
        settings.check()?;
        let side = |n: usize| (n as f32 * BASE).ceil() as usize;
        let shape = vec![1, side(height), side(width), 3];
        let base = Tensor::U8(ndarray::ArrayD::zeros(shape.as_slice()));
        let spec = TensorSpec { name: "views".into(), shape, dtype: DType::U8, quantization: None };
        let reduce = Preprocessor::new(&spec, PreprocessOptions::default())?;
        Ok(Self { settings, reduce, base, side: (width, height), view: vec![0; width * height * 3] })
    }

    /// Writes the features of each of the views numbered `views` of `frame` to `on_features`. The
    /// same seed gives the same views.
    ///
    /// # Errors
    /// Those of [`PictureFeatures::extract`].
    pub fn extract(
        &mut self,
        frame: &Frame<'_>,
        views: std::ops::Range<usize>,
        seed: u64,
        features: &mut PictureFeatures,
        mut on_features: impl FnMut(usize, &[f32]) -> Result<(), LearnError>,
    ) -> Result<(), LearnError> {
        let mut vector = vec![0.0; features.dim()];
        let mut reduced = false;
        for number in views {
            match number {
                0 => features.extract(frame, &mut vector)?,
                1 if self.settings.mirror => features.extract(&frame.mirrored(), &mut vector)?,
                _ => {
                    if !reduced {
                        self.reduce.run(frame, &mut self.base.view_mut())?;
                        reduced = true;
                    }
                    self.render(
                        &self.settings.view(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number as u64),
                    );
                    let (width, height) = self.side;
                    let frame = Frame::rgb(&self.view, width as u32, height as u32)?;
                    features.extract(&frame, &mut vector)?;
                }
            }
            on_features(number, &vector)?;
        }
        Ok(())
    }

    /// Draws a view of `base`; beyond its edge the edge goes on.
    fn render(&mut self, view: &View) {
        let Tensor::U8(base) = &self.base else { return };
        let (rows, columns) = (base.shape()[1], base.shape()[2]);
        let Some(pixels) = base.as_slice() else { return };
        let (sin, cos) = view.angle.sin_cos();
        let (width, height) = self.side;
        for (y, line) in self.view.chunks_exact_mut(width * 3).enumerate() {
            let v = (y as f32 + 0.5) / height as f32 - 0.5;
            for (x, pixel) in line.chunks_exact_mut(3).enumerate() {
                let u = (x as f32 + 0.5) / width as f32 - 0.5;
                let u = if view.mirror { -u } else { u };
                let (du, dv) = (view.size * (u * cos - v * sin), view.size * (u * sin + v * cos));
                let sx = (0.5 + view.shift[0] + du) * columns as f32 - 0.5;
                let sy = (0.5 + view.shift[1] + dv) * rows as f32 - 0.5;
                let (x0, fx) = split(sx, columns);
                let (y0, fy) = split(sy, rows);
                let (x1, y1) = ((x0 + 1).min(columns - 1), (y0 + 1).min(rows - 1));
                let at = |x: usize, y: usize, c: usize| f32::from(pixels[(y * columns + x) * 3 + c]);
                for (c, level) in pixel.iter_mut().enumerate() {
                    let above = at(x0, y0, c) * (1.0 - fx) + at(x1, y0, c) * fx;
                    let below = at(x0, y1, c) * (1.0 - fx) + at(x1, y1, c) * fx;
                    let mixed = above * (1.0 - fy) + below * fy;
                    *level = (mixed * view.gain[c] + view.offset).round() as u8;
                }
            }
        }
    }
}

/// The whole and the fractional part of a coordinate, within `0..extent`.
fn split(at: f32, extent: usize) -> (usize, f32) {
    let at = at.clamp(0.0, (extent - 1) as f32);
    (at as usize, at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: View =
        View { mirror: false, angle: 0.0, size: 1.0, shift: [0.0; 2], gain: [1.0; 3], offset: 0.0 };

    /// 8 × 4 views of a base of 10 × 5 whose red level is 10 × column and whose green is 20 × row.
    fn drawn(view: View) -> Vec<u8> {
        let mut augmenter = Augmenter::new(Augmentation::default(), (8, 4)).unwrap();
        let base = ndarray::Array4::from_shape_fn((1, 5, 10, 3), |(_, y, x, c)| match c {
            0 => 10 * x as u8,
            1 => 20 * y as u8,
            _ => 100,
        });
        augmenter.base = Tensor::U8(base.into_dyn());
        augmenter.render(&view);
        augmenter.view
    }

    fn red(view: &[u8], x: usize, y: usize) -> u8 {
        view[(y * 8 + x) * 3]
    }

    #[test]
    fn axes_are_not_swapped() {
        let still = drawn(STILL);
        // Centre of column 3 of 8 lies at 3.875 of 10 columns.
        assert_eq!((red(&still, 3, 0), red(&still, 3, 3)), (39, 39));
        assert_eq!(still[3 * 3 + 1], 3, "green is the row");
        let mirrored = drawn(View { mirror: true, ..STILL });
        assert_eq!(red(&mirrored, 4, 1), 39);
        let half_turn = drawn(View { angle: std::f32::consts::PI, ..STILL });
        assert_eq!((red(&half_turn, 4, 1), half_turn[(3 * 8 + 3) * 3 + 1]), (39, 3));
    }

    #[test]
    fn light_is_clamped_and_crops_enlarge() {
        let bright = drawn(View { gain: [4.0, 1.0, 1.0], offset: 30.0, ..STILL });
        assert_eq!((red(&bright, 7, 0), bright[2]), (255, 130));
        let crop = drawn(View { size: 0.5, ..STILL });
        assert_eq!(red(&crop, 4, 0) - red(&crop, 3, 0), 6, "half the step of the whole picture, rounded");
    }

    #[test]
    fn views_stay_within_their_settings_and_follow_the_seed() {
        let settings =
            Augmentation { mirror: true, rotation: 10.0, crop: 0.8, contrast: 0.1, brightness: 5.0 };
        let views: Vec<View> = (0..200).map(|seed| settings.view(seed)).collect();
        for v in &views {
            assert!(v.angle.abs() <= 10f32.to_radians() && (0.8..=1.0).contains(&v.size), "{v:?}");
            assert!(v.shift.iter().all(|s| s.abs() <= (1.0 - v.size) / 2.0 + 1e-6), "{v:?}");
            assert!(v.gain.iter().all(|g| (g - 1.0).abs() <= 0.1 + 1e-6) && v.offset.abs() <= 5.0, "{v:?}");
        }
        let mirrored = views.iter().filter(|v| v.mirror).count();
        assert!((70..130).contains(&mirrored), "{mirrored} of 200 mirrored");
        assert_eq!(views[7], settings.view(7));
        assert!(Augmentation { crop: 0.0, ..settings }.check().is_err());
        assert!(Augmentation { rotation: f32::NAN, ..settings }.check().is_err());
    }
}
