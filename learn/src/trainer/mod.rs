//! Trains a linear head, epoch by epoch.

mod settings;

pub use settings::TrainingSettings;

use crate::control::{Control, Order};
use crate::optimizer::Moments;
use crate::softmax::Batch;
use crate::{Examples, LearnError, LinearHead, Store, Stored};
use ndarray::ArrayView2;
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};

/// Where a training's examples come from.
///
/// [`Examples`] give the same features in every epoch; a source that augments makes new ones.
pub trait ExampleSource {
    /// The examples as they are: their classes and labels hold for every epoch, and the scaling of
    /// features follows from them.
    fn examples(&self) -> &Examples;

    /// Writes the features of example `index` in `epoch` (from 0) to `features`.
    ///
    /// # Errors
    /// Whatever keeps the features from being made.
    fn features(&mut self, epoch: usize, index: usize, features: &mut [f32]) -> Result<(), LearnError>;
}

impl ExampleSource for &Examples {
    fn examples(&self) -> &Examples {
        self
    }

    fn features(&mut self, _epoch: usize, index: usize, features: &mut [f32]) -> Result<(), LearnError> {
        features.copy_from_slice(Examples::features(self, index));
        Ok(())
    }
}

/// Cross-entropy and accuracy on examples that are not trained on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean cross-entropy in nats.
    pub loss: f64,
    /// Share of examples whose class is likeliest, 0..1.
    pub accuracy: f64,
}

/// What an epoch came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    /// Rate of its last batch.
    pub learning_rate: f32,
    /// While it ran: each batch before its own step.
    pub training: Score,
    /// After it, where there are validation examples.
    pub validation: Option<Score>,
}

impl EpochReport {
    /// Whether this epoch's head is preferable: higher accuracy, then lower loss, on validation
    /// examples; lower training loss where there are none.
    fn is_better_than(&self, other: &Self) -> bool {
        match (self.validation, other.validation) {
            (Some(a), Some(b)) => a.accuracy > b.accuracy || (a.accuracy == b.accuracy && a.loss < b.loss),
            _ => self.training.loss < other.training.loss,
        }
    }
}

/// Progress of a training.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Before the first batch.
    Begin {
        /// Epochs that are done already, by an earlier training.
        done: usize,
        /// Epochs in total.
        epochs: usize,
        /// Batches in an epoch.
        batches: usize,
    },
    /// After each batch.
    Batch {
        /// Epoch, from 1.
        epoch: usize,
        /// Batch within the epoch, from 1.
        batch: usize,
        /// Mean training loss of the epoch so far.
        loss: f64,
    },
    /// After each epoch; its checkpoint is on disk.
    Epoch {
        /// What it came to.
        report: &'a EpochReport,
        /// Whether it is the best so far.
        best: bool,
    },
    /// The training holds.
    Paused,
    /// The training goes on.
    Resumed,
    /// After the last batch.
    End {
        /// Why it ended.
        ending: Ending,
    },
}

/// Why a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All epochs are done.
    Finished,
    /// [`Control::cancel`]: the head is that of the last finished epoch.
    Cancelled,
    /// No better epoch for as long as [`TrainingSettings::patience`] says.
    NoProgress,
}

/// A training between two epochs: what a checkpoint holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trainer {
    settings: TrainingSettings,
    head: LinearHead,
    moments: Moments,
    history: Vec<EpochReport>,
    /// The best finished epoch, and its parameters: the scaling never changes.
    best: Option<(EpochReport, Vec<f32>)>,
}

impl Trainer {
    /// A training from the start, for the classes of `examples`.
    ///
    /// # Errors
    /// [`LearnError::Setting`], those of [`Examples::check_trainable`] and of [`LinearHead::new`].
    pub fn new(settings: TrainingSettings, examples: &Examples) -> Result<Self, LearnError> {
        settings.check()?;
        examples.check_trainable()?;
        let head = LinearHead::new(examples.classes(), settings.scaling.fit(examples))?;
        Ok(Self { settings, head, moments: Moments::default(), history: Vec::new(), best: None })
    }

    /// How this training goes on; changes hold from the next epoch.
    ///
    /// # Errors
    /// [`LearnError::Setting`].
    pub fn set_settings(&mut self, settings: TrainingSettings) -> Result<(), LearnError> {
        settings.check()?;
        self.settings = settings;
        Ok(())
    }

    /// How this training goes.
    pub fn settings(&self) -> &TrainingSettings {
        &self.settings
    }

    /// The head after the last finished epoch.
    pub fn head(&self) -> &LinearHead {
        &self.head
    }

