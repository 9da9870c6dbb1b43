//! Raw tensors: reading, and comparing them.

use npyz::{NpyFile, TypeChar};
use osprey_engine::DType;
use std::path::Path;

/// The little-endian bytes of an `.npy` file's elements.
pub fn npy(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file = NpyFile::new(&bytes[..]).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let elements: u64 = file.shape().iter().product();
    let npyz::DType::Plain(element) = file.dtype() else { panic!("{}: a structure", path.display()) };
    assert!(element.type_char() != TypeChar::Bool || element.size_field() == 1);
    let size = elements as usize * element.size_field() as usize;
    bytes[bytes.len() - size..].to_vec()
}

/// The elements as stored numbers.
pub fn numbers(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    match dtype {
        DType::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect(),
        DType::I8 => bytes.iter().map(|&b| f64::from(b as i8)).collect(),
        DType::U8 | DType::Bool => bytes.iter().map(|&b| b.into()).collect(),
        DType::I16 => bytes.as_chunks().0.iter().map(|b| i16::from_le_bytes(*b).into()).collect(),
        DType::I32 => bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect(),
        DType::I64 => bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
        other => panic!("no numbers of {other}"),
    }
}

/// How far two tensors are from each other.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Difference {
    /// Elements.
    pub count: usize,
    /// Elements that are the same number.
    pub equal: usize,
    /// Largest absolute difference.
    pub max: f64,
    /// Sum of absolute differences.
    pub sum: f64,
    /// Largest absolute number of the second tensor.
    pub range: f64,
}

impl Difference {
    /// Compares `ours` with `theirs`.
    pub fn between(ours: &[f64], theirs: &[f64]) -> Self {
        assert_eq!(ours.len(), theirs.len(), "numbers of elements");
        let mut difference = Self { count: ours.len(), ..Self::default() };
        for (a, b) in ours.iter().zip(theirs) {
            let d = if a == b { 0.0 } else { (a - b).abs() };
            difference.equal += usize::from(d == 0.0);
            // Not a number is as far as can be.
            difference.max = difference.max.max(if d.is_nan() { f64::INFINITY } else { d });
            difference.sum += d;
            difference.range = difference.range.max(b.abs());
        }
        difference
    }

    /// Both comparisons together.
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            equal: self.equal + other.equal,
            max: self.max.max(other.max),
            sum: self.sum + other.sum,
            range: self.range.max(other.range),
        }
    }

    /// Mean absolute difference.
    pub fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }

    /// Largest difference in relation to the largest number.
    pub fn relative(&self) -> f64 {
        self.max / self.range.max(1e-6)
    }
}
