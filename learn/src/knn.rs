//! Classification by the nearest examples.

use super::examples::check_features;
use super::{Classification, Examples, FeatureScaling, LearnError, Scaling, Stored};
use serde::{Deserialize, Serialize};

/// How far apart two feature vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Metric {
    /// 1 − cosine of the angle, 0..2; does not depend on the vectors' lengths.
    #[default]
    Cosine,
    /// Length of the difference.
    Euclidean,
}

/// What a neighbour's vote counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Votes {
    /// One each.
    Uniform,
    /// 1 ÷ distance; where neighbours lie at distance zero, only they vote.
    #[default]
    Distance,
}

/// How neighbours are found and counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KnnSettings {
    /// Neighbours that vote; all examples where there are fewer.
    pub k: usize,
    /// Distance.
    pub metric: Metric,
    /// Weight of a vote.
    pub votes: Votes,
    /// How features are prepared. Pooled activations share a large common part, which would
    /// otherwise make all cosines alike.
    pub scaling: FeatureScaling,
    /// "None of these" where the nearest example is farther than this.
    pub reject_beyond: Option<f32>,
}

impl Default for KnnSettings {
    fn default() -> Self {
        Self {
            k: 5,
            metric: Metric::default(),
            votes: Votes::default(),
            scaling: FeatureScaling::default(),
            reject_beyond: None,
        }
    }
}

impl KnnSettings {
    fn check(&self) -> Result<(), LearnError> {
        if self.k == 0 {
            return Err(LearnError::Setting { setting: "k", value: 0.0, allowed: "1 or more" });
        }
        if let Some(bad) = self.reject_beyond.filter(|d| !d.is_finite() || *d < 0.0) {
            let (setting, value) = ("the distance beyond which examples are rejected", bad.into());
            return Err(LearnError::Setting { setting, value, allowed: "a number of 0 or more" });
        }
        self.scaling.check()
    }
}

/// An example near to what was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbor {
    /// Index of the example.
    pub example: usize,
    /// Its class.
    pub class: usize,
    /// How far it is, in the metric of the settings.
    pub distance: f32,
}

/// k-nearest neighbours over examples that are added and removed at will.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearestNeighbors {
    examples: Examples,
    settings: KnnSettings,
    #[serde(skip)]
    fitted: Option<Fitted>,
}

/// What follows from the examples: scaled rows, of length 1 under the cosine.
#[derive(Debug, Clone, PartialEq)]
struct Fitted {
    scaling: Scaling,
    rows: Vec<f32>,
    query: Vec<f32>,
    distances: Vec<(f32, u32)>,
}

impl NearestNeighbors {
    /// A classifier over `examples`, which may be empty as long as nothing is asked.
    ///
    /// # Errors
    /// [`LearnError::Setting`].
    pub fn new(examples: Examples, settings: KnnSettings) -> Result<Self, LearnError> {
        settings.check()?;
        Ok(Self { examples, settings, fitted: None })
    }

    /// All examples.
    pub fn examples(&self) -> &Examples {
        &self.examples
    }

    /// How neighbours are found and counted.
    pub fn settings(&self) -> &KnnSettings {
        &self.settings
    }

    /// Adds a class and gives its index.
    ///
    /// # Errors
    /// [`LearnError::ClassName`].
    pub fn add_class(&mut self, name: impl Into<String>) -> Result<usize, LearnError> {
        self.examples.add_class(name)
    }

    /// Removes a class with its examples; the indices of later classes move down by one.
    ///
    /// # Errors
    /// [`LearnError::NoSuchClass`].
    pub fn remove_class(&mut self, class: usize) -> Result<(), LearnError> {
        self.fitted = None;
        self.examples.remove_class(class)
    }

    /// Adds an example.
    ///
    /// # Errors
    /// Those of [`Examples::push`].
    pub fn add(&mut self, class: usize, features: &[f32]) -> Result<(), LearnError> {
        self.fitted = None;
        self.examples.push(class, features)
    }

