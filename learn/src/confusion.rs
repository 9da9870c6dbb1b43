//! Which class was taken for which.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Counts of (true class, answer); an answer may be "none of these".
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConfusionMatrix {
    classes: Vec<String>,
    /// Only what occurred: with many classes nearly all pairs never do.
    counts: BTreeMap<(usize, Option<usize>), u64>,
}

/// How well one class is recognised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassReport {
    /// Name of the class.
    pub class: String,
    /// Examples of the class.
    pub examples: u64,
    /// Share of the answers "this class" that are right; `None` where it was never the answer.
    pub precision: Option<f64>,
    /// Share of the examples that are found; `None` where there are none.
    pub recall: Option<f64>,
}

impl ClassReport {
    /// Harmonic mean of precision and recall; 0 where either is 0 or the class was never answered.
    /// `None` for a class without examples.
    pub fn f1(&self) -> Option<f64> {
        let recall = self.recall?;
        let precision = self.precision.unwrap_or(0.0);
        Some(if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 })
    }
}

impl ConfusionMatrix {
    /// An empty matrix.
    pub fn new(classes: &[String]) -> Self {
        Self { classes: classes.to_vec(), counts: BTreeMap::new() }
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Counts an answer; `None` is "none of these". Indices beyond the classes are ignored.
    pub fn record(&mut self, truth: usize, answer: Option<usize>) {
        let known = |c: usize| c < self.classes.len();
        if known(truth) && answer.is_none_or(known) {
            *self.counts.entry((truth, answer)).or_default() += 1;
        }
    }

    /// Adds the answers of another matrix over the same classes.
    pub fn add(&mut self, other: &Self) {
        for (&(truth, answer), n) in &other.counts {
            if truth < self.classes.len() && answer.is_none_or(|a| a < self.classes.len()) {
                *self.counts.entry((truth, answer)).or_default() += n;
            }
        }
    }

    /// How often class `truth` was answered with `answer`.
    pub fn count(&self, truth: usize, answer: Option<usize>) -> u64 {
        self.counts.get(&(truth, answer)).copied().unwrap_or(0)
    }

    /// All answers.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Share of right answers, 0..1; `None` before the first answer.
    pub fn accuracy(&self) -> Option<f64> {
        let right: u64 = self.counts.iter().filter(|((t, a), _)| Some(*t) == *a).map(|(_, n)| n).sum();
        share(right, self.total())
    }

    /// Mean of the classes' F1 scores; `None` before the first answer.
    pub fn macro_f1(&self) -> Option<f64> {
        let scores: Vec<f64> = self.reports().iter().filter_map(ClassReport::f1).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    }

    /// A report on every class.
    pub fn reports(&self) -> Vec<ClassReport> {
        let (mut examples, mut answers) = (vec![0; self.classes.len()], vec![0; self.classes.len()]);
        for (&(truth, answer), n) in &self.counts {
            examples[truth] += n;
            if let Some(answer) = answer {
                answers[answer] += n;
            }
        }
        let report = |(c, class): (usize, &String)| {
            let right = self.count(c, Some(c));
            let (precision, recall) = (share(right, answers[c]), share(right, examples[c]));
            ClassReport { class: class.clone(), examples: examples[c], precision, recall }
        };
        self.classes.iter().enumerate().map(report).collect()
    }

    /// The wrong pairs, the most frequent first: true class, answer, count.
    pub fn confusions(&self) -> Vec<(usize, Option<usize>, u64)> {
        let wrong = self.counts.iter().filter(|((t, a), _)| Some(*t) != *a);
        let mut pairs: Vec<_> = wrong.map(|(&(t, a), &n)| (t, a, n)).collect();
        pairs.sort_by_key(|&(_, _, n)| std::cmp::Reverse(n));
        pairs
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A table: a row per true class, a column per answer, the last for "none of these" where it occurs.
impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rejects = self.counts.keys().any(|(_, answer)| answer.is_none());
        let answers: Vec<Option<usize>> =
            (0..self.classes.len()).map(Some).chain(rejects.then_some(None)).collect();
        let name = |answer: Option<usize>| answer.map_or("(none)", |c| &self.classes[c]);
        let left = self.classes.iter().map(|c| c.chars().count()).max().unwrap_or(0);
        let width = |a: Option<usize>| name(a).chars().count().max(5);
        write!(f, "{:left$}", "")?;
        for &a in &answers {
            write!(f, "  {:>w$}", name(a), w = width(a))?;
        }
        for (truth, class) in self.classes.iter().enumerate() {
            write!(f, "\n{class:left$}")?;
            for &a in &answers {
                write!(f, "  {:>w$}", self.count(truth, a), w = width(a))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> ConfusionMatrix {
        let mut m = ConfusionMatrix::new(&["rock".into(), "paper".into(), "scissors".into()]);
        let answers = [
            (0, Some(0), 4),
            (0, Some(1), 1),
            (1, Some(1), 3),
            (1, Some(2), 2),
            (2, None, 2),
            (2, Some(0), 1),
        ];
        for (truth, answer, times) in answers {
            (0..times).for_each(|_| m.record(truth, answer));
        }
        m
    }

    #[test]
    fn figures_by_hand() {
        let m = matrix();
        assert_eq!(m.total(), 13);
        assert_eq!(m.accuracy(), Some(7.0 / 13.0));
        let [rock, paper, scissors] = &m.reports()[..] else { panic!("three classes") };
        assert_eq!((rock.precision, rock.recall), (Some(0.8), Some(0.8)));
        assert_eq!((paper.precision, paper.recall), (Some(0.75), Some(0.6)));
        assert_eq!((scissors.precision, scissors.recall, scissors.f1()), (Some(0.0), Some(0.0), Some(0.0)));
        let f1 = (0.8 + 2.0 * 0.75 * 0.6 / 1.35) / 3.0;
        assert!((m.macro_f1().unwrap() - f1).abs() < 1e-12);
        assert_eq!(m.confusions()[0].2, 2);
    }

    #[test]
    fn the_table_lines_up() {
        let expected = "           rock  paper  scissors  (none)\n\
                        rock          4      1         0       0\n\
                        paper         0      3         2       0\n\
                        scissors      1      0         0       2";
        assert_eq!(matrix().to_string(), expected);
    }

    #[test]
    fn nothing_recorded_is_nothing_known() {
        let mut m = ConfusionMatrix::new(&["a".into()]);
        m.record(1, Some(0));
        m.record(0, Some(1));
        assert_eq!((m.total(), m.accuracy(), m.macro_f1()), (0, None, None));
    }
}
