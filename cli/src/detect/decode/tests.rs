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

/// What the model sees of a large photo is as the whole photo made small, upright; the size stays that
/// of the file.
#[test]
fn a_large_jpeg_is_decoded_small_with_its_orientation() {
    let image =
        RgbImage::from_fn(1600, 1208, |x, y| Rgb([(x / 7) as u8, (y / 5) as u8, ((x + y) / 12) as u8]));
    let mut file = Vec::new();
    encode(JpegEncoder::new_with_quality(&mut file, 95), &image, Some(6));
    let opened = open_bytes(file, &LIMITS).expect("a sound picture");
    assert_eq!(opened.upright_size(), (1208, 1600));
    assert!(opened.decode_scaled((700, 900)).is_none(), "less than half is asked for in neither direction");
    let small = opened.decode_scaled((300, 300)).expect("a quarter");
    assert_eq!((small.scale, small.pixels.dimensions()), (4, (400, 302)));
    for (x, y) in [(10, 10), (390, 20), (200, 290), (57, 201)] {
        let (there, here) = (image.get_pixel(4 * x + 2, 4 * y + 2), small.pixels.get_pixel(x, y));
        let worst = there.0.iter().zip(here.0).map(|(a, b)| a.abs_diff(b)).max();
        assert!(worst <= Some(6), "at {x},{y}: {here:?} for {there:?}");
    }
    assert_eq!(small.into_upright().dimensions(), (302, 400));
    let whole = opened.decode().expect("sound");
    assert_eq!((whole.scale, whole.pixels.dimensions()), (1, (1600, 1208)));
}

#[test]
fn exif_turns_pictures_upright() {
    let image = picture(61, 43);
    for value in 1..=8 {
        let orientation = Orientation::from_exif(value).expect("a valid value");
        let mut expected = DynamicImage::ImageRgb8(image.clone());
        expected.apply_orientation(orientation);
        let expected = expected.into_rgb8();
        let (mut png, mut webp) = (Vec::new(), Vec::new());
        encode(PngEncoder::new(&mut png), &image, Some(value));
        encode(WebPEncoder::new_lossless(&mut webp), &image, Some(value));
        for bytes in [png, webp] {
            let decoded = open_bytes(bytes, &LIMITS).and_then(Opened::decode).expect("a sound picture");
            assert_eq!(decoded.orientation, orientation);
            let upright = decoded.into_upright();
            assert_eq!(upright.dimensions(), if value < 5 { (61, 43) } else { (43, 61) });
            assert_eq!(upright, expected);
        }
    }
}

#[test]
fn what_is_no_sound_picture_is_named() {
    let reason = |bytes: &[u8]| match open_bytes(bytes.to_vec(), &LIMITS).and_then(Opened::decode) {
        Ok(_) => "a picture".to_owned(),
        Err(e) => e.to_string(),
    };
    assert_eq!(reason(b""), "the file is empty");
    assert_eq!(reason(b"hello, I am text"), "not a JPEG, PNG, BMP, GIF, WebP or TIFF file");
    assert!(reason(b"\0\0\0\x18ftypheic\0\0\0\0").contains("heif-convert"));
    assert!(reason(b"\0\0\0\x18ftypisom\0\0\0\0").contains("osprey live"));
    assert!(
        reason(b"GIF89a\x01\0\x01\0").contains("damaged") || reason(b"GIF89a\x01\0\x01\0").contains("ends")
    );
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
    let originals: Vec<_> = [(61, 43), (17, 90)].iter().flat_map(|&(w, h)| files(&picture(w, h))).collect();
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
    println!("{sound} of {FILES} files still decode; decoders panicked, and were contained, in {gave_up}");
    assert!(sound > 0 && sound < FILES, "the mutations are neither harmless nor all fatal");
}
