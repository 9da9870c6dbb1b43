//! Handwritten digits.

#![allow(unsafe_code, reason = "Swift hands over memory as addresses")]

use crate::error::{Failure, FailureKind};
use crate::guard::{copy_out, guarded, lock, slice};
use crate::source::ModelSource;
use osprey_detector::model::LoadOptions;
use osprey_senses::digits::{Digit, DigitClassifier, DigitImage};
use std::sync::Mutex;

/// Reads digits. Any thread may use it.
#[derive(Debug)]
pub struct DigitReader(Mutex<DigitClassifier>);

/// A reader with a model of ten digits.
///
/// # Errors
/// [`FailureKind::Model`].
pub fn digit_reader(source: &ModelSource) -> Result<DigitReader, Failure> {
    guarded(|| {
        let loaded = source.load(&LoadOptions::default())?;
        Ok(DigitReader(Mutex::new(DigitClassifier::new(loaded.model)?)))
    })
}

impl DigitReader {
    /// Reads strokes: `points` pairs of floats (x to the right, y down) lie at address `xy`;
    /// `strokes` lengths, in points, as 32-bit integers at address `lengths`. Writes ten
    /// probabilities to the floats at `probabilities` and gives the digit.
    ///
    /// # Errors
    /// [`FailureKind::Blank`], [`FailureKind::Digits`], [`FailureKind::Pointer`].
    pub fn read_strokes(
        &self,
        xy: usize,
        points: usize,
        lengths: usize,
        strokes: usize,
        probabilities: usize,
    ) -> Result<u8, Failure> {
        guarded(|| {
            // SAFETY: Swift lends both arrays for this call.
            let (xy, lengths) = unsafe { (slice::<[f32; 2]>(xy, points)?, slice::<u32>(lengths, strokes)?) };
            let mut rest = xy;
            let mut drawn: Vec<Vec<(f32, f32)>> = Vec::with_capacity(strokes);
            for &length in lengths {
                let (stroke, others) = rest.split_at_checked(length as usize).ok_or_else(|| {
                    Failure::new(FailureKind::Digits, "the strokes have more points than were handed over")
                })?;
                drawn.push(stroke.iter().map(|[x, y]| (*x, *y)).collect());
                rest = others;
            }
            self.answer(&DigitImage::from_strokes(&drawn)?, probabilities)
        })
    }

    /// Finds the digit in a gray picture of `width` × `height` bytes at `address`, dark on light or
    /// light on dark. Otherwise as [`Self::read_strokes`].
    ///
    /// # Errors
    /// As [`Self::read_strokes`].
    pub fn read_gray(
        &self,
        address: usize,
        width: u32,
        height: u32,
        probabilities: usize,
    ) -> Result<u8, Failure> {
        guarded(|| {
            let (width, height) = (width as usize, height as usize);
            // SAFETY: Swift lends the pixels for this call.
            let levels = unsafe { slice::<u8>(address, width.saturating_mul(height)) }?;
            self.answer(&DigitImage::from_gray(levels, width, height)?, probabilities)
        })
    }

    fn answer(&self, image: &DigitImage, address: usize) -> Result<u8, Failure> {
        let Digit { digit, probabilities } = lock(&self.0).classify(image)?;
        // SAFETY: Swift lends room for ten floats for this call.
        unsafe { copy_out(&probabilities, address, probabilities.len()) };
        Ok(digit)
    }
}
