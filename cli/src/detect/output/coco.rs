//! COCO's object detection format, with a score in each annotation.

use super::Writer;
use crate::detect::record::{Record, round};
use crate::files::Destination;
use anyhow::{Context, Result};
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};

#[derive(Serialize)]
struct Category<'a> {
    id: usize,
    name: &'a str,
}

#[derive(Serialize)]
struct Image<'a> {
    id: u64,
    file_name: &'a str,
    width: u32,
    height: u32,
}

#[derive(Serialize)]
struct Annotation {
    id: u64,
    image_id: u64,
    category_id: usize,
    /// x, y, width, height in pixels.
    bbox: [f64; 4],
    area: f64,
    iscrowd: u8,
    score: f64,
}

/// Images go straight to the output; annotations, which come after all images in the file, wait in
/// a temporary file.
pub(super) struct Coco {
    out: Destination,
    annotations: BufWriter<File>,
    images: u64,
    count: u64,
}

/// Ids start at one: zero stands for the background in much of COCO's tooling.
pub(crate) fn category_id(class_id: usize) -> usize {
    class_id + 1
}

impl Coco {
    pub(super) fn new(mut out: Destination, labels: &[String]) -> Result<Self> {
        let categories = labels.iter().enumerate().map(|(i, name)| Category { id: category_id(i), name });
        let categories = serde_json::to_string(&categories.collect::<Vec<_>>())?;
        write!(out, "{{\"categories\":{categories},\n\"images\":[")?;
        let spool = tempfile::tempfile().context("cannot make a temporary file")?;
        Ok(Self { out, annotations: BufWriter::new(spool), images: 0, count: 0 })
    }
}

impl Writer for Coco {
    fn write(&mut self, record: &Record) -> Result<()> {
        let separator = if self.images == 0 { "\n" } else { ",\n" };
        self.images += 1;
        let id = self.images;
        let image = Image { id, file_name: &record.image, width: record.width, height: record.height };
        write!(self.out, "{separator}{}", serde_json::to_string(&image)?)?;
        for f in &record.found {
            let b = &f.bbox;
            let separator = if self.count == 0 { "\n" } else { ",\n" };
            self.count += 1;
            let [x, y, w, h] =
                [b.x_min, b.y_min, b.x_max - b.x_min, b.y_max - b.y_min].map(|v| round(v.into(), 2));
            let annotation = Annotation {
                id: self.count,
                image_id: id,
                category_id: category_id(f.class_id),
                bbox: [x, y, w, h],
                area: round(w * h, 2),
                iscrowd: 0,
                score: round(f.score.into(), 4),
            };
            write!(self.annotations, "{separator}{}", serde_json::to_string(&annotation)?)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let mut spool = self.annotations.into_inner().map_err(io::IntoInnerError::into_error)?;
        spool.rewind()?;
        write!(self.out, "\n],\n\"annotations\":[")?;
        io::copy(&mut BufReader::new(spool), &mut self.out)?;
        writeln!(self.out, "\n]}}")?;
        self.out.commit()
    }
}
