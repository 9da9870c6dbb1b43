//! What the model finds in the pictures, or what a file says that a model found.

use super::classes::{ClassMap, missing};
use super::truth::{Labelled, Truth};
use crate::args::EvalArgs;
use crate::detect::decode::{Picture, PictureLimits};
use crate::detect::finder::Finder;
use crate::detect::inputs::Input;
use crate::detect::pipeline::{self, Finish, Outcome, Plan};
use crate::detect::progress::Progress;
use crate::detect::record::Record;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::thread;

/// A picture with the boxes of people and of the model, in its pixels.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    /// Position among the truth's pictures.
    pub(crate) picture: usize,
    pub(crate) size: (u32, u32),
    /// Best first.
    pub(crate) found: Vec<FoundBox>,
}

#[derive(Debug, Clone)]
pub(crate) struct FoundBox {
    /// Class of the truth.
    pub(crate) class: usize,
    pub(crate) score: f64,
    /// x, y, width, height in pixels.
    pub(crate) xywh: [f64; 4],
}

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
        // COCO's figures judge each class by itself.
        one_object_iou: None,
        decoders: thread::available_parallelism().map_or(1, usize::from),
        finishers: 1,
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

/// The two forms in which COCO's tools and `osprey detect` keep detections.
#[derive(Deserialize)]
#[serde(untagged)]
enum Detections {
    /// With pictures by name.
    Dataset { images: Vec<Image>, annotations: Vec<Detection>, categories: Vec<Category> },
    /// Referring to the pictures and categories of the truth.
    Results(Vec<Detection>),
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct Category {
    id: u64,
    name: String,
}

#[derive(Deserialize)]
struct Detection {
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    score: f64,
}

/// Reads detections from a COCO file, with images and scores or as a list of results.
pub(crate) fn by_file(truth: &Truth, file: &Path) -> Result<Vec<Judged>> {
    let open = || -> Result<Detections> {
        serde_json::from_reader(BufReader::new(File::open(file)?))
            .context("neither COCO results (a list) nor COCO annotations with scores")
    };
    let read = open().with_context(|| format!("cannot read detections from {}", file.display()))?;
    let mut judged = match &read {
        Detections::Dataset { images, .. } => sized(truth, images)?,
        Detections::Results(_) => measured(truth)?,
    };
    let classes = ClassMap::new(&truth.classes);
    let (positions, kinds, detections): (HashMap<u64, usize>, HashMap<u64, Option<usize>>, _) = match read {
        Detections::Dataset { images, annotations, categories } => {
            let names: HashMap<_, _> = truth.pictures.iter().enumerate().map(|(i, p)| (name(p), i)).collect();
            let position = |i: &Image| Some((i.id, *names.get(last_part(&i.file_name))?));
            let kinds = categories.iter().map(|c| (c.id, classes.find(&c.name))).collect();
            (images.iter().filter_map(position).collect(), kinds, annotations)
        }
        Detections::Results(results) => {
            let positions = truth.pictures.iter().enumerate().map(|(i, p)| (p.id, i)).collect();
            let kinds = truth.category_ids.iter().enumerate().map(|(i, id)| (*id, Some(i))).collect();
            (positions, kinds, results)
        }
    };
    let by_picture: HashMap<usize, usize> = judged.iter().enumerate().map(|(i, j)| (j.picture, i)).collect();
    for d in detections {
        let place = positions.get(&d.image_id).and_then(|p| by_picture.get(p));
        if let (Some(&at), Some(Some(class))) = (place, kinds.get(&d.category_id)) {
            judged[at].found.push(FoundBox { class: *class, score: d.score, xywh: d.bbox });
        }
    }
    Ok(judged)
}

fn sized(truth: &Truth, images: &[Image]) -> Result<Vec<Judged>> {
    let sizes: HashMap<_, _> =
        images.iter().map(|i| (last_part(&i.file_name), (i.width, i.height))).collect();
    let of = |(picture, p): (usize, &Labelled)| {
        let size = *sizes.get(name(p))?;
        Some(Judged { picture, size, found: Vec::new() })
    };
    let judged: Vec<_> = truth.pictures.iter().enumerate().filter_map(of).collect();
    let absent = truth.pictures.len() - judged.len();
    if absent > 0 {
        eprintln!("osprey: {absent} pictures of the truth are not in the detections; they are left out");
    }
    ensure!(!judged.is_empty(), "no picture of the truth is in the detections: are the file names the same?");
    Ok(judged)
}

fn measured(truth: &Truth) -> Result<Vec<Judged>> {
    let pictures = truth.pictures.iter().enumerate();
    let of = |(picture, p): (usize, &Labelled)| {
        let size = p.size.context("detections without pictures go with COCO truth only")?;
        Ok(Judged { picture, size, found: Vec::new() })
    };
    pictures.map(of).collect()
}

fn name(p: &Labelled) -> &str {
    p.path.file_name().and_then(|n| n.to_str()).unwrap_or_default()
}

fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
