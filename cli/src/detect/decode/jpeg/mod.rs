//! JPEG at a half, a quarter or an eighth of its size, without ever making the pixels in between.
//!
//! A photo of twelve megapixels has forty times the pixels that a detector's input has. An eighth of a
//! baseline JPEG needs just the first coefficient of each block of 8×8, a quarter the first 2×2; what
//! follows them in a block has to be stepped over, but neither stored nor transformed. Progressive files
//! keep the first coefficients in scans of their own, and the others are not even looked at.
//!
//! This decoder takes what cameras and the usual programs write: baseline, extended and progressive
//! Huffman files of 8 bits, in grey or YCbCr. [`decode`] returns `None` for all others and for each file
//! in which anything is wrong; the caller then decodes in full, and that decoder says what is wrong.

mod entropy;
mod header;
mod planes;
mod progressive;
mod scans;
mod sequential;
mod transform;

#[cfg(test)]
mod tests;

use header::{Header, Process};
use image::RgbImage;

/// The picture at a fraction of its size.
#[derive(Debug)]
pub(super) struct Scaled {
    /// `ceil(width / denominator)` by `ceil(height / denominator)` pixels.
    pub(super) pixels: RgbImage,
    /// 2, 4 or 8.
    pub(super) denominator: u32,
}

/// The largest of 8, 4 and 2 that leaves at least `wanted` (width, height) of `size`; 1 where none does.
pub(super) fn denominator(size: (u32, u32), wanted: (u32, u32)) -> u32 {
    let leaves_enough = |d: u32| size.0 / d >= wanted.0 && size.1 / d >= wanted.1;
    [8, 4, 2].into_iter().find(|&d| leaves_enough(d)).unwrap_or(1)
}

/// Width and height, of files that [`decode`] takes.
pub(super) fn size(file: &[u8]) -> Option<(u32, u32)> {
    let (header, _) = Header::read(file)?;
    Some((header.width, header.height))
}

/// Decodes at a fraction of the size that is at least `wanted` (width, height). `None` where the full
/// size is needed, where the file is of a kind that this decoder does not take, or where it is damaged.
pub(super) fn decode(file: &[u8], wanted: (u32, u32)) -> Option<Scaled> {
    let (header, scan) = Header::read(file)?;
    let mut denominator = denominator((header.width, header.height), wanted);
    if header.process == Process::Progressive {
        // Only the first coefficients lie in scans of their own.
        denominator = if denominator == 8 { 8 } else { 1 };
    }
    if denominator == 1 {
        return None;
    }
    let planes = match header.process {
        Process::Sequential => sequential::decode(&header, scan, denominator)?,
        Process::Progressive => progressive::decode(&header, scan)?,
    };
    let size = (header.width.div_ceil(denominator), header.height.div_ceil(denominator));
    Some(Scaled { pixels: planes::to_rgb(&planes, size)?, denominator })
}
