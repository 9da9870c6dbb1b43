//! Small objects: the whole picture, and then parts of it at a larger scale.
//!
//! A model of 300 pixels sees an object of 30 in a photo of 4,000 as two. [`TileOptions::regions`] cuts
//! the picture into parts that overlap; the model looks at each, and [`Tiler`] brings what it found together.
//! An object that several parts show comes out once. A box that the edge of a part cuts gives way to one
//! that shows the object whole.

use super::{Detect, PreparedFrame};
use crate::geometry::{Detection, NormBox};
use crate::model::ModelError;
use std::cmp::Ordering;

/// Most parts along a side that [`Tiling::Auto`] makes.
const MAX_AUTO: u32 = 4;

/// Most parts along a side at all.
pub const MAX_TILES: u32 = 32;

/// A box whose edge is so near to that of its part, in sides of the part, may be cut there: boxes are a few
/// hundredths off.
const CUT: f32 = 0.02;

/// What a cut box's score counts of itself: it says where a part of the object is. With one half, on mosaics of
/// training photos, fewer of them stood before whole boxes, and little was lost.
const OF_CUT: f32 = 0.5;

/// Of two boxes of one class that different parts found, the smaller lies on the same object if so much of it
/// is inside the other.
const INSIDE: f32 = 0.7;

/// The same for a box that is cut, which ends where its part does and not where its object does.
const INSIDE_IF_CUT: f32 = 0.5;

/// How a picture is cut into parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tiling {
    /// Parts of about as many pixels as the model takes, and no more than four along a side; pictures that
    /// are hardly larger than that stay whole.
    #[default]
    Auto,
    /// So many along the longer side, and as many along the other as make them square.
    Along(u32),
    /// Of this width and height in pixels of the picture, or less.
    Size(u32, u32),
}

/// Parts to look at beside the whole picture, and how their boxes come together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TileOptions {
    /// How the picture is cut.
    pub tiling: Tiling,
    /// Share of a part that the next one shows as well, 0..=0.9: objects up to that size are whole in one of
    /// them.
    pub overlap: f32,
    /// Of boxes of one class that overlap by more, one stays.
    pub iou: f32,
    /// As [`DetectorOptions::one_object_iou`](crate::ssd::DetectorOptions::one_object_iou), of boxes from
    /// different parts.
    pub one_object_iou: Option<f32>,
    /// Least score of a box that is cut, once it was lowered for that.
    pub score_threshold: f32,
    /// Most boxes of a picture.
    pub max_detections: usize,
}

impl Default for TileOptions {
    fn default() -> Self {
        Self {
            tiling: Tiling::Auto,
            overlap: 0.2,
            iou: 0.5,
            one_object_iou: None,
            score_threshold: 0.0,
            max_detections: 100,
        }
    }
}

impl TileOptions {
    /// The parts of a picture for a model's input, both in pixels across and down; none where the whole is
    /// enough.
    pub fn regions(&self, picture: (u32, u32), input: (u32, u32)) -> Vec<NormBox> {
        let overlap = if self.overlap.is_finite() { self.overlap.clamp(0.0, 0.9) } else { 0.0 };
        let (width, height) = (picture.0.max(1) as f32, picture.1.max(1) as f32);
        // So many parts of `tile` pixels, with their overlaps, fill `side`.
        let count = |side: f32, tile: u32| (side / tile.max(1) as f32 - overlap) / (1.0 - overlap);
        let (across, down) = match self.tiling {
            Tiling::Auto => {
                let of = |side, tile| (count(side, tile).round() as u32).clamp(1, MAX_AUTO);
                (of(width, input.0), of(height, input.1))
            }
            Tiling::Along(most) => {
                let of = |side: f32| ((most as f32 * side / width.max(height)).round() as u32).max(1);
                (of(width), of(height))
            }
            // A hair less than a whole number of parts is that number.
            Tiling::Size(w, h) => {
                ((count(width, w) - 1e-3).ceil() as u32, (count(height, h) - 1e-3).ceil() as u32)
            }
        };
        // A part has at least a pixel.
        let most = |side: u32| MAX_TILES.min(side.max(1));
        let (across, down) = (across.clamp(1, most(picture.0)), down.clamp(1, most(picture.1)));
        if (across, down) == (1, 1) {
            return Vec::new();
        }
        let (columns, rows) = (spans(across, overlap), spans(down, overlap));
        let part = |y: &[f32; 2], x: &[f32; 2]| NormBox::from_edges([x[0], y[0], x[1], y[1]]);
        rows.iter().flat_map(|y| columns.iter().map(|x| part(y, x))).collect()
    }
}

