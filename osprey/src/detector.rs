//! The detector with the labels of what it finds.

use crate::{Error, Image};
use osprey_detector::frame::Frame;
use osprey_detector::preprocess::PreprocessOptions;
use osprey_detector::{
    Detect, DetectorError, DetectorOptions, InputBox, ModelError, PixelBox, TensorSpec, TensorViewMut,
};
use std::path::Path;
use std::sync::Arc;

/// An object that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// What it is, in the model's words; the class's number if they are not known.
    pub label: Arc<str>,
    /// Number of its class among the model's.
    pub class_id: usize,
    /// Confidence, 0..1.
    pub score: f32,
    /// Where it is, in pixels of the upright image and within it.
    pub bbox: PixelBox,
}

/// Finds objects in images.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut detector = osprey_vision::Detector::load("ssdlite_300_int8.tflite")?;
/// for d in detector.detect(&image::open("dog.jpg")?)? {
///     println!("{} {:.2} {:?}", d.label, d.score, d.bbox);
/// }
/// # Ok(())
/// # }
/// ```
///
/// Loading compiles the model; keep the detector, and detect with it again and again.
#[derive(Debug)]
pub struct Detector {
    inner: osprey_detector::Detector,
    labels: Vec<Arc<str>>,
}

impl Detector {
    /// The detector of 80 classes that the project trained.
    ///
    /// # Errors
    /// [`Error::NoModel`] if this was built from sources without weights.
    #[cfg(feature = "builtin")]
    pub fn built_in() -> Result<Self, Error> {
        Self::built_in_with(&DetectorOptions::to_show())
    }

    /// As [`Detector::built_in`], with thresholds, classes, threads and all else as `options` say.
    ///
    /// # Errors
    /// As [`Detector::built_in`]; [`Error::Detector`] for options out of range.
    #[cfg(feature = "builtin")]
    pub fn built_in_with(options: &DetectorOptions) -> Result<Self, Error> {
        let model = osprey_models::ModelSource::default_for(osprey_detector::model::Task::Detection)?;
        Ok(model.ok_or(Error::NoModel { task: "detection" })?.detector(options)?.into())
    }

    /// The detector in a `.tflite` file. A `manifest.toml` beside it that lists the file adds what it
    /// knows.
    ///
    /// # Errors
    /// [`Error::Detector`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::load_with(path, &DetectorOptions::to_show())
    }

    /// As [`Detector::load`], with thresholds, classes, threads and all else as `options` say.
    ///
    /// # Errors
    /// [`Error::Detector`].
    pub fn load_with(path: impl AsRef<Path>, options: &DetectorOptions) -> Result<Self, Error> {
        Ok(osprey_detector::Detector::load(path, options)?.into())
    }

    /// What is in an image, best first.
    ///
    /// # Errors
    /// [`Error::Frame`], [`Error::Detector`].
    pub fn detect<'a>(&mut self, image: impl Into<Image<'a>>) -> Result<Vec<Detection>, Error> {
        let image = image.into();
        let frame = image.frame()?;
        let (width, height) = frame.upright_size();
        let found = self.inner.detect(&frame)?.iter();
        let detection = |d: &osprey_detector::Detection| Detection {
            label: Arc::clone(&self.labels[d.class_id]),
            class_id: d.class_id,
            score: d.score,
            bbox: d.bbox.to_pixels(width, height),
        };
        Ok(found.map(detection).collect())
    }

    /// As [`Detector::detect`] with boxes in fractions of the image and classes by number, as
    /// [`track::Tracker`](crate::track::Tracker) takes them. Nothing is allocated.
    ///
    /// # Errors
    /// [`Error::Detector`].
    pub fn detect_frame(&mut self, frame: &Frame<'_>) -> Result<&[osprey_detector::Detection], Error> {
        Ok(self.inner.detect(frame)?)
    }

    /// Names of all classes, by number.
    pub fn labels(&self) -> &[Arc<str>] {
        &self.labels
    }

    /// Takes thresholds, classes and suppression from `options`; the model stays as it is.
    ///
    /// # Errors
    /// [`Error::Detector`]; the detector is unchanged then.
    pub fn reconfigure(&mut self, options: &DetectorOptions) -> Result<(), Error> {
        Ok(self.inner.reconfigure(options)?)
    }

    /// The library's detector, with all that it can be asked.
    pub fn library(&self) -> &osprey_detector::Detector {
        &self.inner
    }

    /// The library's detector alone.
    pub fn into_library(self) -> osprey_detector::Detector {
        self.inner
    }
}

impl From<osprey_detector::Detector> for Detector {
    fn from(inner: osprey_detector::Detector) -> Self {
        let labels = inner.class_names().into_iter().map(Arc::from).collect();
        Self { inner, labels }
    }
}

impl Detect for Detector {
    fn input_spec(&self) -> &TensorSpec {
        self.inner.input_spec()
    }

    fn preprocess(&self) -> PreprocessOptions {
        self.inner.preprocess()
    }

    fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError> {
        self.inner.input_mut()
    }

    fn infer(&mut self) -> Result<(), ModelError> {
        self.inner.infer()
    }

    fn class_names(&self) -> Vec<String> {
        self.inner.class_names()
    }

    fn reconfigure(&mut self, options: &DetectorOptions) -> Result<(), DetectorError> {
        self.inner.reconfigure(options)
    }

    fn detections(&mut self) -> Result<&[osprey_detector::Detection<InputBox>], ModelError> {
        self.inner.detections()
    }
}
