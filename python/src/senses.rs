//! Digits, motion, classes of one's own, and how good a detector is.

use crate::detector::lock;
use crate::error::Error;
use crate::image::Image;
use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use osprey_cli::pictures::EXTENSIONS;
use osprey_detector::model::{LoadOptions, Task};
use osprey_evaluate::{Judged, Truth};
use osprey_models::ModelSource;
use osprey_senses::digits::{DigitClassifier, DigitImage};
use osprey_senses::motion::{Convention, MotionStream, Smoothing};
use osprey_vision::learn::{Examples, Features, KnnSettings, NearestNeighbors};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

fn failed(e: impl Display) -> PyErr {
    Error::Model(e.to_string()).into()
}

/// A file, a built-in model's name, or the built-in model of a task.
fn source(model: Option<&str>, task: Task) -> Result<ModelSource, Error> {
    let found = match model {
        Some(path) if Path::new(path).is_file() => Some(ModelSource::File(path.into())),
        Some(name) => ModelSource::named(name)?,
        None => ModelSource::default_for(task)?,
    };
    found.ok_or_else(|| Error::NoModel(model.unwrap_or("(built in)").into()))
}

#[pyclass(frozen, module = "osprey_vision._native")]
pub(crate) struct Digits(Mutex<DigitClassifier>);

#[pymethods]
impl Digits {
    #[new]
    fn new(model: Option<&str>) -> PyResult<Self> {
        let loaded = source(model, Task::Digits)?.load(&LoadOptions::default()).map_err(failed)?;
        Ok(Self(Mutex::new(DigitClassifier::new(loaded.model).map_err(failed)?)))
    }

    /// The digit and the probability of each.
    fn classify(&self, levels: PyReadonlyArray2<'_, u8>) -> PyResult<(u8, [f32; 10])> {
        let (height, width) = (levels.shape()[0], levels.shape()[1]);
        let levels: Vec<u8> = levels.as_array().iter().copied().collect();
        let image = DigitImage::from_gray(&levels, width, height);
        let image = image.map_err(|e| PyValueError::new_err(e.to_string()))?;
        let answer = lock(&self.0).classify(&image).map_err(failed)?;
        Ok((answer.digit, answer.probabilities))
    }
}

#[pyclass(frozen, module = "osprey_vision._native")]
pub(crate) struct Motion {
    stream: Mutex<MotionStream>,
    labels: Vec<String>,
    channels: Vec<String>,
    rate: f64,
}

/// Seconds, probabilities, the same smoothed, the steady class.
type Answer = (f64, Vec<f32>, Vec<f32>, Option<usize>);

#[pymethods]
impl Motion {
    #[new]
    fn new(model: Option<&str>, android: bool, smooth: f64, enter: f32, leave: f32) -> PyResult<Self> {
        let loaded = source(model, Task::Motion)?.load(&LoadOptions::default()).map_err(failed)?;
        let spec = loaded.entry.as_ref().and_then(|e| e.motion.clone());
        let spec = spec.ok_or_else(|| failed("no manifest says which samples the model takes"))?;
        let classes = loaded.model.outputs().first().map_or(0, |o| o.elements());
        let labels = loaded.labels.unwrap_or_default();
        let convention = if android { Convention::ANDROID } else { Convention::IOS };
        let smoothing = Smoothing { time_constant: smooth, enter, leave };
        let stream = MotionStream::new(loaded.model, &spec, convention, smoothing).map_err(failed)?;
        Ok(Self {
            stream: Mutex::new(stream),
            labels: (0..classes).map(|class| labels.name(class).into_owned()).collect(),
            channels: spec.channels.iter().map(ToString::to_string).collect(),
            rate: spec.rate,
        })
    }

    /// Every answer that this sample completes.
    fn push(&self, seconds: f64, values: Vec<f32>) -> PyResult<Vec<Answer>> {
        let mut answers = Vec::new();
        let mut stream = lock(&self.stream);
        let pushed = stream.push_each(seconds, &values, |p| {
            answers.push((p.time, p.probabilities, p.smoothed, p.class));
        });
        pushed.map_err(|e| PyValueError::new_err(e.to_string()))?;
        Ok(answers)
    }

    fn reset(&self) {
        lock(&self.stream).reset();
    }

    #[getter]
    fn labels(&self) -> Vec<String> {
        self.labels.clone()
    }

