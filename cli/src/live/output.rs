//! What `osprey live` writes for each result.

use super::source::ffmpeg::Encoder;
use crate::detect::annotate;
use crate::detect::blur::pixelate;
use crate::detect::record::{Found, corners, milliseconds, round};
use crate::files::Destination;
use ab_glyph::FontRef;
use anyhow::{Context, Result};
use image::RgbImage;
use osprey_detector::NormBox;
use osprey_detector::pipeline::{Detections, Shown, Stage};
use osprey_detector::track::Track;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// A result with names in place of numbers.
pub(super) fn line(shown: &Shown<Detections>, labels: &[String]) -> Value {
    let (width, height) = shown.output.picture;
    let pixels = |b: NormBox| corners(&b.clipped().to_pixels(width, height));
    let score = |s: f32| round(s.into(), 4);
    let detections = shown.output.detections.iter().map(|d| {
        json!({"label": name(labels, d.class_id), "class_id": d.class_id, "score": score(d.score), "box": pixels(d.bbox)})
    });
    let tracks = shown.output.tracks.iter().map(|t| {
        json!({"id": t.id, "label": name(labels, t.class_id), "class_id": t.class_id, "score": score(t.score),
            "box": pixels(t.bbox), "age": round(t.age.into(), 3), "unseen": round(t.unseen.into(), 3)})
    });
    let times = Stage::ALL
        .iter()
        .filter_map(|s| Some((s.name().to_owned(), json!(milliseconds(shown.timings.get(*s)?)))));
    json!({
        "frame": shown.sequence,
        "time": round(shown.timestamp.seconds(), 6),
        "width": width,
        "height": height,
        "detections": detections.collect::<Vec<_>>(),
        "tracks": tracks.collect::<Vec<_>>(),
        "ms": times.collect::<serde_json::Map<_, _>>(),
    })
}

fn name(labels: &[String], class_id: usize) -> String {
    labels.get(class_id).cloned().unwrap_or_else(|| class_id.to_string())
}

/// Makes objects of these classes unrecognizable: those of this frame, and those that are followed where the
/// model misses them.
pub(super) fn blur(image: &mut RgbImage, shown: &Shown<Detections>, classes: &[usize]) {
    let (width, height) = image.dimensions();
    let Detections { detections, tracks, .. } = &shown.output;
    let seen = detections.iter().map(|d| (d.class_id, d.bbox));
    let boxes = seen.chain(tracks.iter().map(|t| (t.class_id, t.bbox)));
    for (_, bbox) in boxes.filter(|(class, _)| classes.contains(class)) {
        pixelate(image, bbox.to_pixels(width, height).edges());
    }
}

/// Draws tracks with their numbers, or detections where nothing is tracked.
pub(super) fn draw(image: &mut RgbImage, shown: &Shown<Detections>, labels: &[String], font: &FontRef<'_>) {
    let (width, height) = image.dimensions();
    let found = |class_id: usize, label: String, score: f32, bbox: NormBox| Found {
        class_id,
        label,
        score,
        bbox: bbox.clipped().to_pixels(width, height),
    };
    let tracked =
        |t: &Track| found(t.class_id, format!("{} #{}", name(labels, t.class_id), t.id), t.score, t.bbox);
    let output = &shown.output;
    let found: Vec<_> = match output.tracks.is_empty() {
        false => output.tracks.iter().map(tracked).collect(),
        true => {
            let detections = output.detections.iter();
            detections.map(|d| found(d.class_id, name(labels, d.class_id), d.score, d.bbox)).collect()
        }
    };
    annotate::draw(image, &found, (width, height), font);
}

/// Y4M with full chroma, or a film of another kind through ffmpeg; the first frame sets the size, others
/// are fitted to it.
pub(super) struct VideoWriter {
    out: Out,
    fps: f64,
    size: Option<(u32, u32)>,
    planes: Vec<u8>,
}

enum Out {
    Y4m(Destination),
    Film(Encoder),
}

impl Out {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Y4m(out) => out,
            Self::Film(out) => out,
        }
    }
}

impl VideoWriter {
    /// Y4M where the name says so, has no extension, or is - for standard output.
    pub(super) fn create(path: &Path, fps: f64) -> Result<Self> {
        let y4m = path.extension().is_none_or(|e| e.eq_ignore_ascii_case("y4m"));
        let out = if y4m { Out::Y4m(Destination::create(path)?) } else { Out::Film(Encoder::start(path)?) };
        Ok(Self { out, fps, size: None, planes: Vec::new() })
    }

    pub(super) fn write(&mut self, image: &RgbImage) -> Result<()> {
        let size = match self.size {
            Some(size) => size,
            None => {
                let (w, h) = image.dimensions();
                let rate = (self.fps * 1000.0).round();
                let out = self.out.writer();
                writeln!(out, "YUV4MPEG2 W{w} H{h} F{rate}:1000 Ip A1:1 C444 XCOLORRANGE=FULL")?;
                *self.size.insert((w, h))
            }
        };
        let resized;
        let image = match image.dimensions() == size {
            true => image,
            false => {
                resized =
                    image::imageops::resize(image, size.0, size.1, image::imageops::FilterType::Triangle);
                &resized
            }
        };
        // JFIF: BT.601, full range.
        let count = (size.0 * size.1) as usize;
        self.planes.resize(count * 3, 0);
        let (luma, chroma) = self.planes.split_at_mut(count);
        let (cb, cr) = chroma.split_at_mut(count);
        for (i, pixel) in image.pixels().enumerate() {
            let [r, g, b] = pixel.0.map(i32::from);
            luma[i] = ((19_595 * r + 38_470 * g + 7_471 * b + 32_768) >> 16) as u8;
            cb[i] = (((-11_059 * r - 21_709 * g + 32_768 * b + 32_767) >> 16) + 128) as u8;
            cr[i] = (((32_768 * r - 27_439 * g - 5_329 * b + 32_767) >> 16) + 128) as u8;
        }
        let out = self.out.writer();
        out.write_all(b"FRAME\n").context("cannot write the annotated video")?;
        out.write_all(&self.planes).context("cannot write the annotated video")
    }

    pub(super) fn commit(self) -> Result<()> {
        match self.out {
            Out::Y4m(out) => out.commit(),
            Out::Film(out) => out.finish(),
        }
    }
}
