//! What people say is in the images: COCO JSON, YOLO text, Pascal VOC XML.

mod coco;
mod voc;
mod yolo;

use crate::EvaluateError;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Pictures with the boxes that people drew.
#[derive(Debug, Default)]
pub struct Truth {
    /// Names of classes; boxes refer to them by index.
    pub classes: Vec<String>,
    /// Ids of the classes in a COCO file; empty elsewhere.
    pub category_ids: Vec<u64>,
    /// The pictures, with or without objects.
    pub pictures: Vec<Labelled>,
}

/// A picture and its boxes.
#[derive(Debug)]
pub struct Labelled {
    /// The file, or the name that it would have.
    pub path: PathBuf,
    /// The picture's id in a COCO file; its position elsewhere.
    pub id: u64,
    /// Width and height in pixels, where the truth says them.
    pub size: Option<(u32, u32)>,
    /// The boxes that people drew.
    pub boxes: Vec<TruthBox>,
}

/// An object.
#[derive(Debug, Clone)]
pub struct TruthBox {
    /// Index among the truth's classes.
    pub class: usize,
    /// Its box.
    pub place: Place,
    /// Area of the object's outline in pixels, where known; of its box elsewhere.
    pub area: Option<f64>,
    /// A crowd in COCO, a difficult object in VOC: finding it is neither right nor wrong.
    pub ignored: bool,
}

/// A box, in the units of its file.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// x, y, width, height in pixels.
    Pixels([f64; 4]),
    /// Centre and size in fractions of the picture.
    Fractions([f64; 4]),
}

impl Place {
    /// x, y, width, height in pixels of a picture of this size.
    pub fn xywh(self, (width, height): (u32, u32)) -> [f64; 4] {
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
    /// Reads `truth`, a COCO file or a folder of YOLO or VOC files. `images` is the folder of the
    /// pictures, which have one of `extensions` (any case, without the dot); `names` are the classes
    /// if a folder of YOLO files does not name them.
    ///
    /// # Errors
    /// [`EvaluateError::Read`], [`EvaluateError::Format`]; [`EvaluateError::Nothing`] if there are
    /// no pictures or no truth.
    pub fn read(
        truth: &Path,
        images: &Path,
        names: &[String],
        extensions: &[&str],
    ) -> Result<Self, EvaluateError> {
        let nothing = |problem: String| Err(EvaluateError::Nothing(problem));
        if !images.is_dir() {
            return nothing(format!("{} is not a folder of pictures", images.display()));
        }
        let read = if truth.is_file() {
            coco::read(truth, images)?
        } else if truth.is_dir() {
            let folders = Folders { truth, images, extensions };
            match kind_of(truth)? {
                Kind::Voc => voc::read(&folders)?,
                Kind::Yolo => yolo::read(&folders, names)?,
            }
        } else {
            return nothing(format!("there is no file or folder {}", truth.display()));
        };
        if read.pictures.is_empty() {
            return nothing(format!("the truth in {} names no picture", truth.display()));
        }
        Ok(read)
    }

    /// How many boxes people drew.
    pub fn boxes(&self) -> usize {
        self.pictures.iter().map(|p| p.boxes.len()).sum()
    }
}

enum Kind {
    Voc,
    Yolo,
}

fn kind_of(folder: &Path) -> Result<Kind, EvaluateError> {
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().flatten() {
        match entry.path().extension().and_then(|e| e.to_str()) {
            Some("xml") => return Ok(Kind::Voc),
            Some("txt") => return Ok(Kind::Yolo),
            _ => {}
        }
    }
    let problem = format!("{} holds neither VOC (.xml) nor YOLO (.txt) files", folder.display());
    Err(EvaluateError::Nothing(problem))
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

/// Where label files and pictures lie.
struct Folders<'a> {
    truth: &'a Path,
    images: &'a Path,
    /// Of pictures.
    extensions: &'a [&'a str],
}

impl Folders<'_> {
    /// Pairs each label file with the picture of the same name, in the order of names. Pictures
    /// without a label file are pictures without objects.
    fn paired(&self, extension: &str) -> Vec<(PathBuf, Option<PathBuf>)> {
        let mut labels = by_stem(self.truth, &[extension]);
        let mut pictures: Vec<_> = by_stem(self.images, self.extensions).into_iter().collect();
        pictures.sort();
        pictures.into_iter().map(|(stem, path)| (path, labels.remove(&stem))).collect()
    }
}
