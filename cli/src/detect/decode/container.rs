//! What the bytes of a file say before a decoder sees them.

use super::error::DecodeError;
use super::kinds::remedy;
use image::ImageFormat;
use image::metadata::Orientation;

/// The marker of a JPEG file's compressed data.
const START_OF_SCAN: u8 = 0xda;

/// The format, by the first bytes.
pub(super) fn format_of(bytes: &[u8]) -> Result<ImageFormat, DecodeError> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    // ISO base media files carry their brand at byte 8.
    match bytes.get(4..12) {
        Some(b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftypmsf1") => {
            return Err(other("HEIC"));
        }
        Some(b"ftypavif" | b"ftypavis") => return Err(other("AVIF")),
        // QuickTime, MP4 of all versions, M4V; Matroska and WebM.
        Some(
            b"ftypqt  " | b"ftypisom" | b"ftypiso2" | b"ftypiso4" | b"ftypiso5" | b"ftypiso6" | b"ftypmp41"
            | b"ftypmp42" | b"ftypM4V " | b"ftypavc1" | b"ftypdash",
        ) => {
            return Err(other("film"));
        }
        _ if bytes.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) => return Err(other("film")),
        _ => {}
    }
    match image::guess_format(bytes) {
        Ok(format @ (Jpeg | Png | Bmp | Gif | WebP | Tiff)) => Ok(format),
        _ => Err(DecodeError::NotAPicture),
    }
}

fn other(kind: &'static str) -> DecodeError {
    DecodeError::OtherFormat { kind, remedy: remedy(kind) }
}

/// The segments of a JPEG file up to the first scan, by marker and offset of what follows its length.
fn jpeg_segments(bytes: &[u8]) -> impl Iterator<Item = (u8, usize, &[u8])> {
    let mut at = 2;
    std::iter::from_fn(move || {
        loop {
            let &[0xff, marker, high, low] = bytes.get(at..at + 4)? else { return None };
            at += 1;
            // Markers may be preceded by any number of fill bytes.
            if marker != 0xff {
                let start = at + 3;
                at += 1 + usize::from(u16::from_be_bytes([high, low]));
                return Some((marker, start, bytes.get(start..at).unwrap_or_default()));
            }
        }
    })
}

/// Whether the end-of-image marker is missing after the first scan: decoders fill what is missing
/// with grey and say nothing.
pub(super) fn jpeg_is_truncated(bytes: &[u8]) -> bool {
    let scan = jpeg_segments(bytes).find(|(marker, ..)| *marker == START_OF_SCAN);
    // Anything else that is wrong with it is the decoder's to say.
    scan.is_some_and(|(_, start, _)| memchr::memmem::rfind(&bytes[start..], &[0xff, 0xd9]).is_none())
}

/// The EXIF data of a JPEG file.
pub(super) fn jpeg_exif(bytes: &[u8]) -> Option<&[u8]> {
    const APP1: u8 = 0xe1;
    jpeg_segments(bytes)
        .take_while(|(marker, ..)| *marker != START_OF_SCAN)
        .find_map(|(marker, _, body)| body.strip_prefix(b"Exif\0\0").filter(|_| marker == APP1))
}

/// The orientation in a WebP file's EXIF data. image-webp, asked for it, reserves whatever size the
/// chunk claims to have: up to 4 GiB.
pub(super) fn webp_orientation(bytes: &[u8]) -> Option<Orientation> {
    const FILE_HEADER: usize = 12;
    let mut rest = bytes.get(FILE_HEADER..)?;
    while let Some((name, after)) = rest.split_first_chunk::<4>() {
        let (length, content) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let chunk = content.get(..length)?;
        if name == b"EXIF" {
            // Some writers keep the prefix that belongs to JPEG.
            return Orientation::from_exif_chunk(chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk));
        }
        // Chunks are padded to an even length.
        rest = content.get(length + length % 2..)?;
    }
    None
}
