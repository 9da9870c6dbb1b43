//! Feature vectors with their classes.

use super::{LearnError, Stored};
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};

/// Which examples to train on, and which to hold out; indices in rising order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// To train on.
    pub train: Vec<usize>,
    /// To validate or test with.
    pub held_out: Vec<usize>,
}

/// A set of feature vectors of one length, each with a class. All numbers are finite.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Examples {
    dim: usize,
    classes: Vec<String>,
    labels: Vec<u32>,
    features: Vec<f32>,
}

impl Examples {
    /// An empty set for feature vectors of `dim` numbers.
    pub fn new(dim: usize) -> Self {
        Self { dim, ..Self::default() }
    }

    /// An empty set with the given classes.
    ///
    /// # Errors
    /// [`LearnError::ClassName`].
    pub fn with_classes<S: Into<String>>(
        dim: usize,
        classes: impl IntoIterator<Item = S>,
    ) -> Result<Self, LearnError> {
        let mut set = Self::new(dim);
        for name in classes {
            set.add_class(name)?;
        }
        Ok(set)
    }

    /// Adds a class and gives its index.
    ///
    /// # Errors
    /// [`LearnError::ClassName`].
    pub fn add_class(&mut self, name: impl Into<String>) -> Result<usize, LearnError> {
        let name = name.into();
        check_name(&name, &self.classes)?;
        self.classes.push(name);
        Ok(self.classes.len() - 1)
    }

    /// Removes a class and its examples; the indices of later classes move down by one.
    ///
    /// # Errors
    /// [`LearnError::NoSuchClass`].
    pub fn remove_class(&mut self, class: usize) -> Result<(), LearnError> {
        self.check_class(class)?;
        let kept: Vec<usize> = (0..self.len()).filter(|&i| self.label(i) != class).collect();
        *self = self.subset(&kept);
        self.classes.remove(class);
        for label in self.labels.iter_mut().filter(|l| **l as usize > class) {
            *label -= 1;
        }
        Ok(())
    }

    /// Adds an example.
    ///
    /// # Errors
    /// [`LearnError::NoSuchClass`], [`LearnError::FeatureLength`], [`LearnError::NotFinite`].
    pub fn push(&mut self, class: usize, features: &[f32]) -> Result<(), LearnError> {
        self.check_class(class)?;
        check_features(features, self.dim)?;
        self.labels.push(class as u32);
        self.features.extend_from_slice(features);
        Ok(())
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Length of a feature vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Names of the classes; labels index into this.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The features of example `index`; panics beyond [`Self::len`], like a slice.
    pub fn features(&self, index: usize) -> &[f32] {
        &self.features[index * self.dim..][..self.dim]
    }

    /// The class of example `index`; panics beyond [`Self::len`], like a slice.
    pub fn label(&self, index: usize) -> usize {
        self.labels[index] as usize
    }

    /// Features and class of every example.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[f32], usize)> + '_ {
        (0..self.len()).map(|i| (self.features(i), self.label(i)))
    }

    /// Number of examples of each class.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[label as usize] += 1;
        }
        counts
    }

    /// The examples at `indices`, in that order, with all classes.
    pub fn subset(&self, indices: &[usize]) -> Self {
        let mut set = Self { classes: self.classes.clone(), ..Self::new(self.dim) };
        for &i in indices {
            set.labels.push(self.labels[i]);
            set.features.extend_from_slice(self.features(i));
        }
        set
    }

    /// Fails unless there are two classes or more, each with an example.
    ///
    /// # Errors
    /// [`LearnError::NoExamples`], [`LearnError::TooFewClasses`], [`LearnError::EmptyClass`].
    pub fn check_trainable(&self) -> Result<(), LearnError> {
        if self.is_empty() {
            return Err(LearnError::NoExamples);
        }
        if self.classes.len() < 2 {
            return Err(LearnError::TooFewClasses { classes: self.classes.len() });
        }
        match self.counts().iter().position(|&n| n == 0) {
            Some(empty) => Err(LearnError::EmptyClass { class: self.classes[empty].clone() }),
            None => Ok(()),
        }
    }

    /// Indices for training and for validation: of each class `fraction` (0..1), rounded, goes to
    /// validation, but never its last example.
    ///
    /// # Errors
    /// [`LearnError::Setting`].
    pub fn split(&self, fraction: f32, seed: u64) -> Result<Split, LearnError> {
        if !(0.0..1.0).contains(&fraction) {
            return Err(LearnError::Setting {
                setting: "the fraction for validation",
                value: fraction.into(),
                allowed: "at least 0 and below 1",
            });
        }
        let mut split = Split::default();
        for members in self.shuffled_by_class(seed) {
            let held = (members.len() as f32 * fraction).round() as usize;
            let held = held.min(members.len().saturating_sub(1));
            split.held_out.extend_from_slice(&members[..held]);
            split.train.extend_from_slice(&members[held..]);
        }
        split.train.sort_unstable();
        split.held_out.sort_unstable();
        Ok(split)
    }

    /// Indices for training and for testing in each of `count` folds, stratified: every example is
    /// tested once, and each class is spread evenly.
    ///
    /// # Errors
    /// [`LearnError::Setting`], [`LearnError::TooFewExamples`].
    pub fn folds(&self, count: usize, seed: u64) -> Result<Vec<Split>, LearnError> {
        if count < 2 {
            return Err(LearnError::Setting {
                setting: "the number of folds",
                value: count as f64,
                allowed: "2 or more",
            });
        }
        let mut fold_of = vec![0; self.len()];
        let mut next = 0;
        for (class, members) in self.shuffled_by_class(seed).into_iter().enumerate() {
            if members.len() < count {
                return Err(LearnError::TooFewExamples {
                    class: self.classes[class].clone(),
                    examples: members.len(),
                    needed: count,
                    purpose: "be in every fold",
                });
            }
            for i in members {
                fold_of[i] = next % count;
                next += 1;
            }
        }
        let split = |fold| {
            let (train, held_out) = (0..self.len()).partition(|&i| fold_of[i] != fold);
            Split { train, held_out }
        };
        Ok((0..count).map(split).collect())
    }

    fn shuffled_by_class(&self, seed: u64) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.classes.len()];
        for (i, &label) in self.labels.iter().enumerate() {
            members[label as usize].push(i);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        members.iter_mut().for_each(|m| m.shuffle(&mut rng));
        members
    }

    fn check_class(&self, class: usize) -> Result<(), LearnError> {
        let classes = self.classes.len();
        if class < classes { Ok(()) } else { Err(LearnError::NoSuchClass { class, classes }) }
    }
}