/// Where parts begin and end along a side.
fn spans(count: u32, overlap: f32) -> Vec<[f32; 2]> {
    let n = count as f32;
    let length = 1.0 / (n - (n - 1.0) * overlap);
    let step = length * (1.0 - overlap);
    (0..count)
        .map(|i| {
            let last = i + 1 == count;
            [i as f32 * step, if last { 1.0 } else { i as f32 * step + length }]
        })
        .collect()
}

/// A box with what matters when boxes of several parts come together.
#[derive(Debug, Clone, Copy)]
struct Seen {
    detection: Detection,
    /// Which of the parts showed it.
    view: usize,
    /// An edge of its part cuts it.
    cut: bool,
}

impl Seen {
    /// Whole ones first, then the best; the earlier part where scores are equal.
    fn order(&self, other: &Self) -> Ordering {
        let (a, b) = (&self.detection, &other.detection);
        self.cut
            .cmp(&other.cut)
            .then(b.score.total_cmp(&a.score))
            .then((a.class_id, self.view).cmp(&(b.class_id, other.view)))
    }

    /// Whether `self` goes where `kept` stays.
    fn gives_way_to(&self, kept: &Self, options: &TileOptions) -> bool {
        let (a, b) = (&self.detection, &kept.detection);
        let iou = a.bbox.iou(&b.bbox);
        if a.class_id != b.class_id {
            return options.one_object_iou.is_some_and(|limit| iou > limit);
        }
        let limit = if self.cut { INSIDE_IF_CUT } else { INSIDE };
        iou > options.iou || (self.view != kept.view && inside(&a.bbox, &b.bbox) > limit)
    }
}

/// Intersection over the smaller of two boxes.
fn inside(a: &NormBox, b: &NormBox) -> f32 {
    let smaller = a.area().min(b.area());
    if smaller > 0.0 { a.intersection(b) / smaller } else { 0.0 }
}

/// Whether an edge of `part` that is not one of the picture's may cut the box.
fn is_cut(bbox: &NormBox, part: &NormBox) -> bool {
    let (b, p) = (bbox.edges(), part.edges());
    (0..4).any(|edge| {
        let lower = edge < 2;
        let at_picture = if lower { p[edge] <= 0.0 } else { p[edge] >= 1.0 };
        let margin = CUT * (p[edge % 2 + 2] - p[edge % 2]);
        !at_picture && if lower { b[edge] < p[edge] + margin } else { b[edge] > p[edge] - margin }
    })
}

/// Brings the boxes of a picture's parts together. Memory is used again from picture to picture.
#[derive(Debug, Clone, Default)]
pub struct Tiler {
    options: TileOptions,
    seen: Vec<Seen>,
    found: Vec<Detection>,
}

impl Tiler {
    /// With these options.
    pub fn new(options: TileOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Runs the detector on `parts`, the whole picture first, and fills `found`: best first, in fractions
    /// of the upright picture and clipped to it.
    ///
    /// # Errors
    /// As [`Detect::infer_prepared`] and [`Detect::finish`].
    pub fn detect<'a>(
        &mut self,
        detector: &mut impl Detect,
        parts: impl IntoIterator<Item = &'a PreparedFrame>,
        found: &mut Vec<Detection>,
    ) -> Result<(), ModelError> {
        self.begin();
        for part in parts {
            detector.infer_prepared(part)?;
            self.add(detector, part)?;
        }
        self.merge(found);
        Ok(())
    }

