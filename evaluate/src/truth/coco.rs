//! COCO's object detection format.

use super::{Labelled, Place, Truth, TruthBox};
use crate::EvaluateError;
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

#[derive(Deserialize)]
struct Dataset {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    area: Option<f64>,
    #[serde(default)]
    iscrowd: u8,
}

#[derive(Deserialize)]
struct Category {
    id: u64,
    name: String,
}

pub(super) fn read(file: &Path, images: &Path) -> Result<Truth, EvaluateError> {
    let open = File::open(file).map_err(EvaluateError::read(file))?;
    let dataset: Dataset = serde_json::from_reader(BufReader::new(open))
        .map_err(EvaluateError::parse(file, "is not COCO JSON with images, annotations and categories"))?;
    let mut categories = dataset.categories;
    categories.sort_by_key(|c| c.id);
    let classes: HashMap<u64, usize> = categories.iter().enumerate().map(|(i, c)| (c.id, i)).collect();
    let mut pictures = Vec::with_capacity(dataset.images.len());
    let mut positions = HashMap::new();
    for image in dataset.images {
        positions.insert(image.id, pictures.len());
        let (path, size) = (images.join(&image.file_name), image.width.zip(image.height));
        pictures.push(Labelled { path, id: image.id, size, boxes: Vec::new() });
    }
    for a in dataset.annotations {
        let unlisted = |what: &str, id| {
            EvaluateError::format(file, format!("has an annotation of {what} {id}, which is not listed"))
        };
        let position = *positions.get(&a.image_id).ok_or_else(|| unlisted("image", a.image_id))?;
        let class = *classes.get(&a.category_id).ok_or_else(|| unlisted("category", a.category_id))?;
        let place = Place::Pixels(a.bbox);
        pictures[position].boxes.push(TruthBox { class, place, area: a.area, ignored: a.iscrowd != 0 });
    }
    let category_ids = categories.iter().map(|c| c.id).collect();
    Ok(Truth { classes: categories.into_iter().map(|c| c.name).collect(), category_ids, pictures })
}
