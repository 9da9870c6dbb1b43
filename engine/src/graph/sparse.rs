//! Sparse weights: which elements of a constant the file holds, and how to lay them out densely.
//!
//! The format is that of TACO (Kjolstad et al., "The tensor algebra compiler", OOPSLA 2017): dimensions in an order of
//! traversal, each dense or compressed; blocks of a dimension count as further dimensions.

use super::flatbuffer::{Scalar, Table};
use super::schema as field;
use crate::error::{Error, Result};

/// One traversed dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Dimension {
    /// Every index from zero on.
    Dense(usize),
    /// For each parent a segment of `indices`.
    Compressed { segments: Vec<usize>, indices: Vec<usize> },
}

/// Where the elements of a sparse constant belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sparsity {
    order: Vec<usize>,
    block_map: Vec<usize>,
    dimensions: Vec<Dimension>,
}

fn malformed(what: &str) -> Error {
    Error::Malformed { what: format!("sparse weights: {what}") }
}

impl Sparsity {
    /// Reads the table of a tensor of `rank` dimensions.
    pub(super) fn read(t: &Table<'_>, rank: usize) -> Result<Self> {
        let counts = |f: usize| -> Result<Vec<usize>> {
            let values = t.scalars::<i32>(f)?.into_iter().map(usize::try_from);
            values.collect::<Result<_, _>>().map_err(|_| malformed("a negative index"))
        };
        let (order, block_map) =
            (counts(field::sparsity::TRAVERSAL_ORDER)?, counts(field::sparsity::BLOCK_MAP)?);
        let dimensions =
            t.tables(field::sparsity::DIM_METADATA)?.iter().map(dimension).collect::<Result<Vec<_>>>()?;
        let mut sorted = order.clone();
        sorted.sort_unstable();
        let fits = sorted.iter().copied().eq(0..rank + block_map.len())
            && dimensions.len() == order.len()
            && block_map.iter().all(|&d| d < rank);
        if fits {
            Ok(Self { order, block_map, dimensions })
        } else {
            Err(malformed("dimensions do not fit the shape"))
        }
    }

    /// Elements that were decoded, a measure of the table's size.
    pub(super) fn len(&self) -> usize {
        let one = |d: &Dimension| match d {
            Dimension::Dense(_) => 1,
            Dimension::Compressed { segments, indices } => segments.len() + indices.len(),
        };
        self.dimensions.iter().map(one).sum()
    }

    /// The elements of `data`, of `width` bytes each, in their places in a tensor of `shape`; zeros elsewhere.
    pub(crate) fn densify(&self, data: &[u8], shape: &[usize], width: usize) -> Result<Vec<u8>> {
        let len =
            shape.iter().try_fold(width, |n, &d| n.checked_mul(d)).ok_or_else(|| malformed("too large"))?;
        let visits =
            len.saturating_add(data.len()).saturating_add(self.len()).saturating_mul(self.order.len() + 1);
        let (to, index) = (vec![0; len], vec![0; self.order.len()]);
        let mut walk = Walk { sparsity: self, shape, width, data, read: 0, to, index, visits };
        walk.level(0, 0)?;
        Ok(walk.to)
    }

    /// Extents of the blocks, by block dimension.
    fn block(&self, shape_len: usize, i: usize) -> usize {
        let level = self.order.iter().position(|&d| d == shape_len + i);
        match level.map(|level| &self.dimensions[level]) {
            Some(Dimension::Dense(size)) => *size,
            _ => 1,
        }
    }
}

struct Walk<'a> {
    sparsity: &'a Sparsity,
    shape: &'a [usize],
    width: usize,
    data: &'a [u8],
    read: usize,
    to: Vec<u8>,
    /// The index along each dimension, blocks behind the tensor's own.
    index: Vec<usize>,
    /// Indices that may still be visited; a sound file takes fewer.
    visits: usize,
}

