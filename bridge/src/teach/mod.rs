//! Learning on the device: classes from the camera, answered by nearest neighbours at once and by a
//! trained last layer when it was trained.

#![allow(unsafe_code, reason = "Swift hands over memory as addresses")]

mod evaluate;
mod train;

pub use evaluate::Evaluation;
pub use train::{TrainingControl, training_control};

use crate::border::ffi::PixelBuffer;
use crate::error::{Failure, FailureKind};
use crate::guard::{copy_out, guarded, lock, shielded};
use crate::picture;
use crate::source::ModelSource;
use osprey_detector::frame::Frame;
use osprey_detector::model::LoadOptions;
use osprey_learn::{
    Augmentation, Augmenter, Examples, FeatureExtractor, Head, KnnSettings, LearnError, LinearHead,
    NearestNeighbors, PictureFeatures, Store, Trainer, export,
};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

/// Views that are learned of each picture: itself, its mirror image, and some in another light.
const VIEWS: usize = 8;

/// Names no tensor: the embedding is chosen by the detector crate.
const EMBEDDING: &[&str] = &[];

/// A user's own classes. Any thread may call anything; one training runs at a time.
pub struct Teacher {
    source: ModelSource,
    folder: PathBuf,
    eyes: Mutex<Eyes>,
    learned: Mutex<Learned>,
    training: Mutex<()>,
}

/// From pictures to features.
struct Eyes {
    features: PictureFeatures,
    augmenter: Augmenter,
}

struct Learned {
    nearest: NearestNeighbors,
    store: Store<NearestNeighbors>,
    /// None before a training, and after the classes changed.
    linear: Option<LinearHead>,
}

/// Opens the classes kept in `folder`, which is made where it is missing; one process and one
/// teacher at a time. Features come from the pictures' model `source`.
///
/// # Errors
/// [`FailureKind::Storage`], [`FailureKind::Model`].
pub fn teacher(source: &ModelSource, folder: String) -> Result<Teacher, Failure> {
    guarded(|| {
        let folder = PathBuf::from(folder);
        let loaded = source.load(&LoadOptions::default())?;
        let (_, input) = loaded.image_input()?;
        let extractor =
            FeatureExtractor::new(&source.bytes()?, EMBEDDING, &osprey_engine::Options::default())?;
        let dim = extractor.dim();
        let features = PictureFeatures::new(extractor, &input)?;
        let augmenter = Augmenter::new(Augmentation::default(), features.size())?;

        let store = Store::<NearestNeighbors>::open(folder.join("examples"))?;
        // Examples of another model are of no use to this one.
        let kept = store.latest()?.map(|(_, nearest)| nearest);
        let kept = kept.filter(|nearest| nearest.examples().dim() == dim && whole_pictures(nearest));
        let nearest = kept.map_or_else(|| empty(dim), Ok)?;
        let trained = Store::<Trainer>::open(folder.join("training"))?.latest()?;
        let linear = trained.map(|(_, trainer)| best(&trainer)).filter(|head| fits(head, &nearest));
        Ok(Teacher {
            source: source.clone(),
            folder,
            eyes: Mutex::new(Eyes { features, augmenter }),
            learned: Mutex::new(Learned { nearest, store, linear }),
            training: Mutex::new(()),
        })
    })
}

fn empty(dim: usize) -> Result<NearestNeighbors, LearnError> {
    let settings = KnnSettings { k: 2 * VIEWS, ..KnnSettings::default() };
    NearestNeighbors::new(Examples::new(dim), settings)
}

fn whole_pictures(nearest: &NearestNeighbors) -> bool {
    nearest.examples().counts().iter().all(|n| n.is_multiple_of(VIEWS))
}

fn fits(head: &LinearHead, nearest: &NearestNeighbors) -> bool {
    head.dim() == nearest.examples().dim() && head.classes() == nearest.examples().classes()
}

fn best(trainer: &Trainer) -> LinearHead {
    trainer.best().map_or_else(|| trainer.head().clone(), |(_, head)| head)
}

impl Teacher {
    /// Names of the classes, one a line.
    pub fn classes(&self) -> String {
        shielded(String::new(), || lock(&self.learned).nearest.examples().classes().join("\n"))
    }

    /// Pictures of a class; 0 where there is no such class.
    pub fn pictures(&self, class: u32) -> u32 {
        shielded(0, || {
            let counts = lock(&self.learned).nearest.examples().counts();
            counts.get(class as usize).map_or(0, |n| (n / VIEWS) as u32)
        })
    }

    /// Whether a last layer was trained for the classes as they are.
    pub fn is_trained(&self) -> bool {
        shielded(false, || lock(&self.learned).linear.is_some())
    }

    /// Adds a class and gives its number. What was trained before no longer answers.
    ///
    /// # Errors
    /// [`FailureKind::Learning`] for a name that is empty or taken, [`FailureKind::Storage`].
    pub fn add_class(&self, name: String) -> Result<u32, Failure> {
        guarded(|| {
            let name = name.replace(['\n', '\r'], " ");
            let learned = &mut *lock(&self.learned);
            let class = learned.nearest.add_class(name.trim())?;
            learned.linear = None;
            learned.store.save(&learned.nearest)?;
            Ok(class as u32)
        })
    }

    /// Removes a class with its pictures; the numbers of later classes move down by one.
    ///
    /// # Errors
    /// [`FailureKind::Learning`], [`FailureKind::Storage`].
    pub fn remove_class(&self, class: u32) -> Result<(), Failure> {
        guarded(|| {
            let learned = &mut *lock(&self.learned);
            learned.nearest.remove_class(class as usize)?;
            learned.linear = None;
            learned.store.save(&learned.nearest)?;
            Ok(())
        })
    }

