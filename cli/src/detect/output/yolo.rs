//! YOLO's text format: a file for each picture, a line `class x y w h` for each box, centre and size
//! as fractions of the picture; `classes.txt` names the classes.

use super::Writer;
use crate::detect::record::Record;
use crate::files::{make_folder, write_whole};
use anyhow::Result;
use std::fmt::Write;
use std::path::{Path, PathBuf};

pub(super) struct Yolo {
    folder: PathBuf,
    with_scores: bool,
}

impl Yolo {
    pub(super) fn new(folder: &Path, labels: &[String], with_scores: bool) -> Result<Self> {
        make_folder(folder)?;
        let names: String = labels.iter().map(|l| format!("{l}\n")).collect();
        write_whole(&folder.join("classes.txt"), names.as_bytes())?;
        Ok(Self { folder: folder.to_owned(), with_scores })
    }
}

impl Writer for Yolo {
    fn write(&mut self, record: &Record) -> Result<()> {
        let (width, height) = (f64::from(record.width), f64::from(record.height));
        let mut text = String::new();
        for f in &record.found {
            let [x0, y0, x1, y1] = [f.bbox.x_min, f.bbox.y_min, f.bbox.x_max, f.bbox.y_max].map(f64::from);
            let (x, y) = ((x0 + x1) / 2.0 / width, (y0 + y1) / 2.0 / height);
            let (w, h) = ((x1 - x0) / width, (y1 - y0) / height);
            write!(text, "{} {x:.6} {y:.6} {w:.6} {h:.6}", f.class_id)?;
            if self.with_scores {
                write!(text, " {:.4}", f.score)?;
            }
            text.push('\n');
        }
        write_whole(&self.folder.join(with_suffix(&record.name, ".txt")), text.as_bytes())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// Appends where `with_extension` would replace what follows a dot in the name.
pub(crate) fn with_suffix(name: &Path, suffix: &str) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
