//! What a file says of its tensors.

use super::Sparsity;
use half::f16;
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

    /// The number in the schema.
    pub(crate) const fn code(self) -> i8 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::I32 => 2,
            Self::U8 => 3,
            Self::I64 => 4,
            Self::Bool => 6,
            Self::I16 => 7,
            Self::C64 => 8,
            Self::I8 => 9,
            Self::Other(code) => code,
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

    /// A constant's numbers: floats as they are, 8-bit ones by their quantization. `None` for other types,
    /// sparse constants, and where there is no constant.
    pub fn reals(&self) -> Option<Vec<f32>> {
        let data = self.data.filter(|_| self.sparsity.is_none() && !self.is_variable)?;
        match self.dtype {
            DType::F32 => Some(data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
            _ => dequantize(self, data),
        }
    }
}

/// The real values of a constant; `None` for types without a rule.
pub(crate) fn dequantize(tensor: &TensorInfo<'_>, data: &[u8]) -> Option<Vec<f32>> {
    match tensor.dtype {
        DType::F16 => Some(data.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect()),
        DType::I8 => scale(tensor, data.iter().map(|&b| i32::from(b as i8))),
        DType::U8 => scale(tensor, data.iter().map(|&b| i32::from(b))),
        _ => None,
    }
}

fn scale(tensor: &TensorInfo<'_>, values: impl Iterator<Item = i32>) -> Option<Vec<f32>> {
    let Quantization { scales, zero_points, axis } = tensor.quantization.as_ref()?;
    // Elements between two steps along the axis; a single scale covers all.
    let inner: usize = tensor.shape.get(axis + 1..).map_or(1, |s| s.iter().product());
    let channel = |i: usize| (i / inner.max(1)) % scales.len();
    let real = |(i, v): (usize, i32)| {
        let c = channel(i);
        scales[c] * v.wrapping_sub(zero_points[c]) as f32
    };
    Some(values.enumerate().map(real).collect())
}
