//! A model by the numbers of its tensors, as TFLite's interpreter has it: the dictionaries and the checks are in
//! `osprey_vision/interpreter.py`, memory and inference here.
#![allow(unsafe_code, reason = "arrays that show a model's own memory")]

use crate::detector::lock;
use crate::error::Error;
use crate::running::{Place, Running, each};
use ndarray::{ArrayBase, ArrayViewMutD, Data, IxDyn};
use numpy::{Element, PyArrayDyn, PyReadonlyArrayDyn};
use osprey_detector::{TensorView, TensorViewMut};
use osprey_engine::Graph;
use osprey_engine::graph::{Interface, TensorId};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

#[pyclass(frozen, module = "osprey_vision._native")]
pub(crate) struct Interpreter {
    file: Content,
    interface: Interface,
    threads: usize,
    keeps_all: bool,
    running: Mutex<Option<Running>>,
    /// Arrays that show this memory at the moment.
    views: AtomicUsize,
}

/// The bytes of a model's file.
enum Content {
    Python(PyBackedBytes),
    Rust(Vec<u8>),
}

impl Content {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Python(bytes) => bytes,
            Self::Rust(bytes) => bytes,
        }
    }
}

/// What an array that shows a model's memory keeps alive.
#[pyclass(frozen)]
struct View {
    of: Py<Interpreter>,
}

impl Drop for View {
    fn drop(&mut self) {
        self.of.get().views.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Name, shape, signature of the shape, type, scales, zero points, axis.
type Declared = (String, Vec<i32>, Vec<i32>, String, Vec<f32>, Vec<i64>, i32);
/// Key, inputs and outputs by name, graph.
type Named = (String, Vec<(String, TensorId)>, Vec<(String, TensorId)>, usize);

#[pymethods]
impl Interpreter {
    #[new]
    fn new(
        path: Option<PathBuf>,
        content: Option<PyBackedBytes>,
        threads: usize,
        keeps_all: bool,
    ) -> PyResult<Self> {
        let file = match (path, content) {
            (_, Some(bytes)) => Content::Python(bytes),
            (Some(path), None) => {
                let read = std::fs::read(&path);
                Content::Rust(read.map_err(|e| PyValueError::new_err(format!("{}: {e}", path.display())))?)
            }
            (None, None) => return Err(PyValueError::new_err("a path or the content of a model is needed")),
        };
        let refuse = |e: osprey_engine::Error| PyValueError::new_err(e.to_string());
        let interface = Interface::read(file.bytes()).map_err(refuse)?;
        Graph::read(file.bytes()).map_err(refuse)?;
        let (running, views) = (Mutex::new(None), AtomicUsize::new(0));
        Ok(Self { file, interface, threads, keeps_all, running, views })
    }

    /// How many graphs the file has.
    fn subgraphs(&self) -> usize {
        self.interface.subgraphs.len()
    }

    /// The tensors of a graph.
    fn declared(&self, subgraph: usize) -> Vec<Declared> {
        let tensors = self.interface.subgraphs.get(subgraph).map_or(&[][..], Vec::as_slice);
        let declared = tensors.iter().map(|t| {
            let t = t.clone();
            (t.name, t.shape, t.shape_signature, t.dtype.to_string(), t.scales, t.zero_points, t.axis)
        });
        declared.collect()
    }

    fn inputs(&self) -> Vec<TensorId> {
        self.interface.inputs.clone()
    }

    fn outputs(&self) -> Vec<TensorId> {
        self.interface.outputs.clone()
    }

    fn signatures(&self) -> Vec<Named> {
        let named = |s: &osprey_engine::graph::Signature| {
            (s.key.clone(), s.inputs.clone(), s.outputs.clone(), s.subgraph)
        };
        self.interface.signatures.iter().map(named).collect()
    }

    /// Compiles the model for runs of `batch` examples and asks for memory.
    fn allocate(&self, py: Python<'_>, batch: usize) -> PyResult<()> {
        let made = py.detach(|| Running::new(self.file.bytes(), self.threads, self.keeps_all, batch));
        let made = made.map_err(|e| PyRuntimeError::new_err(e.to_string()))?;
        let mut running = lock(&self.running);
        self.unseen()?;
        *running = Some(made);
        Ok(())
    }

    /// Shapes of inputs, then of outputs, as they are in memory; empty before there is any.
    fn shapes(&self) -> Vec<(TensorId, Vec<usize>)> {
        let running = lock(&self.running);
        let Some(running) = &*running else { return Vec::new() };
        let mut shapes = Vec::new();
        for (at, id) in self.interface.inputs.iter().enumerate() {
            let own = || running.model.inputs().get(at).map(|s| s.shape.clone()).unwrap_or_default();
            shapes.push((*id, running.inputs.get(at).map_or_else(own, |t| t.view().shape().to_vec())));
        }
        for (at, id) in self.interface.outputs.iter().enumerate() {
            let own = || running.model.outputs().get(at).map(|s| s.shape.clone()).unwrap_or_default();
            shapes.push((*id, running.outputs.get(at).map_or_else(own, |t| t.view().shape().to_vec())));
        }
        shapes
    }

    fn forget(&self) -> PyResult<()> {
        let mut running = lock(&self.running);
        self.unseen()?;
        *running = None;
        Ok(())
    }

    /// Runs the model; other threads of Python go on meanwhile.
    fn invoke(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let mut running = lock(&self.running);
            self.unseen()?;
            let not_ready =
                || PyRuntimeError::new_err("the model is not ready: call allocate_tensors() first");
            running.as_mut().ok_or_else(not_ready)?.run().map_err(|e| PyValueError::new_err(e.to_string()))
        })
    }

