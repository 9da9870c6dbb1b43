//! Identities from frame to frame.
//!
//! In the manner of ByteTrack (Zhang et al. 2022): strong detections are matched first, then weak
//! ones may continue what is seen already, so that an object which is hard to see for a moment
//! keeps its number. Around that: prediction in seconds rather than frames, so that boxes can be
//! asked for between detections and the pace of detection may change; births and deaths with
//! hysteresis, so that nothing flickers; and a last round that finds small fast objects whose boxes
//! do not overlap from one detection to the next.
//!
//! The crate `trackforge` 0.5.1 was tried and left: on scenes with truth its ByteTrack scores lower
//! in every figure (`docs/live.md`); its tracks count in frames, cannot be asked where they are at
//! a time, mix classes, and are born with the first detection.

mod assignment;
mod kalman;
pub mod metrics;
mod options;

pub use options::TrackerOptions;

use crate::frame::Timestamp;
use crate::geometry::{Detection, NormBox};
use assignment::assign;
use kalman::BoxFilter;

/// Cost added where a detection's class is not the track's: the same class is preferred, but a
/// wavering label does not make a new object.
const OTHER_CLASS: f32 = 0.3;

/// Smallest IoU for a detection of another class.
const OTHER_CLASS_IOU: f32 = 0.5;

/// Cost of matching nothing: above that of any pair that is allowed.
const NO_MATCH: f32 = 1.0;

/// Smallest IoU in the round of weak detections, as in ByteTrack.
const WEAK_IOU: f32 = 0.5;

/// Smallest IoU of grown boxes in the last round.
const REACH_IOU: f32 = 0.15;

/// Boxes grow by no more than this on each side, in box sizes: beyond, anything matches anything.
const MAX_REACH: f32 = 1.2;

/// Two tracks of a class that overlap by more are one object.
const SAME_IOU: f32 = 0.8;

/// An object with an identity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Track {
    /// Its number: unique within a tracker, never given twice.
    pub id: u64,
    /// Where it is; smoothed, and predicted where it was not detected just now. May reach beyond
    /// the picture.
    pub bbox: NormBox,
    /// Index into the model's labels: the class that it had most of the time.
    pub class_id: usize,
    /// Smoothed confidence, 0 to 1.
    pub score: f32,
    /// Seconds since it was first detected.
    pub age: f32,
    /// Seconds since it was last detected: 0 where it was detected just now.
    pub unseen: f32,
}

/// Gives objects identities, and their boxes and scores rest.
///
/// ```
/// use osprey_detector::frame::Timestamp;
/// use osprey_detector::track::{Tracker, TrackerOptions};
/// use osprey_detector::{Detection, NormBox};
///
/// let mut tracker = Tracker::new(TrackerOptions::default());
/// let at = |x| Detection { bbox: NormBox { x_min: x, y_min: 0.2, x_max: x + 0.1, y_max: 0.5 }, class_id: 0, score: 0.9 };
/// let first = tracker.update(&[at(0.10)], Timestamp::from_seconds(0.0))[0].id;
/// assert_eq!(tracker.update(&[at(0.11)], Timestamp::from_seconds(0.1))[0].id, first);
///
/// // Between two detections boxes move on.
/// let mut shown = Vec::new();
/// tracker.predict(Timestamp::from_seconds(0.15), &mut shown);
/// assert!(shown[0].bbox.x_min > 0.11);
/// ```
#[derive(Debug, Clone)]
pub struct Tracker {
    options: TrackerOptions,
    tracks: Vec<Entry>,
    shown: Vec<Track>,
    next_id: u64,
    now: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Entry {
    id: u64,
    filter: BoxFilter,
    score: f32,
    hits: u32,
    confirmed: bool,
    age: f32,
    unseen: f32,
    /// Evidence by class, the current class first.
    classes: Vec<(usize, f32)>,
}

impl Tracker {
    /// A tracker without tracks.
    pub fn new(options: TrackerOptions) -> Self {
        Self { options, tracks: Vec::new(), shown: Vec::new(), next_id: 1, now: None }
    }

    /// What was asked for.
    pub fn options(&self) -> &TrackerOptions {
        &self.options
    }