    /// The nearest examples, nearest first; among equally near ones the older first.
    ///
    /// # Errors
    /// [`LearnError::NoExamples`], [`LearnError::FeatureLength`], [`LearnError::NotFinite`].
    pub fn neighbors(&mut self, features: &[f32]) -> Result<Vec<Neighbor>, LearnError> {
        check_features(features, self.examples.dim())?;
        if self.examples.is_empty() {
            return Err(LearnError::NoExamples);
        }
        let fitted = self.fitted.get_or_insert_with(|| Fitted::new(&self.examples, &self.settings));
        fitted.measure(features, self.settings.metric);
        let k = self.settings.k.min(fitted.distances.len());
        let by_distance = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        fitted.distances.select_nth_unstable_by(k - 1, by_distance);
        fitted.distances[..k].sort_unstable_by(by_distance);
        let neighbor = |&(distance, i): &(f32, u32)| {
            let example = i as usize;
            Neighbor { example, class: self.examples.label(example), distance }
        };
        Ok(fitted.distances[..k].iter().map(neighbor).collect())
    }

    /// The classes' shares of the votes, and the class with most of them; on equal votes the
    /// class of the nearest.
    ///
    /// # Errors
    /// Those of [`Self::neighbors`].
    pub fn classify(&mut self, features: &[f32]) -> Result<Classification, LearnError> {
        let neighbors = self.neighbors(features)?;
        let mut probabilities = vec![0.0f32; self.examples.classes().len()];
        let exact = neighbors.iter().any(|n| n.distance <= 0.0);
        let mut total = 0.0;
        for n in &neighbors {
            let vote = match self.settings.votes {
                Votes::Uniform => 1.0,
                Votes::Distance if exact => f32::from(n.distance <= 0.0),
                Votes::Distance => 1.0 / n.distance,
            };
            probabilities[n.class] += vote;
            total += vote;
        }
        probabilities.iter_mut().for_each(|p| *p /= total);
        let nearest = neighbors[0];
        let most = probabilities.iter().copied().fold(0.0, f32::max);
        let winner =
            neighbors.iter().find(|n| probabilities[n.class] >= most).map_or(nearest.class, |n| n.class);
        let known = self.settings.reject_beyond.is_none_or(|limit| nearest.distance <= limit);
        Ok(Classification { class: known.then_some(winner), probabilities })
    }

    /// The distance within which `share` (0..1) of the examples have another of their own class:
    /// a start for [`KnnSettings::reject_beyond`]. `None` where no class has two examples.
    ///
    /// # Errors
    /// [`LearnError::Setting`], and those of [`Self::neighbors`].
    pub fn distance_within_classes(&mut self, share: f32) -> Result<Option<f32>, LearnError> {
        if !(0.0..=1.0).contains(&share) {
            let (setting, value) = ("the share of examples", share.into());
            return Err(LearnError::Setting { setting, value, allowed: "0 to 1" });
        }
        let settings = KnnSettings { k: self.examples.len().max(1), ..self.settings };
        let mut all = Self::new(self.examples.clone(), settings)?;
        let mut nearest = Vec::with_capacity(self.examples.len());
        for (i, (row, class)) in self.examples.iter().enumerate() {
            let same = all.neighbors(row)?.into_iter().find(|n| n.class == class && n.example != i);
            nearest.extend(same.map(|n| n.distance));
        }
        nearest.sort_unstable_by(f32::total_cmp);
        let last = nearest.len().saturating_sub(1);
        Ok(nearest.get((share * last as f32).ceil() as usize).copied())
    }
}

impl Stored for NearestNeighbors {
    const KIND: [u8; 4] = *b"KNNE";

    fn is_consistent(&self) -> bool {
        self.examples.is_consistent() && self.settings.check().is_ok()
    }
}

impl Fitted {
    fn new(examples: &Examples, settings: &KnnSettings) -> Self {
        let scaling = settings.scaling.fit(examples);
        let mut rows = Vec::with_capacity(examples.len() * examples.dim());
        for (row, _) in examples.iter() {
            let start = rows.len();
            rows.extend_from_slice(row);
            prepare(&mut rows[start..], &scaling, settings.metric);
        }
        let query = vec![0.0; examples.dim()];
        Self { scaling, rows, query, distances: Vec::with_capacity(examples.len()) }
    }

    fn measure(&mut self, features: &[f32], metric: Metric) {
        self.query.copy_from_slice(features);
        prepare(&mut self.query, &self.scaling, metric);
        self.distances.clear();
        let dim = self.query.len().max(1);
        for (i, row) in self.rows.chunks_exact(dim).enumerate() {
            let squared: f32 = row.iter().zip(&self.query).map(|(a, b)| (a - b) * (a - b)).sum();
            // For vectors of length 1, |a − b|² = 2 (1 − cos): no cancellation near zero.
            let distance = match metric {
                Metric::Cosine => squared / 2.0,
                Metric::Euclidean => squared.sqrt(),
            };
            self.distances.push((distance, i as u32));
        }
    }
}

