//! Pascal VOC's XML: a file for each picture, corners in whole pixels counted from one, both
//! included.

use super::Writer;
use super::yolo::with_suffix;
use crate::detect::record::{Found, Record};
use crate::files::{make_folder, write_whole};
use anyhow::Result;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
#[serde(rename = "annotation")]
struct Annotation<'a> {
    folder: String,
    filename: String,
    path: &'a str,
    source: Source,
    size: Size,
    segmented: u8,
    object: Vec<Object<'a>>,
}

#[derive(Serialize)]
struct Source {
    database: &'static str,
}

#[derive(Serialize)]
struct Size {
    width: u32,
    height: u32,
    depth: u8,
}

#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    pose: &'static str,
    truncated: u8,
    difficult: u8,
    score: String,
    bndbox: Corners,
}

#[derive(Serialize)]
struct Corners {
    xmin: u32,
    ymin: u32,
    xmax: u32,
    ymax: u32,
}

pub(super) struct Voc {
    folder: PathBuf,
}

impl Voc {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        make_folder(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }
}

impl Writer for Voc {
    fn write(&mut self, record: &Record) -> Result<()> {
        let path = Path::new(&record.image);
        let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let annotation = Annotation {
            folder: text(path.parent().and_then(Path::file_name)),
            filename: text(path.file_name()),
            path: &record.image,
            source: Source { database: "osprey" },
            size: Size { width: record.width, height: record.height, depth: 3 },
            segmented: 0,
            object: record.found.iter().map(|f| object(f, record.width, record.height)).collect(),
        };
        let mut xml = String::new();
        let mut serializer = quick_xml::se::Serializer::new(&mut xml);
        serializer.indent(' ', 2);
        annotation.serialize(serializer)?;
        xml.push('\n');
        write_whole(&self.folder.join(with_suffix(&record.name, ".xml")), xml.as_bytes())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

fn object(f: &Found, width: u32, height: u32) -> Object<'_> {
    // The pixels between two edges: the first is one beyond the left edge, the last ends at the right one.
    let span = |low: f32, high: f32, extent: u32| {
        let first = (low.round() as u32).min(extent - 1) + 1;
        (first, (high.round() as u32).clamp(first, extent))
    };
    let (xmin, xmax) = span(f.bbox.x_min, f.bbox.x_max, width);
    let (ymin, ymax) = span(f.bbox.y_min, f.bbox.y_max, height);
    Object {
        name: &f.label,
        pose: "Unspecified",
        truncated: 0,
        difficult: 0,
        score: format!("{:.4}", f.score),
        bndbox: Corners { xmin, ymin, xmax, ymax },
    }
}
