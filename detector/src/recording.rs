//! A recorded session: what the model saw, and what came out.
//!
//! A line of magic, then blocks: a length of four bytes (little-endian) and so many bytes. The
//! first block is the header in JSON. Each frame has two: its facts in JSON, and its input, deflated
//! after taking the difference to the input before.

use crate::geometry::{Detection, InputBox, NormBox};
use crate::pipeline::{Detections, Shown};
use crate::preprocess::Placement;
use crate::tensor::{DType, Tensor, TensorSpec, TensorView};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

const MAGIC: &[u8] = b"osprey recording 1\n";

/// Largest block: far above any model's input.
const MAX_BLOCK: u32 = 256 << 20;

/// Why a recording was not written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A file that no recorder wrote.
    #[error("this is no recording of Osprey's")]
    NotARecording,
    /// A file that was cut short or altered.
    #[error("the recording is damaged: {what}")]
    Damaged {
        /// Where, and how it shows.
        what: String,
    },
    /// An input larger than any recording holds.
    #[error("{bytes} bytes are too large to record; the limit is {MAX_BLOCK}")]
    TooLarge {
        /// Its bytes, deflated.
        bytes: usize,
    },
}

fn damaged(what: impl ToString) -> RecordingError {
    RecordingError::Damaged { what: what.to_string() }
}

/// What was recorded with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Name of the model's file.
    pub model: String,
    /// CRC-32 of the model's file.
    pub model_crc32: u32,
    /// Shape of the input.
    pub shape: Vec<usize>,
    /// Type of the input.
    pub dtype: String,
    /// What made the recording.
    pub version: String,
}

impl Header {
    /// For the model of this name and file, whose input is `spec`.
    pub fn new(model: &str, file: &[u8], spec: &TensorSpec) -> Self {
        Self {
            model: model.to_owned(),
            model_crc32: crc32fast::hash(file),
            shape: spec.shape.clone(),
            dtype: spec.dtype.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// A frame's facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The frame's number.
    pub frame: u64,
    /// Its own time.
    pub time_ns: i64,
    /// Width and height of the upright picture, in pixels.
    pub picture: (u32, u32),
    /// Edges (left, upper, right, lower) of what the model saw, in the picture and in its input.
    source: [f32; 4],
    target: [f32; 4],
    /// What was found in it.
    pub detections: Vec<Kept>,
}

/// A detection; floats are written so that reading gives the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Index into the model's labels.
    pub class_id: usize,
    /// Confidence, 0 to 1.
    pub score: f32,
    /// Left, upper, right, lower, in fractions of the picture.
    pub edges: [f32; 4],
}

impl From<&Detection> for Kept {
    fn from(d: &Detection) -> Self {
        Self { class_id: d.class_id, score: d.score, edges: d.bbox.edges() }
    }
}

impl Facts {
    /// Of a result whose frame lay in the model's input by `placement`.
    pub fn new(shown: &Shown<Detections>, placement: &Placement) -> Self {
        Self {
            frame: shown.sequence,
            time_ns: shown.timestamp.nanos(),
            picture: shown.output.picture,
            source: placement.source().edges(),
            target: placement.target().edges(),
            detections: shown.output.detections.iter().map(Kept::from).collect(),
        }
    }

    /// Where the frame lay in the model's input.
    pub fn placement(&self) -> Placement {
        Placement::new(NormBox::from_edges(self.source), InputBox::from_edges(self.target))
    }
}

/// The bytes of an input, floats little-endian.
fn bytes_of(tensor: TensorView<'_>, out: &mut Vec<u8>) {
    out.clear();
    match tensor {
        TensorView::U8(a) => out.extend(a.iter()),
        TensorView::I8(a) => out.extend(a.iter().map(|v| *v as u8)),
        TensorView::F32(a) => out.extend(a.iter().flat_map(|v| v.to_le_bytes())),
        // The preprocessor writes no other types.
        _ => {}
    }
}

/// An input from its bytes; none where they are too few or too many.
pub fn tensor_of(bytes: &[u8], spec: &TensorSpec) -> Option<Tensor> {
    let mut tensor = Tensor::zeros(spec.dtype, &spec.shape)?;
    let size = if spec.dtype == DType::F32 { 4 } else { 1 };
    if bytes.len() != spec.elements() * size {
        return None;
    }
    match &mut tensor {
        Tensor::U8(a) => a.iter_mut().zip(bytes).for_each(|(v, b)| *v = *b),
        Tensor::I8(a) => a.iter_mut().zip(bytes).for_each(|(v, b)| *v = *b as i8),
        Tensor::F32(a) => {
            let floats = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
            a.iter_mut().zip(floats).for_each(|(v, f)| *v = f);
        }
        _ => return None,
    }
    Some(tensor)
}

/// Writes a recording.
#[derive(Debug)]
pub struct Recorder<W> {
    out: W,
    before: Vec<u8>,
    now: Vec<u8>,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording in `out`.
    ///
    /// # Errors
    /// [`RecordingError::Io`].
    pub fn new(mut out: W, header: &Header) -> Result<Self, RecordingError> {
        out.write_all(MAGIC)?;
        write_block(&mut out, &json(header)?)?;
        Ok(Self { out, before: Vec::new(), now: Vec::new() })
    }

