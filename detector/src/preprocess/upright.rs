//! Frames as they are seen: upright, at their own size, in RGB.

use super::{Filter, PreprocessError, PreprocessOptions, Preprocessor};
use crate::frame::Frame;
use crate::tensor::{DType, TensorSpec, TensorViewMut};
use ndarray::{ArrayViewMut, IxDyn};

/// An RGB image that owns its pixels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UprightImage {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl UprightImage {
    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Red, green and blue of each pixel, row by row without gaps.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

/// Copies frames of any format and orientation into [`UprightImage`]s.
#[derive(Debug, Clone, Default)]
pub struct UprightCopier {
    /// For images of the width and height beside it.
    preprocessor: Option<(Preprocessor, (u32, u32))>,
}

impl UprightCopier {
    /// Fills `image` with what `frame` shows. Memory of an earlier frame is used again.
    ///
    /// # Errors
    /// [`PreprocessError`].
    pub fn copy(&mut self, frame: &Frame<'_>, image: &mut UprightImage) -> Result<(), PreprocessError> {
        let size @ (width, height) = frame.upright_size();
        let shape = [1, height as usize, width as usize, 3];
        if self.preprocessor.as_ref().is_none_or(|(_, made_for)| *made_for != size) {
            let spec = TensorSpec {
                name: "image".to_owned(),
                shape: shape.to_vec(),
                dtype: DType::U8,
                quantization: None,
            };
            let options = PreprocessOptions { filter: Filter::Bilinear, ..PreprocessOptions::default() };
            self.preprocessor = Some((Preprocessor::new(&spec, options)?, size));
        }
        let Some((preprocessor, _)) = &mut self.preprocessor else { return Err(PreprocessError::Layout) };
        (image.width, image.height) = size;
        image.pixels.resize(shape.iter().product(), 0);
        let view = ArrayViewMut::from_shape(IxDyn(&shape), &mut image.pixels);
        let view = view.map_err(|_| PreprocessError::Layout)?;
        preprocessor.run(frame, &mut TensorViewMut::U8(view))?;
        Ok(())
    }
}
