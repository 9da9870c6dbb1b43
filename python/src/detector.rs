//! A detector, its state behind a lock that is never waited for with the interpreter's lock held.

use crate::array::boxes;
use crate::error::Error;
use crate::image::Image;
use numpy::IntoPyArray;
use osprey_cli::pictures::{PictureReader, SeenPicture, find_in_frame};
use osprey_detector::model::Task;
use osprey_detector::{ClassFilter, Detection, DetectorOptions, LoadOptions, Nms, NmsKind, PixelBox};
use osprey_models::ModelSource;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A lock that a panic elsewhere does not close: a detector is whole between any two calls.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a model comes from.
enum Origin {
    Source(ModelSource),
    Bytes(PyBackedBytes),
}

/// What is needed to make a detector once more, on another thread.
pub(crate) struct Recipe {
    origin: Origin,
    options: DetectorOptions,
    max_megapixels: Option<u32>,
}

/// A detector with what brings files into the form of its input.
pub(crate) struct State {
    pub(crate) detector: osprey_detector::Detector,
    reader: PictureReader,
}

/// What was found in a picture, and the size of the picture.
pub(crate) struct Found {
    size: (u32, u32),
    detections: Vec<Detection<PixelBox>>,
}

/// Something to look at.
pub(crate) enum Subject {
    File(PathBuf),
    Encoded(PyBackedBytes),
    Pixels(Image),
}

impl Recipe {
    fn new(model: Option<&str>, options: DetectorOptions) -> Result<Self, Error> {
        let source = match model {
            None => ModelSource::default_for(Task::Detection)?
                .ok_or_else(|| Error::NoModel("(built in)".into()))?,
            Some(path) if Path::new(path).is_file() => ModelSource::File(path.into()),
            Some(name) => ModelSource::named(name)?.ok_or_else(|| Error::NoModel(name.into()))?,
        };
        Ok(Self { origin: Origin::Source(source), options, max_megapixels: None })
    }

    pub(crate) fn make(&self) -> Result<State, Error> {
        let detector = match &self.origin {
            Origin::Source(source) => source.detector(&self.options)?,
            Origin::Bytes(bytes) => osprey_detector::Detector::from_bytes(bytes, &self.options)?,
        };
        let reader = PictureReader::new(&detector, self.max_megapixels)?;
        Ok(State { detector, reader })
    }

    /// SHA-256 of the model's file.
    fn digest(&self) -> Result<String, Error> {
        let hash = match &self.origin {
            Origin::Source(source) => Sha256::digest(source.bytes()?),
            Origin::Bytes(bytes) => Sha256::digest(bytes),
        };
        Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn name(&self) -> String {
        match &self.origin {
            Origin::Source(source) => source.name(),
            Origin::Bytes(_) => "(bytes)".into(),
        }
    }
}

impl State {
    pub(crate) fn look(&mut self, subject: &Subject) -> Result<Found, Error> {
        match subject {
            Subject::File(path) => {
                let seen = self.reader.open(path)?;
                self.find(&seen)
            }
            Subject::Encoded(bytes) => {
                let seen = self.reader.read(bytes.to_vec())?;
                self.find(&seen)
            }
            Subject::Pixels(image) => {
                let frame = image.frame()?;
                let detections = find_in_frame(&mut self.detector, &frame)?;
                Ok(Found { size: frame.upright_size(), detections })
            }
        }
    }

    fn find(&mut self, seen: &SeenPicture) -> Result<Found, Error> {
        let detections = seen.find(&mut self.detector)?;
        Ok(Found { size: seen.size(), detections })
    }
}

impl<'py> IntoPyObject<'py> for Found {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    /// `(width, height, xyxy [n, 4], confidence [n], class_id [n])`; the arrays own what Rust allocated.
    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let n = self.detections.len();
        let (mut xyxy, mut scores, mut classes) =
            (Vec::with_capacity(n * 4), Vec::with_capacity(n), Vec::with_capacity(n));
        for d in &self.detections {
            xyxy.extend(d.bbox.edges());
            scores.push(d.score);
            classes.push(d.class_id as i64);
        }
        let arrays = (boxes(py, xyxy)?, scores.into_pyarray(py), classes.into_pyarray(py));
        let (width, height) = self.size;
        Ok((width, height, arrays.0, arrays.1, arrays.2).into_pyobject(py)?.into_any())
    }
}

#[pyclass(frozen, module = "osprey_vision._native")]
pub(crate) struct Detector {
    pub(crate) recipe: Arc<Recipe>,
    state: Mutex<State>,
    /// Further detectors, for threads that work at the same time.
    pub(crate) spare: Mutex<Vec<State>>,
    sha256: String,
    labels: Vec<String>,
    notes: Vec<String>,
    input_size: (u32, u32),
}

