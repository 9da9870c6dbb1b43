use super::metrics::{Evaluation, Identified, Summary};
use super::scenes::{FPS, Motion, Scene};
use super::*;
use std::fmt::Write as _;
use trackforge::trackers::byte_track::ByteTrack;

const SECONDS: usize = 20;

struct Case {
    name: &'static str,
    motions: &'static [Motion],
    count: usize,
    /// Frames of the camera for each detection.
    interval: usize,
    /// Worst that is accepted: MOTA, IDF1, switches, flickers per object and second.
    accepted: (f64, f64, u64, f64),
}

const CASES: [Case; 6] = [
    Case {
        name: "bounce 60",
        motions: &[Motion::Bounce],
        count: 6,
        interval: 1,
        accepted: (0.97, 0.95, 2, 0.15),
    },
    Case {
        name: "bounce 15",
        motions: &[Motion::Bounce],
        count: 6,
        interval: 4,
        accepted: (0.93, 0.9, 5, 0.8),
    },
    Case {
        name: "swing 30",
        motions: &[Motion::Swing],
        count: 5,
        interval: 2,
        accepted: (0.96, 0.97, 1, 0.2),
    },
    Case { name: "dash 30", motions: &[Motion::Dash], count: 4, interval: 2, accepted: (0.95, 0.95, 1, 0.5) },
    Case {
        name: "dash 10",
        motions: &[Motion::Dash],
        count: 4,
        interval: 6,
        accepted: (0.75, 0.55, 11, 2.3),
    },
    Case {
        name: "mixed 15",
        motions: &[Motion::Bounce, Motion::Swing, Motion::Dash],
        count: 9,
        interval: 4,
        accepted: (0.92, 0.92, 6, 0.9),
    },
];

/// What makes boxes with identities of detections.
enum Contender {
    Osprey(Tracker),
    /// ByteTrack of another library, with the settings of its authors.
    Trackforge(Box<ByteTrack>),
    /// Every detection is a new identity.
    Raw,
}

impl Contender {
    fn osprey() -> Self {
        Self::Osprey(Tracker::new(TrackerOptions::default()))
    }

    fn trackforge(case: &Case) -> Self {
        // A lost object is kept for half a second, in frames of its own.
        Self::Trackforge(Box::new(ByteTrack::new(0.5, FPS as usize / case.interval / 2, 0.8, 0.6)))
    }

    /// Takes the detections of a frame; what is shown until the next ones is `held`, where it cannot
    /// be asked for at any time.
    fn update(&mut self, detections: &[Detection], frame: usize, held: &mut Vec<Identified>) {
        match self {
            Self::Osprey(tracker) => {
                tracker.update(detections, Scene::time(frame));
            }
            Self::Trackforge(tracker) => {
                let boxes = detections.iter().map(|d| {
                    let b = d.bbox;
                    ([b.x_min, b.y_min, b.x_max - b.x_min, b.y_max - b.y_min], d.score, d.class_id as i64)
                });
                // In pixels of a frame, as it expects them.
                let boxes = boxes.map(|(tlwh, score, class)| (tlwh.map(|v| v * 1000.0), score, class));
                let tracks = tracker.update(boxes.collect());
                held.clear();
                held.extend(tracks.iter().map(|t| {
                    let [x, y, w, h] = t.tlwh.map(|v| v / 1000.0);
                    let bbox = NormBox { x_min: x, y_min: y, x_max: x + w, y_max: y + h };
                    Identified { id: t.track_id, bbox }
                }));
            }
            Self::Raw => {
                let strong = detections.iter().filter(|d| d.score >= 0.5).enumerate();
                held.clear();
                held.extend(strong.map(|(i, d)| Identified { id: (frame * 1000 + i) as u64, bbox: d.bbox }));
            }
        }
    }
}

