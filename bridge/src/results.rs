//! What was found in a frame.

#![allow(unsafe_code, reason = "Swift hands over memory as addresses")]

use crate::border::ffi::FindingsFacts;
use crate::error::Failure;
use crate::guard::{copy_out, shielded};
use osprey_detector::frame::Timestamp;
use osprey_detector::pipeline::{Detections, Outcome, Shown, Stage, Timings, WorkError};
use osprey_detector::track::Track;
use osprey_detector::{Detection, DetectorError, NormBox};

/// Numbers of an object in the flat array of floats: left, upper, right, lower edge, score, seconds
/// since first and since last detected.
const FLOATS: usize = 7;
/// Numbers of an object in the flat array of integers: identity, class.
const INTEGERS: usize = 2;

/// A frame's result, or why it has none. It belongs to whoever holds it; any thread may use it.
#[derive(Debug)]
pub struct Findings {
    sequence: u64,
    at: Timestamp,
    picture: (u32, u32),
    timings: Timings,
    detections: Flat,
    tracks: Flat,
    failure: Option<Failure>,
}

#[derive(Debug, Default)]
struct Flat {
    floats: Vec<f32>,
    integers: Vec<u64>,
}

impl Flat {
    fn push(&mut self, NormBox { x_min, y_min, x_max, y_max }: NormBox, rest: [f32; 3], integers: [u64; 2]) {
        self.floats.extend([x_min, y_min, x_max, y_max]);
        self.floats.extend(rest);
        self.integers.extend(integers);
    }

    fn count(&self) -> usize {
        self.integers.len() / INTEGERS
    }

    fn of_detections(detections: &[Detection]) -> Self {
        let mut flat = Self::default();
        detections.iter().for_each(|d| flat.push(d.bbox, [d.score, 0.0, 0.0], [0, d.class_id as u64]));
        flat
    }

    fn of_tracks(tracks: &[Track]) -> Self {
        let mut flat = Self::default();
        for t in tracks {
            flat.push(t.bbox, [t.score, t.age, t.unseen], [t.id, t.class_id as u64]);
        }
        flat
    }
}

impl Findings {
    pub(crate) fn of_outcome(outcome: Outcome<Detections, DetectorError>) -> Self {
        match outcome {
            Ok(Shown { sequence, timestamp, timings, output }) => Self {
                sequence,
                at: timestamp,
                picture: output.picture,
                timings,
                detections: Flat::of_detections(&output.detections),
                tracks: Flat::of_tracks(&output.tracks),
                failure: None,
            },
            Err(error) => {
                let (WorkError::Task { sequence, timestamp, .. }
                | WorkError::Panicked { sequence, timestamp, .. }
                | WorkError::Restart { sequence, timestamp, .. }) = error;
                let empty = Self::of_tracks_at(timestamp, &[]);
                Self { sequence, failure: Some(error.into()), ..empty }
            }
        }
    }

    pub(crate) fn of_tracks_at(at: Timestamp, tracks: &[Track]) -> Self {
        Self {
            sequence: 0,
            at,
            picture: (0, 0),
            timings: Timings::default(),
            detections: Flat::default(),
            tracks: Flat::of_tracks(tracks),
            failure: None,
        }
    }

    /// Everything but the objects.
    pub fn facts(&self) -> FindingsFacts {
        let ns =
            |stage| self.timings.get(stage).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX));
        FindingsFacts {
            sequence: self.sequence,
            time_ns: self.at.nanos(),
            width: self.picture.0,
            height: self.picture.1,
            detections: self.detections.count(),
            tracks: self.tracks.count(),
            submit_ns: ns(Stage::Submit),
            preprocess_ns: ns(Stage::Preprocess),
            wait_ns: ns(Stage::Wait),
            inference_ns: ns(Stage::Inference),
            post_ns: ns(Stage::Post),
            track_ns: ns(Stage::Track),
            age_ns: ns(Stage::Age),
        }
    }

    /// Why there is no result; `None` where there is one.
    pub fn failure(&self) -> Option<Failure> {
        self.failure.clone()
    }

    /// Writes the objects to two arrays with room for `capacity` of them: seven floats each (left,
    /// upper, right, lower edge in fractions of the upright picture, score, seconds since first and
    /// since last detected) at `floats`, two integers each (identity, class) at `integers`. Gives
    /// the number of objects that there are.
    ///
    /// The addresses are the caller's: nothing is kept of them. Null writes nothing.
    pub fn copy_objects(&self, tracks: bool, floats: usize, integers: usize, capacity: usize) -> usize {
        shielded(0, || {
            let flat = if tracks { &self.tracks } else { &self.detections };
            let count = capacity.min(flat.count());
            // SAFETY: Swift lends room for `capacity` objects for this call; null and misaligned
            // addresses are refused.
            unsafe {
                copy_out(&flat.floats, floats, count * FLOATS);
                copy_out(&flat.integers, integers, count * INTEGERS);
            }
            flat.count()
        })
    }
}
