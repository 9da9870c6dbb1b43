//! From a file to upright RGB pixels, within limits that are checked before memory is asked for.

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use std::fs::File;
use std::io::{self, BufRead, Cursor, Read, Seek};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

/// What a picture may ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PictureLimits {
    pub(crate) pixels: u64,
    /// Bytes of a file, which is held in memory while it is decoded.
    pub(crate) file_bytes: u64,
    /// Bytes of decoded pixels in the file's own pixel format.
    pub(crate) decoded_bytes: u64,
}

impl PictureLimits {
    pub(crate) fn megapixels(megapixels: u32) -> Self {
        let pixels = u64::from(megapixels) * 1_000_000;
        Self { pixels, file_bytes: 256 << 20, decoded_bytes: (pixels * 4).max(64 << 20) }
    }
}

/// Why a picture was skipped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the file is empty")]
    Empty,
    #[error("not a JPEG, PNG, BMP, WebP or TIFF file")]
    NotAPicture,
    #[error("{0} files are not read; convert the picture to JPEG or PNG")]
    OtherFormat(&'static str),
    #[error("the file ends in the middle of the picture")]
    Truncated,
    #[error("the file has {0} MB, more than the {1} MB that are read")]
    LargeFile(u64, u64),
    #[error("{width}x{height} pixels are more than the limit; --max-megapixels raises it")]
    Gigantic { width: u32, height: u32 },
    #[error("the picture has no pixels")]
    NoPixels,
    #[error("damaged picture: {0}")]
    Damaged(String),
}

/// A decoded picture.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Pixels as they are stored, not yet turned.
    pub(crate) pixels: RgbImage,
    /// How to turn them upright, from EXIF.
    pub(crate) orientation: Orientation,
    pub(crate) format: ImageFormat,
}

impl Picture {
    /// The pixels, turned upright.
    pub(crate) fn into_upright(self) -> RgbImage {
        if self.orientation == Orientation::NoTransforms {
            return self.pixels;
        }
        let mut image = DynamicImage::ImageRgb8(self.pixels);
        image.apply_orientation(self.orientation);
        image.into_rgb8()
    }
}

/// A picture whose header has been read and found to be within limits.
pub(crate) struct Opened {
    decoder: Box<dyn ImageDecoder>,
    orientation: Orientation,
    format: ImageFormat,
    /// Bytes of memory that the decoded picture takes.
    pub(crate) bytes: u64,
}

/// Reads a file and its header.
pub(crate) fn open(path: &Path, limits: &PictureLimits) -> Result<Opened, DecodeError> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > limits.file_bytes {
        return Err(DecodeError::LargeFile(length / 1_000_000, limits.file_bytes / 1_000_000));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // The file may grow while it is read.
    file.take(limits.file_bytes).read_to_end(&mut bytes)?;
    open_bytes(bytes, limits)
}

/// Reads the header of a file held in memory.
pub(crate) fn open_bytes(bytes: Vec<u8>, limits: &PictureLimits) -> Result<Opened, DecodeError> {
    contained(move || {
        let format = format_of(&bytes)?;
        if format == ImageFormat::Jpeg && jpeg_is_truncated(&bytes) {
            return Err(DecodeError::Truncated);
        }
        let mut decoder = decoder(Cursor::new(bytes), format)?;
        let (width, height) = decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 {
            return Err(DecodeError::NoPixels);
        }
        if pixels > limits.pixels || decoder.total_bytes() > limits.decoded_bytes {
            return Err(DecodeError::Gigantic { width, height });
        }
        let mut allowed = Limits::no_limits();
        allowed.max_alloc = Some(limits.decoded_bytes);
        decoder.set_limits(allowed)?;
        // A picture with unreadable EXIF data is shown as stored by every viewer.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok(Opened { bytes: decoder.total_bytes().max(pixels * 3), decoder, orientation, format })
    })
}

impl Opened {
    /// Decodes the pixels.
    pub(crate) fn decode(self) -> Result<Picture, DecodeError> {
        let Self { decoder, orientation, format, .. } = self;
        contained(move || {
            let pixels = DynamicImage::from_decoder(decoder)?.into_rgb8();
            Ok(Picture { pixels, orientation, format })
        })
    }
}

fn decoder(
    file: impl BufRead + Seek + 'static,
    format: ImageFormat,
) -> Result<Box<dyn ImageDecoder>, DecodeError> {
    Ok(Box::new(ImageReader::with_format(file, format).into_decoder()?))
}

