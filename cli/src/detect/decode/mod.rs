//! From a file to upright RGB pixels, within limits that are checked before memory is asked for.

mod container;
pub(crate) mod error;
mod jpeg;
pub(crate) mod kinds;

use container::{format_of, jpeg_exif, jpeg_is_truncated, webp_orientation};
use error::DecodeError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use osprey_detector::frame::{Frame, FrameError};
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

/// A decoded picture.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Pixels as they are stored, not yet turned.
    pub(crate) pixels: RgbImage,
    /// How to turn them upright, from EXIF.
    pub(crate) orientation: Orientation,
    pub(crate) format: ImageFormat,
    /// How many pixels of the file one of `pixels` stands for, along each axis: 1, 2, 4 or 8.
    pub(crate) scale: u32,
}

impl Picture {
    /// The pixels as the detector takes them, with the way to turn them.
    pub(crate) fn frame(&self) -> Result<Frame<'_>, FrameError> {
        let (width, height) = self.pixels.dimensions();
        let orientation = osprey_detector::frame::Orientation::from_exif(self.orientation.to_exif().into())?;
        Ok(Frame::rgb(&self.pixels, width, height)?.with_orientation(orientation))
    }

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
    content: Content,
    orientation: Orientation,
    format: ImageFormat,
    /// Width and height as they are stored.
    size: (u32, u32),
    limits: PictureLimits,
    /// Bytes of memory that the decoded picture takes.
    pub(crate) bytes: u64,
}

enum Content {
    /// The whole file.
    Jpeg(Vec<u8>),
    Other(Box<dyn ImageDecoder>),
}

/// Reads a file and its header.
pub(crate) fn open(path: &Path, limits: &PictureLimits) -> Result<Opened, DecodeError> {
    open_bytes(read(path, limits)?, limits)
}

/// The bytes of a file.
pub(crate) fn read(path: &Path, limits: &PictureLimits) -> Result<Vec<u8>, DecodeError> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > limits.file_bytes {
        return Err(DecodeError::LargeFile(length / 1_000_000, limits.file_bytes / 1_000_000));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // The file may grow while it is read.
    file.take(limits.file_bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the header of a file held in memory.
pub(crate) fn open_bytes(bytes: Vec<u8>, limits: &PictureLimits) -> Result<Opened, DecodeError> {
    contained(move || {
        let format = format_of(&bytes)?;
        if format == ImageFormat::Jpeg {
            return open_jpeg(bytes, limits);
        }
        let in_webp = if format == ImageFormat::WebP { webp_orientation(&bytes) } else { None };
        let mut decoder = decoder(Cursor::new(bytes), format)?;
        check(decoder.as_mut(), limits)?;
        // A picture with unreadable EXIF data is shown as stored by every viewer.
        let orientation = match format {
            ImageFormat::WebP => in_webp,
            _ => decoder.orientation().ok(),
        };
        let (width, height) = decoder.dimensions();
        Ok(Opened {
            bytes: decoder.total_bytes().max(u64::from(width) * u64::from(height) * 3),
            content: Content::Other(decoder),
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
            format,
            size: (width, height),
            limits: *limits,
        })
    })
}

fn open_jpeg(bytes: Vec<u8>, limits: &PictureLimits) -> Result<Opened, DecodeError> {
    if jpeg_is_truncated(&bytes) {
        return Err(DecodeError::Truncated);
    }
    let (width, height) = match jpeg::size(&bytes) {
        Some(size) => {
            check_size(size, 3 * u64::from(size.0) * u64::from(size.1), limits)?;
            size
        }
        // Of a kind, or damaged in a way, that the general decoder knows more of.
        None => {
            let mut decoder = decoder(Cursor::new(&bytes), ImageFormat::Jpeg)?;
            check(decoder.as_mut(), limits)?;
            decoder.dimensions()
        }
    };
    let orientation = jpeg_exif(&bytes).and_then(Orientation::from_exif_chunk);
    Ok(Opened {
        bytes: u64::from(width) * u64::from(height) * 3,
        content: Content::Jpeg(bytes),
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        format: ImageFormat::Jpeg,
        size: (width, height),
        limits: *limits,
    })
}

/// Holds a decoder to the limits.
fn check(decoder: &mut (dyn ImageDecoder + '_), limits: &PictureLimits) -> Result<(), DecodeError> {
    check_size(decoder.dimensions(), decoder.total_bytes(), limits)?;
    let mut allowed = Limits::no_limits();
    allowed.max_alloc = Some(limits.decoded_bytes);
    Ok(decoder.set_limits(allowed)?)
}

fn check_size((width, height): (u32, u32), bytes: u64, limits: &PictureLimits) -> Result<(), DecodeError> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(DecodeError::NoPixels);
    }
    if pixels > limits.pixels || bytes > limits.decoded_bytes {
        return Err(DecodeError::Gigantic { width, height });
    }
    Ok(())
}

impl Opened {
    /// Decodes the pixels.
    pub(crate) fn decode(self) -> Result<Picture, DecodeError> {
        let Self { content, orientation, format, limits, .. } = self;
        contained(move || {
            let pixels = match content {
                Content::Jpeg(bytes) => {
                    let mut decoder = decoder(Cursor::new(&bytes), format)?;
                    check(decoder.as_mut(), &limits)?;
                    DynamicImage::from_decoder(decoder)?
                }
                Content::Other(decoder) => DynamicImage::from_decoder(decoder)?,
            };
            Ok(Picture { pixels: pixels.into_rgb8(), orientation, format, scale: 1 })
        })
    }

    /// Width and height of the picture turned upright.
    pub(crate) fn upright_size(&self) -> (u32, u32) {
        self.turned(self.size)
    }

    /// The picture at a fraction of its size that has at least `wanted` (width, height) pixels when it
    /// is upright. `None` where the full size is needed or the file cannot be decoded in this way;
    /// [`Opened::decode`] then says what is wrong with it, if anything is.
    pub(crate) fn decode_scaled(&self, wanted: (u32, u32)) -> Option<Picture> {
        let Content::Jpeg(bytes) = &self.content else { return None };
        let wanted = self.turned(wanted);
        let scaled = contained(|| Ok(jpeg::decode(bytes, wanted))).ok()??;
        let (orientation, format) = (self.orientation, self.format);
        Some(Picture { pixels: scaled.pixels, orientation, format, scale: scaled.denominator })
    }

    /// Stored width and height for upright ones, and the other way round.
    fn turned(&self, (width, height): (u32, u32)) -> (u32, u32) {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        match self.orientation {
            Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => (height, width),
            _ => (width, height),
        }
    }
}

fn decoder<'a>(
    file: impl BufRead + Seek + 'a,
    format: ImageFormat,
) -> Result<Box<dyn ImageDecoder + 'a>, DecodeError> {
    Ok(Box::new(ImageReader::with_format(file, format).into_decoder()?))
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
mod tests;
