//! Where frames come from.

#[cfg(all(feature = "camera", target_os = "linux"))]
mod camera;
pub(super) mod ffmpeg;
mod pictures;
mod raw;
mod synthetic;
mod y4m;

#[cfg(all(feature = "camera", target_os = "linux"))]
use super::args::SourceArg;
use super::args::{LiveArgs, RawFormat};
use crate::detect::decode::kinds::has_picture_extension;
use anyhow::{Context, Result, bail};
use osprey_detector::frame::{Frame, FrameError, Orientation, PackedFormat, Plane, YuvColor};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::time::Duration;

/// Frames per second where nothing else says.
pub(super) const DEFAULT_FPS: f64 = 30.0;

/// A frame that owns its memory; used again for the next one.
#[derive(Debug)]
pub(super) struct OwnedFrame {
    pub(super) data: Vec<u8>,
    pub(super) format: RawFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) color: YuvColor,
    pub(super) orientation: Orientation,
    /// In the source's own time, where it tells one for each frame.
    pub(super) time: Option<Duration>,
}

impl Default for OwnedFrame {
    fn default() -> Self {
        Self {
            data: Vec::new(),
            format: RawFormat::Rgb,
            width: 0,
            height: 0,
            color: YuvColor::BT601_VIDEO,
            orientation: Orientation::Upright,
            time: None,
        }
    }
}

impl OwnedFrame {
    pub(super) fn view(&self) -> Result<Frame<'_>, FrameError> {
        let (w, h, data) = (self.width, self.height, self.data.as_slice());
        let (full, half) = (w as usize * h as usize, w.div_ceil(2) as usize);
        let frame = match self.format {
            RawFormat::Rgb => Frame::rgb(data, w, h),
            RawFormat::Bgra => Frame::bgra(data, w, h),
            RawFormat::Gray => Frame::gray(data, w, h),
            RawFormat::Yuyv => Frame::yuyv(Plane::new(data, w as usize * 2), w, h, self.color),
            RawFormat::Nv12 => {
                let (luma, chroma) = data.split_at(full.min(data.len()));
                Frame::nv12(Plane::new(luma, w as usize), Plane::new(chroma, half * 2), w, h, self.color)
            }
            RawFormat::I420 => {
                let (luma, chroma) = data.split_at(full.min(data.len()));
                let (cb, cr) = chroma.split_at(chroma.len() / 2);
                let planes = [Plane::new(luma, w as usize), Plane::new(cb, half), Plane::new(cr, half)];
                Frame::i420(planes, w, h, self.color)
            }
        };
        Ok(frame?.with_orientation(self.orientation))
    }
}

/// Bytes of a frame without padding.
pub(super) fn frame_bytes(format: RawFormat, width: u32, height: u32) -> usize {
    let (w, h) = (width as usize, height as usize);
    match format {
        RawFormat::Gray => w * h,
        RawFormat::Rgb => w * h * PackedFormat::Rgb.bytes_per_pixel(),
        RawFormat::Bgra => w * h * PackedFormat::Bgra.bytes_per_pixel(),
        RawFormat::Yuyv => w * h * 2,
        RawFormat::Nv12 | RawFormat::I420 => w * h + w.div_ceil(2) * h.div_ceil(2) * 2,
    }
}

/// A stream of frames.
pub(super) trait Source {
    /// Fills `frame` with the next one; false at the end.
    fn next(&mut self, frame: &mut OwnedFrame) -> Result<bool>;
}

/// When frames are let through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    /// As they come.
    Free,
    /// At their own times.
    Own,
    /// So many a second.
    Fps(f64),
}

/// A source with its times.
pub(super) struct Stream {
    pub(super) source: Box<dyn Source>,
    pub(super) pace: Pace,
    /// Frames of the source in a second of its own time, on average; where it does not say, a frame's time
    /// is that at which it came.
    pub(super) rate: Option<f64>,
    /// Each frame counts, however long it takes.
    pub(super) every: bool,
}

impl Stream {
    /// At `rate`, or as frames come.
    fn new(source: impl Source + 'static, rate: Option<f64>) -> Self {
        let pace = if rate.is_some() { Pace::Own } else { Pace::Free };
        Self { source: Box::new(source), pace, rate, every: false }
    }
}

pub(super) fn open(args: &LiveArgs) -> Result<Stream> {
    #[cfg(all(feature = "camera", target_os = "linux"))]
    if args.source == Some(SourceArg::Camera) {
        let (size, fps) = (args.size.unwrap_or((1280, 720)), args.fps.unwrap_or(DEFAULT_FPS));
        let camera = camera::Camera::open(&args.device, size, fps)?;
        // Frames come at the camera's own pace.
        return Ok(Stream::new(camera, None));
    }
    let Some(input) = &args.input else {
        let fps = args.fps.unwrap_or(DEFAULT_FPS);
        let size = args.size.unwrap_or((1280, 720));
        return Ok(Stream::new(synthetic::Synthetic::new(size, fps), Some(fps)));
    };
    if input.as_os_str() == "-" {
        return Ok(match (args.raw, args.size) {
            (Some(format), Some(size)) => Stream::new(raw::Raw::new(io::stdin(), format, size), args.fps),
            _ => {
                let video = y4m::Y4m::new(BufReader::new(io::stdin()))?;
                let rate = args.fps.or(video.fps());
                Stream { rate, ..Stream::new(video, args.fps) }
            }
        });
    }
    if is_y4m(input) {
        let path = input.clone();
        let open = move || -> Result<_> {
            let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
            y4m::Y4m::new(BufReader::new(file)).with_context(|| path.display().to_string())
        };
        let first = open()?;
        let fps = args.fps.or(first.fps()).unwrap_or(DEFAULT_FPS);
        if !args.repeat {
            return Ok(Stream::new(first, Some(fps)));
        }
        return Ok(Stream::new(y4m::Repeated::new(first, Box::new(open)), Some(fps)));
    }
    if args.raw.is_some() {
        bail!("--raw is for standard input: pass - in place of {}", input.display());
    }
    if let Some(found) = ffmpeg::Input::parse(input).filter(|_| !has_picture_extension(input)) {
        let alive = found.is_alive();
        let film = ffmpeg::Ffmpeg::open(found, args.hardware_decoding, args.repeat)?;
        let rate = film.fps().filter(|_| !alive);
        // Nobody watches: a film is gone through as fast as it can be, frame by frame.
        let every = !alive && args.serve.is_none() && args.fps.is_none();
        let pace = match args.fps {
            _ if alive || every || args.every => Pace::Free,
            Some(fps) => Pace::Fps(fps),
            None => Pace::Own,
        };
        return Ok(Stream { source: Box::new(film), pace, rate, every });
    }
    let pictures = pictures::Pictures::new(input, args.repeat)?;
    Ok(Stream::new(pictures, Some(args.fps.unwrap_or(DEFAULT_FPS))))
}

fn is_y4m(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("y4m"))
}
