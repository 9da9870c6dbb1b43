//! YOLO's text format: lines `class x y w h`, centre and size as fractions.

use super::{Labelled, Place, Truth, TruthBox, paired};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Files that name the classes, a line each.
const NAME_FILES: [&str; 4] = ["classes.txt", "labels.txt", "obj.names", "classes.names"];

pub(super) fn read(folder: &Path, images: &Path, names: &[String]) -> Result<Truth> {
    let own = NAME_FILES.iter().map(|f| folder.join(f)).find(|f| f.is_file());
    let classes = match own {
        Some(file) => lines(&file)?,
        None => names.to_vec(),
    };
    let mut pictures = Vec::new();
    for (index, (path, label)) in paired(folder, "txt", images).into_iter().enumerate() {
        let boxes = label.map(|file| boxes(&file, classes.len())).transpose()?.unwrap_or_default();
        pictures.push(Labelled { path, id: index as u64 + 1, size: None, boxes });
    }
    Ok(Truth { classes, pictures, ..Truth::default() })
}

fn lines(file: &PathBuf) -> Result<Vec<String>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect())
}

fn boxes(file: &PathBuf, classes: usize) -> Result<Vec<TruthBox>> {
    let mut boxes = Vec::new();
    for (number, line) in lines(file)?.iter().enumerate() {
        let at = || format!("{}, line {}", file.display(), number + 1);
        let values: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        let values = values.with_context(|| format!("{}: not all are numbers", at()))?;
        let (class, place) = match *values.as_slice() {
            [class, x, y, w, h] | [class, x, y, w, h, _] => (class, [x, y, w, h]),
            _ => bail!("{}: expected class, x, y, width, height, found {} numbers", at(), values.len()),
        };
        ensure!(
            class >= 0.0 && class.fract() == 0.0 && (class as usize) < classes,
            "{}: class {class} of {classes}; put the names into {}",
            at(),
            NAME_FILES[0]
        );
        ensure!(
            place.iter().all(|v| (-0.01..=1.01).contains(v)),
            "{}: coordinates must be fractions of the picture, 0 to 1",
            at()
        );
        boxes.push(TruthBox {
            class: class as usize,
            place: Place::Fractions(place),
            area: None,
            ignored: false,
        });
    }
    Ok(boxes)
}
