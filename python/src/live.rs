//! Frames as they come: identities from frame to frame, and the pipeline that never falls behind.

use crate::array::boxes;
use crate::detector::{Detector, lock};
use crate::error::Error;
use crate::image::Image;
use numpy::{IntoPyArray, PyReadonlyArray1, PyReadonlyArray2};
use osprey_detector::frame::Timestamp;
use osprey_detector::pipeline::{
    Delivery, Detections, Pipeline, PipelineOptions, Results, Submitted, WorkError, WorkerOptions,
};
use osprey_detector::track::{Track, TrackerOptions};
use osprey_detector::{Detection, DetectorError, NormBox};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often a thread that waits looks whether Ctrl-C was pressed.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Frames that may wait where none is dropped.
const CAPACITY: usize = 4;

/// `(xyxy [n, 4], confidence [n], class_id [n], tracker_id [n])`.
fn tracked<'py>(
    py: Python<'py>,
    tracks: &[Track],
    (width, height): (u32, u32),
) -> PyResult<Bound<'py, PyAny>> {
    let xyxy = tracks.iter().flat_map(|t| t.bbox.clipped().to_pixels(width, height).edges()).collect();
    let scores: Vec<f32> = tracks.iter().map(|t| t.score).collect();
    let classes: Vec<i64> = tracks.iter().map(|t| t.class_id as i64).collect();
    let ids: Vec<i64> = tracks.iter().map(|t| t.id as i64).collect();
    let arrays = (boxes(py, xyxy)?, scores.into_pyarray(py), classes.into_pyarray(py), ids.into_pyarray(py));
    Ok(arrays.into_pyobject(py)?.into_any())
}

#[pyclass(frozen, module = "osprey_vision._native")]
pub(crate) struct Tracker(Mutex<osprey_detector::track::Tracker>);

#[pymethods]
impl Tracker {
    #[new]
    fn new(coast_seconds: f32, memory_seconds: f32, birth_hits: u32) -> Self {
        let options =
            TrackerOptions { coast_seconds, memory_seconds, birth_hits, ..TrackerOptions::default() };
        Self(Mutex::new(osprey_detector::track::Tracker::new(options)))
    }

    /// Boxes are in pixels of a picture of `size`.
    fn update<'py>(
        &self,
        py: Python<'py>,
        xyxy: PyReadonlyArray2<'py, f32>,
        scores: PyReadonlyArray1<'py, f32>,
        classes: PyReadonlyArray1<'py, i64>,
        size: (u32, u32),
        seconds: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (xyxy, scores, classes) = (xyxy.as_array(), scores.as_array(), classes.as_array());
        if xyxy.dim() != (scores.len(), 4) || classes.len() != scores.len() {
            return Err(PyValueError::new_err("boxes, scores and classes are not as many"));
        }
        let (width, height) = (size.0.max(1) as f32, size.1.max(1) as f32);
        let detection = |((b, &score), &class): ((ndarray::ArrayView1<'_, f32>, &f32), &i64)| Detection {
            bbox: NormBox::from_edges([b[0] / width, b[1] / height, b[2] / width, b[3] / height]),
            class_id: usize::try_from(class).unwrap_or(0),
            score,
        };
        let found: Vec<_> = xyxy.outer_iter().zip(&scores).zip(&classes).map(detection).collect();
        let mut tracker = lock(&self.0);
        tracked(py, tracker.update(&found, Timestamp::from_seconds(seconds)), size)
    }

    fn clear(&self) {
        lock(&self.0).clear();
    }
}

#[pyclass(frozen, module = "osprey_vision._native")]
pub(crate) struct Live {
    pipeline: Pipeline,
    results: Mutex<Results<Detections, DetectorError>>,
    tracks: bool,
}

