//! Raw video: one frame after the other, without headers.

use super::{OwnedFrame, Source, frame_bytes};
use crate::live::args::RawFormat;
use anyhow::{Result, bail};
use std::io::{self, Read};

pub(super) struct Raw<R> {
    reader: R,
    format: RawFormat,
    size: (u32, u32),
}

impl<R: Read> Raw<R> {
    pub(super) fn new(reader: R, format: RawFormat, size: (u32, u32)) -> Self {
        Self { reader, format, size }
    }
}

impl<R: Read> Source for Raw<R> {
    fn next(&mut self, frame: &mut OwnedFrame) -> Result<bool> {
        (frame.format, (frame.width, frame.height)) = (self.format, self.size);
        frame.data.resize(frame_bytes(self.format, frame.width, frame.height), 0);
        match read_whole(&mut self.reader, &mut frame.data)? {
            0 => Ok(false),
            read if read == frame.data.len() => Ok(true),
            read => bail!(
                "the stream ended after {read} of the {} bytes of a frame: is --size right?",
                frame.data.len()
            ),
        }
    }
}

/// Bytes read until `buffer` is full or the stream ends.
pub(super) fn read_whole(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match reader.read(&mut buffer[read..]) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(read)
}
