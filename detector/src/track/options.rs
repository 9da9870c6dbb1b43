//! Settings of the tracker.

/// How identities are kept from frame to frame. Times are in seconds of the frames' own clock, so
/// that the pace of detection does not matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackerOptions {
    /// A detection of at least this score is matched first, and may start a track.
    pub high_score: f32,
    /// A detection of at least this score may continue a track that is seen already: the second
    /// round of ByteTrack. Weaker ones are ignored.
    pub low_score: f32,
    /// Detections that an object needs before it is shown.
    pub birth_hits: u32,
    /// An object is shown at once where its first score is at least this.
    pub certain_score: f32,
    /// How long an object that is not detected any more is still shown, moving on by prediction.
    pub coast_seconds: f32,
    /// How long an object that is not shown any more keeps its identity.
    pub memory_seconds: f32,
    /// Time constant of the smoothing of scores.
    pub score_seconds: f32,
    /// Smallest IoU of prediction and detection in the first round.
    pub min_iou: f32,
    /// How fast an object may set off, in box sizes per second: where nothing overlaps, the last
    /// round grows both boxes on each side by this times the seconds since it was seen.
    pub reach: f32,
    /// Most tracks at a time; new objects beyond are ignored.
    pub max_tracks: usize,
}

impl Default for TrackerOptions {
    fn default() -> Self {
        Self {
            high_score: 0.5,
            low_score: 0.15,
            birth_hits: 2,
            certain_score: 0.75,
            coast_seconds: 0.35,
            memory_seconds: 1.5,
            score_seconds: 0.2,
            min_iou: 0.2,
            reach: 8.0,
            max_tracks: 200,
        }
    }
}
