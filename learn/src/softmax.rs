//! The trained last layer: softmax(W·x + b) over scaled features, and its gradient.

use super::examples::{check_features, check_name};
use super::{Classification, LearnError, Scaling};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use osprey_detector::model::softmax;
use serde::{Deserialize, Serialize};

/// The most weights and biases of a head: 256 MB of float32, and twice that again while it trains.
const MAX_PARAMETERS: usize = 1 << 26;

/// A linear classifier over feature vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearHead {
    classes: Vec<String>,
    scaling: Scaling,
    /// A row per class: the weights, then the bias.
    pub(super) parameters: Vec<f32>,
}

impl LinearHead {
    /// A head that holds all classes equally likely.
    ///
    /// # Errors
    /// [`LearnError::TooFewClasses`], [`LearnError::TooManyClasses`], [`LearnError::ClassName`].
    pub fn new(classes: &[String], scaling: Scaling) -> Result<Self, LearnError> {
        if classes.len() < 2 {
            return Err(LearnError::TooFewClasses { classes: classes.len() });
        }
        for (i, name) in classes.iter().enumerate() {
            check_name(name, &classes[..i])?;
        }
        let parameters = parameter_count(classes.len(), scaling.dim())?;
        Ok(Self { classes: classes.to_vec(), scaling, parameters: vec![0.0; parameters] })
    }

    /// Names of the classes, in the order of the probabilities.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Length of a feature vector.
    pub fn dim(&self) -> usize {
        self.scaling.dim()
    }

    /// How features are scaled before the weights.
    pub fn scaling(&self) -> &Scaling {
        &self.scaling
    }

    /// Adds a class; what is known of the others stays.
    ///
    /// The new class starts with the mean of the others' weights, so that for every input its score
    /// lies between theirs: until it is trained it never wins, and the others keep their order.
    ///
    /// # Errors
    /// [`LearnError::ClassName`], [`LearnError::TooManyClasses`].
    pub fn add_class(&mut self, name: impl Into<String>) -> Result<usize, LearnError> {
        let name = name.into();
        check_name(&name, &self.classes)?;
        parameter_count(self.classes.len() + 1, self.dim())?;
        let mean = self.matrix().mean_axis(Axis(0)).unwrap_or_default();
        self.parameters.extend(mean);
        self.classes.push(name);
        Ok(self.classes.len() - 1)
    }

    /// Removes a class; the indices of later classes move down by one.
    ///
    /// # Errors
    /// [`LearnError::NoSuchClass`], [`LearnError::TooFewClasses`].
    pub fn remove_class(&mut self, class: usize) -> Result<(), LearnError> {
        let classes = self.classes.len();
        if class >= classes {
            return Err(LearnError::NoSuchClass { class, classes });
        }
        if classes <= 2 {
            return Err(LearnError::TooFewClasses { classes: classes - 1 });
        }
        let row = self.dim() + 1;
        self.parameters.drain(class * row..(class + 1) * row);
        self.classes.remove(class);
        Ok(())
    }

    /// The probability of each class, and the likeliest.
    ///
    /// # Errors
    /// [`LearnError::FeatureLength`], [`LearnError::NotFinite`].
    pub fn classify(&self, features: &[f32]) -> Result<Classification, LearnError> {
        check_features(features, self.dim())?;
        let mut x = Array2::zeros((1, self.dim()));
        x.iter_mut().zip(features).for_each(|(x, v)| *x = *v);
        self.scaling.apply(x.as_slice_mut().unwrap_or_default());
        let mut scores = Array2::zeros((1, self.classes.len()));
        self.scores(x.view(), &mut scores.view_mut());
        let (mut probabilities, _) = scores.into_raw_vec_and_offset();
        softmax(&mut probabilities);
        let class = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        Ok(Classification { class, probabilities })
    }

    /// Weights (a row of features per class) and biases that act on features as they are: the
    /// scaling is folded into them.
    pub fn folded(&self) -> (Vec<f32>, Vec<f32>) {
        let dim = self.dim();
        let (mut weights, mut biases) = (Vec::with_capacity(self.parameters.len()), Vec::new());
        for row in self.parameters.chunks_exact(dim + 1) {
            let (mut row, mut bias) = (row[..dim].to_vec(), row[dim]);
            self.scaling.fold(&mut row, &mut bias);
            weights.extend(row);
            biases.push(bias);
        }
        (weights, biases)
    }

    /// The same head with other weights and biases, as many as it has.
    pub(super) fn with_parameters(&self, parameters: Vec<f32>) -> Self {
        Self { parameters, ..self.clone() }
    }