/// Which detections are kept, as Python gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Choice {
    threads: usize,
    score_threshold: Option<f32>,
    class_thresholds: Vec<(String, f32)>,
    classes: Option<Vec<String>>,
    exclude_classes: Vec<String>,
    nms_iou: Option<f32>,
    max_detections: usize,
    labels: Option<Vec<String>>,
    one_object_iou: Option<f32>,
    max_megapixels: Option<u32>,
}

impl Choice {
    fn options(&self) -> DetectorOptions {
        let classes = match (&self.classes, self.exclude_classes.as_slice()) {
            (Some(only), _) => ClassFilter::Only(only.clone()),
            (None, []) => ClassFilter::All,
            (None, except) => ClassFilter::Except(except.to_vec()),
        };
        let labels = self
            .labels
            .clone()
            .map(|names| osprey_detector::Labels::new(names, osprey_detector::model::LabelSource::Given));
        DetectorOptions {
            load: LoadOptions { threads: self.threads, labels, ..LoadOptions::default() },
            score_threshold: self.score_threshold,
            class_thresholds: self.class_thresholds.clone(),
            classes,
            nms: Nms { kind: NmsKind::FromModel, iou_threshold: self.nms_iou },
            one_object_iou: self.one_object_iou,
            max_detections: self.max_detections,
            ..DetectorOptions::default()
        }
    }
}

#[pymethods]
impl Detector {
    #[new]
    fn new(
        py: Python<'_>,
        model: Option<String>,
        bytes: Option<PyBackedBytes>,
        choice: Choice,
    ) -> PyResult<Self> {
        let made = py.detach(|| -> Result<Self, Error> {
            let options = choice.options();
            let recipe = match bytes {
                Some(bytes) => Recipe { origin: Origin::Bytes(bytes), options, max_megapixels: None },
                None => Recipe::new(model.as_deref(), options)?,
            };
            let recipe = Recipe { max_megapixels: choice.max_megapixels, ..recipe };
            let state = recipe.make()?;
            let input = state.detector.input();
            Ok(Self {
                sha256: recipe.digest()?,
                labels: state.detector.class_names(),
                notes: state.detector.notes().to_vec(),
                input_size: (input.width as u32, input.height as u32),
                recipe: Arc::new(recipe),
                state: Mutex::new(state),
                spare: Mutex::default(),
            })
        });
        Ok(made?)
    }

    fn detect_file(&self, py: Python<'_>, path: PathBuf) -> PyResult<Found> {
        self.look(py, &Subject::File(path))
    }

    fn detect_encoded(&self, py: Python<'_>, file: PyBackedBytes) -> PyResult<Found> {
        self.look(py, &Subject::Encoded(file))
    }

    fn detect_array(
        &self,
        py: Python<'_>,
        array: &Bound<'_, PyAny>,
        bgr: bool,
        orientation: u8,
    ) -> PyResult<Found> {
        self.look(py, &Subject::Pixels(Image::packed(array, bgr, orientation)?))
    }

    fn detect_nv12(
        &self,
        py: Python<'_>,
        luma: &Bound<'_, PyAny>,
        chroma: &Bound<'_, PyAny>,
        bt709: bool,
    ) -> PyResult<Found> {
        self.look(py, &Subject::Pixels(Image::nv12(luma, chroma, bt709)?))
    }

    /// Seconds of each of `runs` calls of what `detect_array` calls, without Python: what its overhead is
    /// measured against.
    fn time_array(
        &self,
        py: Python<'_>,
        array: &Bound<'_, PyAny>,
        bgr: bool,
        runs: usize,
    ) -> PyResult<Vec<f64>> {
        let subject = Subject::Pixels(Image::packed(array, bgr, 1)?);
        let timed = py.detach(|| {
            let mut state = lock(&self.state);
            let mut once = || {
                let start = Instant::now();
                state.look(&subject)?;
                Ok::<_, Error>(start.elapsed().as_secs_f64())
            };
            (0..runs).map(|_| once()).collect::<Result<_, _>>()
        });
        Ok(timed?)
    }

    #[getter]
    fn name(&self) -> String {
        self.recipe.name()
    }

    #[getter]
    fn sha256(&self) -> &str {
        &self.sha256
    }

    #[getter]
    fn labels(&self) -> Vec<String> {
        self.labels.clone()
    }

    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    #[getter]
    fn input_size(&self) -> (u32, u32) {
        self.input_size
    }
}

impl Detector {
    fn look(&self, py: Python<'_>, subject: &Subject) -> PyResult<Found> {
        Ok(py.detach(|| lock(&self.state).look(subject))?)
    }
}
