//! Errors of the crates below as Python exceptions; `osprey_vision/errors.py` defines their classes.

use osprey_cli::pictures::PictureError;
use osprey_detector::DetectorError;
use osprey_detector::frame::FrameError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// What can go wrong between a picture and its boxes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Detector(#[from] DetectorError),
    #[error(transparent)]
    BuiltIn(#[from] osprey_models::BuiltInError),
    #[error("there is no model file {0}, and no built-in model of this name")]
    NoModel(String),
    #[error("{0}")]
    Model(String),
    #[error("a thread that detects has ended early; please report this")]
    Ended,
}

impl From<osprey_detector::ModelError> for Error {
    fn from(e: osprey_detector::ModelError) -> Self {
        Self::Detector(e.into())
    }
}

impl From<osprey_detector::TensorMismatch> for Error {
    fn from(e: osprey_detector::TensorMismatch) -> Self {
        osprey_detector::ModelError::from(e).into()
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| match &error {
            Error::Picture(e) => {
                let arguments = (e.message.clone(), e.kind.name());
                class(py, &PICTURE, "PictureError").map(|c| Self::from_type(c, arguments))
            }
            Error::Frame(_) => Ok(PyValueError::new_err(error.to_string())),
            _ => class(py, &MODEL, "ModelError").map(|c| Self::from_type(c, error.to_string())),
        })
        .unwrap_or_else(|e| e)
    }
}

static PICTURE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static MODEL: PyOnceLock<Py<PyType>> = PyOnceLock::new();

fn class<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyType>>,
    name: &str,
) -> PyResult<Bound<'py, PyType>> {
    Ok(cell.import(py, "osprey_vision.errors", name)?.clone())
}
