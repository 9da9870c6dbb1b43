//! Rows of bytes in NumPy arrays, borrowed where they lie as cameras have them; arrays made from Rust's memory.
#![allow(unsafe_code, reason = "a slice of an array's memory outlives the interpreter's lock")]

use numpy::{PyArray2, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// Rows of uint8, a constant number of bytes apart.
pub(crate) struct U8Array {
    memory: Memory,
    rows: usize,
    row_bytes: usize,
    stride: usize,
}

enum Memory {
    /// In an array, which is kept alive.
    Borrowed {
        start: *const u8,
        _array: Py<PyArrayDyn<u8>>,
    },
    Owned(Vec<u8>),
}

// SAFETY: the pointer is only read through, and the array that it points into is kept alive. That another
// Python thread writes into an array while it is looked at gives mixed pixels, as with NumPy's own functions.
unsafe impl Send for U8Array {}
// SAFETY: as above; there is no way to write through it.
unsafe impl Sync for U8Array {}

impl U8Array {
    /// The pixels of an array `[height, width]` or `[height, width, channels]`; how many channels, and whether
    /// they lie in reverse, as in `image[:, :, ::-1]`.
    pub(crate) fn pixels(array: &Bound<'_, PyAny>) -> PyResult<(Self, usize, bool)> {
        let array = uint8(array)?;
        let shape = array.shape().to_vec();
        let channels = match shape.as_slice() {
            [_, _] => 1,
            [_, _, channels @ (1 | 3 | 4)] => *channels,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "an image is [height, width] or [height, width, 1, 3 or 4], not {shape:?}"
                )));
            }
        };
        let strides = array.strides().to_vec();
        let reversed = channels == 3 && strides[2] == -1 && strides[1] == 3;
        let straight =
            strides[1] == channels as isize && (shape.len() == 2 || strides[2] == 1 || channels == 1);
        let row_bytes = shape[1] * channels;
        let in_place = (straight || reversed) && (strides[0] >= row_bytes as isize || shape[0] == 1);
        let back = if reversed { 2 } else { 0 };
        Ok((Self::borrow(array, in_place, back, shape[0], row_bytes)?, channels, reversed && in_place))
    }

    /// A plane `[rows, bytes]` or `[rows, pixels, 2]`.
    pub(crate) fn plane(array: &Bound<'_, PyAny>) -> PyResult<Self> {
        let array = uint8(array)?;
        let (shape, strides) = (array.shape().to_vec(), array.strides().to_vec());
        let row_bytes = match shape.as_slice() {
            [_, bytes] => *bytes,
            [_, pixels, 2] => pixels * 2,
            _ => {
                return Err(PyValueError::new_err(format!("a plane is [rows, bytes], not {shape:?}")));
            }
        };
        let straight = match strides.as_slice() {
            [_, step] => *step == 1,
            [_, pixel, step] => (*pixel, *step) == (2, 1),
            _ => false,
        };
        let in_place = straight && (strides[0] >= row_bytes as isize || shape[0] == 1);
        Self::borrow(array, in_place, 0, shape[0], row_bytes)
    }

    /// The array's own memory, from `back` bytes before its first element on; a copy unless `in_place`.
    fn borrow(
        array: Bound<'_, PyArrayDyn<u8>>,
        in_place: bool,
        back: usize,
        rows: usize,
        row_bytes: usize,
    ) -> PyResult<Self> {
        if rows == 0 || row_bytes == 0 {
            return Err(PyValueError::new_err("the image has no pixels"));
        }
        if !in_place {
            let copy = array.try_readonly()?.as_array().iter().copied().collect();
            return Ok(Self { memory: Memory::Owned(copy), rows, row_bytes, stride: row_bytes });
        }
        let stride = if rows == 1 { row_bytes } else { array.strides()[0] as usize };
        // SAFETY: with channels in reverse the element 2 bytes before the first is the first pixel's last channel.
        let start = unsafe { array.data().cast_const().sub(back) };
        Ok(Self { memory: Memory::Borrowed { start, _array: array.unbind() }, rows, row_bytes, stride })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// From the first row's start to the last row's end.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.memory {
            Memory::Owned(bytes) => bytes,
            // SAFETY: the array has `rows` rows of `row_bytes` bytes, `stride` apart, and is kept alive.
            Memory::Borrowed { start, .. } => unsafe {
                std::slice::from_raw_parts(*start, (self.rows - 1) * self.stride + self.row_bytes)
            },
        }
    }

    /// The same in memory of its own.
    pub(crate) fn into_owned(self) -> Self {
        let memory = match self.memory {
            Memory::Owned(bytes) => Memory::Owned(bytes),
            Memory::Borrowed { .. } => Memory::Owned(self.bytes().to_vec()),
        };
        Self { memory, ..self }
    }
}

fn uint8<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArrayDyn<u8>>> {
    array.cast::<PyArrayDyn<u8>>().cloned().map_err(|_| {
        let kind = array.getattr("dtype").map_or_else(|_| array.get_type().to_string(), |d| d.to_string());
        PyTypeError::new_err(format!("an image is a NumPy array of uint8, not {kind}"))
    })
}

/// An array `[rows, 4]` that takes over `values`.
pub(crate) fn boxes<'py>(py: Python<'py>, values: Vec<f32>) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let rows = values.len() / 4;
    let array = ndarray::Array2::from_shape_vec((rows, 4), values);
    Ok(PyArray2::from_owned_array(py, array.map_err(|e| PyValueError::new_err(e.to_string()))?))
}