#[pymethods]
impl Live {
    #[new]
    fn new(
        py: Python<'_>,
        detector: &Detector,
        tracks: bool,
        every: bool,
        max_age: Option<f64>,
    ) -> PyResult<Self> {
        let recipe = Arc::clone(&detector.recipe);
        let delivery = if every { Delivery::Every { capacity: CAPACITY } } else { Delivery::Newest };
        let max_age = max_age.map(Duration::try_from_secs_f64).transpose();
        let max_age = max_age.map_err(|e| PyValueError::new_err(format!("max_age: {e}")))?;
        let options = PipelineOptions {
            worker: WorkerOptions { delivery, max_age, ..WorkerOptions::default() },
            tracker: tracks.then(TrackerOptions::default),
            ..PipelineOptions::default()
        };
        let factory = move || {
            recipe.make().map(|state| state.detector).map_err(|e| match e {
                Error::Detector(e) => e,
                other => DetectorError::Load(other.to_string()),
            })
        };
        let (pipeline, results) = py.detach(|| Pipeline::start(factory, &options)).map_err(Error::from)?;
        Ok(Self { pipeline, results: Mutex::new(results), tracks })
    }

    /// The frame's number; `None` where it was dropped at once.
    fn submit_array(
        &self,
        py: Python<'_>,
        array: &Bound<'_, PyAny>,
        bgr: bool,
        seconds: Option<f64>,
    ) -> PyResult<Option<u64>> {
        self.submit(py, &Image::packed(array, bgr, 1)?, seconds)
    }

    fn submit_nv12(
        &self,
        py: Python<'_>,
        luma: &Bound<'_, PyAny>,
        chroma: &Bound<'_, PyAny>,
        bt709: bool,
        seconds: Option<f64>,
    ) -> PyResult<Option<u64>> {
        self.submit(py, &Image::nv12(luma, chroma, bt709)?, seconds)
    }

    /// The next result, `(number, seconds, size, arrays)`; `None` after the last.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            let outcome = match py.detach(|| lock(&self.results).recv_timeout(LOOK_UP)) {
                Err(_) => return Ok(None),
                Ok(None) => {
                    py.check_signals()?;
                    continue;
                }
                Ok(Some(outcome)) => outcome,
            };
            let shown = outcome.map_err(|e: WorkError<DetectorError>| Error::Model(e.to_string()))?;
            let found = shown.output;
            let plain = |d: &Detection| Track {
                id: 0,
                bbox: d.bbox,
                class_id: d.class_id,
                score: d.score,
                age: 0.0,
                unseen: 0.0,
            };
            let tracks = match self.tracks {
                true => found.tracks,
                false => found.detections.iter().map(plain).collect(),
            };
            let arrays = tracked(py, &tracks, found.picture)?;
            let result = (shown.sequence, shown.timestamp.seconds(), found.picture, arrays);
            return Ok(Some(result.into_pyobject(py)?.into_any()));
        }
    }

    /// Ends once all that was submitted is done.
    fn finish(&self) {
        self.pipeline.finish();
    }

    /// Ends at once.
    fn shutdown(&self, py: Python<'_>) {
        py.detach(|| self.pipeline.shutdown());
    }

    /// Ledger, latency and pace, as JSON.
    fn snapshot(&self) -> PyResult<String> {
        let text = serde_json::to_string(&self.pipeline.snapshot());
        text.map_err(|e| PyValueError::new_err(e.to_string()))
    }
}

impl Live {
    fn submit(&self, py: Python<'_>, image: &Image, seconds: Option<f64>) -> PyResult<Option<u64>> {
        let submitted = py.detach(|| {
            let mut frame = image.frame().map_err(Error::from)?;
            if let Some(seconds) = seconds {
                frame = frame.at(Timestamp::from_seconds(seconds));
            }
            self.pipeline.submit(&frame).map_err(|e| Error::Model(e.to_string()))
        })?;
        Ok(match submitted {
            Submitted::Queued(number) => Some(number),
            Submitted::Dropped(_) => None,
        })
    }
}
