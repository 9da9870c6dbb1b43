//! How much of what the float detector finds the quantized one finds too.

use crate::model::Source;
use crate::samples::{next_readable, spread};
use anyhow::Result;
use osprey_detector::model::{LoadOptions, LoadedModel};
use osprey_detector::{Detection, Detector, DetectorOptions};
use std::fmt;
use std::path::PathBuf;

/// Pictures that both look at.
const PICTURES: u32 = 24;
/// Boxes that overlap by more are the same object.
const SAME: f32 = 0.5;

/// Objects of both detectors.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    float: usize,
    quantized: usize,
    both: usize,
    pictures: usize,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} objects found again on {} pictures, {} of {} were there before",
            self.both, self.float, self.pictures, self.both, self.quantized
        )
    }
}

/// `None` where the models are no detectors.
pub(super) fn boxes(
    float: &Source,
    quantized: &[u8],
    options: &LoadOptions,
    folder: &PathBuf,
) -> Result<Option<Agreement>> {
    let detector = |loaded: LoadedModel| Detector::from_model(loaded, &DetectorOptions::default());
    let (Ok(mut float), Ok(mut quantized)) =
        (detector(float.load(options)?), detector(LoadedModel::from_bytes(quantized, options)?))
    else {
        return Ok(None);
    };
    let mut files = spread(folder, PICTURES)?.into_iter();
    let mut agreement = Agreement::default();
    while let Some(picture) = next_readable(&mut files) {
        let found = float.detect(&picture.frame()?)?;
        let mut again = quantized.detect(&picture.frame()?)?.to_vec();
        agreement.pictures += 1;
        agreement.float += found.len();
        agreement.quantized += again.len();
        for object in found {
            // Best first, and each box is one object.
            if let Some(at) = again.iter().position(|other| is_same(object, other)) {
                again.swap_remove(at);
                agreement.both += 1;
            }
        }
    }
    Ok(Some(agreement))
}

fn is_same(a: &Detection, b: &Detection) -> bool {
    a.class_id == b.class_id && a.bbox.iou(&b.bbox) > SAME
}
