//! A recorded session: what the model saw, and what came out.
//!
//! A line of magic, then blocks: a length of four bytes (little-endian) and so many bytes. The
//! first block is the header in JSON. Each frame has two: its facts in JSON, and its input, deflated
//! after taking the difference to the input before.

use crate::files::Destination;
use crate::model::Source;
use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use osprey_detector::pipeline::{Detections, Shown};
use osprey_detector::preprocess::Placement;
use osprey_detector::{DType, Detection, NormBox, Tensor, TensorSpec, TensorView};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

const MAGIC: &[u8] = b"osprey recording 1\n";

/// Largest block: far above any model's input.
const MAX_BLOCK: u32 = 256 << 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Name of the model's file.
    pub(super) model: String,
    /// CRC-32 of the model's file.
    pub(super) model_crc32: u32,
    /// Shape of the input.
    pub(super) shape: Vec<usize>,
    /// Type of the input.
    pub(super) dtype: String,
    /// What made the recording.
    pub(super) version: String,
}

impl Header {
    pub(super) fn new(model: &Source, spec: &TensorSpec) -> Result<Self> {
        Ok(Self {
            model: model.name(),
            model_crc32: crc32fast::hash(&model.bytes()?),
            shape: spec.shape.clone(),
            dtype: spec.dtype.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}

/// A frame's facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) frame: u64,
    pub(super) time_ns: i64,
    pub(super) picture: (u32, u32),
    /// Edges (left, upper, right, lower) of what the model saw, in the picture and in its input.
    source: [f32; 4],
    target: [f32; 4],
    pub(super) detections: Vec<Kept>,
}

/// A detection; floats are written so that reading gives the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) class_id: usize,
    pub(super) score: f32,
    /// Left, upper, right, lower, in fractions of the picture.
    pub(super) edges: [f32; 4],
}

impl From<&Detection> for Kept {
    fn from(d: &Detection) -> Self {
        Self { class_id: d.class_id, score: d.score, edges: edges(d.bbox) }
    }
}

impl Facts {
    pub(super) fn new(shown: &Shown<Detections>, placement: &Placement) -> Self {
        Self {
            frame: shown.sequence,
            time_ns: shown.timestamp.nanos(),
            picture: shown.output.picture,
            source: edges(placement.source()),
            target: edges(placement.target()),
            detections: shown.output.detections.iter().map(Kept::from).collect(),
        }
    }

    pub(super) fn placement(&self) -> Placement {
        Placement::new(from_edges(self.source), from_edges(self.target))
    }
}

fn edges(b: NormBox) -> [f32; 4] {
    [b.x_min, b.y_min, b.x_max, b.y_max]
}

fn from_edges([x_min, y_min, x_max, y_max]: [f32; 4]) -> NormBox {
    NormBox { x_min, y_min, x_max, y_max }
}

/// The bytes of an input, floats little-endian.
pub(super) fn bytes_of(tensor: TensorView<'_>, out: &mut Vec<u8>) {
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
pub(super) fn tensor_of(bytes: &[u8], spec: &TensorSpec) -> Option<Tensor> {
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

pub(super) struct Recorder {
    out: Destination,
    before: Vec<u8>,
    now: Vec<u8>,
}

impl Recorder {
    pub(super) fn create(path: &Path, header: &Header) -> Result<Self> {
        let mut out = Destination::create(path)?;
        out.write_all(MAGIC)?;
        write_block(&mut out, &serde_json::to_vec(header)?)?;
        Ok(Self { out, before: Vec::new(), now: Vec::new() })
    }

    pub(super) fn add(&mut self, facts: &Facts, input: &Tensor) -> Result<()> {
        bytes_of(input.view(), &mut self.now);
        self.before.resize(self.now.len(), 0);
        let difference: Vec<u8> =
            self.now.iter().zip(&self.before).map(|(n, b)| n.wrapping_sub(*b)).collect();
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(&difference)?;
        write_block(&mut self.out, &serde_json::to_vec(facts)?)?;
        write_block(&mut self.out, &deflate.finish()?)?;
        std::mem::swap(&mut self.before, &mut self.now);
        Ok(())
    }

    pub(super) fn commit(self) -> Result<()> {
        self.out.commit()
    }
}

pub(super) struct Recording {
    reader: BufReader<File>,
    pub(super) header: Header,
    bytes: Vec<u8>,
}

impl Recording {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut reader = BufReader::new(file);
        let mut magic = [0; MAGIC.len()];
        if reader.read_exact(&mut magic).is_err() || magic != MAGIC {
            bail!("{} is no recording of `osprey live --record`", path.display());
        }
        let header = read_block(&mut reader)?.context("the recording is empty")?;
        let header = serde_json::from_slice(&header).context("the recording's header is damaged")?;
        Ok(Self { reader, header, bytes: Vec::new() })
    }

    /// The next frame and the bytes of its input; none at the end.
    pub(super) fn next(&mut self, input_bytes: usize) -> Result<Option<(Facts, &[u8])>> {
        let Some(facts) = read_block(&mut self.reader)? else { return Ok(None) };
        let facts = serde_json::from_slice(&facts).context("the recording is damaged: a frame's facts")?;
        let packed = read_block(&mut self.reader)?.context("the recording ends in the middle of a frame")?;
        let mut difference = Vec::with_capacity(input_bytes);
        // One byte more than there should be shows that there are too many.
        DeflateDecoder::new(packed.as_slice()).take(input_bytes as u64 + 1).read_to_end(&mut difference)?;
        if difference.len() != input_bytes {
            bail!("the recording is damaged: an input has the wrong length");
        }
        self.bytes.resize(input_bytes, 0);
        for (byte, change) in self.bytes.iter_mut().zip(&difference) {
            *byte = byte.wrapping_add(*change);
        }
        Ok(Some((facts, &self.bytes)))
    }
}

fn write_block(out: &mut impl Write, bytes: &[u8]) -> Result<()> {
    let len =
        u32::try_from(bytes.len()).ok().filter(|len| *len <= MAX_BLOCK).context("too large to record")?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(bytes).context("cannot write the recording")
}

fn read_block(reader: &mut impl Read) -> Result<Option<Vec<u8>>> {
    let mut len = [0; 4];
    match reader.read_exact(&mut len) {
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let len = u32::from_le_bytes(len);
    if len > MAX_BLOCK {
        bail!("the recording is damaged: a block of {len} bytes");
    }
    let mut bytes = Vec::new();
    if reader.take(len.into()).read_to_end(&mut bytes)? < len as usize {
        bail!("the recording ends in the middle of a block");
    }
    Ok(Some(bytes))
}
