//! A camera, by Video4Linux.

use super::{OwnedFrame, Source};
use crate::live::args::RawFormat;
use anyhow::{Context, Result, bail, ensure};
use image::ImageFormat;
use linuxvideo::format::{PixFormat, PixelFormat};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, Device, Fract};
use osprey_detector::frame::YuvColor;
use std::io;
use std::path::Path;

/// What is understood, the cheapest first.
const UNDERSTOOD: [PixelFormat; 3] = [PixelFormat::YUYV, PixelFormat::MJPG, PixelFormat::JPEG];

pub(super) struct Camera {
    stream: ReadStream,
    format: PixelFormat,
    size: (u32, u32),
    row_bytes: usize,
}

impl Camera {
    /// Opens the camera at `path` and asks for `size` and `fps`; the driver may give what is nearest.
    pub(super) fn open(path: &Path, size: (u32, u32), fps: f64) -> Result<Self> {
        let device = Device::open(path).with_context(|| {
            format!(
                "cannot open {}: is a camera connected, and are you in the group `video`?",
                path.display()
            )
        })?;
        let offered = device
            .formats(BufType::VIDEO_CAPTURE)
            .map(|described| Ok(described?.pixel_format()))
            .collect::<io::Result<Vec<_>>>()
            .with_context(|| format!("{} is no camera", path.display()))?;
        let Some(format) = UNDERSTOOD.into_iter().find(|f| offered.contains(f)) else {
            bail!("{} offers {offered:?}; YUYV, MJPG or JPEG is needed", path.display());
        };
        let capture = device
            .video_capture(PixFormat::new(size.0, size.1, format))
            .with_context(|| format!("{} refuses {}x{} {format:?}", path.display(), size.0, size.1))?;
        let given = capture.format();
        ensure!(
            given.pixel_format() == format,
            "{} gives {:?} in place of {format:?}",
            path.display(),
            given
        );
        let (size, row_bytes) = ((given.width(), given.height()), given.bytes_per_line() as usize);
        // Not every driver lets its pace be set; the frames' own pace is taken then.
        let _ = capture.set_frame_interval(Fract::new(1000, (fps * 1000.0).round() as u32));
        let stream = capture.into_stream().context("the camera does not start")?;
        Ok(Self { stream, format, size, row_bytes })
    }
}

impl Source for Camera {
    fn next(&mut self, frame: &mut OwnedFrame) -> Result<bool> {
        let Self { stream, format, size, row_bytes } = self;
        loop {
            let good = stream
                .dequeue(|buffer| match buffer.is_error() {
                    true => Ok(false),
                    false if *format == PixelFormat::YUYV => Ok(copy_yuyv(&buffer, *size, *row_bytes, frame)),
                    false => decode_jpeg(&buffer, frame),
                })
                .context("the camera stopped")?;
            // A frame that was damaged on its way is left out.
            if good {
                return Ok(true);
            }
        }
    }
}

/// Copies the rows without their padding; false where the buffer is too short.
fn copy_yuyv(buffer: &[u8], (width, height): (u32, u32), row_bytes: usize, frame: &mut OwnedFrame) -> bool {
    let wanted = width as usize * 2;
    let stride = row_bytes.max(wanted);
    frame.data.clear();
    frame
        .data
        .extend(buffer.chunks(stride).take(height as usize).filter_map(|row| row.get(..wanted)).flatten());
    (frame.format, frame.width, frame.height) = (RawFormat::Yuyv, width, height);
    frame.color = YuvColor::BT601_VIDEO;
    frame.data.len() == wanted * height as usize
}

fn decode_jpeg(buffer: &[u8], frame: &mut OwnedFrame) -> io::Result<bool> {
    let Ok(picture) = image::load_from_memory_with_format(buffer, ImageFormat::Jpeg) else {
        return Ok(false);
    };
    let picture = picture.into_rgb8();
    frame.format = RawFormat::Rgb;
    (frame.width, frame.height) = picture.dimensions();
    frame.data = picture.into_raw();
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_of_rows_is_left_out() {
        let mut frame = OwnedFrame::default();
        let buffer: Vec<u8> = (0..3 * 12).collect();
        assert!(copy_yuyv(&buffer, (4, 3), 12, &mut frame));
        assert_eq!(frame.data, [0..8, 12..20, 24..32].into_iter().flatten().collect::<Vec<u8>>());
        assert!(frame.view().is_ok());
        assert!(!copy_yuyv(&buffer[..30], (4, 3), 12, &mut frame), "a short buffer");
    }

    #[test]
    fn a_device_that_is_not_there_is_explained() {
        let error = Camera::open(Path::new("/dev/no-camera"), (640, 480), 30.0).err().expect("refused");
        assert!(error.to_string().contains("is a camera connected"), "{error}");
    }
}
