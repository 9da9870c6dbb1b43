//! A detector with its tracker.

use crate::error::Failure;
use crate::options::{self, Options};
use osprey_detector::frame::{Frame, Timestamp};
use osprey_detector::track::{Track, Tracker};
use osprey_detector::{Detection, Detector, NormBox};
use serde_json::json;

/// Numbers of a box: class, score, four edges, number, seconds unseen.
pub(crate) const NUMBERS: usize = 8;

pub(crate) struct Eye {
    detector: Detector,
    tracker: Tracker,
    /// What the last picture showed, and its upright size.
    seen: Vec<Detection>,
    size: (u32, u32),
    /// What the tracker foretells.
    foretold: Vec<Track>,
}

impl Eye {
    pub(crate) fn new(model: &[u8], options: &str) -> Result<Self, Failure> {
        let mut options = Options::parse(options)?.detector()?;
        let threads = std::mem::replace(&mut options.load.threads, 1);
        let mut detector = Detector::from_bytes(model, &options)?;
        if threads > 1 {
            // A browser begins threads once this call is over. A detector that is refused would wait for its own to
            // end, so that none is given any before it is known to be sound.
            options.load.threads = threads;
            detector = Detector::from_bytes(model, &options)?;
        }
        Ok(Self {
            tracker: Tracker::new(options::tracker(detector.score_threshold())),
            detector,
            seen: Vec::new(),
            size: (0, 0),
            foretold: Vec::new(),
        })
    }

    /// What is known of the model, as JSON.
    pub(crate) fn describe(&self) -> String {
        let model = self.detector.model();
        let shape = model.inputs().first().map(|input| input.shape.clone()).unwrap_or_default();
        json!({
            "labels": self.detector.class_names(),
            "input": { "height": shape.get(1), "width": shape.get(2) },
            "kernels": self.detector.backend().1,
            "notes": self.detector.notes(),
        })
        .to_string()
    }

    pub(crate) fn configure(&mut self, options: &str) -> Result<(), Failure> {
        let options = Options::parse(options)?.detector()?;
        self.detector.reconfigure(&options)?;
        self.tracker = Tracker::new(options::tracker(self.detector.score_threshold()));
        Ok(())
    }

    /// Appends the boxes of what `frame` shows to `boxes`, and says how many.
    pub(crate) fn detect(&mut self, frame: &Frame<'_>, boxes: &mut Vec<f32>) -> Result<i32, Failure> {
        self.size = frame.upright_size();
        let found = self.detector.detect(frame)?;
        self.seen.clear();
        self.seen.extend_from_slice(found);
        for d in &self.seen {
            push(boxes, self.size, d.class_id, d.score, d.bbox, [0.0; 2]);
        }
        Ok(count(boxes))
    }

    pub(crate) fn track(&mut self, seconds: f64, boxes: &mut Vec<f32>) -> i32 {
        let tracks = self.tracker.update(&self.seen, Timestamp::from_seconds(seconds));
        push_tracks(boxes, self.size, tracks);
        count(boxes)
    }

    pub(crate) fn predict(&mut self, seconds: f64, boxes: &mut Vec<f32>) -> i32 {
        self.tracker.predict(Timestamp::from_seconds(seconds), &mut self.foretold);
        push_tracks(boxes, self.size, &self.foretold);
        count(boxes)
    }
}

fn push_tracks(boxes: &mut Vec<f32>, size: (u32, u32), tracks: &[Track]) {
    for t in tracks {
        push(boxes, size, t.class_id, t.score, t.bbox, [t.id as f32, t.unseen]);
    }
}

fn push(boxes: &mut Vec<f32>, (w, h): (u32, u32), class: usize, score: f32, bbox: NormBox, rest: [f32; 2]) {
    boxes.extend([class as f32, score]);
    boxes.extend(bbox.to_pixels(w, h).edges());
    boxes.extend(rest);
}

fn count(boxes: &[f32]) -> i32 {
    (boxes.len() / NUMBERS) as i32
}
