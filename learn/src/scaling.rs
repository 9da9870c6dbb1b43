//! Features brought to a common scale, and rid of what differs within the classes.

use super::{Examples, LearnError};
use nalgebra::{DMatrix, SymmetricEigen};
use rand::seq::index;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};

/// Below this share of the mean deviation a feature counts as constant and is left out, so that
/// rounding noise of a quantized model is not blown up.
const CONSTANT: f32 = 1e-3;
/// Examples that the whitening is estimated from, at most: its cost grows with their cube, and its
/// memory with their number.
const WHITENING_EXAMPLES: usize = 512;
/// Directions that carry less than this share of the greatest variance are noise.
const NEGLIGIBLE: f64 = 1e-6;

/// How features are prepared for a head.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum FeatureScaling {
    /// They are left as they are.
    None,
    /// Each feature gets mean 0 and deviation 1 over the examples.
    Standardize,
    /// Standardized, and then whitened by the covariance within the classes (Hatch, Kajarekar and
    /// Stolcke, 2006: "within-class covariance normalization"): directions in which pictures of one
    /// class differ among themselves, such as their backgrounds, count less. With a single example
    /// for each class this is the same as standardizing.
    Whiten {
        /// Weight of the identity beside the covariance, as a share of the mean variance; above 0.
        shrinkage: f32,
    },
}

impl Default for FeatureScaling {
    /// Whitened with a shrinkage that cross-validation on few pictures prefers; half and double of
    /// it do as well.
    fn default() -> Self {
        Self::Whiten { shrinkage: 0.05 }
    }
}

impl FeatureScaling {
    /// Fails where a constant lies outside its range.
    pub(super) fn check(&self) -> Result<(), LearnError> {
        match *self {
            Self::Whiten { shrinkage } if !(shrinkage > 0.0 && shrinkage.is_finite()) => {
                let (setting, value) = ("the shrinkage of the whitening", shrinkage.into());
                Err(LearnError::Setting { setting, value, allowed: "above 0" })
            }
            _ => Ok(()),
        }
    }

    /// The map that `examples` ask for.
    pub(super) fn fit(&self, examples: &Examples) -> Scaling {
        let dim = examples.dim();
        if examples.is_empty() {
            return Scaling::identity(dim);
        }
        match *self {
            Self::None => Scaling::identity(dim),
            Self::Standardize => Scaling::standardizing(examples),
            Self::Whiten { shrinkage } => {
                let mut scaling = Scaling::standardizing(examples);
                scaling.whitening = Whitening::fit(examples, &scaling, shrinkage);
                scaling
            }
        }
    }
}

/// The linear map that prepares features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// What is subtracted from each feature.
    mean: Vec<f32>,
    /// What the rest is multiplied with; zero for features that never change.
    factor: Vec<f32>,
    whitening: Option<Whitening>,
}

/// x ↦ gain × (x − Σ shrink × basis (basis · x)): symmetric, identity but for a few directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Whitening {
    /// Orthonormal rows.
    basis: Vec<f32>,
    /// For each row, 1 − the factor that its direction keeps.
    shrink: Vec<f32>,
    gain: f32,
}

impl Scaling {
    /// Leaves features as they are.
    pub fn identity(dim: usize) -> Self {
        Self { mean: vec![0.0; dim], factor: vec![1.0; dim], whitening: None }
    }

    /// Length of a feature vector.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    fn standardizing(examples: &Examples) -> Self {
        let dim = examples.dim();
        let n = examples.len() as f64;
        let mut mean = vec![0.0f64; dim];
        for (row, _) in examples.iter() {
            mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v) / n);
        }
        let mut variance = vec![0.0f64; dim];
        for (row, _) in examples.iter() {
            for ((var, &v), m) in variance.iter_mut().zip(row).zip(&mean) {
                *var += (f64::from(v) - m).powi(2) / n;
            }
        }
        let deviation: Vec<f32> = variance.iter().map(|v| v.sqrt() as f32).collect();
        let typical = deviation.iter().sum::<f32>() / dim.max(1) as f32;
        let factor = |&d: &f32| if d > CONSTANT * typical { 1.0 / d } else { 0.0 };
        let factor = deviation.iter().map(factor).collect();
        Self { factor, mean: mean.iter().map(|&m| m as f32).collect(), whitening: None }
    }

    /// Prepares `features`, of [`Self::dim`] numbers, in place.
    pub fn apply(&self, features: &mut [f32]) {
        for ((v, m), f) in features.iter_mut().zip(&self.mean).zip(&self.factor) {
            *v = (*v - m) * f;
        }
        if let Some(whitening) = &self.whitening {
            whitening.apply(features);
        }
    }

    /// Turns weights and bias that act on prepared features into such that act on features as they
    /// are.
    pub(super) fn fold(&self, weights: &mut [f32], bias: &mut f32) {
        if let Some(whitening) = &self.whitening {
            // The map is symmetric.
            whitening.apply(weights);
        }
        let mut shift = 0.0f64;
        for ((w, f), m) in weights.iter_mut().zip(&self.factor).zip(&self.mean) {
            *w *= f;
            shift += f64::from(*w) * f64::from(*m);
        }
        *bias -= shift as f32;
    }

    /// Whether the numbers fit together and are finite, for a map that comes from a file.
    pub(super) fn is_consistent(&self) -> bool {
        let finite = |v: &[f32]| v.iter().all(|x| x.is_finite());
        let whitening = self.whitening.as_ref().is_none_or(|w| {
            w.shrink.len().checked_mul(self.dim()) == Some(w.basis.len())
                && finite(&w.basis)
                && finite(&w.shrink)
                && w.gain.is_finite()
        });
        self.factor.len() == self.dim() && finite(&self.mean) && finite(&self.factor) && whitening
    }
}