fn prepare(row: &mut [f32], scaling: &Scaling, metric: Metric) {
    scaling.apply(row);
    if metric == Metric::Cosine {
        let length = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|v| *v = (f64::from(*v) / length) as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knn(settings: KnnSettings) -> NearestNeighbors {
        let mut set = Examples::with_classes(2, ["east", "north"]).unwrap();
        for (class, row) in [(0, [1.0, 0.0]), (0, [2.0, 0.1]), (1, [0.0, 1.0]), (1, [0.1, 5.0])] {
            set.push(class, &row).unwrap();
        }
        NearestNeighbors::new(set, settings).unwrap()
    }

    const PLAIN: KnnSettings = KnnSettings {
        k: 1,
        metric: Metric::Cosine,
        votes: Votes::Uniform,
        scaling: FeatureScaling::None,
        reject_beyond: None,
    };

    #[test]
    fn cosine_sees_directions_and_euclid_positions() {
        let far_north_east = [30.0, 40.0];
        assert_eq!(knn(PLAIN).classify(&far_north_east).unwrap().class, Some(1));
        let near_origin = [0.6, 0.5];
        assert_eq!(
            knn(KnnSettings { metric: Metric::Euclidean, ..PLAIN }).classify(&near_origin).unwrap().class,
            Some(0)
        );
        let d = knn(PLAIN).neighbors(&[0.0, 3.0]).unwrap()[0];
        assert_eq!((d.example, d.class, d.distance), (2, 1, 0.0));
    }

    #[test]
    fn more_neighbours_than_examples_is_all_of_them() {
        let mut all = knn(KnnSettings { k: 100, ..PLAIN });
        assert_eq!(all.neighbors(&[1.0, 1.0]).unwrap().len(), 4);
        assert_eq!(all.classify(&[1.0, 0.9]).unwrap().probabilities, [0.5, 0.5]);
    }

    #[test]
    fn what_is_far_from_everything_is_none_of_these() {
        let mut picky = knn(KnnSettings { reject_beyond: Some(0.05), ..PLAIN });
        assert_eq!(picky.classify(&[1.0, 0.02]).unwrap().class, Some(0));
        assert_eq!(picky.classify(&[-1.0, -1.0]).unwrap().class, None);
        let within = picky.distance_within_classes(1.0).unwrap().unwrap();
        assert!(within > 0.0 && within < 0.01, "{within}");
    }

    #[test]
    fn classes_come_and_go() {
        let mut knn = knn(PLAIN);
        let south = knn.add_class("south").unwrap();
        assert_eq!(knn.classify(&[0.1, -1.0]).unwrap().class, Some(0), "no example of south yet");
        knn.add(south, &[0.0, -1.0]).unwrap();
        assert_eq!(knn.classify(&[0.1, -1.0]).unwrap().class, Some(south));
        knn.remove_class(0).unwrap();
        assert_eq!(knn.classify(&[0.1, -1.0]).unwrap().class, Some(1), "south moved down");
        assert_eq!(knn.classify(&[0.1, -1.0]).unwrap().probabilities.len(), 2);
    }

    #[test]
    fn bad_questions_and_settings_are_errors() {
        assert!(matches!(knn(PLAIN).classify(&[f32::NAN, 0.0]), Err(LearnError::NotFinite { .. })));
        assert!(matches!(knn(PLAIN).classify(&[0.0]), Err(LearnError::FeatureLength { .. })));
        let empty = NearestNeighbors::new(Examples::new(2), PLAIN);
        assert!(matches!(empty.unwrap().classify(&[0.0; 2]), Err(LearnError::NoExamples)));
        let none = KnnSettings { k: 0, ..PLAIN };
        assert!(matches!(NearestNeighbors::new(Examples::new(2), none), Err(LearnError::Setting { .. })));
    }

    #[test]
    fn ten_thousand_classes_of_one_example() {
        let mut set = Examples::with_classes(2, (0..10_000).map(|c| c.to_string())).unwrap();
        for class in 0..10_000 {
            let angle = class as f32 * 1e-4;
            set.push(class, &[angle.cos(), angle.sin()]).unwrap();
        }
        let mut knn = NearestNeighbors::new(set, PLAIN).unwrap();
        let angle = 0.77771f32;
        assert_eq!(knn.classify(&[angle.cos(), angle.sin()]).unwrap().class, Some(7777));
    }
}
