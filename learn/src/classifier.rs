//! A feature extractor with a head on it: a model like any other.

use super::{Classification, FeatureExtractor, LearnError, LinearHead, NearestNeighbors};
use ndarray::{ArrayD, ArrayViewD};
use osprey_detector::model::{Model, ModelError};
use osprey_detector::tensor::{DType, TensorSpec, TensorView, TensorViewMut};

/// Either kind of head.
#[derive(Debug, Clone, PartialEq)]
pub enum Head {
    /// A trained last layer.
    Linear(LinearHead),
    /// Nearest neighbours.
    Nearest(NearestNeighbors),
}

impl Head {
    /// Names of the classes, in the order of the probabilities.
    pub fn classes(&self) -> &[String] {
        match self {
            Self::Linear(head) => head.classes(),
            Self::Nearest(head) => head.examples().classes(),
        }
    }

    /// Length of a feature vector.
    pub fn dim(&self) -> usize {
        match self {
            Self::Linear(head) => head.dim(),
            Self::Nearest(head) => head.examples().dim(),
        }
    }

    /// The class of a feature vector.
    ///
    /// # Errors
    /// Those of [`LinearHead::classify`] and [`NearestNeighbors::classify`].
    pub fn classify(&mut self, features: &[f32]) -> Result<Classification, LearnError> {
        match self {
            Self::Linear(head) => head.classify(features),
            Self::Nearest(head) => head.classify(features),
        }
    }

    /// The class of something seen in several views: by the mean of the probabilities' logarithms
    /// for a linear head, by the mean of the votes for neighbours. "None of these" where most views
    /// say so.
    ///
    /// # Errors
    /// [`LearnError::NoExamples`] where there is no view, and those of [`Self::classify`].
    pub fn classify_views<'v>(
        &mut self,
        views: impl IntoIterator<Item = &'v [f32]>,
    ) -> Result<Classification, LearnError> {
        let mut sums = vec![0.0f64; self.classes().len()];
        let (mut count, mut known) = (0usize, 0usize);
        for view in views {
            let one = self.classify(view)?;
            for (sum, &p) in sums.iter_mut().zip(&one.probabilities) {
                *sum += match self {
                    Self::Linear(_) => f64::from(p.max(f32::MIN_POSITIVE)).ln(),
                    Self::Nearest(_) => f64::from(p),
                };
            }
            count += 1;
            known += usize::from(one.class.is_some());
        }
        if count == 0 {
            return Err(LearnError::NoExamples);
        }
        let mut shares: Vec<f64> = sums.iter().map(|s| s / count as f64).collect();
        if matches!(self, Self::Linear(_)) {
            shares.iter_mut().for_each(|s| *s = s.exp());
        }
        let total: f64 = shares.iter().sum();
        let probabilities: Vec<f32> = shares.iter().map(|s| (s / total) as f32).collect();
        let likeliest =
            (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        Ok(Classification { class: likeliest.filter(|_| 2 * known >= count), probabilities })
    }
}

impl From<LinearHead> for Head {
    fn from(head: LinearHead) -> Self {
        Self::Linear(head)
    }
}

impl From<NearestNeighbors> for Head {
    fn from(head: NearestNeighbors) -> Self {
        Self::Nearest(head)
    }
}

/// A [`Model`] whose inputs are the extractor's and whose only output, float32 of shape
/// [1, classes], holds the head's probabilities; all of them are zero for "none of these".
#[derive(Debug)]
pub struct Classifier {
    extractor: FeatureExtractor,
    head: Head,
    features: Vec<f32>,
    probabilities: ArrayD<f32>,
    outputs: [TensorSpec; 1],
}

impl Classifier {
    /// Puts `head` on `extractor`.
    ///
    /// # Errors
    /// [`LearnError::FeatureLength`].
    pub fn new(extractor: FeatureExtractor, head: impl Into<Head>) -> Result<Self, LearnError> {
        let head = head.into();
        if head.dim() != extractor.dim() {
            return Err(LearnError::FeatureLength { expected: head.dim(), actual: extractor.dim() });
        }
        let shape = vec![1, head.classes().len()];
        Ok(Self {
            features: vec![0.0; extractor.dim()],
            probabilities: ArrayD::zeros(shape.as_slice()),
            outputs: [TensorSpec {
                name: "probabilities".into(),
                shape,
                dtype: DType::F32,
                quantization: None,
            }],
            extractor,
            head,
        })
    }

    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }
}

impl Model for Classifier {
    fn inputs(&self) -> &[TensorSpec] {
        self.extractor.inputs()
    }

    fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    fn input_mut(&mut self, index: usize) -> Result<TensorViewMut<'_>, ModelError> {
        self.extractor.input_mut(index)
    }

    fn run(&mut self) -> Result<(), ModelError> {
        let failed = |e: LearnError| match e {
            LearnError::Model(e) => e,
            e => ModelError::Backend { backend: "personalized classifier", message: e.to_string() },
        };
        self.extractor.extract(&mut self.features).map_err(failed)?;
        let answer = self.head.classify(&self.features).map_err(failed)?;
        for (to, from) in self.probabilities.iter_mut().zip(answer.probabilities) {
            *to = if answer.class.is_some() { from } else { 0.0 };
        }
        Ok(())
    }

    fn output(&self, index: usize) -> Result<TensorView<'_>, ModelError> {
        match index {
            0 => Ok(TensorView::F32(ArrayViewD::from(&self.probabilities))),
            _ => Err(ModelError::NoSuchTensor { kind: "output", index, count: 1 }),
        }
    }

    fn reset_state(&mut self) {
        self.extractor.reset_state();
    }
}
