//! Anchors: the boxes that an SSD corrects.

use super::{EfficientDetAnchors, SpecError};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Most anchors that a specification may ask for; real models have up to some 100,000.
const MAX_ANCHORS: usize = 1 << 20;

/// A box that the network's output is relative to, in fractions of the input picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Anchor {
    /// Centre, from the upper edge.
    pub cy: f32,
    /// Centre, from the left edge.
    pub cx: f32,
    /// Height.
    pub h: f32,
    /// Width.
    pub w: f32,
}

impl From<[f32; 4]> for Anchor {
    /// From TensorFlow's order: centre y, centre x, height, width.
    fn from([cy, cx, h, w]: [f32; 4]) -> Self {
        Self { cy, cx, h, w }
    }
}

/// How a model's anchors are laid out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum AnchorSpec {
    /// `ssd_anchor_generator` of TensorFlow's detection models.
    Ssd(SsdAnchors),
    /// `multiscale_anchor_generator`, for feature pyramids (FPN).
    Multiscale(MultiscaleAnchors),
    /// EfficientDet's.
    EfficientDet(EfficientDetAnchors),
    /// The anchors themselves: centre y, centre x, height, width.
    Given {
        /// One row for each anchor, in the model's order.
        rows: Vec<[f32; 4]>,
    },
}

impl AnchorSpec {
    /// The anchors for an input of `height` × `width` pixels, in the model's order.
    ///
    /// # Errors
    /// [`SpecError`].
    pub fn generate(&self, height: usize, width: usize) -> Result<Vec<Anchor>, SpecError> {
        match self {
            Self::Ssd(spec) => spec.generate(height, width),
            Self::Multiscale(spec) => spec.generate(height, width),
            Self::EfficientDet(spec) => spec.generate(height, width),
            Self::Given { rows } => Ok(rows.iter().copied().map(Anchor::from).collect()),
        }
    }
}

/// Parameters of TensorFlow's `ssd_anchor_generator`; the defaults are those of its SSD-MobileNet
/// models (1,917 anchors at 300 × 300).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SsdAnchors {
    /// Feature maps.
    pub num_layers: usize,
    /// Scale of the first map's anchors, relative to the picture's shorter side.
    pub min_scale: f32,
    /// Scale of the last map's anchors; those between are spaced evenly.
    pub max_scale: f32,
    /// Scale of each map in place of the even spacing.
    pub scales: Vec<f32>,
    /// Width ÷ height of each anchor of a cell.
    pub aspect_ratios: Vec<f32>,
    /// The first map has three anchors a cell: (0.1, 1), (scale, 2) and (scale, ½).
    pub reduce_boxes_in_lowest_layer: bool,
    /// Aspect ratio of one more anchor whose scale is the geometric mean of this map's and the
    /// next one's; zero for none.
    pub interpolated_scale_aspect_ratio: f32,
    /// Factors of height and width of every anchor.
    pub base_anchor_size: [f32; 2],
    /// Pixels of the input for each step of a map; a map's extent is ⌈input ÷ stride⌉.
    pub strides: Vec<usize>,
    /// Height and width of each map, in place of `strides`.
    pub feature_maps: Vec<[usize; 2]>,
}

impl Default for SsdAnchors {
    fn default() -> Self {
        Self {
            num_layers: 6,
            min_scale: 0.2,
            max_scale: 0.95,
            scales: Vec::new(),
            aspect_ratios: vec![1.0, 2.0, 0.5, 3.0, 0.3333],
            reduce_boxes_in_lowest_layer: true,
            interpolated_scale_aspect_ratio: 1.0,
            base_anchor_size: [1.0, 1.0],
            strides: Vec::new(),
            feature_maps: Vec::new(),
        }
    }
}

impl SsdAnchors {
    /// Height and width of each map.
    fn maps(&self, height: usize, width: usize) -> Result<Vec<[usize; 2]>, SpecError> {
        if !self.feature_maps.is_empty() {
            return Ok(self.feature_maps.clone());
        }
        if !self.strides.is_empty() {
            return Ok(self
                .strides
                .iter()
                .map(|&s| [height.div_ceil(s.max(1)), width.div_ceil(s.max(1))])
                .collect());
        }
        // SSD-MobileNet: the first map has stride 16, each following one halves, rounding up.
        let start = [height.div_ceil(16), width.div_ceil(16)];
        let halve = |m: &[usize; 2]| Some(m.map(|e| e.div_ceil(2)));
        Ok(std::iter::successors(Some(start), halve).take(self.num_layers).collect())
    }

