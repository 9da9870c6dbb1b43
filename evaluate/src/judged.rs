//! What a model found in the pictures of a truth.

use crate::truth::{Labelled, Truth};
use crate::{ClassMap, EvaluateError};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A picture with what a model found in it.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Position among the truth's pictures.
    pub picture: usize,
    /// Width and height, in pixels.
    pub size: (u32, u32),
    /// Best first.
    pub found: Vec<FoundBox>,
}

/// An object that a model found.
#[derive(Debug, Clone)]
pub struct FoundBox {
    /// Index among the truth's classes.
    pub class: usize,
    /// The higher, the surer.
    pub score: f64,
    /// x, y, width, height in pixels.
    pub xywh: [f64; 4],
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

impl Judged {
    /// Reads detections from a COCO file, with images and scores or as a list of results. Also says
    /// how many pictures of the truth the file does not have; they are left out.
    ///
    /// # Errors
    /// [`EvaluateError::Read`], [`EvaluateError::Format`]; [`EvaluateError::Nothing`] if no picture is
    /// common to both, or if a list of results belongs to a truth without sizes.
    pub fn read(truth: &Truth, file: &Path) -> Result<(Vec<Self>, usize), EvaluateError> {
        let open = File::open(file).map_err(EvaluateError::read(file))?;
        let problem = "holds neither COCO results (a list) nor COCO annotations with scores";
        let read: Detections =
            serde_json::from_reader(BufReader::new(open)).map_err(EvaluateError::parse(file, problem))?;
        let judged = match &read {
            Detections::Dataset { images, .. } => sized(truth, images)?,
            Detections::Results(_) => measured(truth)?,
        };
        let absent = truth.pictures.len() - judged.len();
        Ok((filled(truth, judged, read), absent))
    }
}

/// Gives each picture its detections.
fn filled(truth: &Truth, mut judged: Vec<Judged>, read: Detections) -> Vec<Judged> {
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
    judged
}

fn sized(truth: &Truth, images: &[Image]) -> Result<Vec<Judged>, EvaluateError> {
    let sizes: HashMap<_, _> =
        images.iter().map(|i| (last_part(&i.file_name), (i.width, i.height))).collect();
    let of = |(picture, p): (usize, &Labelled)| {
        let size = *sizes.get(name(p))?;
        Some(Judged { picture, size, found: Vec::new() })
    };
    let judged: Vec<_> = truth.pictures.iter().enumerate().filter_map(of).collect();
    if judged.is_empty() {
        let problem = "no picture of the truth is in the detections: are the file names the same?";
        return Err(EvaluateError::Nothing(problem.to_owned()));
    }
    Ok(judged)
}

fn measured(truth: &Truth) -> Result<Vec<Judged>, EvaluateError> {
    let pictures = truth.pictures.iter().enumerate();
    let of = |(picture, p): (usize, &Labelled)| {
        let size = p.size.ok_or_else(|| {
            EvaluateError::Nothing("detections without pictures go with COCO truth only".to_owned())
        })?;
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