impl Stored for Examples {
    const KIND: [u8; 4] = *b"EXAM";

    fn is_consistent(&self) -> bool {
        let names_differ =
            (0..self.classes.len()).all(|c| check_name(&self.classes[c], &self.classes[..c]).is_ok());
        names_differ
            && self.labels.len().checked_mul(self.dim) == Some(self.features.len())
            && self.labels.iter().all(|&l| (l as usize) < self.classes.len())
            && self.features.iter().all(|v| v.is_finite())
    }
}

/// Fails unless `features` has `dim` numbers, all finite.
pub(super) fn check_features(features: &[f32], dim: usize) -> Result<(), LearnError> {
    if features.len() != dim {
        return Err(LearnError::FeatureLength { expected: dim, actual: features.len() });
    }
    match features.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(LearnError::NotFinite { index, value: features[index] }),
        None => Ok(()),
    }
}

/// Fails where `name` is empty or among `taken`.
pub(super) fn check_name(name: &str, taken: &[String]) -> Result<(), LearnError> {
    let problem = match name.trim() {
        "" => "empty",
        _ if taken.iter().any(|c| c == name) => "taken",
        _ => return Ok(()),
    };
    Err(LearnError::ClassName { name: name.into(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(counts: &[usize]) -> Examples {
        let mut set = Examples::with_classes(2, (0..counts.len()).map(|c| format!("class {c}"))).unwrap();
        for (class, &n) in counts.iter().enumerate() {
            for i in 0..n {
                set.push(class, &[class as f32, i as f32]).unwrap();
            }
        }
        set
    }

    #[test]
    fn bad_examples_are_refused_and_leave_the_set_as_it_was() {
        let mut set = set(&[1, 1]);
        let before = set.clone();
        assert!(matches!(set.push(2, &[0.0; 2]), Err(LearnError::NoSuchClass { class: 2, classes: 2 })));
        assert!(matches!(set.push(0, &[0.0; 3]), Err(LearnError::FeatureLength { expected: 2, actual: 3 })));
        assert!(matches!(set.push(0, &[0.0, f32::NAN]), Err(LearnError::NotFinite { index: 1, .. })));
        assert!(matches!(set.push(0, &[f32::INFINITY, 0.0]), Err(LearnError::NotFinite { index: 0, .. })));
        assert!(matches!(set.add_class("class 1"), Err(LearnError::ClassName { problem: "taken", .. })));
        assert!(matches!(set.add_class(" "), Err(LearnError::ClassName { problem: "empty", .. })));
        assert_eq!(set, before);
    }

    #[test]
    fn what_cannot_be_trained_on_is_named() {
        assert!(matches!(set(&[]).check_trainable(), Err(LearnError::NoExamples)));
        assert!(matches!(set(&[1]).check_trainable(), Err(LearnError::TooFewClasses { classes: 1 })));
        let error = set(&[2, 0]).check_trainable().unwrap_err();
        assert_eq!(error.to_string(), "class \"class 1\" has no examples; add some or leave the class out");
        assert!(set(&[1, 1]).check_trainable().is_ok());
    }

    #[test]
    fn removing_a_class_moves_the_later_ones_down() {
        let mut set = set(&[2, 3, 1]);
        set.remove_class(1).unwrap();
        assert_eq!(set.classes(), ["class 0", "class 2"]);
        assert_eq!(set.counts(), [2, 1]);
        assert_eq!(set.features(2), [2.0, 0.0]);
        assert_eq!(set.label(2), 1);
    }

    #[test]
    fn folds_test_every_example_once_and_spread_classes() {
        let set = set(&[15, 15, 15]);
        let folds = set.folds(5, 7).unwrap();
        let mut seen = vec![0; set.len()];
        for Split { train, held_out: test } in &folds {
            assert_eq!(train.len() + test.len(), 45);
            assert_eq!(set.subset(test).counts(), [3, 3, 3]);
            test.iter().for_each(|&i| seen[i] += 1);
        }
        assert!(seen.iter().all(|&n| n == 1));
        assert_eq!(folds, set.folds(5, 7).unwrap(), "same seed");
        assert_ne!(folds, set.folds(5, 8).unwrap(), "another seed");
    }

    #[test]
    fn a_split_never_takes_the_last_example() {
        let set = set(&[1, 10]);
        let Split { train, held_out: validation } = set.split(0.9, 0).unwrap();
        assert_eq!(set.subset(&train).counts(), [1, 1]);
        assert_eq!(set.subset(&validation).counts(), [0, 9]);
        assert!(matches!(set.split(1.0, 0), Err(LearnError::Setting { .. })));
    }
}
