//! How well classes are told apart on pictures that were not learned.

use super::train::{pictures, views};
use super::{Teacher, TrainingControl, VIEWS, head_of};
use crate::error::{Failure, FailureKind};
use crate::guard::{guarded, lock};
use osprey_learn::ConfusionMatrix;
use osprey_learn::{Examples, LearnError, NearestNeighbors, Trainer, TrainingSettings};

/// Answers to pictures that the head had not seen. Any thread may use it.
#[derive(Debug)]
pub struct Evaluation(ConfusionMatrix);

impl Evaluation {
    /// Share of right answers, 0..1.
    pub fn accuracy(&self) -> f64 {
        self.0.accuracy().unwrap_or(0.0)
    }

    /// Pictures that were asked about.
    pub fn pictures(&self) -> u32 {
        self.0.total() as u32
    }

    /// How many pictures of class `truth` were taken for `answer`; −1 is none of these.
    pub fn count(&self, truth: u32, answer: i64) -> u64 {
        let classes = self.0.classes().len();
        let answer = usize::try_from(answer).ok();
        if truth as usize >= classes || answer.is_some_and(|a| a >= classes) {
            return 0;
        }
        self.0.count(truth as usize, answer)
    }
}

impl Teacher {
    /// Cross-validates in `folds` folds: each picture is asked about once, by a head that learned
    /// from the others; a trained layer of `epochs` epochs, or nearest neighbours where that is 0.
    /// Nothing that was learned changes.
    ///
    /// # Errors
    /// [`FailureKind::Learning`] for too few pictures, and where `control` was cancelled.
    pub fn evaluate(
        &self,
        folds: u32,
        epochs: u32,
        control: &TrainingControl,
    ) -> Result<Evaluation, Failure> {
        guarded(|| {
            let (examples, knn) = {
                let learned = lock(&self.learned);
                (learned.nearest.examples().clone(), *learned.nearest.settings())
            };
            let whole = pictures(&examples)?;
            whole.check_trainable()?;
            let mut matrix = ConfusionMatrix::new(examples.classes());
            for split in whole.folds(folds as usize, 0)? {
                let known = views(&examples, &split.train);
                let linear = (epochs > 0).then(|| train(&known, epochs, control)).transpose()?;
                let mut head = head_of(linear, NearestNeighbors::new(known, knn)?);
                for &picture in &split.held_out {
                    let seen = (0..VIEWS).map(|view| examples.features(picture * VIEWS + view));
                    let answer = head.classify_views(seen)?;
                    matrix.record(whole.label(picture), answer.class);
                }
            }
            Ok(Evaluation(matrix))
        })
    }
}

fn train(
    mut examples: &Examples,
    epochs: u32,
    control: &TrainingControl,
) -> Result<osprey_learn::LinearHead, Failure> {
    let settings = TrainingSettings { epochs: epochs as usize, ..TrainingSettings::default() };
    let mut trainer = Trainer::new(settings, examples)?;
    let ending = trainer.train(&mut examples, None, None, &control.0, &mut |_| {})?;
    if ending == osprey_learn::Ending::Cancelled {
        return Err(Failure::new(FailureKind::Learning, "the evaluation was cancelled"));
    }
    Ok::<_, LearnError>(trainer.head().clone()).map_err(Into::into)
}
