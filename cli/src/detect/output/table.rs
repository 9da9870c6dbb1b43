//! Text to read.

use super::Writer;
use crate::detect::record::Record;
use crate::files::Destination;
use anyhow::Result;
use std::io::Write;

pub(super) struct Table {
    out: Destination,
}

impl Table {
    pub(super) fn new(out: Destination) -> Self {
        Self { out }
    }
}

impl Writer for Table {
    fn write(&mut self, record: &Record) -> Result<()> {
        let Record { image, width, height, found, .. } = record;
        let count = match found.len() {
            0 => "nothing found".to_owned(),
            1 => "1 object".to_owned(),
            n => format!("{n} objects"),
        };
        writeln!(self.out, "{image}  {width}x{height}  {count}")?;
        let longest = found.iter().map(|f| f.label.chars().count()).max().unwrap_or(0);
        for f in found {
            let b = &f.bbox;
            writeln!(
                self.out,
                "  {:<longest$}  {:5.1} %  x {:>6.0} to {:<6.0} y {:>6.0} to {:.0}",
                f.label,
                f.score * 100.0,
                b.x_min,
                b.x_max,
                b.y_min,
                b.y_max
            )?;
        }
        if self.out.is_live() {
            self.out.flush()?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.out.commit()
    }
}