    /// Adds a frame with the input that the model saw.
    ///
    /// # Errors
    /// [`RecordingError::Io`], [`RecordingError::TooLarge`].
    pub fn add(&mut self, facts: &Facts, input: &Tensor) -> Result<(), RecordingError> {
        bytes_of(input.view(), &mut self.now);
        self.before.resize(self.now.len(), 0);
        let difference: Vec<u8> =
            self.now.iter().zip(&self.before).map(|(n, b)| n.wrapping_sub(*b)).collect();
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(&difference)?;
        write_block(&mut self.out, &json(facts)?)?;
        write_block(&mut self.out, &deflate.finish()?)?;
        std::mem::swap(&mut self.before, &mut self.now);
        Ok(())
    }

    /// What was written to, now whole.
    pub fn finish(self) -> W {
        self.out
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, RecordingError> {
    serde_json::to_vec(value).map_err(|e| RecordingError::Io(e.into()))
}

/// Reads a recording.
#[derive(Debug)]
pub struct Recording<R> {
    reader: R,
    header: Header,
    bytes: Vec<u8>,
}

impl<R: Read> Recording<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`RecordingError`].
    pub fn new(mut reader: R) -> Result<Self, RecordingError> {
        let mut magic = [0; MAGIC.len()];
        if reader.read_exact(&mut magic).is_err() || magic != MAGIC {
            return Err(RecordingError::NotARecording);
        }
        let header = read_block(&mut reader)?.ok_or_else(|| damaged("it is empty"))?;
        let header = serde_json::from_slice(&header).map_err(|e| damaged(format!("the header: {e}")))?;
        Ok(Self { reader, header, bytes: Vec::new() })
    }

    /// What was recorded with what.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next frame and the bytes of its input, of which there must be `input_bytes`; none at the
    /// end.
    ///
    /// # Errors
    /// [`RecordingError`].
    pub fn next(&mut self, input_bytes: usize) -> Result<Option<(Facts, &[u8])>, RecordingError> {
        let Some(facts) = read_block(&mut self.reader)? else { return Ok(None) };
        let facts = serde_json::from_slice(&facts).map_err(|e| damaged(format!("a frame's facts: {e}")))?;
        let packed =
            read_block(&mut self.reader)?.ok_or_else(|| damaged("it ends in the middle of a frame"))?;
        let mut difference = Vec::with_capacity(input_bytes);
        // One byte more than there should be shows that there are too many.
        DeflateDecoder::new(packed.as_slice()).take(input_bytes as u64 + 1).read_to_end(&mut difference)?;
        if difference.len() != input_bytes {
            return Err(damaged("an input has the wrong length"));
        }
        self.bytes.resize(input_bytes, 0);
        for (byte, change) in self.bytes.iter_mut().zip(&difference) {
            *byte = byte.wrapping_add(*change);
        }
        Ok(Some((facts, &self.bytes)))
    }
}

fn write_block(out: &mut impl Write, bytes: &[u8]) -> Result<(), RecordingError> {
    let too_large = RecordingError::TooLarge { bytes: bytes.len() };
    let len = u32::try_from(bytes.len()).ok().filter(|len| *len <= MAX_BLOCK).ok_or(too_large)?;
    out.write_all(&len.to_le_bytes())?;
    Ok(out.write_all(bytes)?)
}

fn read_block(reader: &mut impl Read) -> Result<Option<Vec<u8>>, RecordingError> {
    let mut len = [0; 4];
    match reader.read_exact(&mut len) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let len = u32::from_le_bytes(len);
    if len > MAX_BLOCK {
        return Err(damaged(format!("a block of {len} bytes")));
    }
    let mut bytes = Vec::new();
    if reader.take(len.into()).read_to_end(&mut bytes)? < len as usize {
        return Err(damaged("it ends in the middle of a block"));
    }
    Ok(Some(bytes))
}