    /// The best finished epoch and its head.
    pub fn best(&self) -> Option<(EpochReport, LinearHead)> {
        let (report, parameters) = self.best.as_ref()?;
        Some((*report, self.head.with_parameters(parameters.clone())))
    }

    /// All finished epochs.
    pub fn history(&self) -> &[EpochReport] {
        &self.history
    }

    /// Adds a class to the head, which keeps what it learned of the others. Later examples must
    /// hold all classes, the old ones too: learning a class alone would unlearn the rest.
    ///
    /// # Errors
    /// Those of [`LinearHead::add_class`].
    pub fn add_class(&mut self, name: impl Into<String>) -> Result<usize, LearnError> {
        let class = self.head.add_class(name)?;
        self.best = None;
        Ok(class)
    }

    /// Removes a class; the indices of later classes move down by one.
    ///
    /// # Errors
    /// Those of [`LinearHead::remove_class`].
    pub fn remove_class(&mut self, class: usize) -> Result<(), LearnError> {
        self.head.remove_class(class)?;
        let row = self.head.dim() + 1;
        self.moments.remove(class * row..(class + 1) * row);
        self.best = None;
        Ok(())
    }

    /// Trains until all epochs are done, and writes a checkpoint to `store` after each.
    ///
    /// After an error or a cancellation the trainer is as it was after the last finished epoch, and
    /// `train` may be called again.
    ///
    /// # Errors
    /// [`LearnError::ClassesDiffer`], [`LearnError::FeatureLength`], [`LearnError::NotFinite`],
    /// [`LearnError::Diverged`], [`LearnError::Store`], and those of [`Examples::check_trainable`].
    pub fn train(
        &mut self,
        source: &mut dyn ExampleSource,
        validation: Option<&Examples>,
        mut store: Option<&mut Store<Self>>,
        control: &Control,
        on_event: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Ending, LearnError> {
        source.examples().check_trainable()?;
        for examples in [Some(source.examples()), validation].into_iter().flatten() {
            self.check_fits(examples)?;
        }
        let mut work = Work::new(source.examples(), validation, &self.head);
        on_event(&Event::Begin {
            done: self.history.len(),
            epochs: self.settings.epochs,
            batches: work.labels.len().div_ceil(self.settings.batch_size),
        });
        let mut ending = Ending::Finished;
        while self.history.len() < self.settings.epochs {
            work.before.0.clone_from(&self.head.parameters);
            work.before.1.clone_from(&self.moments);
            let report = self.epoch(&mut work, source, control, on_event);
            let report = match report {
                Ok(Some(report)) => report,
                Ok(None) | Err(_) => {
                    self.head.parameters.clone_from(&work.before.0);
                    self.moments.clone_from(&work.before.1);
                    report?;
                    ending = Ending::Cancelled;
                    break;
                }
            };
            let best = self.best.as_ref().is_none_or(|(best, _)| report.is_better_than(best));
            if best {
                self.best = Some((report, self.head.parameters.clone()));
            }
            self.history.push(report);
            if let Some(store) = &mut store {
                store.save(self)?;
            }
            on_event(&Event::Epoch { report: &report, best });
            if self.is_out_of_patience() {
                ending = Ending::NoProgress;
                break;
            }
        }
        on_event(&Event::End { ending });
        Ok(ending)
    }

    /// Runs one epoch; `None` where it was cancelled.
    fn epoch(
        &mut self,
        work: &mut Work,
        source: &mut dyn ExampleSource,
        control: &Control,
        on_event: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Option<EpochReport>, LearnError> {
        let (epoch, dim) = (self.history.len(), self.head.dim());
        let mut order: Vec<usize> = (0..work.labels.len()).collect();
        if self.settings.shuffle {
            let mut rng = ChaCha8Rng::seed_from_u64(self.settings.seed);
            rng.set_stream(epoch as u64);
            order.shuffle(&mut rng);
        }
        let (mut loss, mut correct, mut seen) = (0.0, 0, 0);
        let mut rate = 0.0;
        for (batch, indices) in order.chunks(self.settings.batch_size).enumerate() {
            loop {
                let (order, new_rate) = control.order();
                self.settings.learning_rate = new_rate.unwrap_or(self.settings.learning_rate);
                match order {
                    Order::Go => break,
                    Order::Cancel => return Ok(None),
                    Order::Pause => {
                        on_event(&Event::Paused);
                        control.wait();
                        on_event(&Event::Resumed);
                    }
                }
            }
            rate = self.settings.learning_rate * self.settings.schedule.factor(epoch, self.settings.epochs);
            work.x.resize(indices.len() * dim, 0.0);
            work.batch_labels.clear();
            for (row, &i) in work.x.chunks_exact_mut(dim).zip(indices) {
                source.features(epoch, i, row)?;
                super::examples::check_features(row, dim)?;
                self.head.scaling().apply(row);
                work.batch_labels.push(work.labels[i]);
            }
            work.batch.backward(&self.head, rows(&work.x, dim), &work.batch_labels, self.settings.l2);
            seen += indices.len();
            correct += work.batch.correct;
            loss += (work.batch.loss - loss) * indices.len() as f64 / seen as f64;
            let parameters = &mut self.head.parameters;
            self.moments.step(&self.settings.optimizer, parameters, &work.batch.gradient, rate);
            if !loss.is_finite() || parameters.iter().any(|p| !p.is_finite()) {
                return Err(LearnError::Diverged { epoch: epoch + 1, loss, learning_rate: rate });
            }
            on_event(&Event::Batch { epoch: epoch + 1, batch: batch + 1, loss });
        }
        let training = Score { loss, accuracy: correct as f64 / seen as f64 };
        let validation = work.validation.as_mut().map(|v| v.score(&self.head));
        Ok(Some(EpochReport { epoch: epoch + 1, learning_rate: rate, training, validation }))
    }

    fn check_fits(&self, examples: &Examples) -> Result<(), LearnError> {
        if examples.classes() != self.head.classes() {
            let (head, examples) = (self.head.classes().to_vec(), examples.classes().to_vec());
            return Err(LearnError::ClassesDiffer { head, examples });
        }
        if examples.dim() != self.head.dim() {
            return Err(LearnError::FeatureLength { expected: self.head.dim(), actual: examples.dim() });
        }
        Ok(())
    }

    fn is_out_of_patience(&self) -> bool {
        let best = self.best.as_ref().map_or(0, |(report, _)| report.epoch);
        self.settings.patience.is_some_and(|patience| self.history.len() >= best + patience)
    }
}

impl Stored for Trainer {
    const KIND: [u8; 4] = *b"TRAI";

    fn is_consistent(&self) -> bool {
        let parameters = self.head.parameters.len();
        self.settings.check().is_ok()
            && self.head.is_consistent()
            && self
                .best
                .as_ref()
                .is_none_or(|(_, p)| p.len() == parameters && p.iter().all(|p| p.is_finite()))
            && self.moments.fit(parameters)
    }
}

fn rows(values: &[f32], dim: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / dim, dim), values).expect("whole rows")
}

