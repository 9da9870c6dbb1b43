//! The segments before the first scan: size, components, tables.

use super::entropy::{Huffman, be16};

/// How coefficients are spread over scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// A block's coefficients follow each other (SOF0, SOF1).
    Sequential,
    /// First a part of each block's coefficients, then more (SOF2).
    Progressive,
}

/// A component: brightness or one of the colours.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of it in each unit of interleaved scans, across.
    pub(super) h: usize,
    /// The same, down.
    pub(super) v: usize,
    pub(super) quantization: usize,
}

/// What the tables say at some point of the file; scans may be preceded by new ones.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    /// In zigzag order, as they are stored.
    pub(super) quantization: [Option<[u16; 64]>; 4],
    pub(super) dc: [Option<Huffman>; 4],
    pub(super) ac: [Option<Huffman>; 4],
    /// Units between restart markers; 0: none.
    pub(super) restart_interval: usize,
    /// The colour transform that an Adobe segment names.
    adobe_transform: Option<u8>,
}

#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) process: Process,
    pub(super) width: u32,
    pub(super) height: u32,
    /// One, or three of YCbCr.
    pub(super) components: Vec<Component>,
    pub(super) tables: Tables,
}

/// What a start-of-scan segment says.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    /// Index of the component, its DC table and its AC table.
    pub(super) components: Vec<(usize, usize, usize)>,
    /// First and last coefficient, in zigzag order.
    pub(super) band: (u8, u8),
    /// Bits of earlier scans and of this one: successive approximation.
    pub(super) approximation: (u8, u8),
    /// The file from the first byte of entropy-coded data on.
    pub(super) data: &'a [u8],
}

impl Scan<'_> {
    /// Whether its units are the blocks of one component.
    pub(super) fn is_single(&self) -> bool {
        self.components.len() == 1
    }
}

/// A segment, and the rest of the file behind it.
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    pub(super) body: &'a [u8],
    pub(super) rest: &'a [u8],
}

/// Start of image, end of image, start of scan.
const SOI: u8 = 0xd8;
pub(super) const EOI: u8 = 0xd9;
pub(super) const SOS: u8 = 0xda;

/// The segment at the start of `file`; fill bytes before it are skipped.
pub(super) fn segment(mut file: &[u8]) -> Option<Segment<'_>> {
    while let [0xff, 0xff, ..] = file {
        file = &file[1..];
    }
    let (&[0xff, marker], rest) = file.split_first_chunk::<2>()? else {
        return None;
    };
    if marker == EOI {
        return Some(Segment { marker, body: &[], rest });
    }
    let length = usize::from(be16(rest)?);
    Some(Segment { marker, body: rest.get(2..length)?, rest: &rest[length..] })
}

impl Header {
    /// Reads up to and with the first start-of-scan segment.
    pub(super) fn read(file: &[u8]) -> Option<(Self, Scan<'_>)> {
        let mut rest = file.strip_prefix(&[0xff, SOI])?;
        let mut tables = Tables::new();
        let mut frame: Option<(Process, u32, u32, Vec<Component>)> = None;
        loop {
            let segment = segment(rest)?;
            rest = segment.rest;
            match segment.marker {
                0xc0..=0xc2 if frame.is_none() => frame = Some(read_frame(segment.marker, segment.body)?),
                SOS => {
                    let (process, width, height, components) = frame?;
                    let header = Self { process, width, height, components, tables };
                    // Three components without YCbCr are RGB: the general decoder's.
                    if header.tables.adobe_transform == Some(0) || header.is_named_rgb() {
                        return None;
                    }
                    let scan = header.scan(&segment)?;
                    return Some((header, scan));
                }
                EOI => return None,
                marker => tables.read(marker, segment.body)?,
            }
        }
    }

