//! Where frames come from.

#[cfg(all(feature = "camera", target_os = "linux"))]
mod camera;
mod pictures;
mod raw;
mod synthetic;
mod y4m;

#[cfg(all(feature = "camera", target_os = "linux"))]
use super::args::SourceArg;
use super::args::{LiveArgs, RawFormat};
use anyhow::{Context, Result, bail};
use osprey_detector::frame::{Frame, FrameError, Orientation, PackedFormat, Plane, YuvColor};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

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

/// A source with its pace; none where frames come by themselves.
pub(super) struct Stream {
    pub(super) source: Box<dyn Source>,
    pub(super) fps: Option<f64>,
}

pub(super) fn open(args: &LiveArgs) -> Result<Stream> {
    #[cfg(all(feature = "camera", target_os = "linux"))]
    if args.source == Some(SourceArg::Camera) {
        let (size, fps) = (args.size.unwrap_or((1280, 720)), args.fps.unwrap_or(DEFAULT_FPS));
        let camera = camera::Camera::open(&args.device, size, fps)?;
        // Frames come at the camera's own pace.
        return Ok(Stream { source: Box::new(camera), fps: None });
    }
    let Some(input) = &args.input else {
        let fps = args.fps.unwrap_or(DEFAULT_FPS);
        let size = args.size.unwrap_or((1280, 720));
        return Ok(Stream { source: Box::new(synthetic::Synthetic::new(size, fps)), fps: Some(fps) });
    };
    if input.as_os_str() == "-" {
        return Ok(match (args.raw, args.size) {
            (Some(format), Some(size)) => {
                Stream { source: Box::new(raw::Raw::new(io::stdin(), format, size)), fps: args.fps }
            }
            _ => Stream { source: Box::new(y4m::Y4m::new(BufReader::new(io::stdin()))?), fps: args.fps },
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
            return Ok(Stream { source: Box::new(first), fps: Some(fps) });
        }
        return Ok(Stream { source: Box::new(y4m::Repeated::new(first, Box::new(open))), fps: Some(fps) });
    }
    if args.raw.is_some() {
        bail!("--raw is for standard input: pass - in place of {}", input.display());
    }
    let pictures = pictures::Pictures::new(input, args.repeat)?;
    Ok(Stream { source: Box::new(pictures), fps: Some(args.fps.unwrap_or(DEFAULT_FPS)) })
}

fn is_y4m(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("y4m"))
}