    /// Seconds of each of `runs` runs, without Python: what the overhead of `invoke` is measured against.
    fn time_invoke(&self, py: Python<'_>, runs: usize) -> PyResult<Vec<f64>> {
        py.detach(|| {
            let mut running = lock(&self.running);
            let running = running.as_mut().ok_or_else(unallocated)?;
            let mut once = || {
                let start = Instant::now();
                running.run()?;
                Ok::<_, Error>(start.elapsed().as_secs_f64())
            };
            Ok((0..runs).map(|_| once()).collect::<Result<_, _>>()?)
        })
    }

    /// Copies `value`, of the tensor's type and shape, into an input.
    fn write(&self, id: TensorId, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut running = lock(&self.running);
        let running = running.as_mut().ok_or_else(unallocated)?;
        let Place::Input(at) = self.place(Some(running), id) else {
            return Err(PyValueError::new_err(format!("tensor {id} is not an input: it cannot be set")));
        };
        let view = running.input_mut(at)?;
        each!(TensorViewMut, view, mut to => assign(&mut to, value), else Err(unshown()))
    }

    /// A copy of a tensor's values.
    fn read<'py>(&self, py: Python<'py>, id: TensorId) -> PyResult<Bound<'py, PyAny>> {
        let mut running = lock(&self.running);
        let place = self.place(running.as_ref(), id);
        if let Place::Constant = place {
            drop(running);
            return self.constant(py, id);
        }
        let running = running.as_mut().ok_or_else(unallocated)?;
        match place {
            Place::Input(at) => {
                each!(TensorViewMut, running.input_mut(at)?, a => Ok(PyArrayDyn::from_array(py, &a).into_any()), else Err(unshown()))
            }
            _ => {
                let view = running.output(&place)?;
                each!(TensorView, view, a => Ok(PyArrayDyn::from_array(py, &a).into_any()), else Err(unshown()))
            }
        }
    }

    /// An array that shows the memory of an input or output.
    fn view<'py>(slf: &Bound<'py, Self>, id: TensorId) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        let mut running = lock(&this.running);
        let place = this.place(running.as_ref(), id);
        let running = running.as_mut().ok_or_else(unallocated)?;
        let view = View { of: slf.clone().unbind() };
        this.views.fetch_add(1, Ordering::AcqRel);
        let base = Bound::new(slf.py(), view)?.into_any();
        match place {
            Place::Input(at) => {
                each!(TensorViewMut, running.input_mut(at)?, a => Ok(shown(&a, base)), else Err(unshown()))
            }
            Place::Constant => {
                Err(PyValueError::new_err(format!("tensor {id} has no memory of its own to show")))
            }
            _ => {
                let view = running.output(&place)?;
                each!(TensorView, view, a => Ok(shown(&a, base)), else Err(unshown()))
            }
        }
    }

    /// Sets states back to what they start with.
    fn reset(&self) {
        if let Some(running) = &mut *lock(&self.running) {
            running.model.reset_state();
        }
    }
}

