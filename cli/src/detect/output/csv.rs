//! A line for each detection.

use super::Writer;
use crate::detect::record::{Record, corners, round};
use crate::files::Destination;
use anyhow::{Context, Result};

pub(super) struct Csv {
    out: ::csv::Writer<Destination>,
}

impl Csv {
    /// `with_header` unless `out` has one already.
    pub(super) fn new(out: Destination, with_header: bool) -> Result<Self> {
        let mut out = ::csv::Writer::from_writer(out);
        if with_header {
            out.write_record([
                "image", "width", "height", "label", "class_id", "score", "xmin", "ymin", "xmax", "ymax",
            ])?;
        }
        Ok(Self { out })
    }
}

impl Writer for Csv {
    fn write(&mut self, record: &Record) -> Result<()> {
        for f in &record.found {
            let score = round(f.score.into(), 4);
            self.out.serialize((
                &record.image,
                record.width,
                record.height,
                &f.label,
                f.class_id,
                score,
                corners(&f.bbox),
            ))?;
        }
        if self.out.get_ref().is_live() {
            self.out.flush()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<u64> {
        self.out.flush()?;
        self.out.get_ref().len()
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let out = self.out.into_inner().map_err(|e| e.into_error()).context("cannot write the CSV file")?;
        out.commit()
    }
}