    /// Reads a start-of-scan segment.
    pub(super) fn scan<'a>(&self, segment: &Segment<'a>) -> Option<Scan<'a>> {
        let (&count, body) = segment.body.split_first()?;
        let (named, parameters) = body.split_at_checked(2 * usize::from(count))?;
        let components = named.chunks_exact(2).map(|c| {
            let index = self.components.iter().position(|known| known.id == c[0])?;
            let (dc, ac) = (usize::from(c[1] >> 4), usize::from(c[1] & 15));
            (dc < 4 && ac < 4).then_some((index, dc, ac))
        });
        let components = components.collect::<Option<Vec<_>>>()?;
        let &[first, last, approximation] = parameters.first_chunk::<3>()?;
        if components.is_empty() || last > 63 || first > last {
            return None;
        }
        let approximation = (approximation >> 4, approximation & 15);
        Some(Scan { components, band: (first, last), approximation, data: segment.rest })
    }

    /// Samples of the component with the most of them, across and down, in a unit.
    pub(super) fn most_samples(&self) -> (usize, usize) {
        let most = |f: fn(&Component) -> usize| self.components.iter().map(f).max().unwrap_or(1);
        (most(|c| c.h), most(|c| c.v))
    }

    /// Blocks of a component that a scan of it alone has, across and down.
    pub(super) fn blocks(&self, component: usize) -> (usize, usize) {
        let (h, v) = self.most_samples();
        let c = &self.components[component];
        let across = (self.width as usize * c.h).div_ceil(8 * h);
        (across, (self.height as usize * c.v).div_ceil(8 * v))
    }

    /// Units of interleaved scans, across and down.
    pub(super) fn units(&self) -> (usize, usize) {
        let (h, v) = self.most_samples();
        ((self.width as usize).div_ceil(8 * h), (self.height as usize).div_ceil(8 * v))
    }

    fn is_named_rgb(&self) -> bool {
        let ids: Vec<_> = self.components.iter().map(|c| c.id).collect();
        ids == *b"RGB"
    }
}

impl Tables {
    fn new() -> Self {
        let none = || [const { None }; 4];
        Self { quantization: [None; 4], dc: none(), ac: none(), restart_interval: 0, adobe_transform: None }
    }

    /// Takes in a segment that is not a frame, a scan or the end. `None` where it is damaged, or of a
    /// process that this decoder does not take (arithmetic, lossless, hierarchical).
    pub(super) fn read(&mut self, marker: u8, body: &[u8]) -> Option<()> {
        match marker {
            0xdb => self.read_quantization(body),
            0xc4 => self.read_huffman(body),
            0xdd => {
                self.restart_interval = be16(body)?.into();
                Some(())
            }
            0xee => {
                if let [b'A', b'd', b'o', b'b', b'e', .., transform] = body.get(..12)? {
                    self.adobe_transform = Some(*transform);
                }
                Some(())
            }
            0xe0..=0xef | 0xfe => Some(()),
            _ => None,
        }
    }

    fn read_quantization(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = body.split_first() {
            let wide = kind >> 4 != 0;
            let (values, rest) = rest.split_at_checked(if wide { 128 } else { 64 })?;
            let mut table = [0; 64];
            for (i, entry) in table.iter_mut().enumerate() {
                *entry = if wide { be16(&values[2 * i..])? } else { values[i].into() };
            }
            *self.quantization.get_mut(usize::from(kind & 15))? = Some(table);
            body = rest;
        }
        Some(())
    }

    fn read_huffman(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().map(|&n| usize::from(n)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let tables = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(kind & 15))? = Some(Huffman::new(counts, symbols)?);
            body = rest;
        }
        Some(())
    }
}

fn read_frame(marker: u8, body: &[u8]) -> Option<(Process, u32, u32, Vec<Component>)> {
    let process = if marker == 0xc2 { Process::Progressive } else { Process::Sequential };
    let (&[precision, _, _, _, _, count], rest) = body.split_first_chunk::<6>()?;
    let (height, width) = (u32::from(be16(&body[1..])?), u32::from(be16(&body[3..])?));
    // Height 0 stands in a later segment: nobody writes that.
    if precision != 8 || width == 0 || height == 0 || !matches!(count, 1 | 3) {
        return None;
    }
    let named = rest.get(..3 * usize::from(count))?;
    let components = named.chunks_exact(3).map(|c| {
        let (h, v, quantization) = (usize::from(c[1] >> 4), usize::from(c[1] & 15), usize::from(c[2]));
        let sound = matches!(h, 1 | 2 | 4) && matches!(v, 1 | 2 | 4) && quantization < 4;
        sound.then_some(Component { id: c[0], h, v, quantization })
    });
    let mut components = components.collect::<Option<Vec<_>>>()?;
    if let [only] = components.as_mut_slice() {
        // Factors of a single component have no meaning.
        (only.h, only.v) = (1, 1);
    }
    Some((process, width, height, components))
}
