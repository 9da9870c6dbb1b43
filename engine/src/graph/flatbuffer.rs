//! Bounds-checked reading of flatbuffers.
//!
//! A model file is the engine's front door, so every offset is checked when it is followed and
//! nothing is trusted beforehand. Code generated for the whole TFLite schema is twenty thousand
//! lines; reading needs the five rules of the encoding that are below
//! (<https://flatbuffers.dev/internals/>). Public because the metadata inside a model's buffers are
//! flatbuffers too.

use crate::error::{Error, Result};

/// Index of a field within its table, in the order of the schema.
pub type Field = usize;

fn malformed(what: impl Into<String>) -> Error {
    Error::Malformed { what: what.into() }
}

fn read<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    at.checked_add(N)
        .and_then(|end| bytes.get(at..end))
        .and_then(|b| b.try_into().ok())
        .ok_or_else(|| malformed(format!("offset {at} lies outside the file")))
}

/// Where an offset at `at` leads. Where addresses have 32 bits the sum may not fit.
fn target(at: usize, offset: usize) -> Result<usize> {
    at.checked_add(offset).ok_or_else(|| malformed(format!("offset at {at} leads out of the file")))
}

/// A number stored inline, little-endian.
pub trait Scalar: Sized {
    /// Bytes of one number.
    const SIZE: usize;
    /// The number that starts `bytes`.
    fn from_le(bytes: &[u8]) -> Self;
}

macro_rules! scalar {
    ($($t:ty),*) => {$(
        impl Scalar for $t {
            const SIZE: usize = size_of::<$t>();
            fn from_le(bytes: &[u8]) -> Self {
                let mut b = [0; size_of::<$t>()];
                b.copy_from_slice(bytes);
                <$t>::from_le_bytes(b)
            }
        }
    )*};
}
scalar!(u8, i8, u16, u32, i32, u64, i64, f32);

/// A table: fields found through its vtable, absent ones have defaults.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    vtable: usize,
    vtable_len: usize,
}

/// A table's own bytes: numbers as they stand, offsets still those of its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inline<'a> {
    /// Where the table begins in its file.
    pub(crate) at: usize,
    pub(crate) vtable: &'a [u8],
    pub(crate) table: &'a [u8],
}

impl Inline<'_> {
    /// Where a field lies in the table; `None` where it is left out.
    pub(crate) fn offset_of(&self, field: Field) -> Option<usize> {
        let entry = self.vtable.get(4 + 2 * field..6 + 2 * field)?;
        let offset = usize::from(<u16 as Scalar>::from_le(entry));
        (offset != 0 && offset + 4 <= self.table.len()).then_some(offset)
    }
}

