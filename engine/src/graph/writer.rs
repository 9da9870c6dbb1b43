//! Writing of flatbuffers: parents before children, so that all offsets point forward.

use super::flatbuffer::{Field, Inline};

/// Alignment of constants, and of an old file behind new tables.
const ALIGN: usize = 16;

/// A value of a flatbuffer.
pub(super) enum Value<'a> {
    U8(u8),
    U32(u32),
    F32(f32),
    Text(String),
    Bytes(std::borrow::Cow<'a, [u8]>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Floats(Vec<f32>),
    /// Tables of an old file, by their positions there, and new ones.
    Tables(Vec<usize>, Vec<Value<'a>>),
    /// Fields by their position in the schema.
    Table(Vec<(Field, Value<'a>)>),
    /// A table of an old file as it stands there, with these fields in place of its offsets.
    Copied(Inline<'a>, Vec<(Field, Value<'a>)>),
}

pub(super) struct Writer {
    bytes: Vec<u8>,
    /// Offsets to tables of an old file: where they stand, and the position in that file.
    old: Vec<(usize, usize)>,
}

impl Writer {
    /// A TFLite file whose root is `root`.
    pub(super) fn file(root: &Value<'_>) -> Self {
        let mut out = Self { bytes: vec![0, 0, 0, 0, b'T', b'F', b'L', b'3'], old: Vec::new() };
        let at = out.write(root);
        out.point(0, at);
        out
    }

    fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    fn word(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    /// Makes the offset at `from` point to `to`.
    fn point(&mut self, from: usize, to: usize) {
        self.bytes[from..from + 4].copy_from_slice(&((to - from) as u32).to_le_bytes());
    }

    /// Writes what is not stored inline and gives its position.
    fn write(&mut self, value: &Value<'_>) -> usize {
        match value {
            Value::Table(fields) => self.table(fields),
            Value::Copied(inline, children) => self.copied(inline, children),
            Value::Tables(old, new) => {
                self.align(4);
                let at = self.bytes.len();
                self.word((old.len() + new.len()) as u32);
                for &position in old {
                    self.old.push((self.bytes.len(), position));
                    self.word(0);
                }
                let first = self.bytes.len();
                self.bytes.resize(first + 4 * new.len(), 0);
                for (i, value) in new.iter().enumerate() {
                    let to = self.write(value);
                    self.point(first + 4 * i, to);
                }
                at
            }
            Value::Ints(values) => self.vector(values.len(), values.iter().flat_map(|v| v.to_le_bytes()), 4),
            Value::Floats(values) => {
                self.vector(values.len(), values.iter().flat_map(|v| v.to_le_bytes()), 4)
            }
            Value::Longs(values) => self.vector(values.len(), values.iter().flat_map(|v| v.to_le_bytes()), 8),
            Value::Text(text) => {
                let at = self.vector(text.len(), text.bytes(), 4);
                self.bytes.push(0);
                at
            }
            Value::Bytes(data) => self.vector(data.len(), data.iter().copied(), ALIGN),
            Value::U8(_) | Value::U32(_) | Value::F32(_) => self.bytes.len(),
        }
    }

    /// Elements behind their count; the first of them is aligned.
    fn vector(&mut self, count: usize, data: impl Iterator<Item = u8>, align: usize) -> usize {
        while !(self.bytes.len() + 4).is_multiple_of(align) {
            self.bytes.push(0);
        }
        let at = self.bytes.len();
        self.word(count as u32);
        self.bytes.extend(data);
        at
    }

    fn table(&mut self, fields: &[(Field, Value<'_>)]) -> usize {
        // Every field takes a word: sizes and alignment then need no thought.
        let slots = fields.iter().map(|(f, _)| f + 1).max().unwrap_or(0);
        self.align(4);
        let vtable = self.bytes.len();
        let vtable_len = 4 + 2 * slots;
        self.bytes.resize(vtable + vtable_len, 0);
        self.align(4);
        let at = self.bytes.len();
        self.word((at - vtable) as u32);
        let mut put = |at: usize, v: usize| {
            self.bytes[at..at + 2].copy_from_slice(&(v as u16).to_le_bytes());
        };
        put(vtable, vtable_len);
        put(vtable + 2, 4 + 4 * fields.len());
        for (i, (field, _)) in fields.iter().enumerate() {
            put(vtable + 4 + 2 * field, 4 + 4 * i);
        }
        for (_, value) in fields {
            match value {
                Value::U8(v) => self.word(u32::from(*v)),
                Value::U32(v) => self.word(*v),
                Value::F32(v) => self.word(v.to_bits()),
                _ => self.word(0),
            }
        }
        for (i, (_, value)) in fields.iter().enumerate() {
            if !matches!(value, Value::U8(_) | Value::U32(_) | Value::F32(_)) {
                let to = self.write(value);
                self.point(at + 4 + 4 * i, to);
            }
        }
        at
    }

    fn copied(&mut self, inline: &Inline<'_>, children: &[(Field, Value<'_>)]) -> usize {
        self.align(2);
        let vtable = self.bytes.len();
        self.bytes.extend(inline.vtable);
        // Fields of eight bytes are aligned in the file, not in the table.
        while self.bytes.len() % 8 != inline.at % 8 {
            self.bytes.push(0);
        }
        let at = self.bytes.len();
        self.bytes.extend(inline.table);
        self.bytes[at..at + 4].copy_from_slice(&((at - vtable) as u32).to_le_bytes());
        for (field, value) in children {
            if let Some(offset) = inline.offset_of(*field) {
                let to = self.write(value);
                self.point(at + offset, to);
            }
        }
        at
    }

    /// What was written, and `file` behind it, whose tables it may point to.
    pub(super) fn before(mut self, file: &[u8]) -> Vec<u8> {
        self.align(ALIGN);
        let start = self.bytes.len();
        for (from, position) in std::mem::take(&mut self.old) {
            self.point(from, start + position);
        }
        self.bytes.extend(file);
        self.bytes
    }
}
