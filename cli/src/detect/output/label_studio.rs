//! Predictions for Label Studio: an array of tasks, as its import takes it, with boxes to correct by hand.
//! Boxes are in percent of the picture; `from_name` and `to_name` are those of its template for boxes.

use super::Writer;
use crate::detect::record::{Record, round};
use crate::files::Destination;
use anyhow::Result;
use serde_json::{Value, json};
use std::io::Write;

pub(super) struct LabelStudio {
    out: Destination,
    tasks: u64,
}

impl LabelStudio {
    pub(super) fn new(mut out: Destination) -> Result<Self> {
        write!(out, "[")?;
        Ok(Self { out, tasks: 0 })
    }
}

impl Writer for LabelStudio {
    fn write(&mut self, record: &Record) -> Result<()> {
        let separator = if self.tasks == 0 { "\n" } else { ",\n" };
        write!(self.out, "{separator}{}", task(record, self.tasks))?;
        self.tasks += 1;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        writeln!(self.out, "\n]")?;
        self.out.commit()
    }
}

fn task(record: &Record, number: u64) -> Value {
    let percent = |value: f32, of: u32| round(f64::from(value) * 100.0 / f64::from(of.max(1)), 4);
    let (width, height) = (record.width, record.height);
    let boxes = record.found.iter().enumerate().map(|(i, f)| {
        json!({
            "id": format!("{number}-{i}"),
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "score": round(f.score.into(), 4),
            "value": {
                "x": percent(f.bbox.x_min, width),
                "y": percent(f.bbox.y_min, height),
                "width": percent(f.bbox.x_max - f.bbox.x_min, width),
                "height": percent(f.bbox.y_max - f.bbox.y_min, height),
                "rotation": 0,
                "rectanglelabels": [f.label],
            },
        })
    });
    let boxes: Vec<_> = boxes.collect();
    let best = record.found.first().map_or(0.0, |f| round(f.score.into(), 4));
    json!({
        "data": {"image": record.image},
        "predictions": [{"model_version": "osprey", "score": best, "result": boxes}],
    })
}
