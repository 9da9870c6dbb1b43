//! How well a tracker does, against truth.
//!
//! MOTA, MOTP and identity switches follow Bernardin and Stiefelhagen 2008 ("CLEAR MOT"), IDF1
//! follows Ristani et al. 2016; both as py-motmetrics computes them.

use super::assignment::assign;
use crate::geometry::NormBox;
use std::collections::BTreeMap;

/// A box with its identity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Identified {
    /// Number of the object or of the track.
    pub id: u64,
    /// Where it is.
    pub bbox: NormBox,
}

/// Adds up frames of truth and of what a tracker showed.
#[derive(Debug, Clone)]
pub struct Evaluation {
    min_iou: f32,
    truth_boxes: u64,
    shown_boxes: u64,
    misses: u64,
    false_positives: u64,
    switches: u64,
    flickers: u64,
    iou_sum: f64,
    matches: u64,
    /// The track that each object was matched with last.
    last: BTreeMap<u64, u64>,
    /// Whether each object was matched in the last frame that had it.
    visible: BTreeMap<u64, bool>,
    /// Frames in which object and track overlap.
    common: BTreeMap<(u64, u64), u64>,
    truth_frames: BTreeMap<u64, u64>,
    shown_frames: BTreeMap<u64, u64>,
}

/// The figures of an [`Evaluation`].
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Summary {
    /// 1 − (misses + false positives + switches) ÷ true boxes; at most 1, may be negative.
    pub mota: f64,
    /// Mean IoU of matched boxes, 0 to 1.
    pub motp: f64,
    /// F1 of boxes whose identity is right over the whole sequence, 0 to 1.
    pub idf1: f64,
    /// Times that an object's track changed.
    pub switches: u64,
    /// True boxes that nothing was shown for.
    pub misses: u64,
    /// Shown boxes without an object.
    pub false_positives: u64,
    /// Times that the box of a present object vanished or came back.
    pub flickers: u64,
    /// True boxes.
    pub truth_boxes: u64,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self::new(0.5)
    }
}

impl Evaluation {
    /// Boxes match from `min_iou` on; 0.5 is customary.
    pub fn new(min_iou: f32) -> Self {
        Self {
            min_iou,
            truth_boxes: 0,
            shown_boxes: 0,
            misses: 0,
            false_positives: 0,
            switches: 0,
            flickers: 0,
            iou_sum: 0.0,
            matches: 0,
            last: BTreeMap::new(),
            visible: BTreeMap::new(),
            common: BTreeMap::new(),
            truth_frames: BTreeMap::new(),
            shown_frames: BTreeMap::new(),
        }
    }

    /// Adds the next frame.
    pub fn add(&mut self, truth: &[Identified], shown: &[Identified]) {
        self.truth_boxes += truth.len() as u64;
        self.shown_boxes += shown.len() as u64;
        for (t, s) in truth.iter().flat_map(|t| shown.iter().map(move |s| (t, s))) {
            if t.bbox.iou(&s.bbox) >= self.min_iou {
                *self.common.entry((t.id, s.id)).or_default() += 1;
            }
        }
        for (frames, boxes) in [(&mut self.truth_frames, truth), (&mut self.shown_frames, shown)] {
            for b in boxes {
                *frames.entry(b.id).or_default() += 1;
            }
        }

        let pairs = self.matched(truth, shown);
        for (t, s) in &pairs {
            let (object, track) = (truth[*t].id, shown[*s].id);
            if self.last.insert(object, track).is_some_and(|before| before != track) {
                self.switches += 1;
            }
            self.iou_sum += f64::from(truth[*t].bbox.iou(&shown[*s].bbox));
        }
        self.matches += pairs.len() as u64;
        self.misses += (truth.len() - pairs.len()) as u64;
        self.false_positives += (shown.len() - pairs.len()) as u64;
        for (index, object) in truth.iter().enumerate() {
            let visible = pairs.iter().any(|(t, _)| *t == index);
            if self.visible.insert(object.id, visible).is_some_and(|before| before != visible) {
                self.flickers += 1;
            }
        }
        self.visible.retain(|id, _| truth.iter().any(|t| t.id == *id));
    }