/// An array in memory that `base` keeps as it is.
fn shown<'py, T: Element, S: Data<Elem = T>>(
    array: &ArrayBase<S, IxDyn>,
    base: Bound<'py, PyAny>,
) -> Bound<'py, PyAny> {
    // SAFETY: the memory of a model stays where it is until `allocate`, `forget` and the interpreter's end;
    // `View` counts the arrays, and the first two are refused while there are any, as is `invoke`.
    unsafe { PyArrayDyn::borrow_from_array(array, base) }.into_any()
}

fn assign<T: Element + Copy>(to: &mut ArrayViewMutD<'_, T>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let value: PyReadonlyArrayDyn<'_, T> =
        value.extract().map_err(|_| PyTypeError::new_err("an array of the tensor's type is needed"))?;
    let value = value.as_array();
    if value.shape() != to.shape() {
        let (got, wanted) = (value.shape(), to.shape());
        return Err(PyValueError::new_err(format!("the value's shape is {got:?}, the tensor's {wanted:?}")));
    }
    to.assign(&value);
    Ok(())
}

fn unallocated() -> PyErr {
    PyValueError::new_err("the tensor has no memory yet: call allocate_tensors() first")
}

fn unshown() -> PyErr {
    PyValueError::new_err("tensors of this type cannot be shown")
}

impl Interpreter {
    fn unseen(&self) -> PyResult<()> {
        if self.views.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        Err(PyRuntimeError::new_err(
            "an array still shows memory of the model: keep the function that tensor() returned, not what it gives",
        ))
    }

    fn place(&self, running: Option<&Running>, id: TensorId) -> Place {
        let position = |ids: &[TensorId]| ids.iter().position(|i| *i == id);
        let inside = || running.and_then(|r| r.taps.as_ref()).and_then(|taps| position(&taps.tensors));
        // An input may be an output as well.
        match (position(&self.interface.inputs), position(&self.interface.outputs)) {
            (Some(at), _) => Place::Input(at),
            (None, Some(at)) => Place::Output(at),
            _ => inside().map_or(Place::Constant, Place::Inside),
        }
    }

    fn constant<'py>(&self, py: Python<'py>, id: TensorId) -> PyResult<Bound<'py, PyAny>> {
        let graph = Graph::read(self.file.bytes()).map_err(|e| PyValueError::new_err(e.to_string()))?;
        let tensor = graph.tensors.get(id).ok_or_else(unshown)?;
        let (Some(data), None) = (tensor.data, &tensor.sparsity) else {
            return Err(PyValueError::new_err(format!(
                "tensor {id} is neither input nor output nor constant, and only \
                 experimental_preserve_all_tensors keeps what lies between"
            )));
        };
        let numpy = py.import("numpy")?;
        let bytes = pyo3::types::PyBytes::new(py, data);
        let flat = numpy.call_method1("frombuffer", (bytes, tensor.dtype.to_string()))?;
        flat.call_method1("reshape", (tensor.shape.clone(),))?.call_method0("copy")
    }
}
