//! What the model finds in the pictures.

use crate::args::EvalArgs;
use crate::detect::decode::{Picture, PictureLimits};
use crate::detect::finder::Finder;
use crate::detect::inputs::Input;
use crate::detect::pipeline::{self, Finish, Outcome, Plan};
use crate::detect::progress::Progress;
use crate::detect::record::Record;
use anyhow::Result;
use osprey_evaluate::{ClassMap, FoundBox, Judged, Truth, missing};
use std::thread;

/// Nothing is drawn while figures are made.
struct NoDrawing;

impl Finish for NoDrawing {
    type Output = ();

    fn needs_pictures(&self) -> bool {
        false
    }

    fn prepare(&self, _: usize, _: &Record, _: Option<Picture>) -> Result<()> {
        Ok(())
    }
}

/// Runs the model; pictures that cannot be read are reported and left out.
pub(crate) fn by_model(truth: &Truth, finder: &mut Finder, args: &EvalArgs) -> Result<Vec<Judged>> {
    for class in missing(&truth.classes, finder.labels()) {
        eprintln!("osprey: the model does not know the class \"{class}\"; it counts as never found");
    }
    let classes = ClassMap::new(&truth.classes);
    let inputs: Vec<_> =
        truth.pictures.iter().map(|p| Input { path: p.path.clone(), name: Default::default() }).collect();
    let plan = Plan {
        limits: PictureLimits::megapixels(crate::args::MAX_MEGAPIXELS),
        decoders: thread::available_parallelism().map_or(1, usize::from),
        finishers: 1,
        identify: false,
    };
    let progress = Progress::new(inputs.len(), args.quiet, false);
    let mut judged = Vec::with_capacity(inputs.len());
    let mut position = 0..;
    pipeline::run(&inputs, &plan, finder, &NoDrawing, |outcome| {
        let picture = position.next().unwrap_or_default();
        match outcome {
            Outcome::Found(record, ()) => judged.push(judge(picture, &record, &classes)),
            Outcome::Skipped(s) => progress.skipped(&s),
        }
        progress.advance();
        Ok(())
    })?;
    progress.finish();
    Ok(judged)
}

fn judge(picture: usize, record: &Record, classes: &ClassMap) -> Judged {
    let found = record.found.iter().filter_map(|f| {
        let [x0, y0, x1, y1] = [f.bbox.x_min, f.bbox.y_min, f.bbox.x_max, f.bbox.y_max].map(f64::from);
        let class = classes.find(&f.label)?;
        Some(FoundBox { class, score: f.score.into(), xywh: [x0, y0, x1 - x0, y1 - y0] })
    });
    Judged { picture, size: (record.width, record.height), found: found.collect() }
}