/// What an epoch needs beside the trainer's own state; made once per training.
struct Work {
    labels: Vec<u32>,
    x: Vec<f32>,
    batch_labels: Vec<u32>,
    batch: Batch,
    validation: Option<Validation>,
    /// Parameters and moments at the start of the epoch.
    before: (Vec<f32>, Moments),
}

struct Validation {
    /// Scaled features.
    x: Vec<f32>,
    labels: Vec<u32>,
    batch: Batch,
}

/// Validation examples that are scored at once.
const VALIDATION_BATCH: usize = 256;

impl Work {
    fn new(examples: &Examples, validation: Option<&Examples>, head: &LinearHead) -> Self {
        let labels = |e: &Examples| e.iter().map(|(_, label)| label as u32).collect::<Vec<_>>();
        let scaled = |e: &Examples| {
            let mut x: Vec<f32> = e.iter().flat_map(|(row, _)| row).copied().collect();
            x.chunks_exact_mut(head.dim().max(1)).for_each(|row| head.scaling().apply(row));
            x
        };
        let validation = validation.filter(|e| !e.is_empty()).map(|e| Validation {
            x: scaled(e),
            labels: labels(e),
            batch: Batch::default(),
        });
        Self {
            labels: labels(examples),
            x: Vec::new(),
            batch_labels: Vec::new(),
            batch: Batch::default(),
            validation,
            before: Default::default(),
        }
    }
}

impl Validation {
    fn score(&mut self, head: &LinearHead) -> Score {
        let (mut loss, mut correct) = (0.0, 0);
        let batches = self.x.chunks(VALIDATION_BATCH * head.dim()).zip(self.labels.chunks(VALIDATION_BATCH));
        for (x, labels) in batches {
            self.batch.measure(head, rows(x, head.dim()), labels);
            loss += self.batch.loss * labels.len() as f64;
            correct += self.batch.correct;
        }
        let count = self.labels.len() as f64;
        Score { loss: loss / count, accuracy: correct as f64 / count }
    }
}
