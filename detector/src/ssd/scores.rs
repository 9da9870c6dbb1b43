//! From a table of scores, anchors × classes, to the few that pass their thresholds.
//!
//! Of a hundred thousand scores a handful pass. For 8-bit scores the thresholds are brought into
//! the quantized domain, and a row is looked at closely only if its greatest byte passes the least
//! of them: one pass of byte maxima, which compilers vectorize.

use super::{Calibration, ScoreKind};
use crate::model::{sigmoid, softmax};
use crate::tensor::TensorView;

/// Which scores of an anchor are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    /// Every one that passes.
    All,
    /// The greatest that passes; of equal ones that of the lowest class.
    Best,
}

/// A score that passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hit {
    pub(super) anchor: usize,
    pub(super) class_id: usize,
    pub(super) score: f32,
}

/// How a model's scores are to be read.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Columns of a row.
    pub(super) columns: usize,
    /// Columns before class 0: 1 where the background has one.
    pub(super) offset: usize,
    pub(super) kind: ScoreKind,
    /// Scale and zero point of quantized scores.
    pub(super) affine: (f32, i32),
    pub(super) calibration: Option<Calibration>,
}

/// Finds the scores that pass.
#[derive(Debug, Clone)]
pub(super) struct ScoreReader {
    layout: Layout,
    /// Least score of each class; infinite for classes that are not wanted.
    thresholds: Vec<f32>,
    /// What each byte of an 8-bit tensor means, by rank; before softmax or calibration.
    table: Box<[f32; 256]>,
    /// Least rank of each class that can pass; 256 where none can.
    ranks: Vec<u16>,
    least_rank: u16,
    /// Least raw float of each class that can pass.
    raws: Vec<f32>,
    least_raw: f32,
    /// A row of logits, for softmax.
    row: Vec<f32>,
    /// Classes of one anchor by falling score.
    best: Vec<(usize, f32)>,
}

/// An 8-bit score, whose rank orders it as its value does.
trait Byte: Copy {
    fn rank(self) -> u8;
}

impl Byte for u8 {
    fn rank(self) -> u8 {
        self
    }
}

impl Byte for i8 {
    fn rank(self) -> u8 {
        self as u8 ^ 0x80
    }
}

impl ScoreReader {
    /// `signed` says whether 8-bit scores are int8 or uint8.
    pub(super) fn new(layout: Layout, thresholds: Vec<f32>, signed: bool) -> Self {
        let (scale, zero_point) = layout.affine;
        let first = if signed { -128 } else { 0 };
        let real = |rank: usize| (rank as f32 + first as f32 - zero_point as f32) * scale;
        let table: Box<[f32; 256]> = Box::new(std::array::from_fn(real));
        let mut reader = Self {
            row: vec![0.0; layout.columns],
            best: Vec::with_capacity(layout.columns),
            layout,
            table,
            ranks: Vec::new(),
            least_rank: 0,
            raws: Vec::new(),
            least_raw: 0.0,
            thresholds: Vec::new(),
        };
        reader.set_thresholds(thresholds);
        reader
    }

    pub(super) fn set_thresholds(&mut self, thresholds: Vec<f32>) {
        let passes = |class: usize, raw: f32| self.score(class, raw) >= thresholds[class];
        self.ranks = (0..thresholds.len())
            .map(|class| (0..256).find(|&r| passes(class, self.table[r])).unwrap_or(256) as u16)
            .collect();
        self.raws = thresholds.iter().map(|&t| self.least_raw(t)).collect();
        self.least_rank = self.ranks.iter().copied().min().unwrap_or(256);
        self.least_raw = self.raws.iter().copied().fold(f32::INFINITY, f32::min);
        self.thresholds = thresholds;
    }

    /// Score of a raw value; for softmax, of the row's probability.
    fn score(&self, class: usize, raw: f32) -> f32 {
        let score = match self.layout.kind {
            ScoreKind::Logits => sigmoid(raw),
            ScoreKind::Probabilities | ScoreKind::SoftmaxLogits => raw,
        };
        self.layout.calibration.as_ref().map_or(score, |c| c.apply(class, score))
    }

