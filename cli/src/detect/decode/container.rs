//! What the bytes of a file say before a decoder sees them.

use super::DecodeError;
use image::ImageFormat;
use image::metadata::Orientation;

/// The format, by the first bytes.
pub(super) fn format_of(bytes: &[u8]) -> Result<ImageFormat, DecodeError> {
    use ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    // ISO base media files carry their brand at byte 8.
    match bytes.get(4..12) {
        Some(b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftypmsf1") => {
            return Err(DecodeError::OtherFormat("HEIC"));
        }
        Some(b"ftypavif" | b"ftypavis") => return Err(DecodeError::OtherFormat("AVIF")),
        _ => {}
    }
    match image::guess_format(bytes) {
        Ok(format @ (Jpeg | Png | Bmp | WebP | Tiff)) => Ok(format),
        Ok(ImageFormat::Gif) => Err(DecodeError::OtherFormat("GIF")),
        _ => Err(DecodeError::NotAPicture),
    }
}

/// Whether the end-of-image marker is missing after the first scan: decoders fill what is missing
/// with grey and say nothing.
pub(super) fn jpeg_is_truncated(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == START_OF_SCAN {
            return !bytes[at..].windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
        at += 1;
        // Markers may be preceded by any number of fill bytes.
        if marker != 0xff {
            at += 1 + usize::from(u16::from_be_bytes([high, low]));
        }
    }
    // Anything else that is wrong with it is the decoder's to say.
    false
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
