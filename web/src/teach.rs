//! Classes of one's own, learned from pictures: nearest neighbours at once, a last layer once it is trained.

use crate::error::Failure;
use crate::options::Options;
use osprey_detector::frame::Frame;
use osprey_detector::model::LoadedModel;
use osprey_learn::{
    Augmentation, Augmenter, Classification, Control, Examples, FeatureExtractor, KnnSettings, LearnError,
    NearestNeighbors, PictureFeatures, Trainer, TrainingSettings, store,
};
use serde_json::json;

/// Views that are learned of each picture: itself, its mirror image, and some in another light.
const VIEWS: usize = 8;

/// Names no tensor: the embedding is chosen by the library.
const EMBEDDING: &[&str] = &[];

pub(crate) struct Teacher {
    features: PictureFeatures,
    augmenter: Augmenter,
    nearest: NearestNeighbors,
    /// None before a training, and after the classes or their pictures changed.
    trained: Option<Trainer>,
}

impl Teacher {
    pub(crate) fn new(model: &[u8], options: &str) -> Result<Self, Failure> {
        let options = Options::parse(options)?.load()?;
        let (_, input) = LoadedModel::from_bytes(model, &options)?.image_input()?;
        let engine =
            osprey_engine::Options { isa: options.isa, limits: options.limits, ..Default::default() };
        let features = PictureFeatures::new(FeatureExtractor::new(model, EMBEDDING, &engine)?, &input)?;
        Ok(Self {
            augmenter: Augmenter::new(Augmentation::default(), features.size())?,
            nearest: NearestNeighbors::new(Examples::new(features.dim()), neighbors())?,
            trained: None,
            features,
        })
    }

    /// Names of the classes, their numbers of pictures, and whether a last layer was trained for them, as JSON.
    pub(crate) fn describe(&self) -> String {
        let examples = self.nearest.examples();
        let pictures: Vec<usize> = examples.counts().iter().map(|views| views / VIEWS).collect();
        json!({ "classes": examples.classes(), "pictures": pictures, "trained": self.trained.is_some() })
            .to_string()
    }

    pub(crate) fn add_class(&mut self, name: &str) -> Result<i32, Failure> {
        let class = self.nearest.add_class(name.trim())?;
        self.trained = None;
        Ok(class as i32)
    }

    pub(crate) fn remove_class(&mut self, class: usize) -> Result<(), Failure> {
        self.nearest.remove_class(class)?;
        self.trained = None;
        Ok(())
    }

    /// Learns a picture of a class: all of its views, or none.
    pub(crate) fn learn(&mut self, class: usize, frame: &Frame<'_>) -> Result<(), Failure> {
        let classes = self.nearest.examples().classes().len();
        if class >= classes {
            return Err(LearnError::NoSuchClass { class, classes }.into());
        }
        let seed = self.nearest.examples().len() as u64;
        let mut views = Vec::with_capacity(VIEWS);
        self.augmenter.extract(frame, 0..VIEWS, seed, &mut self.features, |_, view| {
            views.push(view.to_vec());
            Ok(())
        })?;
        views.iter().try_for_each(|view| self.nearest.add(class, view))?;
        self.trained = None;
        Ok(())
    }

    /// Which class a picture is of, as JSON; by the last layer where it was trained.
    pub(crate) fn classify(&mut self, frame: &Frame<'_>) -> Result<String, Failure> {
        let mut features = vec![0.0; self.features.dim()];
        self.features.extract(frame, &mut features)?;
        let Classification { class, probabilities } = match &self.trained {
            Some(trainer) => trainer.head().classify(&features)?,
            None => self.nearest.classify(&features)?,
        };
        Ok(json!({ "class": class, "probabilities": probabilities }).to_string())
    }

    /// Trains a last layer on all pictures: its loss and its accuracy on them, as JSON.
    pub(crate) fn train(&mut self, epochs: usize) -> Result<String, Failure> {
        let examples = self.nearest.examples();
        let mut trainer = Trainer::new(TrainingSettings { epochs, ..TrainingSettings::default() }, examples)?;
        trainer.train(&mut &*examples, None, None, &Control::new(), &mut |_| {})?;
        let last = trainer.history().last().ok_or(Failure::Untrained)?.training;
        self.trained = Some(trainer);
        Ok(json!({ "loss": last.loss, "accuracy": last.accuracy }).to_string())
    }

    /// All that was learned, for [`Self::restore`].
    pub(crate) fn save(&self) -> Result<Vec<u8>, Failure> {
        let pictures = store::encode(&self.nearest)?;
        let mut bytes = (pictures.len() as u32).to_le_bytes().to_vec();
        bytes.extend(pictures);
        if let Some(trainer) = &self.trained {
            bytes.extend(store::encode(trainer)?);
        }
        Ok(bytes)
    }

    /// Takes what [`Self::save`] gave in place of what is known; nothing changes where it cannot be.
    pub(crate) fn restore(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let cut = store::Problem::Damaged("it is cut short");
        let (length, rest) = bytes.split_first_chunk().ok_or(cut)?;
        let (pictures, training) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(cut)?;
        let nearest: NearestNeighbors = store::decode(pictures)?;
        let (kept, expected) = (nearest.examples().dim(), self.features.dim());
        if kept != expected {
            return Err(Failure::OtherModel { kept, expected });
        }
        if !nearest.examples().counts().iter().all(|views| views.is_multiple_of(VIEWS)) {
            return Err(store::Problem::Damaged("a picture lacks some of its views").into());
        }
        let trainer = if training.is_empty() { None } else { Some(store::decode::<Trainer>(training)?) };
        let fits =
            |t: &Trainer| t.head().dim() == expected && t.head().classes() == nearest.examples().classes();
        self.trained = trainer.filter(fits);
        self.nearest = nearest;
        Ok(())
    }
}

/// Two pictures' views vote.
fn neighbors() -> KnnSettings {
    KnnSettings { k: 2 * VIEWS, ..KnnSettings::default() }
}