    fn check(&self) -> Result<(), SpecError> {
        let positive = |v: &[f32]| v.iter().all(|x| x.is_finite() && *x > 0.0);
        let refuse = |what: &'static str| Err(SpecError::Anchors { what });
        if self.num_layers == 0 || self.num_layers > 64 {
            return refuse("num_layers must be 1..=64");
        }
        if !positive(&[self.min_scale, self.max_scale]) || !positive(&self.scales) {
            return refuse("scales must be greater than zero");
        }
        if !positive(&self.aspect_ratios) || self.aspect_ratios.len() > 64 {
            return refuse("aspect_ratios must be greater than zero, 64 at most");
        }
        if !(self.interpolated_scale_aspect_ratio >= 0.0 && self.interpolated_scale_aspect_ratio.is_finite())
        {
            return refuse("interpolated_scale_aspect_ratio must be zero or more");
        }
        if !positive(&self.base_anchor_size) {
            return refuse("base_anchor_size must be greater than zero");
        }
        if self.strides.contains(&0) || self.feature_maps.iter().flatten().any(|&e| e == 0) {
            return refuse("strides and feature_maps must be greater than zero");
        }
        for (name, len) in [
            ("one scale for each layer is needed", self.scales.len()),
            ("one stride for each layer is needed", self.strides.len()),
            ("one feature map for each layer is needed", self.feature_maps.len()),
        ] {
            if len != 0 && len != self.num_layers {
                return refuse(name);
            }
        }
        Ok(())
    }

    /// (scale, aspect ratio) of the anchors of a cell, for each map.
    fn boxes(&self) -> Vec<Vec<(f32, f32)>> {
        let last = self.num_layers - 1;
        let even = |i: usize| match last {
            0 => self.min_scale,
            _ => self.min_scale + (self.max_scale - self.min_scale) * i as f32 / last as f32,
        };
        let mut scales: Vec<f32> =
            if self.scales.is_empty() { (0..=last).map(even).collect() } else { self.scales.clone() };
        scales.push(1.0);
        let layer = |(i, pair): (usize, &[f32])| {
            let (scale, next) = (pair[0], pair[1]);
            if i == 0 && self.reduce_boxes_in_lowest_layer {
                return vec![(0.1, 1.0), (scale, 2.0), (scale, 0.5)];
            }
            let mut boxes: Vec<_> = self.aspect_ratios.iter().map(|&ratio| (scale, ratio)).collect();
            if self.interpolated_scale_aspect_ratio > 0.0 {
                boxes.push(((scale * next).sqrt(), self.interpolated_scale_aspect_ratio));
            }
            boxes
        };
        scales.windows(2).enumerate().map(layer).collect()
    }

    /// The anchors for an input of `height` × `width` pixels: map by map, row by row, and within a
    /// cell in the order of aspect ratios.
    ///
    /// # Errors
    /// [`SpecError`].
    pub fn generate(&self, height: usize, width: usize) -> Result<Vec<Anchor>, SpecError> {
        self.check()?;
        let (maps, boxes) = (self.maps(height, width)?, self.boxes());
        reserve(maps.iter().zip(&boxes).map(|(m, b)| (*m, b.len())))?;
        // Scales are relative to the shorter side.
        let shorter = height.min(width).max(1) as f32;
        let base_h = self.base_anchor_size[0] * shorter / height.max(1) as f32;
        let base_w = self.base_anchor_size[1] * shorter / width.max(1) as f32;
        let mut anchors = Vec::new();
        for ([rows, columns], boxes) in maps.iter().zip(&boxes) {
            let sizes: Vec<[f32; 2]> = boxes
                .iter()
                .map(|&(scale, ratio)| [scale / ratio.sqrt() * base_h, scale * ratio.sqrt() * base_w])
                .collect();
            for (y, x) in (0..*rows).flat_map(|y| (0..*columns).map(move |x| (y, x))) {
                let cy = (y as f32 + 0.5) / *rows as f32;
                let cx = (x as f32 + 0.5) / *columns as f32;
                anchors.extend(sizes.iter().map(|&[h, w]| Anchor { cy, cx, h, w }));
            }
        }
        Ok(anchors)
    }
}

