//! Pascal VOC's XML: corners in whole pixels counted from one, both included.

use super::{Folders, Labelled, Place, Truth, TruthBox};
use crate::EvaluateError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    object: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    name: String,
    #[serde(default)]
    difficult: u8,
    bndbox: Corners,
}

#[derive(Deserialize)]
struct Corners {
    xmin: f64,
    ymin: f64,
    xmax: f64,
    ymax: f64,
}

pub(super) fn read(folders: &Folders<'_>) -> Result<Truth, EvaluateError> {
    let mut read = Vec::new();
    for (path, label) in folders.paired("xml") {
        let objects = match label {
            Some(file) => {
                let text = fs::read_to_string(&file).map_err(EvaluateError::read(&file))?;
                let parsed: Annotation = quick_xml::de::from_str(&text)
                    .map_err(EvaluateError::parse(&file, "is not a VOC annotation"))?;
                parsed.object
            }
            None => Vec::new(),
        };
        read.push((path, objects));
    }
    let names = read.iter().flat_map(|(_, objects)| objects).map(|o| (o.name.clone(), 0));
    let mut classes: BTreeMap<String, usize> = names.collect();
    for (index, class) in classes.values_mut().enumerate() {
        *class = index;
    }
    let labelled = |(index, (path, objects)): (usize, (_, Vec<Object>))| Labelled {
        path,
        id: index as u64 + 1,
        size: None,
        boxes: objects.iter().map(|o| truth_box(o, classes[&o.name])).collect(),
    };
    let pictures = read.into_iter().enumerate().map(labelled).collect();
    Ok(Truth { pictures, classes: classes.into_keys().collect(), ..Truth::default() })
}

fn truth_box(o: &Object, class: usize) -> TruthBox {
    let b = &o.bndbox;
    let place = Place::Pixels([b.xmin - 1.0, b.ymin - 1.0, b.xmax - b.xmin + 1.0, b.ymax - b.ymin + 1.0]);
    TruthBox { class, place, area: None, ignored: o.difficult != 0 }
}