impl Whitening {
    /// `None` where no class has two examples that differ.
    fn fit(examples: &Examples, scaling: &Scaling, shrinkage: f32) -> Option<Self> {
        let (dim, count) = (examples.dim(), examples.len());
        let taken = index::sample(&mut ChaCha8Rng::seed_from_u64(0), count, count.min(WHITENING_EXAMPLES));
        let taken = examples.subset(&taken.into_vec());
        let mut rows: Vec<f32> = Vec::with_capacity(taken.len() * dim);
        for (row, _) in taken.iter() {
            rows.extend(row);
            let start = rows.len() - dim;
            scaling.apply(&mut rows[start..]);
        }
        let mut means = vec![0.0f32; examples.classes().len() * dim];
        let sizes = taken.counts();
        for (row, (_, class)) in rows.chunks_exact(dim).zip(taken.iter()) {
            let mean = &mut means[class * dim..][..dim];
            mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / sizes[class] as f32);
        }
        for (row, (_, class)) in rows.chunks_exact_mut(dim).zip(taken.iter()) {
            row.iter_mut().zip(&means[class * dim..][..dim]).for_each(|(v, m)| *v -= m);
        }
        // The eigenvectors of the small Gram matrix lead to those of the large covariance.
        let n = taken.len();
        let x = ndarray::ArrayView2::from_shape((n, dim), &rows).ok()?;
        let gram = x.dot(&x.t());
        let gram = DMatrix::from_fn(n, n, |i, j| f64::from(gram[[i, j]]) / n as f64);
        let mean_variance = gram.trace() / dim as f64;
        let eigen = SymmetricEigen::new(gram);
        let greatest = eigen.eigenvalues.max();
        if !(mean_variance > 0.0 && greatest > 0.0) {
            return None;
        }
        let floor = f64::from(shrinkage) * mean_variance;
        let (mut basis, mut shrink) = (Vec::new(), Vec::new());
        for (vector, &variance) in eigen.eigenvectors.column_iter().zip(eigen.eigenvalues.iter()) {
            if variance <= NEGLIGIBLE * greatest {
                continue;
            }
            let length = (variance * n as f64).sqrt();
            let weights = ndarray::Array1::from_iter(vector.iter().map(|v| (v / length) as f32));
            basis.extend(weights.dot(&x));
            shrink.push((1.0 - (floor / (variance + floor)).sqrt()) as f32);
        }
        let mut whitening = Self { basis, shrink, gain: 1.0 };
        // Afterwards features are, on average, of deviation 1 again: learning rates keep their meaning.
        let mut power = 0.0f64;
        for (row, _) in taken.iter() {
            let mut row = row.to_vec();
            scaling.apply(&mut row);
            whitening.apply(&mut row);
            power += row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        }
        let rms = (power / (n * dim) as f64).sqrt();
        if rms > 0.0 {
            whitening.gain = (1.0 / rms) as f32;
        }
        Some(whitening)
    }

    fn apply(&self, features: &mut [f32]) {
        let original = features.to_vec();
        for (row, shrink) in self.basis.chunks_exact(features.len()).zip(&self.shrink) {
            let along: f32 = row.iter().zip(&original).map(|(b, v)| b * v).sum();
            features.iter_mut().zip(row).for_each(|(v, b)| *v -= shrink * along * b);
        }
        features.iter_mut().for_each(|v| *v *= self.gain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_features_vanish_and_others_are_standard() {
        let mut set = Examples::with_classes(3, ["a"]).unwrap();
        for row in [[1.0, 5.0, 0.0], [3.0, 5.0, 1e-6], [2.0, 5.0, 0.0]] {
            set.push(0, &row).unwrap();
        }
        let mut row = [3.0, 5.1, 1.0];
        FeatureScaling::Standardize.fit(&set).apply(&mut row);
        assert!((row[0] - 1.5f32.sqrt()).abs() < 1e-6, "{row:?}");
        assert_eq!(row[1..], [0.0, 0.0]);
    }

    /// Two classes that differ a little along the first axis, and within themselves much along
    /// the others, together.
    fn backgrounds() -> Examples {
        let mut set = Examples::with_classes(4, ["a", "b"]).unwrap();
        for i in 0..40u32 {
            let (class, noise) = (i as usize % 2, |k: u32| ((i * 37 + k * 11) % 23) as f32 / 23.0 - 0.5);
            let background = 8.0 * noise(1);
            set.push(
                class,
                &[class as f32 + 0.1 * noise(2), background, background + 0.1 * noise(3), -background],
            )
            .unwrap();
        }
        set
    }

    #[test]
    fn whitened_covariance_within_classes_is_that_of_the_definition() {
        let set = backgrounds();
        let shrinkage = 0.05;
        let scaling = FeatureScaling::Whiten { shrinkage }.fit(&set);
        let whitening = scaling.whitening.clone().unwrap();
        // The standardized covariance within classes, and what becomes of it: it commutes with the
        // map, so T (S + s·I) T is the identity times the square of the gain × the floor.
        let plain = Scaling { whitening: None, ..scaling.clone() };
        let mut rows: Vec<Vec<f32>> = set.iter().map(|(r, _)| r.to_vec()).collect();
        rows.iter_mut().for_each(|r| plain.apply(r));
        let mean = |class: usize, k: usize| {
            rows.iter().skip(class).step_by(2).map(|r| f64::from(r[k])).sum::<f64>() / 20.0
        };
        let centred: Vec<Vec<f64>> = rows
            .iter()
            .enumerate()
            .map(|(i, r)| (0..4).map(|k| f64::from(r[k]) - mean(i % 2, k)).collect())
            .collect();
        let covariance = DMatrix::from_fn(4, 4, |a, b| {
            centred.iter().map(|r| r[a] * r[b]).sum::<f64>() / rows.len() as f64
        });
        let floor = f64::from(shrinkage) * covariance.trace() / 4.0;
        let map = DMatrix::from_fn(4, 4, |a, b| {
            let mut unit = [0.0; 4];
            unit[b] = 1.0;
            whitening.apply(&mut unit);
            f64::from(unit[a])
        });
        let white = &map * (covariance + DMatrix::identity(4, 4) * floor) * &map;
        let expected = floor * f64::from(whitening.gain).powi(2);
        for a in 0..4 {
            for b in 0..4 {
                let should = if a == b { expected } else { 0.0 };
                assert!((white[(a, b)] - should).abs() < 1e-4 * expected, "{white} should be {expected}");
            }
        }
    }

    #[test]
    fn one_example_for_each_class_leaves_nothing_to_whiten() {
        let mut set = Examples::with_classes(2, ["a", "b"]).unwrap();
        set.push(0, &[1.0, 2.0]).unwrap();
        set.push(1, &[2.0, 0.0]).unwrap();
        assert_eq!(FeatureScaling::default().fit(&set), FeatureScaling::Standardize.fit(&set));
    }

    #[test]
    fn folding_moves_the_map_into_the_weights() {
        let scaling = FeatureScaling::default().fit(&backgrounds());
        let (weights, bias) = ([0.5, -1.0, 2.0, 0.25], 0.75);
        let (mut folded, mut folded_bias) = (weights, bias);
        scaling.fold(&mut folded, &mut folded_bias);
        for x in [[1.0, 2.0, 3.0, 4.0], [0.3, -2.0, -2.1, 2.0f32]] {
            let mut prepared = x;
            scaling.apply(&mut prepared);
            let dot = |w: &[f32; 4], x: &[f32; 4]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
            let (a, b) = (dot(&weights, &prepared) + bias, dot(&folded, &x) + folded_bias);
            assert!((a - b).abs() < 1e-3, "{a} {b}");
        }
    }

    #[test]
    fn a_shrinkage_of_nothing_is_refused() {
        for shrinkage in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(FeatureScaling::Whiten { shrinkage }.check().is_err());
        }
    }
}
