//! Training of the last layer.

use super::{Teacher, VIEWS, best, fits};
use crate::border::ffi::{BatchFigures, EpochFigures, TrainingListener, TrainingPlan};
use crate::error::Failure;
use crate::guard::{guarded, lock};
use osprey_learn::{
    Control, Ending, EpochReport, Event, Examples, LearnError, Split, Store, Trainer, TrainingSettings,
};

/// The hand on a training: made before it, used from any thread.
#[derive(Debug)]
pub struct TrainingControl(pub(super) Control);

/// A control for one training.
pub fn training_control() -> TrainingControl {
    TrainingControl(Control::new())
}

impl TrainingControl {
    /// Ends the training before its next batch; what its last whole epoch learned is kept. Before
    /// the training it keeps the first batch from running.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Holds the training before its next batch.
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Lets a paused training go on.
    pub fn resume(&self) {
        self.0.resume();
    }

    /// Sets the learning rate from the next batch on; one that is not above 0 is ignored.
    pub fn set_learning_rate(&self, rate: f32) {
        self.0.set_learning_rate(rate);
    }
}

impl Teacher {
    /// Trains the last layer on this thread, and tells `listener` of each batch and epoch. Every
    /// epoch is kept on disk; the best answers afterwards. 0 all epochs done, 1 cancelled, 2 no
    /// better epoch for as long as the plan's patience.
    ///
    /// # Errors
    /// [`crate::FailureKind::Learning`], [`crate::FailureKind::Options`], [`crate::FailureKind::Storage`]. What was
    /// trained before still answers then.
    pub fn train(
        &self,
        plan: TrainingPlan,
        control: &TrainingControl,
        listener: TrainingListener,
    ) -> Result<u8, Failure> {
        guarded(|| {
            let _alone = self.alone()?;
            self.save()?;
            let examples = lock(&self.learned).nearest.examples().clone();
            let (train, validation) = parts(&examples, plan.validation)?;
            let settings = TrainingSettings {
                epochs: plan.epochs as usize,
                batch_size: plan.batch_size as usize,
                learning_rate: plan.learning_rate,
                patience: (plan.patience > 0).then_some(plan.patience as usize),
                ..TrainingSettings::default()
            };
            let mut store = Store::<Trainer>::open(self.folder.join("training"))?;
            let mut trainer = match store.latest()? {
                Some((_, mut earlier)) if plan.resume && earlier.head().classes() == examples.classes() => {
                    let epochs = earlier.history().len() + settings.epochs;
                    let scaling = earlier.settings().scaling;
                    earlier.set_settings(TrainingSettings { epochs, scaling, ..settings })?;
                    earlier
                }
                _ => Trainer::new(settings, &train)?,
            };
            let mut batches = 0;
            let mut on_event = |event: &Event<'_>| match *event {
                Event::Begin { batches: count, .. } => batches = count,
                Event::Batch { epoch, batch, loss } => listener.on_batch(BatchFigures {
                    epoch: epoch as u32,
                    batch: batch as u32,
                    batches: batches as u32,
                    loss,
                }),
                Event::Epoch { report, best } => listener.on_epoch(figures(report, best)),
                _ => {}
            };
            let ending = trainer.train(
                &mut &train,
                validation.as_ref(),
                Some(&mut store),
                &control.0,
                &mut on_event,
            )?;
            let learned = &mut *lock(&self.learned);
            let head = best(&trainer);
            // Classes may have changed while it ran. A training without an epoch has learned nothing.
            if !trainer.history().is_empty() && fits(&head, &learned.nearest) {
                learned.linear = Some(head);
            }
            Ok(match ending {
                Ending::Finished => 0,
                Ending::Cancelled => 1,
                Ending::NoProgress => 2,
            })
        })
    }
}

fn figures(report: &EpochReport, best: bool) -> EpochFigures {
    EpochFigures {
        epoch: report.epoch as u32,
        learning_rate: report.learning_rate,
        training_loss: report.training.loss,
        training_accuracy: report.training.accuracy,
        has_validation: report.validation.is_some(),
        validation_loss: report.validation.map_or(0.0, |v| v.loss),
        validation_accuracy: report.validation.map_or(0.0, |v| v.accuracy),
        best,
    }
}

/// Examples to train on and to validate with; the views of one picture stay together.
fn parts(examples: &Examples, validation: f32) -> Result<(Examples, Option<Examples>), LearnError> {
    let pictures = pictures(examples)?;
    pictures.check_trainable()?;
    let Split { train, held_out } = pictures.split(validation, 0)?;
    let validation = (!held_out.is_empty()).then(|| views(examples, &held_out));
    Ok((views(examples, &train), validation))
}

/// One example for each picture, so that splits do not part its views.
pub(super) fn pictures(examples: &Examples) -> Result<Examples, LearnError> {
    let mut pictures = Examples::with_classes(1, examples.classes().iter().cloned())?;
    for first in (0..examples.len()).step_by(VIEWS) {
        pictures.push(examples.label(first), &[0.0])?;
    }
    Ok(pictures)
}

/// All views of the pictures at `indices`.
pub(super) fn views(examples: &Examples, indices: &[usize]) -> Examples {
    let views: Vec<usize> = indices.iter().flat_map(|i| i * VIEWS..(i + 1) * VIEWS).collect();
    examples.subset(&views)
}

const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<Teacher>();
};