/// Summary, and flickers per object and second.
fn run(case: &Case, mut contender: Contender, dump: Option<&mut String>) -> (Summary, f64) {
    let mut scene = Scene::new(7 + case.count as u64, case.count, case.motions, 1.0);
    let mut evaluation = Evaluation::default();
    let mut tracks = Vec::new();
    let mut shown = Vec::new();
    let mut lines = String::new();
    for frame in 0..SECONDS * FPS as usize {
        if frame % case.interval == 0 {
            contender.update(&scene.detections(frame), frame, &mut shown);
        }
        if let Contender::Osprey(tracker) = &contender {
            tracker.predict(Scene::time(frame), &mut tracks);
            shown = tracks.iter().map(|t| Identified { id: t.id, bbox: t.bbox }).collect();
        }
        let truth = scene.truth(frame);
        for (kind, boxes) in [("truth", &truth), ("shown", &shown)] {
            for Identified { id, bbox: b } in boxes {
                let (w, h) = (b.x_max - b.x_min, b.y_max - b.y_min);
                let _ = writeln!(lines, "{kind},{frame},{id},{},{},{w},{h}", b.x_min, b.y_min);
            }
        }
        evaluation.add(&truth, &shown);
    }
    if let Some(dump) = dump {
        *dump = lines;
    }
    let summary = evaluation.summary();
    let object_seconds = summary.truth_boxes as f64 / FPS;
    (summary, summary.flickers as f64 / object_seconds)
}

