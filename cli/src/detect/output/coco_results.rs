//! COCO's format of results: an array of boxes, as the `loadRes` of pycocotools reads it.
//!
//! An image's id is the number that its file's name ends with, as COCO's own pictures are called
//! (`000000397133.jpg` is 397133); where a name has none, the file belongs to no COCO truth and the
//! writer says so. Categories carry COCO's own 91 ids where the model's classes are COCO's 80, else
//! ids count from one.

use super::Writer;
use crate::detect::record::{Record, round};
use crate::files::Destination;
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

/// COCO's ids of the 80 classes, in their order: 1 to 90 with ten gaps.
pub(crate) const COCO_IDS: [usize; 80] = {
    const GAPS: [usize; 10] = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83];
    let mut ids = [0; 80];
    let (mut id, mut i) = (1, 0);
    while i < 80 {
        let (mut gap, mut g) = (false, 0);
        while g < GAPS.len() {
            gap |= GAPS[g] == id;
            g += 1;
        }
        if !gap {
            ids[i] = id;
            i += 1;
        }
        id += 1;
    }
    ids
};

/// Whether the classes are COCO's 80: by their number, and by some that others would not have there.
pub(crate) fn are_coco(labels: &[String]) -> bool {
    let known = [(0, "person"), (11, "stop sign"), (15, "cat"), (60, "dining table"), (79, "toothbrush")];
    labels.len() == COCO_IDS.len() && known.iter().all(|&(i, name)| labels[i] == name)
}

#[derive(Serialize)]
struct Found {
    image_id: u64,
    category_id: usize,
    /// x, y, width, height in pixels.
    bbox: [f64; 4],
    score: f64,
}

pub(super) struct CocoResults {
    out: Destination,
    ids: Vec<usize>,
    seen: HashSet<u64>,
    count: u64,
}

impl CocoResults {
    pub(super) fn new(mut out: Destination, labels: &[String]) -> Result<Self> {
        let ids = if are_coco(labels) { COCO_IDS.to_vec() } else { (1..=labels.len()).collect() };
        write!(out, "[")?;
        Ok(Self { out, ids, seen: HashSet::new(), count: 0 })
    }
}

impl Writer for CocoResults {
    fn write(&mut self, record: &Record) -> Result<()> {
        let image_id = image_id(&record.image).with_context(|| {
            format!(
                "{}: the name ends in no number, which COCO's results need as the image's id; \
                 --format coco writes names",
                record.image
            )
        })?;
        if !self.seen.insert(image_id) {
            anyhow::bail!("two pictures have the id {image_id}, the second is {}", record.image);
        }
        for f in &record.found {
            let b = &f.bbox;
            let bbox = [b.x_min, b.y_min, b.x_max - b.x_min, b.y_max - b.y_min];
            let bbox = bbox.map(|v| round(v.into(), 2));
            let category_id = self.ids.get(f.class_id).copied().unwrap_or(f.class_id + 1);
            let found = Found { image_id, category_id, bbox, score: round(f.score.into(), 4) };
            let separator = if self.count == 0 { "\n" } else { ",\n" };
            self.count += 1;
            write!(self.out, "{separator}{}", serde_json::to_string(&found)?)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        writeln!(self.out, "\n]")?;
        self.out.commit()
    }
}

/// The number that a file's name ends with.
fn image_id(path: &str) -> Option<u64> {
    let stem = Path::new(path).file_stem()?.to_str()?;
    let digits = stem.len() - stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    stem[stem.len() - digits..].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_coco() {
        assert_eq!(
            (COCO_IDS[0], COCO_IDS[11], COCO_IDS[15], COCO_IDS[60], COCO_IDS[79]),
            (1, 13, 17, 67, 90)
        );
    }

    #[test]
    fn an_image_is_named_by_the_number_at_its_end() {
        assert_eq!(image_id("val2017/000000397133.jpg"), Some(397_133));
        assert_eq!(image_id("COCO_val2014_000000000042.jpg"), Some(42));
        assert_eq!(image_id("cat.jpg"), None);
    }
}
