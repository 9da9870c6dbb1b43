//! Whether scores are probabilities.

use hotcoco::metrics::calibration;

/// Expected and greatest difference between confidence and accuracy, over so many bins of
/// confidence (Guo et al., "On Calibration of Modern Neural Networks", 2017). `right` says for each
/// confidence, 0 to 1, whether the answer was right.
pub fn calibration_error(confidences: &[f64], right: &[bool], bins: usize) -> (f64, f64) {
    calibration::calibration_error(&calibration::calibration_curve(confidences, right, bins))
}