fn format_of(bytes: &[u8]) -> Result<ImageFormat, DecodeError> {
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
fn jpeg_is_truncated(bytes: &[u8]) -> bool {
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

/// A panic of a decoder costs this picture, not the run.
fn contained<T>(work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(DecodeError::Damaged(format!("its decoder gave up ({text})")))
    })
}

impl From<image::ImageError> for DecodeError {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => Self::Truncated,
            image::ImageError::Limits(_) => Self::Damaged("it asks for more memory than is allowed".into()),
            other => Self::Damaged(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap::Cap;
    use image::codecs::{
        bmp::BmpEncoder, jpeg::JpegEncoder, png::PngEncoder, tiff::TiffEncoder, webp::WebPEncoder,
    };
    use image::{ExtendedColorType, ImageEncoder, Rgb};
    use std::alloc;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    /// Counts what is allocated, so that the mutations below can be held to a limit.
    #[global_allocator]
    static ALLOCATOR: Cap<alloc::System> = Cap::new(alloc::System, usize::MAX);

    const LIMITS: PictureLimits =
        PictureLimits { pixels: 80_000_000, file_bytes: 256 << 20, decoded_bytes: 320_000_000 };

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x * 5) as u8, (y * 7) as u8, ((x * y) % 251) as u8]))
    }

    /// EXIF data with nothing but an orientation.
    fn exif(orientation: u8) -> Vec<u8> {
        let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        exif
    }

    fn encode(mut encoder: impl ImageEncoder, image: &RgbImage, orientation: Option<u8>) {
        if let Some(value) = orientation {
            encoder.set_exif_metadata(exif(value)).expect("the format holds EXIF");
        }
        let (width, height) = image.dimensions();
        encoder.write_image(image, width, height, ExtendedColorType::Rgb8).expect("encodes");
    }

    /// The same picture in every format that is read.
    fn files(image: &RgbImage) -> Vec<(ImageFormat, Vec<u8>)> {
        let (mut jpeg, mut png, mut webp, mut bmp, mut tiff) =
            <(Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>)>::default();
        encode(JpegEncoder::new_with_quality(&mut jpeg, 95), image, Some(1));
        encode(PngEncoder::new(&mut png), image, Some(1));
        encode(WebPEncoder::new_lossless(&mut webp), image, Some(1));
        encode(BmpEncoder::new(&mut bmp), image, None);
        encode(TiffEncoder::new(Cursor::new(&mut tiff)), image, None);
        vec![
            (ImageFormat::Jpeg, jpeg),
            (ImageFormat::Png, png),
            (ImageFormat::WebP, webp),
            (ImageFormat::Bmp, bmp),
            (ImageFormat::Tiff, tiff),
        ]
    }

    #[test]
    fn every_format_gives_the_same_pixels() {
        let image = picture(61, 43);
        for (format, bytes) in files(&image) {
            let decoded = open_bytes(bytes, &LIMITS).and_then(Opened::decode).expect("a sound picture");
            assert_eq!(decoded.format, format);
            let tolerance = if format == ImageFormat::Jpeg { 60 } else { 0 };
            let worst = decoded.pixels.iter().zip(image.iter()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(worst <= Some(tolerance), "{format:?}: {worst:?}");
        }
    }

    #[test]
    fn exif_turns_pictures_upright() {
        let image = picture(61, 43);
        for value in 1..=8 {
            let orientation = Orientation::from_exif(value).expect("a valid value");
            let mut bytes = Vec::new();
            encode(PngEncoder::new(&mut bytes), &image, Some(value));
            let decoded = open_bytes(bytes, &LIMITS).and_then(Opened::decode).expect("a sound picture");
            assert_eq!(decoded.orientation, orientation);
            let upright = decoded.into_upright();
            assert_eq!(upright.dimensions(), if value < 5 { (61, 43) } else { (43, 61) });
            let mut expected = DynamicImage::ImageRgb8(image.clone());
            expected.apply_orientation(orientation);
            assert_eq!(upright, expected.into_rgb8());
        }
    }

    #[test]
    fn what_is_no_sound_picture_is_named() {
        let reason = |bytes: &[u8]| match open_bytes(bytes.to_vec(), &LIMITS).and_then(Opened::decode) {
            Ok(_) => "a picture".to_owned(),
            Err(e) => e.to_string(),
        };
        assert_eq!(reason(b""), "the file is empty");
        assert_eq!(reason(b"hello, I am text"), "not a JPEG, PNG, BMP, WebP or TIFF file");
        assert!(reason(b"\0\0\0\x18ftypheic\0\0\0\0").contains("HEIC"));
        assert!(reason(b"GIF89a\x01\0\x01\0").contains("GIF"));
        for (format, bytes) in files(&picture(120, 90)) {
            let half = &bytes[..bytes.len() / 2];
            assert_ne!(reason(half), "a picture", "half a {format:?} file");
        }
    }

    #[test]
    fn size_is_checked_before_memory_is_asked_for() {
        let small = PictureLimits { pixels: 61 * 43 - 1, ..LIMITS };
        for (format, bytes) in files(&picture(61, 43)) {
            let refused = open_bytes(bytes, &small).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(refused.contains("61x43"), "{format:?}: {refused}");
        }
        // A PNG of a few bytes that claims 60,000 pixels on a side.
        let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0".to_vec();
        bomb.extend(0x0fb0_e215u32.to_be_bytes());
        bomb.extend(*b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        let refused = open_bytes(bomb, &LIMITS).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(refused.contains("60000x60000"), "{refused}");
    }

    /// xorshift64.
    struct Random(u64);

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as usize % n.max(1)
        }

        /// A few of the ways in which files break.
        fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
            for _ in 0..=self.below(4) {
                let at = self.below(bytes.len());
                let length = 1 + self.below(16.min(bytes.len().saturating_sub(at)));
                match self.below(8) {
                    0 => bytes.truncate(at),
                    1 => bytes[at..at + length].fill(0),
                    2 => bytes[at..at + length].fill(0xff),
                    3 => drop(bytes.drain(at..at + length)),
                    4 => {
                        let from = self.below(other.len());
                        bytes.truncate(at);
                        bytes.extend(&other[from..]);
                    }
                    5 => {
                        let copy = bytes[at..at + length].to_vec();
                        bytes.splice(at..at, copy);
                    }
                    // Headers, where sizes and offsets stand, deserve more than their share.
                    6 => {
                        let at = self.below(bytes.len().min(64));
                        bytes[at] = self.below(256) as u8;
                    }
                    _ => bytes[at] ^= 1 << self.below(8),
                }
                if bytes.is_empty() {
                    return;
                }
            }
        }
    }

    #[test]
    fn twenty_thousand_broken_files_neither_hang_nor_exhaust_memory() {
        const FILES: u64 = 20_000;
        const MEMORY: usize = 1 << 30;
        const PATIENCE: Duration = Duration::from_secs(5);
        let originals: Vec<_> =
            [(61, 43), (17, 90)].iter().flat_map(|&(w, h)| files(&picture(w, h))).collect();
        ALLOCATOR.set_limit(MEMORY).expect("less is in use");
        let (progress, watched) = mpsc::channel();
        let worker = thread::spawn(move || {
            let (mut sound, mut gave_up) = (0, 0);
            for seed in 1..=FILES {
                let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                for _ in 0..8 {
                    random.below(1);
                }
                let mut bytes = originals[random.below(originals.len())].1.clone();
                let other = &originals[random.below(originals.len())].1;
                random.mutate(&mut bytes, other);
                match open_bytes(bytes, &LIMITS).and_then(Opened::decode) {
                    Ok(picture) => {
                        let (width, height) = picture.pixels.dimensions();
                        assert!(u64::from(width) * u64::from(height) <= LIMITS.pixels);
                        sound += 1;
                    }
                    Err(DecodeError::Damaged(reason)) if reason.contains("gave up") => gave_up += 1,
                    Err(_) => {}
                }
                progress.send(seed).expect("the watcher listens");
            }
            (sound, gave_up)
        });
        let mut last = 0;
        while last < FILES {
            match watched.recv_timeout(PATIENCE) {
                Ok(seed) => last = seed,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!("file {} takes more than {PATIENCE:?}", last + 1)
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        let (sound, gave_up) = worker.join().expect("no panic reaches the caller");
        ALLOCATOR.set_limit(usize::MAX).expect("no limit");
        println!(
            "{sound} of {FILES} files still decode; decoders panicked, and were contained, in {gave_up}"
        );
        assert!(sound > 0 && sound < FILES, "the mutations are neither harmless nor all fatal");
    }
}
