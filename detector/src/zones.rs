//! Zones and lines in the picture: who enters, leaves, stays, and crosses.
//!
//! A track stands where the middle of its box's lower edge is: the foot of a person, the wheels of a car.
//! A box trembles by a pixel or two, so a change counts once it has held for [`Watch::settle`] updates.

use crate::frame::Timestamp;
use crate::geometry::NormBox;
use crate::track::Track;
use std::collections::HashMap;

/// A track that is not seen for so many seconds has left.
const FORGOTTEN: f64 = 1.0;

/// A point in fractions of the upright picture: from the left, from the top.
pub type Point = [f32; 2];

/// An area of the picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Zone {
    /// The corners, in order around the area; it may be hollow, and is closed by itself.
    pub points: Vec<Point>,
    /// Numbers of the classes that count; empty for all.
    pub classes: Vec<usize>,
    /// After so many seconds inside, a track has stayed.
    pub dwell: Option<f64>,
}

/// A line in the picture, with a left and a right side as seen from its start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// Where it starts.
    pub from: Point,
    /// Where it ends.
    pub to: Point,
    /// Numbers of the classes that count; empty for all.
    pub classes: Vec<usize>,
}

/// What is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// Areas.
    pub zones: Vec<Zone>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Updates for which a change holds before it counts, at least 1.
    pub settle: u32,
}

impl Default for Watch {
    fn default() -> Self {
        Self { zones: Vec::new(), lines: Vec::new(), settle: 2 }
    }
}

/// What happened; the number is that of the zone or line in [`Watch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Happening {
    /// A track came into a zone, or began there.
    Enter(usize),
    /// It went out of the zone, or is not seen any more.
    Leave(usize),
    /// It has been inside for the zone's `dwell`.
    Dwell(usize),
    /// It crossed a line from its left side to its right, as seen from its start.
    CrossToRight(usize),
    /// It crossed a line from its right side to its left.
    CrossToLeft(usize),
}

/// Something that happened to a track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
    /// Identity of the track.
    pub track: u64,
    /// Its class.
    pub class_id: usize,
    /// Seconds inside the zone, for leaving and staying.
    pub seconds: f64,
}

/// A state that changes once another has been seen often enough.
#[derive(Debug, Clone, Copy, Default)]
struct Settled {
    value: bool,
    against: u32,
}