/// `OSPREY_TRACK_DUMP=DIR` keeps what was shown, for tests/peers/track_metrics.py.
#[test]
fn scenes_with_truth() {
    let folder = std::env::var_os("OSPREY_TRACK_DUMP");
    let mut failed = Vec::new();
    println!(
        "| scene | MOTA | IDF1 | MOTP | switches | flickers/s | raw: MOTA | flickers/s \
         | trackforge: MOTA | IDF1 | switches | flickers/s |"
    );
    for case in &CASES {
        let mut dump = String::new();
        let (summary, flicker) = run(case, Contender::osprey(), Some(&mut dump));
        let (raw, raw_flicker) = run(case, Contender::Raw, None);
        let (other, other_flicker) = run(case, Contender::trackforge(case), None);
        println!(
            "| {} | {:.4} | {:.4} | {:.3} | {} | {flicker:.2} | {:.3} | {raw_flicker:.2} | {:.3} | {:.3} | {} | {other_flicker:.2} |",
            case.name,
            summary.mota,
            summary.idf1,
            summary.motp,
            summary.switches,
            raw.mota,
            other.mota,
            other.idf1,
            other.switches,
        );
        let (mota, idf1, switches, flickers) = case.accepted;
        if summary.mota < mota || summary.idf1 < idf1 || summary.switches > switches || flicker > flickers {
            failed.push(case.name);
        }
        if summary.mota < other.mota || summary.idf1 < other.idf1 {
            failed.push("another library does better");
        }
        if flicker > raw_flicker / 2.0 {
            failed.push("flicker is not even halved");
        }
        if let Some(folder) = &folder {
            let file = std::path::Path::new(folder).join(format!("{}.csv", case.name.replace(' ', "_")));
            std::fs::write(file, dump).unwrap();
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

fn detection(x: f32, class_id: usize, score: f32) -> Detection {
    Detection { bbox: NormBox { x_min: x, y_min: 0.3, x_max: x + 0.1, y_max: 0.6 }, class_id, score }
}

fn seconds(s: f64) -> Timestamp {
    Timestamp::from_seconds(s)
}

#[test]
fn one_weak_detection_is_no_object() {
    let mut tracker = Tracker::new(TrackerOptions::default());
    assert!(tracker.update(&[detection(0.1, 0, 0.6)], seconds(0.0)).is_empty());
    assert!(tracker.update(&[], seconds(0.1)).is_empty());
    // The miss ended it: the next one starts over.
    assert!(tracker.update(&[detection(0.1, 0, 0.6)], seconds(0.2)).is_empty());
    assert_eq!(tracker.update(&[detection(0.1, 0, 0.6)], seconds(0.3)).len(), 1);
}

#[test]
fn a_weak_moment_does_not_end_a_track() {
    let mut tracker = Tracker::new(TrackerOptions::default());
    let id = tracker.update(&[detection(0.1, 0, 0.9)], seconds(0.0))[0].id;
    for frame in 1..30 {
        let shown = tracker.update(&[detection(0.1, 0, 0.2)], seconds(f64::from(frame) / 30.0));
        assert_eq!(shown.len(), 1);
        assert_eq!((shown[0].id, shown[0].unseen), (id, 0.0));
    }
    // But weak detections alone start nothing.
    assert_eq!(tracker.update(&[detection(0.1, 0, 0.2), detection(0.7, 0, 0.3)], seconds(1.0)).len(), 1);
}

#[test]
fn an_object_that_comes_back_keeps_its_number() {
    let options = TrackerOptions::default();
    let mut tracker = Tracker::new(options);
    let id = tracker.update(&[detection(0.1, 0, 0.9)], seconds(0.0))[0].id;
    assert_eq!(tracker.update(&[], seconds(0.2)).len(), 1, "coasts");
    assert!(tracker.update(&[], seconds(0.6)).is_empty(), "hidden");
    assert_eq!(tracker.update(&[detection(0.1, 0, 0.9)], seconds(1.2))[0].id, id);
    assert!(tracker.update(&[], seconds(5.0)).is_empty());
    assert_ne!(tracker.update(&[detection(0.1, 0, 0.9)], seconds(5.1))[0].id, id);
}

#[test]
fn a_wavering_label_does_not_flicker() {
    let mut tracker = Tracker::new(TrackerOptions::default());
    for frame in 0..60 {
        let class_id = if frame % 5 == 4 { 2 } else { 1 };
        let shown = tracker.update(&[detection(0.4, class_id, 0.8)], seconds(f64::from(frame) / 30.0));
        assert_eq!(shown.len(), 1);
        assert_eq!((shown[0].id, shown[0].class_id), (1, 1), "frame {frame}");
    }
    // A lasting change is taken over.
    for frame in 60..100 {
        tracker.update(&[detection(0.4, 2, 0.8)], seconds(f64::from(frame) / 30.0));
    }
    assert_eq!((tracker.tracks()[0].id, tracker.tracks()[0].class_id), (1, 2));
}

#[test]
fn people_who_cross_keep_their_numbers() {
    let mut tracker = Tracker::new(TrackerOptions::default());
    let mut first = (0, 0);
    for frame in 0..60 {
        let way = frame as f32 / 60.0 * 0.8;
        let mut left = detection(0.05 + way, 0, 0.9);
        let mut right = detection(0.85 - way, 0, 0.9);
        (left.bbox.y_min, right.bbox.y_min) = (0.3, 0.4);
        let shown = tracker.update(&[left, right], seconds(f64::from(frame) / 30.0)).to_vec();
        assert_eq!(shown.len(), 2);
        let by_height = |low: bool| shown.iter().find(|t| (t.bbox.y_min > 0.35) == low).map_or(0, |t| t.id);
        if frame == 0 {
            first = (by_height(false), by_height(true));
        }
        assert_eq!((by_height(false), by_height(true)), first, "frame {frame}");
    }
}

#[test]
fn hostile_detections_and_clocks() {
    let mut tracker = Tracker::new(TrackerOptions { max_tracks: 50, ..Default::default() });
    let nan = Detection { bbox: NormBox { x_min: f32::NAN, ..Default::default() }, class_id: 0, score: 0.9 };
    let inverted = Detection {
        bbox: NormBox { x_min: 0.9, y_min: 0.9, x_max: 0.1, y_max: 0.1 },
        class_id: 0,
        score: 0.9,
    };
    let crowd: Vec<_> =
        (0..200).map(|i| detection(i as f32 / 100.0, i, 0.9)).chain([nan, inverted]).collect();
    for at in [0.0, 5.0, 4.0, -1e9, f64::INFINITY, f64::NAN, 5.1] {
        tracker.update(&crowd, seconds(at));
        assert!(tracker.tracks().len() <= 50);
        assert!(tracker.tracks().iter().all(|t| t.bbox.x_min.is_finite() && t.bbox.y_max.is_finite()));
    }
}