    /// Takes the detections of a frame and returns the objects to show, oldest first.
    ///
    /// A time that does not rise moves nothing. Detections that are not finite are ignored.
    pub fn update(&mut self, detections: &[Detection], at: Timestamp) -> &[Track] {
        let dt = self.now.map_or(0.0, |now| at.seconds_since(now)).clamp(0.0, 3600.0) as f32;
        self.now = Some(at);
        for track in &mut self.tracks {
            track.advance(dt);
        }
        let options = self.options;
        let usable = |d: &&Detection| d.score >= options.low_score && is_finite(d);
        let (strong, weak): (Vec<_>, Vec<_>) =
            detections.iter().filter(usable).partition(|d| d.score >= options.high_score);

        let mut free: Vec<usize> = (0..self.tracks.len()).collect();
        let strong = self.round(&mut free, strong, |track, d| {
            let iou = track.filter.bbox().iou(&d.bbox);
            // ByteTrack's fused cost: of two that overlap alike the stronger is the likelier.
            (iou >= options.min_iou).then_some(1.0 - iou * (0.5 + 0.5 * d.score))
        });
        let mut seen: Vec<usize> = free
            .iter()
            .copied()
            .filter(|i| self.tracks[*i].unseen <= dt * 1.5 && self.tracks[*i].confirmed)
            .collect();
        free.retain(|i| !seen.contains(i));
        self.round(&mut seen, weak, |track, d| {
            let iou = track.filter.bbox().iou(&d.bbox);
            (iou >= WEAK_IOU).then_some(1.0 - iou)
        });
        free.append(&mut seen);
        let new = self.round(&mut free, strong, |track, d| {
            let reach = (options.reach * track.unseen).min(MAX_REACH);
            let iou = grown(track.filter.bbox(), reach).iou(&grown(d.bbox, reach));
            (iou >= REACH_IOU && track.class() == d.class_id).then_some(1.0 - iou)
        });

        for index in free {
            self.tracks[index].miss(dt, &options);
        }
        for detection in new {
            self.start(detection);
        }
        self.merge_doubles();
        self.tracks.retain(|t| match t.confirmed {
            true => t.unseen <= options.coast_seconds + options.memory_seconds,
            // One miss is enough for what never was certain.
            false => t.unseen == 0.0,
        });
        self.show()
    }

    /// Where the objects are at another time, as far as is known: for frames without a detection.
    /// `shown` is cleared first.
    pub fn predict(&self, at: Timestamp, shown: &mut Vec<Track>) {
        shown.clear();
        let dt = self.now.map_or(0.0, |now| at.seconds_since(now)).clamp(0.0, 3600.0) as f32;
        shown.extend(self.tracks.iter().filter(|t| t.is_shown(&self.options)).filter_map(|track| {
            let mut moved = track.clone();
            moved.advance(dt);
            moved.is_shown(&self.options).then(|| moved.to_track())
        }));
    }

    /// The objects to show, as of the last update.
    pub fn tracks(&self) -> &[Track] {
        &self.shown
    }

    /// Forgets all objects; numbers go on.
    pub fn clear(&mut self) {
        self.tracks.clear();
        self.shown.clear();
        self.now = None;
    }

    /// Matches `detections` with the tracks that are `free`, takes those out of it, and returns
    /// what is left of the detections.
    fn round<'d>(
        &mut self,
        free: &mut Vec<usize>,
        detections: Vec<&'d Detection>,
        cost: impl Fn(&Entry, &Detection) -> Option<f32>,
    ) -> Vec<&'d Detection> {
        let costs: Vec<f32> = free
            .iter()
            .flat_map(|i| {
                detections.iter().map(|d| class_cost(&self.tracks[*i], d, &cost).unwrap_or(f32::INFINITY))
            })
            .collect();
        let pairs = assign(&costs, detections.len(), NO_MATCH);
        for (row, column) in &pairs {
            self.tracks[free[*row]].hit(detections[*column], &self.options);
        }
        let mut row = 0..;
        free.retain(|_| row.next().is_some_and(|r| pairs.iter().all(|p| p.0 != r)));
        let left = detections.into_iter().enumerate().filter(|(c, _)| pairs.iter().all(|p| p.1 != *c));
        left.map(|(_, d)| d).collect()
    }

    fn start(&mut self, detection: &Detection) {
        if self.tracks.len() >= self.options.max_tracks {
            return;
        }
        self.tracks.push(Entry {
            id: self.next_id,
            filter: BoxFilter::new(detection.bbox),
            score: detection.score,
            hits: 1,
            confirmed: self.options.birth_hits <= 1 || detection.score >= self.options.certain_score,
            age: 0.0,
            unseen: 0.0,
            classes: vec![(detection.class_id, detection.score)],
        });
        self.next_id += 1;
    }

    fn merge_doubles(&mut self) {
        let mut index = 0;
        while index < self.tracks.len() {
            let (older, rest) = self.tracks.split_at(index);
            let track = &rest[0];
            let bbox = track.filter.bbox();
            let doubled = older.iter().any(|o| {
                // Two detections of one frame are two objects.
                (o.unseen > 0.0 || track.unseen > 0.0)
                    && o.class() == track.class()
                    && o.filter.bbox().iou(&bbox) > SAME_IOU
            });
            match doubled && track.unseen > 0.0 {
                true => drop(self.tracks.remove(index)),
                false => index += 1,
            }
        }
    }

    fn show(&mut self) -> &[Track] {
        self.shown.clear();
        let visible = self.tracks.iter().filter(|t| t.is_shown(&self.options));
        self.shown.extend(visible.map(Entry::to_track));
        &self.shown
    }
}