    fn matrix(&self) -> ArrayView2<'_, f32> {
        view(&self.parameters, self.classes.len())
    }

    /// W·x + b for each row of scaled features.
    fn scores(&self, x: ArrayView2<'_, f32>, scores: &mut ArrayViewMut2<'_, f32>) {
        let (dim, matrix) = (self.dim(), self.matrix());
        scores.rows_mut().into_iter().for_each(|mut row| row.assign(&matrix.slice(s![.., dim])));
        general_mat_mul(1.0, &x, &matrix.slice(s![.., ..dim]).t(), 1.0, scores);
    }

    /// Whether the numbers fit together and are finite, for a head that comes from a file.
    pub(super) fn is_consistent(&self) -> bool {
        self.classes.len() >= 2
            && self.scaling.is_consistent()
            && parameter_count(self.classes.len(), self.dim())
                .is_ok_and(|count| self.parameters.len() == count)
            && self.parameters.iter().all(|p| p.is_finite())
    }
}

/// Mean cross-entropy over a batch, how many were right, and the gradient.
///
/// The objective is mean(−ln p[label]) + l2 ÷ 2 × Σ weight²; biases are not decayed.
#[derive(Debug, Default)]
pub(super) struct Batch {
    scores: Vec<f32>,
    /// A row per class: of the weights, then of the bias.
    pub(super) gradient: Vec<f32>,
    /// Mean cross-entropy, without the decay.
    pub(super) loss: f64,
    pub(super) correct: usize,
}

impl Batch {
    /// Loss only; `x` holds a row of scaled features per label.
    pub(super) fn measure(&mut self, head: &LinearHead, x: ArrayView2<'_, f32>, labels: &[u32]) {
        let classes = head.classes.len();
        self.scores.resize(labels.len() * classes, 0.0);
        let mut scores = view_mut(&mut self.scores, labels.len());
        head.scores(x, &mut scores);
        (self.loss, self.correct) = (0.0, 0);
        for (row, &label) in self.scores.chunks_exact_mut(classes).zip(labels) {
            let label = label as usize;
            let others = row.iter().enumerate().filter(|(i, _)| *i != label);
            self.correct += usize::from(others.fold(true, |won, (_, s)| won && row[label] > *s));
            self.loss -= log_probability(row, label) / labels.len() as f64;
            softmax(row);
        }
    }

    /// Loss and gradient.
    pub(super) fn backward(&mut self, head: &LinearHead, x: ArrayView2<'_, f32>, labels: &[u32], l2: f32) {
        self.measure(head, x, labels);
        let (classes, dim) = (head.classes.len(), head.dim());
        for (row, &label) in self.scores.chunks_exact_mut(classes).zip(labels) {
            row[label as usize] -= 1.0;
        }
        let errors = view(&self.scores, labels.len());
        self.gradient.resize(head.parameters.len(), 0.0);
        let mut gradient = view_mut(&mut self.gradient, classes);
        let share = 1.0 / labels.len() as f32;
        general_mat_mul(share, &errors.t(), &x, 0.0, &mut gradient.slice_mut(s![.., ..dim]));
        gradient.slice_mut(s![.., ..dim]).scaled_add(l2, &head.matrix().slice(s![.., ..dim]));
        gradient.slice_mut(s![.., dim]).assign(&(errors.sum_axis(Axis(0)) * share));
    }
}

/// Rows of a matrix; `rows` is above 0 and divides the length.
pub(crate) fn view(values: &[f32], rows: usize) -> ArrayView2<'_, f32> {
    let columns = values.len() / rows;
    ArrayView2::from_shape((rows, columns), values).expect("rows divide the length")
}

fn view_mut(values: &mut [f32], rows: usize) -> ArrayViewMut2<'_, f32> {
    let columns = values.len() / rows;
    ArrayViewMut2::from_shape((rows, columns), values).expect("rows divide the length")
}

fn parameter_count(classes: usize, features: usize) -> Result<usize, LearnError> {
    let parameters = features.saturating_add(1).saturating_mul(classes);
    if parameters > MAX_PARAMETERS {
        return Err(LearnError::TooManyClasses { classes, features, parameters, limit: MAX_PARAMETERS });
    }
    Ok(parameters)
}

/// ln softmax(scores)[label], without overflow.
fn log_probability(scores: &[f32], label: usize) -> f64 {
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.iter().map(|s| f64::from(s - max).exp()).sum();
    f64::from(scores[label] - max) - sum.ln()
}

