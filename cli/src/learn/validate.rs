//! How well heads do on pictures they have not seen.

use super::pictures::Labelled;
use anyhow::Result;
use osprey_learn::ConfusionMatrix;
use osprey_learn::{
    Control, Event, Examples, Head, KnnSettings, NearestNeighbors, Store, Trainer, TrainingSettings,
};

/// What is to be learned.
#[derive(Debug, Clone)]
pub(crate) enum Recipe {
    Linear(TrainingSettings),
    Nearest(KnnSettings),
}

impl Recipe {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Linear(_) => "linear",
            Self::Nearest(_) => "knn",
        }
    }

    /// The same recipe with another seed.
    fn with_seed(&self, seed: u64) -> Self {
        match self {
            Self::Linear(settings) => Self::Linear(TrainingSettings { seed, ..settings.clone() }),
            Self::Nearest(settings) => Self::Nearest(*settings),
        }
    }

    /// A head for `examples`.
    pub(crate) fn learn(&self, examples: &Examples) -> Result<Head> {
        match self {
            Self::Linear(settings) => {
                let mut trainer = Trainer::new(settings.clone(), examples)?;
                train(&mut trainer, examples, None, None, &mut |_| {})?;
                Ok(trainer.head().clone().into())
            }
            Self::Nearest(settings) => {
                examples.check_trainable()?;
                Ok(NearestNeighbors::new(examples.clone(), *settings)?.into())
            }
        }
    }
}

pub(crate) fn train(
    trainer: &mut Trainer,
    mut examples: &Examples,
    validation: Option<&Examples>,
    store: Option<&mut Store<Trainer>>,
    on_event: &mut dyn FnMut(&Event<'_>),
) -> Result<()> {
    trainer.train(&mut examples, validation, store, &Control::new(), on_event)?;
    Ok(())
}

/// All views of the pictures at `indices`, as examples.
pub(crate) fn examples(
    classes: &[String],
    dim: usize,
    pictures: &[Labelled],
    indices: impl IntoIterator<Item = usize>,
) -> Result<Examples> {
    let mut set = Examples::with_classes(dim, classes.iter().cloned())?;
    for picture in indices.into_iter().map(|i| &pictures[i]) {
        for view in &picture.views {
            set.push(picture.class, view)?;
        }
    }
    Ok(set)
}

/// Asks `head` about pictures.
pub(crate) fn test(head: &mut Head, pictures: &[Labelled], indices: &[usize]) -> Result<ConfusionMatrix> {
    let mut matrix = ConfusionMatrix::new(head.classes());
    for picture in indices.iter().map(|&i| &pictures[i]) {
        let answer = head.classify_views(picture.views.iter().map(Vec::as_slice))?;
        matrix.record(picture.class, answer.class);
    }
    Ok(matrix)
}

/// Accuracy of each run of a cross-validation, and all answers together.
pub(crate) struct CrossValidation {
    pub(crate) runs: Vec<f64>,
    pub(crate) matrix: ConfusionMatrix,
}

/// Each picture is asked about once in a run, by a head that was trained without any view of it.
pub(crate) fn cross_validate(
    recipe: &Recipe,
    classes: &[String],
    dim: usize,
    pictures: &[Labelled],
    (folds, seeds): (usize, u64),
) -> Result<CrossValidation> {
    // One example for each picture: the folds must not part the views of one picture.
    let mut whole = Examples::with_classes(1, classes.iter().cloned())?;
    for picture in pictures {
        whole.push(picture.class, &[0.0])?;
    }
    whole.check_trainable()?;
    let mut found = CrossValidation { runs: Vec::new(), matrix: ConfusionMatrix::new(classes) };
    for seed in 0..seeds {
        let mut run = ConfusionMatrix::new(classes);
        for split in whole.folds(folds, seed)? {
            let set = examples(classes, dim, pictures, split.train.iter().copied())?;
            let mut head = recipe.with_seed(seed).learn(&set)?;
            let answers = test(&mut head, pictures, &split.held_out)?;
            run.add(&answers);
        }
        found.runs.extend(run.accuracy());
        found.matrix.add(&run);
    }
    Ok(found)
}
