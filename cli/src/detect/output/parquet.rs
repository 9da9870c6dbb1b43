//! Parquet: a row for each picture, those that were left out included.

use super::Writer;
use crate::detect::record::{Record, Skipped, Times};
use crate::files::Destination;
use anyhow::Result;
use osprey_parquet::{PictureRow, PictureWriter, RowBox};

pub(super) struct Parquet(PictureWriter<Destination>);

impl Parquet {
    pub(super) fn new(out: Destination) -> Result<Self> {
        Ok(Self(PictureWriter::new(out)?))
    }
}

impl Writer for Parquet {
    fn write(&mut self, record: &Record) -> Result<()> {
        let boxes = record.found.iter().map(|f| RowBox {
            corners: [f.bbox.x_min, f.bbox.y_min, f.bbox.x_max, f.bbox.y_max],
            score: f.score,
            class_id: f.class_id as u32,
            label: f.label.clone(),
        });
        Ok(self.0.write(PictureRow {
            path: record.image.clone(),
            image_id: record.image_id.to_string(),
            size: Some((record.width, record.height)),
            status: "ok",
            error: None,
            boxes: boxes.collect(),
            ms: milliseconds(&record.times),
        })?)
    }

    fn skip(&mut self, skipped: &Skipped) -> Result<()> {
        Ok(self.0.write(PictureRow {
            path: skipped.image.clone(),
            image_id: skipped.image_id.to_string(),
            size: None,
            status: skipped.error.kind.name(),
            error: Some(skipped.error.message.clone()),
            boxes: Vec::new(),
            ms: 0.0,
        })?)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.0.finish()?.commit()
    }
}

fn milliseconds(times: &Times) -> f32 {
    times.stages().iter().map(|(_, ms)| ms).sum::<f64>() as f32
}
