//! YUV4MPEG2, as ffmpeg and mjpegtools write it.

use super::raw::read_whole;
use super::{OwnedFrame, Source, frame_bytes};
use crate::live::args::RawFormat;
use anyhow::{Context, Result, bail};
use osprey_detector::frame::{MAX_SIDE, YuvColor};
use std::io::{BufRead, Read};

/// Longest header line; real ones are below a hundred bytes.
const MAX_LINE: u64 = 4096;

/// Largest frame, in bytes.
const MAX_FRAME: usize = 512 << 20;

pub(super) struct Y4m<R> {
    reader: R,
    format: RawFormat,
    size: (u32, u32),
    fps: Option<f64>,
    color: YuvColor,
}

impl<R: BufRead> Y4m<R> {
    pub(super) fn new(mut reader: R) -> Result<Self> {
        const MAGIC: &[u8] = b"YUV4MPEG2";
        // The first bytes of a film may look like anything, but not like this.
        let start = reader.fill_buf()?;
        let alike = start.iter().zip(MAGIC).all(|(a, b)| a == b);
        let header = if alike { line(&mut reader)?.unwrap_or_default() } else { String::new() };
        if !header.as_bytes().starts_with(MAGIC) {
            bail!(
                "not a Y4M stream: pass the film's name in place of -, or make one with \
                 ffmpeg -i FILE -f yuv4mpegpipe -pix_fmt yuv420p -, or pass --raw"
            );
        }
        let fields = header.split(' ').skip(1);
        let (mut width, mut height, mut fps) = (0, 0, None);
        let (mut format, mut color) = (RawFormat::I420, YuvColor::BT601_VIDEO);
        for field in fields {
            let Some((tag, value)) = field.split_at_checked(1) else { continue };
            match tag {
                "W" => width = value.parse().unwrap_or(0),
                "H" => height = value.parse().unwrap_or(0),
                "F" => fps = rate(value),
                "C" if value == "mono" => format = RawFormat::Gray,
                "C" if value.starts_with("420") && !value.starts_with("420p1") => {
                    format = RawFormat::I420;
                    if value == "420jpeg" {
                        color = YuvColor::BT601_FULL;
                    }
                }
                "C" => bail!("Y4M with chroma {value} is not read: convert with ffmpeg -pix_fmt yuv420p"),
                "X" if value == "COLORRANGE=FULL" => color = YuvColor::BT601_FULL,
                "X" if value == "COLORRANGE=LIMITED" => color = YuvColor::BT601_VIDEO,
                _ => {}
            }
        }
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            bail!("the Y4M header has no usable size: {header}");
        }
        if frame_bytes(format, width, height) > MAX_FRAME {
            bail!("Y4M frames of {width}x{height} are larger than {} MB", MAX_FRAME >> 20);
        }
        Ok(Self { reader, format, size: (width, height), fps, color })
    }

    pub(super) fn fps(&self) -> Option<f64> {
        self.fps
    }
}

impl<R: BufRead> Source for Y4m<R> {
    fn next(&mut self, frame: &mut OwnedFrame) -> Result<bool> {
        let Some(header) = line(&mut self.reader)? else { return Ok(false) };
        if !header.starts_with("FRAME") {
            bail!("damaged Y4M stream: no FRAME where one should start");
        }
        (frame.format, frame.color) = (self.format, self.color);
        (frame.width, frame.height) = self.size;
        frame.data.resize(frame_bytes(self.format, frame.width, frame.height), 0);
        if read_whole(&mut self.reader, &mut frame.data)? < frame.data.len() {
            bail!("the Y4M stream ends in the middle of a frame");
        }
        Ok(true)
    }
}

type Open<R> = Box<dyn FnMut() -> Result<Y4m<R>>>;

/// A file from the start again at its end.
pub(super) struct Repeated<R> {
    current: Y4m<R>,
    open: Open<R>,
}

impl<R> Repeated<R> {
    pub(super) fn new(first: Y4m<R>, open: Open<R>) -> Self {
        Self { current: first, open }
    }
}

impl<R: BufRead> Source for Repeated<R> {
    fn next(&mut self, frame: &mut OwnedFrame) -> Result<bool> {
        if self.current.next(frame)? {
            return Ok(true);
        }
        self.current = (self.open)()?;
        self.current.next(frame)
    }
}

/// The next line without its end; none at the end of the stream.
fn line(reader: &mut impl BufRead) -> Result<Option<String>> {
    let mut bytes = Vec::new();
    reader.take(MAX_LINE).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.pop() != Some(b'\n') {
        bail!("damaged Y4M stream: a header line does not end; ffmpeg -i FILE -f yuv4mpegpipe - writes one");
    }
    String::from_utf8(bytes).map(Some).context("damaged Y4M stream: a header is not text")
}

fn rate(value: &str) -> Option<f64> {
    let (count, seconds) = value.split_once(':')?;
    let fps = count.parse::<f64>().ok()? / seconds.parse::<f64>().ok()?;
    (0.01..=10_000.0).contains(&fps).then_some(fps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let mut stream = b"YUV4MPEG2 W3 H2 F30000:1001 Ip C420jpeg\n".to_vec();
        for value in [1, 2] {
            stream.extend(b"FRAME\n");
            stream.extend([value; 3 * 2 + 2 * 2]);
        }
        let mut source = Y4m::new(stream.as_slice()).unwrap();
        assert!((source.fps().unwrap() - 29.97).abs() < 0.001);
        let mut frame = OwnedFrame::default();
        for value in [1, 2] {
            assert!(source.next(&mut frame).unwrap());
            assert_eq!(frame.data, [value; 10]);
            assert_eq!(frame.view().unwrap().upright_size(), (3, 2));
        }
        assert!(!source.next(&mut frame).unwrap());
        let mut cut = Y4m::new(&stream[..stream.len() - 1]).unwrap();
        assert!(cut.next(&mut frame).unwrap());
        assert!(cut.next(&mut frame).is_err());
    }

    #[test]
    fn hostile_headers_are_errors() {
        for header in [
            "",
            "RIFF",
            "YUV4MPEG2\n",
            "YUV4MPEG2 W0 H5\n",
            "YUV4MPEG2 W5 H-1\n",
            "YUV4MPEG2 W65535 H65535\n",
            "YUV4MPEG2 W8 H8 C422\n",
            "YUV4MPEG2 W8 H8 C420p10\n",
            "YUV4MPEG2 W8 H8",
        ] {
            assert!(Y4m::new(header.as_bytes()).is_err(), "{header}");
        }
    }
}
