//! What people say is in the pictures: COCO JSON, YOLO text, Pascal VOC XML.

mod coco;
mod voc;
mod yolo;

use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Pictures with the boxes that people drew.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// Names of classes; boxes refer to them by index.
    pub(crate) classes: Vec<String>,
    /// Ids of the classes in a COCO file; empty elsewhere.
    pub(crate) category_ids: Vec<u64>,
    pub(crate) pictures: Vec<Labelled>,
}

/// A picture and its boxes.
#[derive(Debug)]
pub(crate) struct Labelled {
    /// The file, or the name that it would have.
    pub(crate) path: PathBuf,
    /// The picture's id in a COCO file; its position elsewhere.
    pub(crate) id: u64,
    /// Width and height in pixels, where the truth says them.
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) boxes: Vec<TruthBox>,
}

#[derive(Debug, Clone)]
pub(crate) struct TruthBox {
    pub(crate) class: usize,
    pub(crate) place: Place,
    /// Area of the object's outline in pixels, where known; of its box elsewhere.
    pub(crate) area: Option<f64>,
    /// A crowd in COCO, a difficult object in VOC: finding it is neither right nor wrong.
    pub(crate) ignored: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// x, y, width, height in pixels.
    Pixels([f64; 4]),
    /// Centre and size in fractions of the picture.
    Fractions([f64; 4]),
}

impl Place {
    /// x, y, width, height in pixels of a picture of this size.
    pub(crate) fn xywh(self, (width, height): (u32, u32)) -> [f64; 4] {
        match self {
            Self::Pixels(xywh) => xywh,
            Self::Fractions([x, y, w, h]) => {
                let (width, height) = (f64::from(width), f64::from(height));
                [(x - w / 2.0) * width, (y - h / 2.0) * height, w * width, h * height]
            }
        }
    }
}

impl Truth {
    /// `truth` is a COCO file, or a folder of YOLO or VOC files; `images` the folder of the
    /// pictures; `names` are the classes where a folder of YOLO files does not name them.
    pub(crate) fn read(truth: &Path, images: &Path, names: &[String]) -> Result<Self> {
        ensure!(images.is_dir(), "{} is not a folder of pictures", images.display());
        let read = if truth.is_file() {
            coco::read(truth, images)
        } else if truth.is_dir() {
            match kind_of(truth)? {
                Kind::Voc => voc::read(truth, images),
                Kind::Yolo => yolo::read(truth, images, names),
            }
        } else {
            bail!("there is no file or folder {}", truth.display())
        };
        let read = read.with_context(|| format!("cannot read the truth in {}", truth.display()))?;
        ensure!(!read.pictures.is_empty(), "the truth in {} names no picture", truth.display());
        Ok(read)
    }

    pub(crate) fn boxes(&self) -> usize {
        self.pictures.iter().map(|p| p.boxes.len()).sum()
    }
}

enum Kind {
    Voc,
    Yolo,
}

fn kind_of(folder: &Path) -> Result<Kind> {
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().flatten() {
        match entry.path().extension().and_then(|e| e.to_str()) {
            Some("xml") => return Ok(Kind::Voc),
            Some("txt") => return Ok(Kind::Yolo),
            _ => {}
        }
    }
    bail!("{} holds neither VOC (.xml) nor YOLO (.txt) files", folder.display())
}

/// Files in a folder, by their path in it without extension.
fn by_stem(folder: &Path, extensions: &[&str]) -> HashMap<PathBuf, PathBuf> {
    let mut files = HashMap::new();
    for entry in WalkDir::new(folder).follow_links(true).into_iter().flatten() {
        let path = entry.path();
        let known = path
            .extension()
            .and_then(|e| e.to_str())
            .is_some_and(|e| extensions.iter().any(|known| e.eq_ignore_ascii_case(known)));
        if let (true, Ok(relative)) = (known && entry.file_type().is_file(), path.strip_prefix(folder)) {
            files.insert(relative.with_extension(""), path.to_owned());
        }
    }
    files
}

/// Pairs each label file with the picture of the same name, in the order of names. Pictures without
/// a label file are pictures without objects.
fn paired(labels: &Path, extension: &str, images: &Path) -> Vec<(PathBuf, Option<PathBuf>)> {
    let mut labels = by_stem(labels, &[extension]);
    let mut pictures: Vec<_> = by_stem(images, &crate::detect::EXTENSIONS).into_iter().collect();
    pictures.sort();
    pictures.into_iter().map(|(stem, path)| (path, labels.remove(&stem))).collect()
}