    /// Learns a picture of a class, in eight views; nearest neighbours know it from now on. Kept on
    /// disk by [`Self::save`], and by a training.
    ///
    /// # Errors
    /// [`FailureKind::Pointer`], [`FailureKind::Frame`], [`FailureKind::Learning`].
    pub fn add_picture(&self, class: u32, buffer: PixelBuffer) -> Result<(), Failure> {
        guarded(|| {
            // SAFETY: Swift holds the buffer locked during this call, and the frame ends with it.
            let frame = unsafe { picture::frame(&buffer) }?;
            let seed = lock(&self.learned).nearest.examples().len() as u64;
            let views = self.views(&frame, seed)?;
            let learned = &mut *lock(&self.learned);
            let known = learned.nearest.examples().classes().len();
            if class as usize >= known {
                return Err(LearnError::NoSuchClass { class: class as usize, classes: known }.into());
            }
            views.iter().try_for_each(|view| learned.nearest.add(class as usize, view))?;
            Ok(())
        })
    }

    fn views(&self, frame: &Frame<'_>, seed: u64) -> Result<Vec<Vec<f32>>, LearnError> {
        let Eyes { features, augmenter } = &mut *lock(&self.eyes);
        let mut views = Vec::with_capacity(VIEWS);
        augmenter.extract(frame, 0..VIEWS, seed, features, |_, view| {
            views.push(view.to_vec());
            Ok(())
        })?;
        Ok(views)
    }

    /// Says which class a picture is of: by the trained layer, or by the nearest neighbours.
    /// Writes a probability for each class to `capacity` floats at `probabilities`, and gives the
    /// class, −1 for none of these.
    ///
    /// # Errors
    /// [`FailureKind::Learning`] where nothing was learned or trained, [`FailureKind::Pointer`],
    /// [`FailureKind::Frame`].
    pub fn classify(
        &self,
        trained: bool,
        buffer: PixelBuffer,
        probabilities: usize,
        capacity: usize,
    ) -> Result<isize, Failure> {
        guarded(|| {
            // SAFETY: Swift holds the buffer locked during this call, and the frame ends with it.
            let frame = unsafe { picture::frame(&buffer) }?;
            let features = {
                let eyes = &mut *lock(&self.eyes);
                let mut features = vec![0.0; eyes.features.dim()];
                eyes.features.extract(&frame, &mut features)?;
                features
            };
            let learned = &mut *lock(&self.learned);
            let answer = match (trained, &learned.linear) {
                (false, _) => learned.nearest.classify(&features)?,
                (true, Some(head)) => head.classify(&features)?,
                (true, None) => return Err(untrained()),
            };
            // SAFETY: Swift lends room for `capacity` floats for this call.
            unsafe { copy_out(&answer.probabilities, probabilities, capacity) };
            Ok(answer.class.map_or(-1, |class| class as isize))
        })
    }

    /// Keeps all pictures on disk: whole or, where that fails, as they were kept before.
    ///
    /// # Errors
    /// [`FailureKind::Storage`].
    pub fn save(&self) -> Result<(), Failure> {
        guarded(|| {
            let learned = &mut *lock(&self.learned);
            learned.store.save(&learned.nearest)?;
            Ok(())
        })
    }

    /// Forgets all classes, pictures and trainings, on disk as well.
    ///
    /// # Errors
    /// [`FailureKind::Storage`]; [`FailureKind::Learning`] while a training runs.
    pub fn reset(&self) -> Result<(), Failure> {
        guarded(|| {
            let _none = self.alone()?;
            let dim = lock(&self.eyes).features.dim();
            let learned = &mut *lock(&self.learned);
            learned.nearest = empty(dim)?;
            learned.linear = None;
            learned.store.keep(1);
            learned.store.save(&learned.nearest)?;
            let training = self.folder.join("training");
            match std::fs::remove_dir_all(&training) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    Err(Failure::new(FailureKind::Storage, format!("{}: {e}", training.display())))
                }
                _ => Ok(()),
            }
        })
    }

    /// Writes features and trained layer as one .tflite file, with labels and input described, that
    /// `osprey classify` and this library read.
    ///
    /// # Errors
    /// [`FailureKind::Learning`] before a training, [`FailureKind::Storage`].
    pub fn export(&self, path: String) -> Result<(), Failure> {
        guarded(|| {
            let head = lock(&self.learned).linear.clone().ok_or_else(untrained)?;
            let input = self.source.entry().map(|entry| entry.input.clone()).unwrap_or_default();
            let model = export(&self.source.bytes()?, EMBEDDING, &head, &input)?;
            let path = PathBuf::from(path);
            let failed = |e| Failure::new(FailureKind::Storage, format!("{}: {e}", path.display()));
            let folder = path.parent().unwrap_or(&path);
            let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
            file.write_all(&model).map_err(failed)?;
            file.persist(&path).map_err(|e| failed(e.error))?;
            Ok(())
        })
    }

    /// Held by what must not run beside a training.
    fn alone(&self) -> Result<std::sync::MutexGuard<'_, ()>, Failure> {
        use std::sync::TryLockError;
        match self.training.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(FailureKind::Learning, "a training is running; cancel it first"))
            }
        }
    }
}

fn untrained() -> Failure {
    Failure::new(FailureKind::Learning, "nothing was trained for these classes; train first")
}

/// The head to evaluate or to answer with.
fn head_of(linear: Option<LinearHead>, nearest: NearestNeighbors) -> Head {
    linear.map_or_else(|| nearest.into(), Into::into)
}