impl<'a> Table<'a> {
    /// The table's own bytes.
    pub(crate) fn inline(&self) -> Result<Inline<'a>> {
        let length = usize::from(u16::from_le_bytes(read(self.bytes, self.vtable + 2)?));
        let table = self.at.checked_add(length).and_then(|end| self.bytes.get(self.at..end));
        let table = table.filter(|t| t.len() >= 4);
        let table = table.ok_or_else(|| malformed(format!("table at {} has length {length}", self.at)))?;
        Ok(Inline { at: self.at, vtable: &self.bytes[self.vtable..self.vtable + self.vtable_len], table })
    }

    /// Where the table begins in its buffer.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// The root table of a buffer, whose offset is the buffer's first word.
    pub fn root(bytes: &'a [u8]) -> Result<Self> {
        Self::at(bytes, u32::from_le_bytes(read(bytes, 0)?) as usize)
    }

    fn at(bytes: &'a [u8], at: usize) -> Result<Self> {
        let back = i32::from_le_bytes(read(bytes, at)?) as i64;
        let vtable = usize::try_from(at as i64 - back)
            .map_err(|_| malformed(format!("table at {at} has its vtable before the file")))?;
        let vtable_len = u16::from_le_bytes(read(bytes, vtable)?) as usize;
        if vtable_len < 4 || vtable + vtable_len > bytes.len() {
            return Err(malformed(format!("vtable at {vtable} has length {vtable_len}")));
        }
        Ok(Self { bytes, at, vtable, vtable_len })
    }

    fn position(&self, field: Field) -> Result<Option<usize>> {
        let entry = 4 + 2 * field;
        if entry + 2 > self.vtable_len {
            return Ok(None);
        }
        let offset = u16::from_le_bytes(read(self.bytes, self.vtable + entry)?) as usize;
        Ok((offset != 0).then_some(self.at + offset))
    }

    fn follow(&self, field: Field) -> Result<Option<usize>> {
        let Some(at) = self.position(field)? else { return Ok(None) };
        let offset = u32::from_le_bytes(read(self.bytes, at)?) as usize;
        Ok(Some(target(at, offset)?))
    }

    /// The scalar in `field`, or `default` where the writer left it out.
    pub fn scalar<T: Scalar>(&self, field: Field, default: T) -> Result<T> {
        match self.position(field)? {
            None => Ok(default),
            Some(at) => at
                .checked_add(T::SIZE)
                .and_then(|end| self.bytes.get(at..end))
                .map(T::from_le)
                .ok_or_else(|| malformed(format!("field at {at} lies outside the file"))),
        }
    }

    /// A boolean, stored as a byte.
    pub fn flag(&self, field: Field) -> Result<bool> {
        Ok(self.scalar::<u8>(field, 0)? != 0)
    }

    /// The table that `field` points to.
    pub fn table(&self, field: Field) -> Result<Option<Table<'a>>> {
        self.follow(field)?.map(|at| Table::at(self.bytes, at)).transpose()
    }

    /// The bytes of a vector of scalars of `width` bytes each; empty where absent.
    fn vector(&self, field: Field, width: usize) -> Result<&'a [u8]> {
        let Some(at) = self.follow(field)? else { return Ok(&[]) };
        let count = u32::from_le_bytes(read(self.bytes, at)?) as usize;
        let start = at + 4;
        count
            .checked_mul(width)
            .and_then(|len| start.checked_add(len))
            .and_then(|end| self.bytes.get(start..end))
            .ok_or_else(|| malformed(format!("vector of {count} entries at {at} runs past the end")))
    }

    /// A vector of numbers; empty where absent.
    pub fn scalars<T: Scalar>(&self, field: Field) -> Result<Vec<T>> {
        Ok(self.vector(field, T::SIZE)?.chunks_exact(T::SIZE).map(T::from_le).collect())
    }

    /// A vector of bytes, in place; empty where absent.
    pub fn bytes(&self, field: Field) -> Result<&'a [u8]> {
        self.vector(field, 1)
    }

    /// A string; empty where absent. Bytes that are not UTF-8 are replaced, since names only label.
    pub fn string(&self, field: Field) -> Result<String> {
        Ok(String::from_utf8_lossy(self.vector(field, 1)?).into_owned())
    }

    /// A vector of tables; empty where absent.
    pub fn tables(&self, field: Field) -> Result<Vec<Table<'a>>> {
        let offsets = self.vector(field, 4)?;
        let Some(first) = self.follow(field)?.map(|at| at + 4) else { return Ok(Vec::new()) };
        let entry = |(i, word): (usize, &[u8])| {
            Table::at(self.bytes, target(first + 4 * i, <u32 as Scalar>::from_le(word) as usize)?)
        };
        offsets.chunks_exact(4).enumerate().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_outside_the_file_are_errors() {
        assert!(Table::root(&[]).is_err());
        assert!(Table::root(&[255, 255, 255, 255]).is_err());
        // A table at 4 whose vtable would lie before the file.
        assert!(Table::root(&[4, 0, 0, 0, 127, 0, 0, 0]).is_err());
    }

    #[test]
    fn absent_fields_have_defaults() {
        // Root offset 8; vtable at 4 (length 4, no fields); table at 8 points 4 back.
        let bytes = [8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0];
        let table = Table::root(&bytes).unwrap();
        assert_eq!(table.scalar(3, 7i32).unwrap(), 7);
        assert!(table.scalars::<f32>(0).unwrap().is_empty());
        assert!(table.table(1).unwrap().is_none());
    }
}
