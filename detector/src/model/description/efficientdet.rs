//! Anchors of EfficientDet.

use super::SpecError;
use super::anchors::{Anchor, check_pyramid, reserve};
use serde::{Deserialize, Serialize};

/// Parameters of EfficientDet's anchors; the defaults are those of EfficientDet-Lite0 to Lite2 (19,206 anchors at
/// 320 × 320). Lite3, Lite4 and EfficientDet-D have an `anchor_scale` of 4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EfficientDetAnchors {
    /// First pyramid level; level n is the input halved n times, rounding up.
    pub min_level: u32,
    /// Last pyramid level.
    pub max_level: u32,
    /// Side of the smallest square anchor, in cells.
    pub anchor_scale: f32,
    /// Width ÷ height.
    pub aspect_ratios: Vec<f32>,
    /// Sizes, from 2^0 to 2^((n − 1) ÷ n), each with every aspect ratio.
    pub num_scales: u32,
}

impl Default for EfficientDetAnchors {
    fn default() -> Self {
        Self {
            min_level: 3,
            max_level: 7,
            anchor_scale: 3.0,
            aspect_ratios: vec![1.0, 2.0, 0.5],
            num_scales: 3,
        }
    }
}

impl EfficientDetAnchors {
    /// The anchors for an input of `height` × `width` pixels: level by level, row by row, and within a cell by size,
    /// then aspect ratio.
    ///
    /// # Errors
    /// [`SpecError`].
    pub fn generate(&self, height: usize, width: usize) -> Result<Vec<Anchor>, SpecError> {
        let Self { min_level, max_level, anchor_scale, ref aspect_ratios, num_scales } = *self;
        check_pyramid(min_level..=max_level, anchor_scale, aspect_ratios, num_scales)?;
        let halved = |extent: usize, level| (0..level).fold(extent.max(1), |e, _| e.div_ceil(2));
        let maps: Vec<[usize; 2]> =
            (self.min_level..=self.max_level).map(|l| [halved(height, l), halved(width, l)]).collect();
        let per_cell = self.aspect_ratios.len() * self.num_scales as usize;
        reserve(maps.iter().map(|&map| (map, per_cell)))?;
        let sizes: Vec<[f32; 2]> = (0..self.num_scales)
            .map(|i| self.anchor_scale * (i as f32 / self.num_scales as f32).exp2())
            .flat_map(|side| self.aspect_ratios.iter().map(move |r| [side / r.sqrt(), side * r.sqrt()]))
            .collect();
        let mut anchors = Vec::new();
        for [rows, columns] in maps {
            let (down, across) = (rows as f32, columns as f32);
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                let (cy, cx) = ((y as f32 + 0.5) / down, (x as f32 + 0.5) / across);
                anchors.extend(sizes.iter().map(|[h, w]| Anchor { cy, cx, h: h / down, w: w / across }));
            }
        }
        Ok(anchors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_family() {
        for (side, count) in [(320, 19_206), (384, 27_621), (448, 37_629), (512, 49_104), (640, 76_725)] {
            assert_eq!(EfficientDetAnchors::default().generate(side, side).unwrap().len(), count, "{side}");
        }
    }

    #[test]
    fn cells_fill_the_picture_whatever_its_size() {
        let anchors = EfficientDetAnchors::default().generate(320, 640).unwrap();
        // The last level has 3 × 5 cells, of 106.7 × 128 pixels.
        let Anchor { cy, cx, h, w } = anchors[anchors.len() - 9];
        assert!((cy * 320.0 - 2.5 * 320.0 / 3.0).abs() < 1e-3 && (cx * 640.0 - 4.5 * 128.0).abs() < 1e-3);
        assert!((h * 320.0 - 320.0).abs() < 1e-3 && (w * 640.0 - 384.0).abs() < 1e-3);
        // The second is as large and twice as wide as high; the fourth a third of an octave larger.
        assert!((anchors[1].w * 640.0 / (anchors[1].h * 320.0) - 2.0).abs() < 1e-3);
        assert!((anchors[3].h / anchors[0].h - 2f32.powf(1.0 / 3.0)).abs() < 1e-5);
    }

    #[test]
    fn impossible_parameters_are_refused() {
        let base = EfficientDetAnchors::default;
        for spec in [
            EfficientDetAnchors { min_level: 8, ..base() },
            EfficientDetAnchors { max_level: 21, ..base() },
            EfficientDetAnchors { num_scales: 0, ..base() },
            EfficientDetAnchors { aspect_ratios: vec![f32::NAN], ..base() },
            EfficientDetAnchors { anchor_scale: 0.0, ..base() },
        ] {
            assert!(spec.generate(320, 320).is_err(), "{spec:?}");
        }
        assert!(base().generate(usize::MAX, usize::MAX).is_err());
    }
}