impl Walk<'_> {
    /// Visits what lies below `parent`, the position among the elements of the level before.
    fn level(&mut self, level: usize, parent: usize) -> Result<()> {
        self.visits = self.visits.checked_sub(1).ok_or_else(|| malformed("dimensions without elements"))?;
        let sparsity = self.sparsity;
        let Some(dimension) = sparsity.dimensions.get(level) else { return self.element() };
        let slot = sparsity.order[level];
        match dimension {
            Dimension::Dense(size) => {
                for i in 0..*size {
                    self.index[slot] = i;
                    self.level(level + 1, parent.saturating_mul(*size).saturating_add(i))?;
                }
            }
            Dimension::Compressed { segments, indices } => {
                let range = segments.get(parent).zip(segments.get(parent + 1));
                let (&start, &end) = range.ok_or_else(|| malformed("a segment is missing"))?;
                let within =
                    indices.get(start..end).ok_or_else(|| malformed("a segment beyond the indices"))?;
                for (i, &index) in within.iter().enumerate() {
                    self.index[slot] = index;
                    self.level(level + 1, start + i)?;
                }
            }
        }
        Ok(())
    }

    fn element(&mut self) -> Result<()> {
        let rank = self.shape.len();
        let mut place = 0usize;
        for (d, &extent) in self.shape.iter().enumerate() {
            let mut at = self.index[d];
            for (i, _) in self.sparsity.block_map.iter().enumerate().filter(|(_, dim)| **dim == d) {
                at = at.saturating_mul(self.sparsity.block(rank, i)).saturating_add(self.index[rank + i]);
            }
            if at >= extent {
                return Err(malformed("an element outside the shape"));
            }
            place = place * extent + at;
        }
        let from =
            self.data.get(self.read..self.read + self.width).ok_or_else(|| malformed("too few elements"))?;
        self.to[place * self.width..][..self.width].copy_from_slice(from);
        self.read += self.width;
        Ok(())
    }
}

fn dimension(t: &Table<'_>) -> Result<Dimension> {
    if t.scalar::<i8>(field::dimension::FORMAT, 0)? == 0 {
        let size = t.scalar::<i32>(field::dimension::DENSE_SIZE, 0)?;
        return usize::try_from(size).map(Dimension::Dense).map_err(|_| malformed("a negative extent"));
    }
    let segments = indices(t, field::dimension::SEGMENTS_TYPE, field::dimension::SEGMENTS)?;
    let indices = indices(t, field::dimension::INDICES_TYPE, field::dimension::INDICES)?;
    Ok(Dimension::Compressed { segments, indices })
}

/// A vector of 32-, 16- or 8-bit indices, as the union's type says.
fn indices(t: &Table<'_>, kind: usize, values: usize) -> Result<Vec<usize>> {
    let Some(vector) = t.table(values)? else { return Err(malformed("indices are missing")) };
    fn all<T: Scalar + TryInto<usize>>(vector: &Table<'_>) -> Result<Vec<usize>> {
        let values = vector.scalars::<T>(0)?.into_iter().map(|v| v.try_into());
        values.collect::<Result<_, _>>().map_err(|_| malformed("a negative index"))
    }
    match t.scalar::<u8>(kind, 0)? {
        1 => all::<i32>(&vector),
        2 => all::<u16>(&vector),
        3 => all::<u8>(&vector),
        other => Err(malformed(&format!("indices of kind {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_compressed() {
        // [[0, 7, 0], [8, 0, 9]]
        let sparsity = Sparsity {
            order: vec![0, 1],
            block_map: vec![],
            dimensions: vec![
                Dimension::Dense(2),
                Dimension::Compressed { segments: vec![0, 1, 3], indices: vec![1, 0, 2] },
            ],
        };
        assert_eq!(sparsity.densify(&[7, 8, 9], &[2, 3], 1), Ok(vec![0, 7, 0, 8, 0, 9]));
        assert!(sparsity.densify(&[7, 8], &[2, 3], 1).is_err());
        assert!(sparsity.densify(&[7, 8, 9], &[2, 2], 1).is_err());
        assert!(sparsity.densify(&[7, 8, 9], &[usize::MAX, 2], 1).is_err());
    }

    #[test]
    fn blocks_lie_within_a_dimension() {
        // Two columns at a time: [[0, 0, 1, 2], [3, 4, 0, 0]]
        let sparsity = Sparsity {
            order: vec![0, 1, 2],
            block_map: vec![1],
            dimensions: vec![
                Dimension::Dense(2),
                Dimension::Compressed { segments: vec![0, 1, 2], indices: vec![1, 0] },
                Dimension::Dense(2),
            ],
        };
        assert_eq!(sparsity.densify(&[1, 2, 3, 4], &[2, 4], 1), Ok(vec![0, 0, 1, 2, 3, 4, 0, 0]));
    }
}