impl Entry {
    fn class(&self) -> usize {
        self.classes[0].0
    }

    fn advance(&mut self, dt: f32) {
        if dt > 0.0 {
            self.filter.predict(dt);
            self.age += dt;
            self.unseen += dt;
        }
    }

    fn hit(&mut self, detection: &Detection, options: &TrackerOptions) {
        // After a longer absence the first score says more than the old one.
        let weight = 1.0 - (-self.unseen.max(1.0 / 120.0) / options.score_seconds).exp();
        self.score += weight * (detection.score - self.score);
        self.filter.update(detection.bbox);
        self.hits += 1;
        self.unseen = 0.0;
        self.confirmed |= self.hits >= options.birth_hits;
        self.vote(detection);
    }

    fn vote(&mut self, detection: &Detection) {
        for (_, evidence) in &mut self.classes {
            *evidence *= 0.9;
        }
        match self.classes.iter_mut().find(|(class, _)| *class == detection.class_id) {
            Some((_, evidence)) => *evidence += detection.score,
            None => self.classes.push((detection.class_id, detection.score)),
        }
        self.classes.retain(|(_, evidence)| *evidence > 0.01);
        let current = self.classes[0].1;
        // A new class must be clearly ahead, or labels would flicker between two.
        if let Some(ahead) = (1..self.classes.len()).find(|i| self.classes[*i].1 > 1.2 * current) {
            self.classes.swap(0, ahead);
        }
    }

    fn miss(&mut self, dt: f32, options: &TrackerOptions) {
        self.filter.hold_size();
        self.score *= (-dt / (options.coast_seconds.max(0.01) * 2.0)).exp();
    }

    fn is_shown(&self, options: &TrackerOptions) -> bool {
        self.confirmed && self.unseen <= options.coast_seconds
    }

    fn to_track(&self) -> Track {
        Track {
            id: self.id,
            bbox: self.filter.bbox(),
            class_id: self.class(),
            score: self.score.clamp(0.0, 1.0),
            age: self.age,
            unseen: self.unseen,
        }
    }
}

fn class_cost(
    track: &Entry,
    detection: &Detection,
    cost: impl Fn(&Entry, &Detection) -> Option<f32>,
) -> Option<f32> {
    let plain = cost(track, detection)?;
    if track.class() == detection.class_id {
        return Some(plain);
    }
    (track.filter.bbox().iou(&detection.bbox) >= OTHER_CLASS_IOU).then_some(plain + OTHER_CLASS)
}

fn grown(b: NormBox, by: f32) -> NormBox {
    let (w, h) = ((b.x_max - b.x_min) * by, (b.y_max - b.y_min) * by);
    NormBox { x_min: b.x_min - w, y_min: b.y_min - h, x_max: b.x_max + w, y_max: b.y_max + h }
}

fn is_finite(detection: &Detection) -> bool {
    let b = &detection.bbox;
    [b.x_min, b.y_min, b.x_max, b.y_max, detection.score].iter().all(|v| v.is_finite())
}

#[cfg(test)]
mod scenes;
#[cfg(test)]
mod tests;