    #[getter]
    fn channels(&self) -> Vec<String> {
        self.channels.clone()
    }

    #[getter]
    fn rate(&self) -> f64 {
        self.rate
    }
}

#[pyclass(frozen, module = "osprey_vision._native")]
pub(crate) struct Teach(Mutex<Learned>);

struct Learned {
    features: Features,
    neighbors: NearestNeighbors,
}

impl Learned {
    fn class(&self, name: &str) -> Option<usize> {
        self.neighbors.examples().classes().iter().position(|c| c == name)
    }
}

#[pymethods]
impl Teach {
    #[new]
    fn new(py: Python<'_>, k: usize, reject_beyond: Option<f32>) -> PyResult<Self> {
        py.detach(|| {
            let features = Features::built_in().map_err(failed)?;
            let settings = KnnSettings { k, reject_beyond, ..KnnSettings::default() };
            let neighbors = NearestNeighbors::new(Examples::new(features.dim()), settings).map_err(failed)?;
            Ok(Self(Mutex::new(Learned { features, neighbors })))
        })
    }

    /// The features of a picture.
    fn features(
        &self,
        py: Python<'_>,
        array: &Bound<'_, PyAny>,
        bgr: bool,
        orientation: u8,
    ) -> PyResult<Vec<f32>> {
        let image = Image::packed(array, bgr, orientation)?;
        py.detach(|| {
            let frame = image.frame().map_err(Error::from)?;
            lock(&self.0).features.of(frame).map_err(failed)
        })
    }

    /// One more example of a class, which is made if it is new.
    fn add(&self, class: &str, features: Vec<f32>) -> PyResult<()> {
        let mut learned = lock(&self.0);
        let class = match learned.class(class) {
            Some(class) => class,
            None => learned.neighbors.add_class(class).map_err(failed)?,
        };
        learned.neighbors.add(class, &features).map_err(failed)
    }

    fn remove(&self, class: &str) -> PyResult<()> {
        let mut learned = lock(&self.0);
        let known = learned.class(class).ok_or_else(|| PyKeyError::new_err(class.to_owned()))?;
        learned.neighbors.remove_class(known).map_err(failed)
    }

    /// The probability of each class.
    fn classify(&self, py: Python<'_>, features: Vec<f32>) -> PyResult<Vec<f32>> {
        py.detach(|| {
            let answer = lock(&self.0).neighbors.classify(&features).map_err(failed)?;
            Ok(answer.probabilities)
        })
    }

    #[getter]
    fn classes(&self) -> Vec<String> {
        lock(&self.0).neighbors.examples().classes().to_vec()
    }
}

/// COCO's figures by name, and for each class with objects its name, how many, AP, AP50 and recall.
type Scored = (Vec<(String, f64)>, Vec<(String, usize, f64, f64, f64)>);

/// How good the detections in `found`, a COCO file, are by what `truth` says.
#[pyfunction]
pub(crate) fn score(
    py: Python<'_>,
    truth: PathBuf,
    images: PathBuf,
    found: PathBuf,
    names: Vec<String>,
) -> PyResult<Scored> {
    py.detach(|| {
        let truth = Truth::read(&truth, &images, &names, &EXTENSIONS).map_err(value)?;
        let (judged, _) = Judged::read(&truth, &found).map_err(value)?;
        let scores = osprey_evaluate::score(&truth, &judged).map_err(value)?;
        let class = |c: osprey_evaluate::ClassScore| {
            let name = truth.classes.get(c.class).cloned().unwrap_or_default();
            (name, c.objects, c.ap, c.ap50, c.recall)
        };
        let summary = scores.summary.into_iter().map(|(name, v)| (name.to_owned(), v)).collect();
        Ok((summary, scores.classes.into_iter().map(class).collect()))
    })
}

/// The pictures that the truth names, in its order.
#[pyfunction]
pub(crate) fn pictures(truth: PathBuf, images: PathBuf, names: Vec<String>) -> PyResult<Vec<PathBuf>> {
    let truth = Truth::read(&truth, &images, &names, &EXTENSIONS).map_err(value)?;
    Ok(truth.pictures.into_iter().map(|p| p.path).collect())
}

fn value(e: osprey_evaluate::EvaluateError) -> PyErr {
    PyValueError::new_err(e.to_string())
}