impl Settled {
    /// Whether the state changed.
    fn see(&mut self, value: bool, settle: u32) -> bool {
        self.against = if value == self.value { 0 } else { self.against + 1 };
        let changes = self.against >= settle.max(1);
        if changes {
            *self = Self { value, against: 0 };
        }
        changes
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Stay {
    inside: Settled,
    since: Timestamp,
    told: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Side {
    /// Whether the track is on the right; unknown at first.
    right: Option<Settled>,
    /// It went from one side to the other within the line's ends.
    through: bool,
}

#[derive(Debug, Clone)]
struct Followed {
    class_id: usize,
    seen: Timestamp,
    foot: Point,
    stays: Vec<Stay>,
    sides: Vec<Side>,
}

/// Follows tracks through zones and over lines.
#[derive(Debug, Clone, Default)]
pub struct Watcher {
    watch: Watch,
    tracks: HashMap<u64, Followed>,
}

impl Watcher {
    /// Watches from now on.
    pub fn new(watch: Watch) -> Self {
        Self { watch, tracks: HashMap::new() }
    }

    /// What happened by `at`, by the tracks of that moment, in the order of tracks, zones and lines; `events`
    /// is cleared first. Moments come in order.
    pub fn update(&mut self, tracks: &[Track], at: Timestamp, events: &mut Vec<Event>) {
        events.clear();
        for track in tracks {
            let foot = foot(&track.bbox);
            let followed = self.tracks.entry(track.id).or_insert_with(|| Followed {
                class_id: track.class_id,
                seen: at,
                foot,
                stays: vec![Stay::default(); self.watch.zones.len()],
                sides: vec![Side::default(); self.watch.lines.len()],
            });
            let event =
                |what, seconds| Event { at, what, track: track.id, class_id: track.class_id, seconds };
            followed.visit(&self.watch, foot, at, |what, seconds| events.push(event(what, seconds)));
            (followed.seen, followed.foot, followed.class_id) = (at, foot, track.class_id);
        }
        self.forget(at, events);
    }

    /// How many tracks are in a zone now.
    pub fn inside(&self, zone: usize) -> usize {
        let here = |f: &&Followed| f.stays.get(zone).is_some_and(|s| s.inside.value);
        self.tracks.values().filter(here).count()
    }

    fn forget(&mut self, at: Timestamp, events: &mut Vec<Event>) {
        let before = events.len();
        self.tracks.retain(|&track, followed| {
            let stays = at.seconds_since(followed.seen) <= FORGOTTEN;
            if !stays {
                let inside = followed.stays.iter().enumerate().filter(|(_, stay)| stay.inside.value);
                events.extend(inside.map(|(zone, stay)| Event {
                    at: followed.seen,
                    what: Happening::Leave(zone),
                    track,
                    class_id: followed.class_id,
                    seconds: followed.seen.seconds_since(stay.since),
                }));
            }
            stays
        });
        // A map has no order.
        events[before..].sort_by_key(|e| (e.track, e.what));
    }
}

impl Followed {
    fn visit(&mut self, watch: &Watch, foot: Point, at: Timestamp, mut tell: impl FnMut(Happening, f64)) {
        let counts = |classes: &[usize]| classes.is_empty() || classes.contains(&self.class_id);
        for (number, (zone, stay)) in watch.zones.iter().zip(&mut self.stays).enumerate() {
            if !counts(&zone.classes) {
                continue;
            }
            if stay.inside.see(contains(&zone.points, foot), watch.settle) {
                match stay.inside.value {
                    true => {
                        (stay.since, stay.told) = (at, false);
                        tell(Happening::Enter(number), 0.0);
                    }
                    false => tell(Happening::Leave(number), at.seconds_since(stay.since)),
                }
            }
            let seconds = at.seconds_since(stay.since);
            if stay.inside.value && !stay.told && zone.dwell.is_some_and(|dwell| seconds >= dwell) {
                stay.told = true;
                tell(Happening::Dwell(number), seconds);
            }
        }
        for (number, (line, side)) in watch.lines.iter().zip(&mut self.sides).enumerate() {
            if !counts(&line.classes) {
                continue;
            }
            let right = beside(line.from, line.to, foot) > 0.0;
            let Some(settled) = &mut side.right else {
                side.right = Some(Settled { value: right, against: 0 });
                continue;
            };
            side.through |= crosses(line, self.foot, foot);
            if settled.see(right, watch.settle) {
                let what = if right { Happening::CrossToRight } else { Happening::CrossToLeft };
                // Round an end of the line is not over it.
                if std::mem::take(&mut side.through) {
                    tell(what(number), 0.0);
                }
            } else if settled.against == 0 {
                side.through = false;
            }
        }
    }
}

fn foot(bbox: &NormBox) -> Point {
    [(bbox.x_min + bbox.x_max) / 2.0, bbox.y_max]
}

/// Twice the area of the triangle: positive where `p` is right of the way from `a` to `b`, as y runs down.
fn beside(a: Point, b: Point, p: Point) -> f32 {
    (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
}

/// Whether the way from `a` to `b` leads over the line.
fn crosses(line: &Line, a: Point, b: Point) -> bool {
    let right = |p| beside(line.from, line.to, p) > 0.0;
    let ahead = |p| beside(a, b, p) > 0.0;
    right(a) != right(b) && ahead(line.from) != ahead(line.to)
}

/// Whether an odd number of the polygon's edges lie to the right of the point.
fn contains(points: &[Point], [x, y]: Point) -> bool {
    let edges = points.iter().zip(points.iter().cycle().skip(1));
    let crossed = |(a, b): &(&Point, &Point)| {
        (a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
    };
    edges.filter(crossed).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A track whose foot is there.
    fn track(id: u64, [x, y]: Point) -> Track {
        let bbox = NormBox::from_edges([x - 0.05, y - 0.2, x + 0.05, y]);
        Track { id, class_id: 0, score: 0.9, bbox, age: 1.0, unseen: 0.0 }
    }

    /// What happens to one track on its way, a step each tenth of a second, with the step.
    fn way(watch: Watch, steps: &[Point]) -> Vec<(usize, Happening)> {
        let (mut watcher, mut events, mut all) = (Watcher::new(watch), Vec::new(), Vec::new());
        for (step, point) in steps.iter().enumerate() {
            watcher.update(&[track(7, *point)], Timestamp::from_seconds(step as f64 / 10.0), &mut events);
            all.extend(events.iter().map(|e| (step, e.what)));
        }
        all
    }

    fn square() -> Zone {
        Zone { points: vec![[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]], ..Zone::default() }
    }

    #[test]
    fn a_track_enters_stays_and_leaves() {
        let watch = || Watch { zones: vec![Zone { dwell: Some(0.35), ..square() }], ..Watch::default() };
        let steps: Vec<_> = (0..12).map(|i| [0.26 + 0.05 * i as f32, 0.5]).collect();
        // Inside from step 3 to step 6; a change counts with its second step.
        assert_eq!(way(watch(), &steps), [(4, Happening::Enter(0)), (8, Happening::Leave(0))]);
        assert_eq!(way(watch(), &[[0.5, 0.5]; 9]), [(1, Happening::Enter(0)), (5, Happening::Dwell(0))]);
    }

    #[test]
    fn a_box_that_trembles_on_an_edge_counts_once() {
        let tremble: Vec<_> = (0..20).map(|i| [if i % 2 == 0 { 0.399 } else { 0.401 }, 0.5]).collect();
        let line = Line { from: [0.4, 0.0], to: [0.4, 1.0], ..Line::default() };
        let watch = Watch { zones: vec![square()], lines: vec![line], ..Watch::default() };
        assert_eq!(way(watch, &tremble), []);
    }

    #[test]
    fn a_line_is_crossed_within_its_ends_and_from_a_side() {
        // Upwards in the middle of the picture: its right is the picture's right.
        let line = Line { from: [0.5, 0.8], to: [0.5, 0.2], ..Line::default() };
        let watch = || Watch { lines: vec![line.clone()], ..Watch::default() };
        let steps = |y: f32| -> Vec<_> { (0..10).map(|i| [0.1 * i as f32 + 0.05, y]).collect() };
        let mut there = steps(0.5);
        assert_eq!(way(watch(), &there), [(6, Happening::CrossToRight(0))]);
        there.reverse();
        assert_eq!(way(watch(), &there), [(6, Happening::CrossToLeft(0))]);
        assert_eq!(way(watch(), &steps(0.9)), [], "beyond its end");
    }

    #[test]
    fn who_is_not_seen_any_more_has_left_and_other_classes_do_not_count() {
        let mut watcher = Watcher::new(Watch { zones: vec![square()], settle: 1, ..Watch::default() });
        let mut events = Vec::new();
        let at = Timestamp::from_seconds;
        watcher.update(&[track(1, [0.5, 0.5]), track(2, [0.5, 0.5])], at(0.0), &mut events);
        assert_eq!((events.len(), watcher.inside(0)), (2, 2));
        watcher.update(&[track(1, [0.5, 0.5])], at(0.9), &mut events);
        assert_eq!(events, []);
        watcher.update(&[track(1, [0.5, 0.5])], at(1.2), &mut events);
        assert_eq!((events.len(), events[0].track, events[0].what), (1, 2, Happening::Leave(0)));
        assert_eq!((events[0].at, watcher.inside(0)), (at(0.0), 1));
        let zone = Zone { classes: vec![3], ..square() };
        assert_eq!(way(Watch { zones: vec![zone], ..Watch::default() }, &[[0.5, 0.5]; 5]), []);
    }

    proptest! {
        /// However a track moves, it enters and leaves in turn, and crosses a line to and fro in turn.
        #[test]
        fn events_alternate(steps in prop::collection::vec((0.0f32..1.0, 0.0f32..1.0), 0..60), settle in 1u32..4) {
            let line = Line { from: [0.5, -1.0], to: [0.5, 2.0], ..Line::default() };
            let watch = Watch { zones: vec![square()], lines: vec![line], settle };
            let steps: Vec<_> = steps.iter().map(|&(x, y)| [x, y]).collect();
            let all = way(watch, &steps);
            let of = |pick: fn(&Happening) -> Option<bool>| -> Vec<bool> {
                all.iter().filter_map(|(_, what)| pick(what)).collect()
            };
            let zone = of(|w| match w {
                Happening::Enter(_) => Some(true),
                Happening::Leave(_) => Some(false),
                _ => None,
            });
            prop_assert!(zone.iter().enumerate().all(|(i, entered)| *entered == (i % 2 == 0)), "{zone:?}");
            let line = of(|w| match w {
                Happening::CrossToRight(_) => Some(true),
                Happening::CrossToLeft(_) => Some(false),
                _ => None,
            });
            prop_assert!(line.windows(2).all(|pair| pair[0] != pair[1]), "{line:?}");
        }

        /// Inside a rectangle, as its edges say.
        #[test]
        fn a_rectangle_holds_what_lies_between_its_edges(x in 0.0f32..1.0, y in 0.0f32..1.0) {
            let inside = (0.4..0.6).contains(&x) && (0.4..0.6).contains(&y);
            prop_assert_eq!(contains(&square().points, [x, y]), inside);
        }
    }
}
