//! Calibration of scores, as TFLite metadata describe it.

use crate::model::{ModelError, ScoreCalibration, ScoreTransform};

/// Most classes that parameters are read for.
const MAX_CLASSES: usize = 1 << 16;

/// A sigmoid for each class that makes scores comparable between classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    rule: ScoreCalibration,
    classes: Vec<Option<Sigmoid>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Sigmoid {
    scale: f32,
    slope: f32,
    offset: f32,
    min_score: f32,
}

impl Calibration {
    /// Reads a line of `scale,slope,offset[,least score]` for each class; an empty line leaves its
    /// class at the default score.
    ///
    /// # Errors
    /// [`ModelError::Metadata`].
    pub fn parse(rule: ScoreCalibration, text: &[u8]) -> Result<Self, ModelError> {
        let damaged = |what: String| ModelError::Metadata { what: format!("score calibration: {what}") };
        let text = std::str::from_utf8(text).map_err(|e| damaged(e.to_string()))?;
        let class = |(at, line): (usize, &str)| -> Result<Option<Sigmoid>, ModelError> {
            if line.trim().is_empty() {
                return Ok(None);
            }
            let bad = || damaged(format!("line {}: three or four numbers are expected", at + 1));
            let numbers: Vec<f32> = line
                .split(',')
                .map(|n| n.trim().parse().ok().filter(|v: &f32| v.is_finite()))
                .collect::<Option<_>>()
                .ok_or_else(bad)?;
            match *numbers.as_slice() {
                [scale, slope, offset] => {
                    Ok(Some(Sigmoid { scale, slope, offset, min_score: f32::NEG_INFINITY }))
                }
                [scale, slope, offset, min_score] => Ok(Some(Sigmoid { scale, slope, offset, min_score })),
                _ => Err(bad()),
            }
        };
        let classes = text.trim_end().lines().enumerate().map(class).collect::<Result<Vec<_>, _>>()?;
        if classes.len() > MAX_CLASSES {
            return Err(damaged(format!("{} lines", classes.len())));
        }
        Ok(Self { rule, classes })
    }

    /// Lines that were read.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether no line was read.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Without the line of the background, where the list has one more than there are classes.
    pub(crate) fn aligned(mut self, classes: usize) -> Self {
        if self.classes.len() == classes + 1 {
            self.classes.remove(0);
        }
        self
    }

    /// The calibrated score of a class, 0..1 for parameters that make sense.
    pub fn apply(&self, class_id: usize, score: f32) -> f32 {
        let Some(&Some(s)) = self.classes.get(class_id) else { return self.rule.default_score };
        if score < s.min_score {
            return self.rule.default_score;
        }
        // Scores of exactly 0 and 1 would become infinite.
        let kept = score.clamp(1e-7, 1.0 - 1e-7);
        let transformed = match self.rule.transform {
            ScoreTransform::Identity => score,
            ScoreTransform::Log => kept.ln(),
            ScoreTransform::InverseLogistic => (kept / (1.0 - kept)).ln(),
        };
        s.scale / (1.0 + (-(s.slope * transformed + s.offset)).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(transform: ScoreTransform) -> ScoreCalibration {
        ScoreCalibration { transform, default_score: 0.05 }
    }

    #[test]
    fn an_identity_sigmoid_on_logits_changes_nothing() {
        let calibration =
            Calibration::parse(rule(ScoreTransform::InverseLogistic), b"1,1,0\n\n1,1,0,0.4\n").unwrap();
        assert!((calibration.apply(0, 0.3) - 0.3).abs() < 1e-6);
        assert_eq!(calibration.apply(1, 0.3), 0.05);
        assert_eq!(calibration.apply(2, 0.3), 0.05);
        assert!((calibration.apply(2, 0.5) - 0.5).abs() < 1e-6);
        assert_eq!(calibration.apply(99, 0.9), 0.05);
        assert!(calibration.apply(0, 0.0).is_finite() && calibration.apply(0, 1.0).is_finite());
    }

    #[test]
    fn damaged_lines_are_named() {
        for text in ["1,2", "a,b,c", "1,2,3,4,5", "1,nan,3"] {
            let error = Calibration::parse(rule(ScoreTransform::Log), format!("1,1,0\n{text}").as_bytes());
            assert!(error.unwrap_err().to_string().contains("line 2"), "{text}");
        }
        assert!(Calibration::parse(rule(ScoreTransform::Log), &[0xff]).is_err());
    }
}