#[cfg(test)]
mod tests {
    use super::super::{Examples, FeatureScaling};
    use super::*;
    use proptest::prelude::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|c| format!("class {c}")).collect()
    }

    /// The objective in float64, by its definition.
    fn objective(
        parameters: &[f64],
        x: &[f32],
        labels: &[u32],
        (classes, dim, l2): (usize, usize, f64),
    ) -> f64 {
        let row = |c: usize| &parameters[c * (dim + 1)..][..dim + 1];
        let score = |c: usize, x: &[f32]| -> f64 {
            x.iter().zip(row(c)).map(|(&x, w)| f64::from(x) * w).sum::<f64>() + row(c)[dim]
        };
        let mut loss = 0.0;
        for (x, &label) in x.chunks(dim).zip(labels) {
            let sum: f64 = (0..classes).map(|c| score(c, x).exp()).sum();
            loss -= score(label as usize, x) - sum.ln();
        }
        let decay: f64 = (0..classes).flat_map(|c| &row(c)[..dim]).map(|w| w * w).sum();
        loss / labels.len() as f64 + l2 / 2.0 * decay
    }

    proptest! {
        #[test]
        fn gradient_agrees_with_finite_differences(
            (classes, dim, rows, seed) in (2usize..6, 1usize..8, 1usize..9, any::<u64>()), l2 in 0f32..0.5,
        ) {
            use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.5..1.5)).collect() };
            let mut head = LinearHead::new(&names(classes), Scaling::identity(dim)).unwrap();
            head.parameters = random(classes * (dim + 1));
            let x = random(rows * dim);
            let labels: Vec<u32> = random(rows).iter().map(|v| v.abs() as u32 % classes as u32).collect();
            let mut batch = Batch::default();
            batch.backward(&head, view(&x, rows), &labels, l2);

            let mut p: Vec<f64> = head.parameters.iter().map(|&v| v.into()).collect();
            let shape = (classes, dim, l2.into());
            const STEP: f64 = 1e-5;
            for i in 0..p.len() {
                let middle = p[i];
                p[i] = middle + STEP;
                let above = objective(&p, &x, &labels, shape);
                p[i] = middle - STEP;
                let below = objective(&p, &x, &labels, shape);
                p[i] = middle;
                let difference = (above - below) / (2.0 * STEP);
                prop_assert!((difference - f64::from(batch.gradient[i])).abs() < 1e-5, "parameter {i}");
            }
        }
    }

    #[test]
    fn a_new_class_leaves_the_answers_of_the_others() {
        let mut head = LinearHead::new(&names(3), Scaling::identity(2)).unwrap();
        head.parameters = vec![1.0, -2.0, 0.3, 0.5, 3.0, -0.1, -1.0, 0.2, 0.9];
        let mut grown = head.clone();
        assert_eq!(grown.add_class("fourth").unwrap(), 3);
        for i in 0..100 {
            let x = [(i as f32 * 0.7).sin() * 9.0, (i as f32 * 1.3).cos() * 9.0];
            let (before, after) = (head.classify(&x).unwrap(), grown.classify(&x).unwrap());
            assert_eq!(before.class, after.class, "{x:?}");
            let rest = 1.0 - after.probabilities[3];
            for (a, b) in after.probabilities.iter().zip(&before.probabilities) {
                assert!((a / rest - b).abs() < 1e-5, "{x:?}");
            }
        }
        grown.remove_class(3).unwrap();
        assert_eq!(grown, head);
        assert!(matches!(head.add_class("class 1"), Err(LearnError::ClassName { .. })));
    }

    #[test]
    fn folded_weights_act_on_raw_features() {
        let mut set = Examples::with_classes(3, names(2)).unwrap();
        for (class, row) in
            [(0, [3.0, -1.0, 7.0]), (0, [2.0, 0.5, 7.0]), (1, [4.0, 1.0, 7.0]), (1, [1.0, 1.5, 7.0])]
        {
            set.push(class, &row).unwrap();
        }
        let scaling = FeatureScaling::default().fit(&set);
        let mut head = LinearHead::new(&names(2), scaling).unwrap();
        head.parameters = vec![1.0, 2.0, 3.0, 4.0, -1.0, 0.5, -3.0, 0.25];
        let x = [2.5, 0.5, 100.0];
        let (weights, bias) = head.folded();
        let mut scores: Vec<f32> = (0..2)
            .map(|c| weights[c * 3..][..3].iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + bias[c])
            .collect();
        softmax(&mut scores);
        for (a, b) in scores.iter().zip(head.classify(&x).unwrap().probabilities) {
            assert!((a - b).abs() < 1e-5);
        }
    }

    #[test]
    fn ten_thousand_classes_are_fine_and_far_more_are_refused() {
        assert!(LinearHead::new(&names(10_000), Scaling::identity(1280)).is_ok());
        let error = LinearHead::new(&names(60_000), Scaling::identity(1280)).unwrap_err();
        assert!(matches!(error, LearnError::TooManyClasses { .. }));
        assert!(error.to_string().contains("use nearest neighbours"), "{error}");
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let mut head = LinearHead::new(&names(2), Scaling::identity(1)).unwrap();
        head.parameters = vec![1e4, 0.0, -1e4, 0.0];
        assert_eq!(head.classify(&[1.0]).unwrap().probabilities, [1.0, 0.0]);
        let mut batch = Batch::default();
        batch.measure(&head, view(&[1.0], 1), &[1]);
        assert_eq!(batch.loss, 2e4);
    }
}