/// What anchors on the levels of a pyramid have to keep to, `sizes` of them to an octave.
pub(super) fn check_pyramid(
    levels: RangeInclusive<u32>,
    anchor_scale: f32,
    aspect_ratios: &[f32],
    sizes: u32,
) -> Result<(), SpecError> {
    let refuse = |what: &'static str| Err(SpecError::Anchors { what });
    if levels.is_empty() || *levels.end() > 20 {
        return refuse("levels must rise and be 20 at most");
    }
    if !(anchor_scale > 0.0 && anchor_scale.is_finite()) {
        return refuse("anchor_scale must be greater than zero");
    }
    if aspect_ratios.iter().any(|r| !(r.is_finite() && *r > 0.0)) || aspect_ratios.len() > 64 {
        return refuse("aspect_ratios must be greater than zero, 64 at most");
    }
    if sizes == 0 || sizes > 64 {
        return refuse("scales of an octave must be 1..=64");
    }
    Ok(())
}

/// Parameters of TensorFlow's `multiscale_anchor_generator`; the defaults are those of its FPN-Lite
/// models (12,804 anchors at 320 × 320).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultiscaleAnchors {
    /// First pyramid level; level n has a stride of 2ⁿ pixels.
    pub min_level: u32,
    /// Last pyramid level.
    pub max_level: u32,
    /// Side of the smallest square anchor, in strides.
    pub anchor_scale: f32,
    /// Width ÷ height.
    pub aspect_ratios: Vec<f32>,
    /// Sizes of each aspect ratio, from 2^0 to 2^((n − 1) ÷ n).
    pub scales_per_octave: u32,
}

impl Default for MultiscaleAnchors {
    fn default() -> Self {
        Self {
            min_level: 3,
            max_level: 7,
            anchor_scale: 4.0,
            aspect_ratios: vec![1.0, 2.0, 0.5],
            scales_per_octave: 2,
        }
    }
}

impl MultiscaleAnchors {
    /// The anchors for an input of `height` × `width` pixels: level by level, row by row, and within
    /// a cell by aspect ratio, then size.
    ///
    /// # Errors
    /// [`SpecError`].
    pub fn generate(&self, height: usize, width: usize) -> Result<Vec<Anchor>, SpecError> {
        let Self { min_level, max_level, anchor_scale, ref aspect_ratios, scales_per_octave } = *self;
        check_pyramid(min_level..=max_level, anchor_scale, aspect_ratios, scales_per_octave)?;
        let (height, width) = (height.max(1), width.max(1));
        let per_cell = self.aspect_ratios.len() * self.scales_per_octave as usize;
        let levels = || (self.min_level..=self.max_level).map(|level| 1usize << level);
        let map = |stride: usize| [height.div_ceil(stride), width.div_ceil(stride)];
        reserve(levels().map(|stride| (map(stride), per_cell)))?;
        let mut anchors = Vec::new();
        for stride in levels() {
            let octaves = self.scales_per_octave;
            let size = |i: u32| stride as f32 * self.anchor_scale * (i as f32 / octaves as f32).exp2();
            let sizes: Vec<[f32; 2]> = self
                .aspect_ratios
                .iter()
                .flat_map(|ratio| (0..octaves).map(move |i| [size(i) / ratio.sqrt(), size(i) * ratio.sqrt()]))
                .map(|[h, w]| [h / height as f32, w / width as f32])
                .collect();
            // TensorFlow centres cells only where the stride divides the picture.
            let offset = |extent: usize| {
                if extent.is_multiple_of(stride) || extent == 1 { stride as f32 / 2.0 } else { 0.0 }
            };
            let [rows, columns] = map(stride);
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                let cy = ((y * stride) as f32 + offset(height)) / height as f32;
                let cx = ((x * stride) as f32 + offset(width)) / width as f32;
                anchors.extend(sizes.iter().map(|&[h, w]| Anchor { cy, cx, h, w }));
            }
        }
        Ok(anchors)
    }
}