    /// A raw value that no passing score lies below; it may be too low, never too high.
    fn least_raw(&self, threshold: f32) -> f32 {
        if threshold > 1.0 && self.layout.calibration.is_none() {
            return f32::INFINITY;
        }
        match (&self.layout.calibration, self.layout.kind) {
            (Some(_), _) => f32::NEG_INFINITY,
            (None, ScoreKind::Probabilities) => threshold,
            // A hair of slack, since the sigmoid rounds.
            (None, ScoreKind::Logits) => (threshold / (1.0 - threshold)).ln() - 1e-3,
            (None, ScoreKind::SoftmaxLogits) => f32::NEG_INFINITY,
        }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn thresholds(&self) -> &[f32] {
        &self.thresholds
    }

    /// Calls `found` with every score that passes, by anchor, then class. `scores` are anchors ×
    /// columns; other types than uint8, int8 and float32 have none.
    pub(super) fn each(&mut self, scores: &TensorView<'_>, pick: Pick, mut found: impl FnMut(Hit)) {
        if self.layout.columns == 0 {
            return;
        }
        let mut row = std::mem::take(&mut self.row);
        let softmax = self.layout.kind == ScoreKind::SoftmaxLogits;
        if let Some(bytes) = scores.as_slice::<u8>() {
            match softmax {
                true => self.softmax(bytes, &mut row, |b| self.table[b.rank() as usize], pick, &mut found),
                false => self.bytes(bytes, pick, &mut found),
            }
        } else if let Some(bytes) = scores.as_slice::<i8>() {
            match softmax {
                true => self.softmax(bytes, &mut row, |b| self.table[b.rank() as usize], pick, &mut found),
                false => self.bytes(bytes, pick, &mut found),
            }
        } else if let Some(floats) = scores.as_slice::<f32>() {
            match softmax {
                true => self.softmax(floats, &mut row, |v| v, pick, &mut found),
                false => self.floats(floats, pick, &mut found),
            }
        }
        self.row = row;
    }

    /// The `count` best classes of an anchor with their scores, best first, whether they pass their
    /// thresholds or not.
    pub(super) fn best_classes(
        &mut self,
        scores: &TensorView<'_>,
        anchor: usize,
        count: usize,
    ) -> &[(usize, f32)] {
        let (columns, offset) = (self.layout.columns, self.layout.offset);
        let range = anchor * columns..(anchor + 1) * columns;
        let mut row = std::mem::take(&mut self.row);
        if let Some(bytes) = scores.as_slice::<u8>() {
            row.iter_mut().zip(&bytes[range]).for_each(|(r, b)| *r = self.table[b.rank() as usize]);
        } else if let Some(bytes) = scores.as_slice::<i8>() {
            row.iter_mut().zip(&bytes[range]).for_each(|(r, b)| *r = self.table[b.rank() as usize]);
        } else if let Some(floats) = scores.as_slice::<f32>() {
            row.copy_from_slice(&floats[range]);
        }
        if self.layout.kind == ScoreKind::SoftmaxLogits {
            softmax(&mut row);
        }
        let mut best = std::mem::take(&mut self.best);
        best.clear();
        best.extend(row[offset..].iter().enumerate().map(|(class, &raw)| (class, self.score(class, raw))));
        best.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(count);
        (self.row, self.best) = (row, best);
        &self.best
    }

    fn bytes<B: Byte>(&self, scores: &[B], pick: Pick, found: &mut impl FnMut(Hit)) {
        let (columns, offset) = (self.layout.columns, self.layout.offset);
        // Where bytes order classes as their scores do, and one threshold holds for all.
        let first_is_best = pick == Pick::Best
            && self.layout.kind == ScoreKind::Probabilities
            && self.layout.calibration.is_none()
            && self.ranks.len() == columns - offset
            && self.ranks.iter().all(|&rank| rank == self.least_rank)
            && self.table.is_sorted_by(|a, b| a < b);
        for (anchor, row) in scores.chunks_exact(columns).enumerate() {
            let row = &row[offset..];
            let greatest = row.iter().fold(0, |m: u8, b| m.max(b.rank()));
            if u16::from(greatest) < self.least_rank {
                continue;
            }
            if first_is_best {
                let class_id = row.iter().position(|b| b.rank() == greatest).unwrap_or_default();
                found(Hit { anchor, class_id, score: self.table[usize::from(greatest)] });
                continue;
            }
            let passing = row.iter().zip(&self.ranks).enumerate();
            let passing = passing.filter(|(_, (b, least))| u16::from(b.rank()) >= **least);
            self.emit(
                anchor,
                passing.map(|(class, (b, _))| (class, self.table[b.rank() as usize])),
                pick,
                found,
            );
        }
    }

    fn floats(&self, scores: &[f32], pick: Pick, found: &mut impl FnMut(Hit)) {
        let (columns, offset) = (self.layout.columns, self.layout.offset);
        for (anchor, row) in scores.chunks_exact(columns).enumerate() {
            let row = &row[offset..];
            let greatest = row.iter().fold(f32::NEG_INFINITY, |m, &v| if v > m { v } else { m });
            if greatest < self.least_raw {
                continue;
            }
            let passing = row.iter().zip(&self.raws).enumerate().filter(|(_, (v, least))| v >= least);
            self.emit(anchor, passing.map(|(class, (v, _))| (class, *v)), pick, found);
        }
    }

    /// Rounding and calibration are settled here, on the few values that are left.
    fn emit(
        &self,
        anchor: usize,
        raw: impl Iterator<Item = (usize, f32)>,
        pick: Pick,
        found: &mut impl FnMut(Hit),
    ) {
        let scored = raw.map(|(class, raw)| (class, self.score(class, raw)));
        self.finish(anchor, scored, pick, found);
    }

    fn finish(
        &self,
        anchor: usize,
        scored: impl Iterator<Item = (usize, f32)>,
        pick: Pick,
        found: &mut impl FnMut(Hit),
    ) {
        let mut hits = scored
            .filter(|&(class, score)| score >= self.thresholds[class])
            .map(|(class_id, score)| Hit { anchor, class_id, score });
        match pick {
            Pick::All => hits.for_each(found),
            Pick::Best => {
                let first = hits.next();
                let best = first.map(|first| hits.fold(first, |b, h| if h.score > b.score { h } else { b }));
                best.into_iter().for_each(found);
            }
        }
    }

    fn softmax<T: Copy>(
        &self,
        scores: &[T],
        logits: &mut [f32],
        real: impl Fn(T) -> f32,
        pick: Pick,
        found: &mut impl FnMut(Hit),
    ) {
        let (columns, offset) = (self.layout.columns, self.layout.offset);
        let calibrated = self.layout.calibration.is_some();
        let least = self.thresholds.iter().copied().fold(f32::INFINITY, f32::min);
        let max = |v: &[f32]| v.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for (anchor, row) in scores.chunks_exact(columns).enumerate() {
            logits.iter_mut().zip(row).for_each(|(l, &r)| *l = real(r));
            let top = max(logits);
            // A probability is at most e^(logit − greatest logit).
            if !calibrated && (max(&logits[offset..]) - top).exp() < least {
                continue;
            }
            softmax(logits);
            let classes = logits[offset..].iter().enumerate().take(self.thresholds.len());
            let scored = classes.map(|(class, &p)| (class, self.score(class, p)));
            self.finish(anchor, scored, pick, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayD;
    use proptest::prelude::*;

    fn probability(kind: ScoreKind, row: &[f32], column: usize) -> f32 {
        match kind {
            ScoreKind::Probabilities => row[column],
            ScoreKind::Logits => sigmoid(row[column]),
            ScoreKind::SoftmaxLogits => {
                let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = row.iter().map(|v| (v - top).exp()).sum();
                (row[column] - top).exp() / sum
            }
        }
    }

    /// Every score looked at, one after the other.
    fn oracle(real: &[f32], layout: &Layout, thresholds: &[f32], pick: Pick) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (anchor, row) in real.chunks(layout.columns).enumerate() {
            let scored = (0..thresholds.len()).map(|class_id| {
                let score = probability(layout.kind, row, class_id + layout.offset);
                Hit { anchor, class_id, score }
            });
            let passing: Vec<Hit> = scored.filter(|h| h.score >= thresholds[h.class_id]).collect();
            match pick {
                Pick::All => hits.extend(passing),
                Pick::Best => {
                    let best = passing.iter().map(|h| h.score).fold(f32::NEG_INFINITY, f32::max);
                    hits.extend(passing.into_iter().find(|h| h.score == best));
                }
            }
        }
        hits
    }

    fn found(reader: &mut ScoreReader, view: &TensorView<'_>, pick: Pick) -> Vec<Hit> {
        let mut hits = Vec::new();
        reader.each(view, pick, |hit| hits.push(hit));
        hits
    }

    fn near(ours: &[Hit], theirs: &[Hit]) -> bool {
        let same = |(a, b): (&Hit, &Hit)| {
            (a.anchor, a.class_id) == (b.anchor, b.class_id) && (a.score - b.score).abs() < 1e-5
        };
        ours.len() == theirs.len() && ours.iter().zip(theirs).all(same)
    }

    proptest! {
        #[test]
        fn the_quantized_domain_finds_what_real_numbers_find(
            bytes in prop::collection::vec(any::<u8>(), 5 * 7),
            kind in prop::sample::select(vec![ScoreKind::Probabilities, ScoreKind::Logits, ScoreKind::SoftmaxLogits]),
            offset in 0usize..2,
            signed: bool,
            thresholds in prop::collection::vec(prop_oneof![0.0f32..1.0, Just(f32::INFINITY), Just(0.0f32)], 5),
            all: bool,
        ) {
            let columns = thresholds.len() + offset;
            let bytes = &bytes[..5 * columns];
            let zero_point = if signed { -128 } else { 0 };
            let scale = if kind == ScoreKind::Probabilities { 1.0 / 256.0 } else { 0.05 };
            let zero_point = if kind == ScoreKind::Probabilities { zero_point } else { zero_point + 130 };
            let layout = Layout { columns, offset, kind, affine: (scale, zero_point), calibration: None };
            let pick = if all { Pick::All } else { Pick::Best };
            let stored = |b: &u8| if signed { i32::from(*b as i8) } else { i32::from(*b) };
            let real: Vec<f32> = bytes.iter().map(|b| (stored(b) - zero_point) as f32 * scale).collect();
            let mut reader = ScoreReader::new(layout.clone(), thresholds.clone(), signed);
            let view = match signed {
                true => {
                    let signed = bytes.iter().map(|b| *b as i8).collect();
                    crate::Tensor::from(ArrayD::from_shape_vec(vec![1, 5, columns], signed).unwrap())
                }
                false => crate::Tensor::from(ArrayD::from_shape_vec(vec![1, 5, columns], bytes.to_vec()).unwrap()),
            };
            let theirs = oracle(&real, &layout, &thresholds, pick);
            prop_assert!(near(&found(&mut reader, &view.view(), pick), &theirs), "{theirs:?}");
            // The same numbers as floats.
            let mut reader = ScoreReader::new(Layout { affine: (1.0, 0), ..layout }, thresholds, false);
            let floats = crate::Tensor::from(ArrayD::from_shape_vec(vec![1, 5, columns], real).unwrap());
            prop_assert!(near(&found(&mut reader, &floats.view(), pick), &theirs), "{theirs:?}");
        }
    }

    #[test]
    fn calibration_changes_who_passes() {
        use crate::model::{ScoreCalibration, ScoreTransform};
        let rule = ScoreCalibration { transform: ScoreTransform::InverseLogistic, default_score: 0.0 };
        // Class 0 is trusted more, class 1 turned upside down, class 2 has no parameters.
        let calibration = Calibration::parse(rule, b"1,1,2\n1,-1,0\n").unwrap();
        let layout = Layout {
            columns: 3,
            offset: 0,
            kind: ScoreKind::Probabilities,
            affine: (1.0 / 255.0, 0),
            calibration: Some(calibration),
        };
        let mut reader = ScoreReader::new(layout, vec![0.5; 3], false);
        let bytes = ArrayD::from_shape_vec(vec![1, 2, 3], vec![60u8, 20, 250, 10, 200, 0]).unwrap();
        let hits = found(&mut reader, &bytes.view().into(), Pick::All);
        let classes: Vec<_> = hits.iter().map(|h| (h.anchor, h.class_id)).collect();
        assert_eq!(classes, [(0, 0), (0, 1)], "{hits:?}");
    }

    #[test]
    fn scores_that_are_no_numbers_never_pass() {
        let layout = Layout {
            columns: 2,
            offset: 0,
            kind: ScoreKind::Probabilities,
            affine: (1.0, 0),
            calibration: None,
        };
        let mut reader = ScoreReader::new(layout, vec![0.0; 2], false);
        let floats = ArrayD::from_shape_vec(vec![1, 2, 2], vec![f32::NAN, 0.5, f32::NAN, f32::NAN]).unwrap();
        let hits = found(&mut reader, &floats.view().into(), Pick::All);
        assert_eq!(hits, [Hit { anchor: 0, class_id: 1, score: 0.5 }]);
    }
}
