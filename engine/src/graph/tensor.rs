//! What a file says of its tensors.

use super::Sparsity;
use std::fmt;

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// 32-bit float.
    F32,
    /// 16-bit float; only as weights behind DEQUANTIZE.
    F16,
    /// 8-bit signed integer.
    I8,
    /// 8-bit unsigned integer.
    U8,
    /// 16-bit signed integer.
    I16,
    /// 32-bit signed integer.
    I32,
    /// 64-bit signed integer.
    I64,
    /// One byte, zero or one.
    Bool,
    /// Two 32-bit floats, real and imaginary part.
    C64,
    /// A type that the engine does not compute with, by its number in the schema.
    Other(i8),
}

impl DType {
    pub(crate) fn from_code(code: i8) -> Self {
        match code {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::I32,
            3 => Self::U8,
            4 => Self::I64,
            6 => Self::Bool,
            7 => Self::I16,
            8 => Self::C64,
            9 => Self::I8,
            other => Self::Other(other),
        }
    }

    /// Bytes of one element; zero for [`DType::Other`].
    pub const fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::F16 | Self::I16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::I64 | Self::C64 => 8,
            Self::Other(_) => 0,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::I8 => "int8",
            Self::U8 => "uint8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::Bool => "bool",
            Self::C64 => "complex64",
            Self::Other(code) => return write!(f, "type {code}"),
        })
    }
}

/// Affine quantization: real = scale × (stored − zero point).
#[derive(Debug, Clone, PartialEq)]
pub struct Quantization {
    /// One scale for the whole tensor, or one per index along `axis`.
    pub scales: Vec<f32>,
    /// As many zero points as scales.
    pub zero_points: Vec<i32>,
    /// The axis that `scales` run along; meaningless with a single scale.
    pub axis: usize,
}

impl Quantization {
    /// Scale and zero point where one pair holds for the whole tensor.
    pub fn per_tensor(&self) -> Option<(f32, i32)> {
        match (self.scales.as_slice(), self.zero_points.as_slice()) {
            (&[scale], &[zero_point]) => Some((scale, zero_point)),
            _ => None,
        }
    }
}

/// Index into [`Graph::tensors`](super::Graph::tensors).
pub type TensorId = usize;

/// A tensor as its file declares it.
#[derive(Debug, Clone)]
pub struct TensorInfo<'a> {
    /// Name given by the converter.
    pub name: String,
    /// Extent of each dimension; NHWC for images. Empty for a scalar.
    pub shape: Vec<usize>,
    /// Element type.
    pub dtype: DType,
    /// Quantization, where the file gives scales.
    pub quantization: Option<Quantization>,
    /// The content of a constant, little-endian, exactly as long as shape and type say unless it is sparse.
    pub data: Option<&'a [u8]>,
    /// State that keeps its content from run to run; it starts with `data`, or with zeros.
    pub is_variable: bool,
    /// Where the elements of `data` belong, if not one after another.
    pub sparsity: Option<Box<Sparsity>>,
}

impl TensorInfo<'_> {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of bytes.
    pub fn bytes(&self) -> usize {
        self.elements() * self.dtype.size()
    }
}
