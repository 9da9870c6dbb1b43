//! A JSON object a line, one for each picture.

use super::Writer;
use crate::detect::record::{Record, corners, round};
use crate::files::Destination;
use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

#[derive(Serialize)]
struct Line<'a> {
    image: &'a str,
    width: u32,
    height: u32,
    detections: Vec<Detection<'a>>,
    ms: BTreeMap<&'static str, f64>,
}

#[derive(Serialize)]
struct Detection<'a> {
    label: &'a str,
    class_id: usize,
    score: f64,
    /// xmin, ymin, xmax, ymax in pixels.
    #[serde(rename = "box")]
    bbox: [f64; 4],
}

pub(super) struct Jsonl {
    out: Destination,
}

impl Jsonl {
    pub(super) fn new(out: Destination) -> Self {
        Self { out }
    }
}

impl Writer for Jsonl {
    fn write(&mut self, record: &Record) -> Result<()> {
        let detections = record.found.iter().map(|f| Detection {
            label: &f.label,
            class_id: f.class_id,
            score: round(f.score.into(), 4),
            bbox: corners(&f.bbox),
        });
        let line = Line {
            image: &record.image,
            width: record.width,
            height: record.height,
            detections: detections.collect(),
            ms: record.times.stages().into(),
        };
        writeln!(self.out, "{}", serde_json::to_string(&line)?)?;
        if self.out.is_live() {
            self.out.flush()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<u64> {
        self.out.settle()
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.out.commit()
    }
}