    /// The figures so far.
    pub fn summary(&self) -> Summary {
        let of_truth = |n: u64| n as f64 / (self.truth_boxes.max(1)) as f64;
        Summary {
            mota: 1.0 - of_truth(self.misses + self.false_positives + self.switches),
            motp: self.iou_sum / self.matches.max(1) as f64,
            idf1: 2.0 * self.right_identities() as f64 / (self.truth_boxes + self.shown_boxes).max(1) as f64,
            switches: self.switches,
            misses: self.misses,
            false_positives: self.false_positives,
            flickers: self.flickers,
            truth_boxes: self.truth_boxes,
        }
    }

    /// Pairs of indices: those of the frame before as long as they overlap, then the best others.
    fn matched(&self, truth: &[Identified], shown: &[Identified]) -> Vec<(usize, usize)> {
        let fits = |t: usize, s: usize| truth[t].bbox.iou(&shown[s].bbox) >= self.min_iou;
        let mut pairs = Vec::new();
        for (t, object) in truth.iter().enumerate() {
            let Some(track) = self.last.get(&object.id) else { continue };
            let kept = shown.iter().position(|s| s.id == *track).filter(|s| fits(t, *s));
            if let Some(s) = kept.filter(|s| pairs.iter().all(|(_, used)| used != s)) {
                pairs.push((t, s));
            }
        }
        let free =
            |len: usize, used: &dyn Fn(usize) -> bool| (0..len).filter(|i| !used(*i)).collect::<Vec<_>>();
        let free_truth = free(truth.len(), &|i| pairs.iter().any(|p| p.0 == i));
        let free_shown = free(shown.len(), &|i| pairs.iter().any(|p| p.1 == i));
        let cost: Vec<f32> = free_truth
            .iter()
            .flat_map(|t| free_shown.iter().map(|s| 1.0 - truth[*t].bbox.iou(&shown[*s].bbox)))
            .collect();
        // As many pairs as can be had come first: leaving one out costs more than any.
        let limit = 1.0 - self.min_iou;
        let prices: Vec<f32> = cost.iter().map(|c| if *c <= limit { *c } else { f32::INFINITY }).collect();
        let more = assign(&prices, free_shown.len(), 1000.0);
        pairs.extend(more.into_iter().map(|(t, s)| (free_truth[t], free_shown[s])));
        pairs
    }

    /// Boxes with the right identity under the best one-to-one map of objects to tracks.
    fn right_identities(&self) -> u64 {
        let objects: Vec<u64> = self.truth_frames.keys().copied().collect();
        let tracks: Vec<u64> = self.shown_frames.keys().copied().collect();
        let common = |o: u64, t: u64| self.common.get(&(o, t)).copied().unwrap_or(0);
        let most = self.common.values().copied().max().unwrap_or(0) as f32;
        let cost: Vec<f32> =
            objects.iter().flat_map(|o| tracks.iter().map(move |t| most - common(*o, *t) as f32)).collect();
        let pairs = assign(&cost, tracks.len(), most);
        pairs.into_iter().map(|(o, t)| common(objects[o], tracks[t])).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: u64, x: f32) -> Identified {
        Identified { id, bbox: NormBox { x_min: x, y_min: 0.0, x_max: x + 0.1, y_max: 0.2 } }
    }

    #[test]
    fn a_swap_costs_two_switches_and_half_the_identities() {
        let mut evaluation = Evaluation::default();
        for frame in 0..10 {
            let (first, second) = if frame < 5 { (7, 8) } else { (8, 7) };
            evaluation.add(&[at(1, 0.1), at(2, 0.6)], &[at(first, 0.1), at(second, 0.6)]);
        }
        let summary = evaluation.summary();
        assert_eq!((summary.switches, summary.misses, summary.false_positives), (2, 0, 0));
        assert!((summary.mota - 0.9).abs() < 1e-9 && (summary.idf1 - 0.5).abs() < 1e-9);
    }

    #[test]
    fn gaps_count_as_misses_and_flicker() {
        let mut evaluation = Evaluation::default();
        for frame in 0..10 {
            let shown = [at(5, 0.1), at(9, 0.8)];
            evaluation.add(&[at(1, 0.1)], if frame == 4 { &[] } else { &shown });
        }
        let summary = evaluation.summary();
        assert_eq!((summary.misses, summary.false_positives, summary.flickers), (1, 9, 2));
        assert_eq!(summary.switches, 0);
    }
}