    /// Forgets the last picture.
    pub fn begin(&mut self) {
        self.seen.clear();
    }

    /// Takes what the detector's last run found in a part.
    ///
    /// # Errors
    /// As [`Detect::finish`].
    pub fn add(&mut self, detector: &mut impl Detect, part: &PreparedFrame) -> Result<(), ModelError> {
        detector.finish(part.placement(), &mut self.found)?;
        let view = self.seen.last().map_or(0, |s| s.view + 1);
        let region = part.placement().source();
        self.take(view, &region);
        Ok(())
    }

    fn take(&mut self, view: usize, region: &NormBox) {
        let seen = |d: &Detection| Seen { detection: *d, view, cut: is_cut(&d.bbox, region) };
        self.seen.extend(self.found.iter().map(seen));
    }

    /// Fills `found` with one box for each object of the parts since [`Tiler::begin`], best first.
    pub fn merge(&mut self, found: &mut Vec<Detection>) {
        self.seen.sort_unstable_by(Seen::order);
        let mut kept = 0;
        for i in 0..self.seen.len() {
            let candidate = self.seen[i];
            if !self.seen[..kept].iter().any(|k| candidate.gives_way_to(k, &self.options)) {
                self.seen[kept] = candidate;
                kept += 1;
            }
        }
        found.clear();
        found.extend(self.seen[..kept].iter().filter_map(|s| {
            let lowered = s.detection.score * OF_CUT;
            match s.cut {
                true if lowered < self.options.score_threshold => None,
                true => Some(Detection { score: lowered, ..s.detection }),
                false => Some(s.detection),
            }
        }));
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(self.options.max_detections);
        self.seen.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn detection(class_id: usize, score: f32, edges: [f32; 4]) -> Detection {
        Detection { bbox: NormBox::from_edges(edges), class_id, score }
    }

    fn merged(options: TileOptions, parts: &[(NormBox, &[Detection])]) -> Vec<(usize, f32)> {
        let mut tiler = Tiler::new(options);
        tiler.begin();
        for (view, (region, found)) in parts.iter().enumerate() {
            tiler.found = found.to_vec();
            tiler.take(view, region);
        }
        let mut found = Vec::new();
        tiler.merge(&mut found);
        found.iter().map(|d| (d.class_id, d.score)).collect()
    }

    const LEFT: NormBox = NormBox::from_edges([0.0, 0.0, 0.55, 1.0]);
    const RIGHT: NormBox = NormBox::from_edges([0.45, 0.0, 1.0, 1.0]);

    #[test]
    fn an_object_on_the_seam_comes_out_once() {
        // Cut on the left, whole on the right, and small in the whole picture.
        let whole = [detection(0, 0.5, [0.46, 0.41, 0.58, 0.49])];
        let left = [detection(0, 0.9, [0.47, 0.40, 0.549, 0.50])];
        let right = [detection(0, 0.8, [0.47, 0.40, 0.59, 0.50])];
        let parts = [(NormBox::WHOLE, &whole[..]), (LEFT, &left), (RIGHT, &right)];
        assert_eq!(merged(TileOptions::default(), &parts), [(0, 0.8)]);
        // Where nothing shows it whole, the part is worth a part.
        assert_eq!(merged(TileOptions::default(), &[(LEFT, &left)]), [(0, 0.45)]);
    }

    #[test]
    fn neighbours_and_other_classes_stay() {
        // Two people side by side, one of them with a tie, and what one part alone finds twice over.
        let left = [
            detection(0, 0.9, [0.10, 0.2, 0.20, 0.8]),
            detection(0, 0.8, [0.16, 0.2, 0.26, 0.8]),
            detection(1, 0.7, [0.14, 0.3, 0.16, 0.5]),
            detection(0, 0.6, [0.11, 0.3, 0.13, 0.5]),
        ];
        let found = merged(TileOptions::default(), &[(NormBox::WHOLE, &[]), (LEFT, &left)]);
        assert_eq!(found.len(), 4);
        let most = TileOptions { max_detections: 2, ..TileOptions::default() };
        assert_eq!(merged(most, &[(LEFT, &left)]), [(0, 0.9), (0, 0.8)]);
        let other = [detection(2, 0.95, [0.10, 0.2, 0.20, 0.8])];
        let one = TileOptions { one_object_iou: Some(0.7), ..TileOptions::default() };
        assert_eq!(merged(one, &[(NormBox::WHOLE, &other), (LEFT, &left[..1])]), [(2, 0.95)]);
    }

    #[test]
    fn pictures_are_cut_as_asked() {
        let regions =
            |tiling, picture| TileOptions { tiling, ..TileOptions::default() }.regions(picture, (300, 300));
        assert_eq!(regions(Tiling::Auto, (320, 240)), []);
        assert_eq!(regions(Tiling::Auto, (640, 480)).len(), 4);
        assert_eq!(regions(Tiling::Auto, (4000, 3000)).len(), 16);
        assert_eq!(regions(Tiling::Along(3), (900, 300)).len(), 3);
        assert_eq!(regions(Tiling::Along(1), (900, 300)), []);
        // 500 + 400 + 400 pixels.
        assert_eq!(regions(Tiling::Size(500, 500), (1300, 500)).len(), 3);
        assert_eq!(regions(Tiling::Size(500, 500), (1301, 400)).len(), 4);
        assert_eq!(regions(Tiling::Size(1, 1), (60_000, 60_000)).len(), (MAX_TILES * MAX_TILES) as usize);
        assert_eq!(regions(Tiling::Size(0, 0), (0, 0)), []);
        assert_eq!(regions(Tiling::Along(9), (3, 1)).len(), 3);
    }

    proptest! {
        /// Whatever is asked for, parts cover the picture, overlap as much as asked, and lie inside.
        #[test]
        fn parts_cover_the_picture(count in 2u32..12, overlap in 0.0f32..0.9) {
            let spans = spans(count, overlap);
            prop_assert_eq!(spans.len(), count as usize);
            prop_assert_eq!((spans[0][0], spans[spans.len() - 1][1]), (0.0, 1.0));
            let length = spans[0][1];
            for pair in spans.windows(2) {
                prop_assert!((pair[0][1] - pair[1][0] - overlap * length).abs() < 1e-4);
                prop_assert!(pair[1][1] <= 1.0);
            }
        }

        /// No object is lost: each box that came in overlaps one of its class that comes out, or lies on it.
        #[test]
        fn every_object_is_still_there(
            boxes in prop::collection::vec((0usize..3, 0usize..2, 1u8..99, 0u8..80, 0u8..80, 2u8..20, 2u8..15), 0..60)
        ) {
            let regions = [NormBox::WHOLE, LEFT, RIGHT];
            let mut tiler = Tiler::new(TileOptions { max_detections: 1000, ..TileOptions::default() });
            let mut came = Vec::new();
            for (view, region) in regions.iter().enumerate() {
                let of_view = boxes.iter().filter(|b| b.0 == view).map(|&(_, class, score, x, y, w, h)| {
                    let [x, y, w, h] = [x, y, w, h].map(|v| f32::from(v) / 100.0);
                    detection(class, f32::from(score) / 100.0, [x, y, x + w, y + h])
                });
                tiler.found = of_view.collect();
                came.extend(tiler.found.clone());
                tiler.take(view, region);
            }
            let mut found = Vec::new();
            tiler.merge(&mut found);
            for c in &came {
                prop_assert!(found.iter().any(|f| f.class_id == c.class_id
                    && (f.bbox.iou(&c.bbox) > 0.5 || inside(&f.bbox, &c.bbox) > INSIDE_IF_CUT || f.bbox == c.bbox)));
            }
            prop_assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        }
    }
}
