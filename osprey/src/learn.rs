//! Classes of one's own from a few images: the built-in detector's features, and all of the
//! library's ways to learn from them.

pub use osprey_learn::*;

use crate::{Error, Image};

/// Numbers that tell images apart, from a detector cut off at its features.
#[derive(Debug)]
pub struct Features(PictureFeatures);

impl Features {
    /// Those of the built-in detector.
    ///
    /// # Errors
    /// [`Error::NoModel`], [`Error::Learn`].
    #[cfg(feature = "builtin")]
    pub fn built_in() -> Result<Self, Error> {
        let model = osprey_models::default_for(osprey_detector::model::Task::Detection)?;
        let model = model.ok_or(Error::NoModel { task: "detection" })?;
        let failed = |e: osprey_detector::ModelError| Error::Detector(e.into());
        let options = model.options(&osprey_detector::LoadOptions::default());
        let loaded = osprey_detector::LoadedModel::from_bytes(model.bytes, &options).map_err(failed)?;
        let (_, input) = loaded.image_input().map_err(failed)?;
        let extractor = FeatureExtractor::new::<&str>(model.bytes, &[], &osprey_engine::Options::default())?;
        Ok(Self(PictureFeatures::new(extractor, &input)?))
    }

    /// How many there are of an image.
    pub fn dim(&self) -> usize {
        self.0.dim()
    }

    /// Those of an image.
    ///
    /// # Errors
    /// [`Error::Frame`], [`Error::Learn`].
    pub fn of<'a>(&mut self, image: impl Into<Image<'a>>) -> Result<Vec<f32>, Error> {
        let mut features = vec![0.0; self.dim()];
        self.0.extract(&image.into().frame()?, &mut features)?;
        Ok(features)
    }
}

impl From<PictureFeatures> for Features {
    fn from(features: PictureFeatures) -> Self {
        Self(features)
    }
}
