//! The native half of the Python package `osprey_vision`: what needs the engine, and nothing else. Everything
//! that a user sees (names, defaults, documentation) is in the Python files beside it.

mod array;
mod batch;
mod detector;
mod error;
mod image;
mod interpreter;
mod live;
mod running;
mod senses;

use pyo3::prelude::*;
use std::ffi::OsString;
use std::process::ExitCode;

/// The program `osprey`; returns its exit status.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    let code = py.detach(|| osprey_cli::main(arguments));
    // The program's statuses; a status tells its number to nobody.
    (0..=2).find(|status| ExitCode::from(*status) == code).unwrap_or(1)
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("ONE_OBJECT_IOU", osprey_detector::ssd::ONE_OBJECT_IOU)?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_class::<detector::Detector>()?;
    module.add_class::<batch::Batch>()?;
    module.add_class::<interpreter::Interpreter>()?;
    module.add_class::<live::Live>()?;
    module.add_class::<live::Tracker>()?;
    module.add_class::<senses::Digits>()?;
    module.add_class::<senses::Motion>()?;
    module.add_class::<senses::Teach>()?;
    module.add_function(wrap_pyfunction!(senses::pictures, module)?)?;
    module.add_function(wrap_pyfunction!(senses::score, module)?)?;
    Ok(())
}