/// Refuses more anchors than any model has, before memory is asked for.
pub(super) fn reserve(maps: impl Iterator<Item = ([usize; 2], usize)>) -> Result<(), SpecError> {
    let count = maps
        .map(|([h, w], boxes)| h.saturating_mul(w).saturating_mul(boxes))
        .fold(0usize, usize::saturating_add);
    if count > MAX_ANCHORS { Err(SpecError::TooManyAnchors { count, limit: MAX_ANCHORS }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_known_models() {
        for (height, width, count) in [(300, 300, 1917), (192, 192, 738), (320, 320, 2034)] {
            assert_eq!(SsdAnchors::default().generate(height, width).unwrap().len(), count, "{height}");
        }
        assert_eq!(MultiscaleAnchors::default().generate(320, 320).unwrap().len(), 12_804);
        assert_eq!(MultiscaleAnchors::default().generate(640, 640).unwrap().len(), 51_150);
    }

    #[test]
    fn pictures_that_are_not_square() {
        let spec = SsdAnchors { num_layers: 1, reduce_boxes_in_lowest_layer: true, ..SsdAnchors::default() };
        let anchors = spec.generate(32, 64).unwrap();
        assert_eq!(anchors.len(), 2 * 4 * 3);
        // A square of a tenth of the shorter side, in pixels 3.2 × 3.2, in the first cell of 16 × 16.
        let Anchor { cy, cx, h, w } = anchors[0];
        assert_eq!((cy * 32.0, cx * 64.0), (8.0, 8.0));
        assert!((h * 32.0 - 3.2).abs() < 1e-5 && (w * 64.0 - 3.2).abs() < 1e-5);
        // Rows before columns: the second cell lies to the right.
        assert_eq!((anchors[3].cy, anchors[3].cx * 64.0), (cy, 24.0));
        // Twice as wide as high, in pixels.
        assert!((anchors[1].w * 64.0 / (anchors[1].h * 32.0) - 2.0).abs() < 1e-5);
    }

    #[test]
    fn scales_may_be_listed_and_maps_given() {
        let spec = SsdAnchors {
            num_layers: 2,
            scales: vec![0.1, 0.4],
            feature_maps: vec![[3, 5], [1, 1]],
            aspect_ratios: vec![1.0],
            interpolated_scale_aspect_ratio: 0.0,
            reduce_boxes_in_lowest_layer: false,
            ..SsdAnchors::default()
        };
        let anchors = spec.generate(100, 100).unwrap();
        assert_eq!(anchors.len(), 16);
        assert_eq!(anchors[15], Anchor { cy: 0.5, cx: 0.5, h: 0.4, w: 0.4 });
    }

    #[test]
    fn impossible_parameters_are_refused() {
        let base = SsdAnchors::default;
        for spec in [
            SsdAnchors { num_layers: 0, ..base() },
            SsdAnchors { min_scale: f32::NAN, ..base() },
            SsdAnchors { aspect_ratios: vec![0.0], ..base() },
            SsdAnchors { scales: vec![0.1], ..base() },
            SsdAnchors { strides: vec![16, 0, 1, 1, 1, 1], ..base() },
            SsdAnchors { feature_maps: vec![[usize::MAX, usize::MAX]; 6], ..base() },
            SsdAnchors { base_anchor_size: [1.0, -1.0], ..base() },
        ] {
            assert!(spec.generate(300, 300).is_err(), "{spec:?}");
        }
        assert!(SsdAnchors::default().generate(usize::MAX, usize::MAX).is_err());
        for spec in [
            MultiscaleAnchors { min_level: 8, ..MultiscaleAnchors::default() },
            MultiscaleAnchors { max_level: 99, ..MultiscaleAnchors::default() },
            MultiscaleAnchors { scales_per_octave: 0, ..MultiscaleAnchors::default() },
            MultiscaleAnchors { aspect_ratios: vec![-1.0], ..MultiscaleAnchors::default() },
        ] {
            assert!(spec.generate(320, 320).is_err(), "{spec:?}");
        }
    }
}
