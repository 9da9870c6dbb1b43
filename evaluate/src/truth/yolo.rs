//! YOLO's text format: lines `class x y w h`, centre and size as fractions.

use super::{Folders, Labelled, Place, Truth, TruthBox};
use crate::EvaluateError;
use std::fs;
use std::path::Path;

/// Files that name the classes, a line each.
const NAME_FILES: [&str; 4] = ["classes.txt", "labels.txt", "obj.names", "classes.names"];

pub(super) fn read(folders: &Folders<'_>, names: &[String]) -> Result<Truth, EvaluateError> {
    let own = NAME_FILES.iter().map(|f| folders.truth.join(f)).find(|f| f.is_file());
    let classes = match own {
        Some(file) => lines(&file)?,
        None => names.to_vec(),
    };
    let mut pictures = Vec::new();
    for (index, (path, label)) in folders.paired("txt").into_iter().enumerate() {
        let boxes = label.map(|file| boxes(&file, classes.len())).transpose()?.unwrap_or_default();
        pictures.push(Labelled { path, id: index as u64 + 1, size: None, boxes });
    }
    Ok(Truth { classes, pictures, ..Truth::default() })
}

fn lines(file: &Path) -> Result<Vec<String>, EvaluateError> {
    let text = fs::read_to_string(file).map_err(EvaluateError::read(file))?;
    Ok(text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect())
}

fn boxes(file: &Path, classes: usize) -> Result<Vec<TruthBox>, EvaluateError> {
    let numbered = lines(file)?.into_iter().zip(1..);
    let read = numbered.map(|(line, number)| {
        truth_box(&line, classes).map_err(|problem| EvaluateError::Line {
            path: file.to_owned(),
            line: number,
            problem,
        })
    });
    read.collect()
}

/// The box of a line, or what is wrong with it.
fn truth_box(line: &str, classes: usize) -> Result<TruthBox, String> {
    let values: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
    let values = values.map_err(|_| "not all are numbers".to_owned())?;
    let (class, place) = match *values.as_slice() {
        [class, x, y, w, h] | [class, x, y, w, h, _] => (class, [x, y, w, h]),
        _ => return Err(format!("expected class, x, y, width, height, found {} numbers", values.len())),
    };
    if !(class >= 0.0 && class.fract() == 0.0 && class < classes as f64) {
        return Err(format!("class {class} of {classes}; put the names into {}", NAME_FILES[0]));
    }
    if !place.iter().all(|v| (-0.01..=1.01).contains(v)) {
        return Err("coordinates must be fractions of the picture, 0 to 1".to_owned());
    }
    Ok(TruthBox { class: class as usize, place: Place::Fractions(place), area: None, ignored: false })
}
