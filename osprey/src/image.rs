//! What is looked at: images of the crate `image`, and frames in whatever memory a camera has them.

use crate::Error;
use osprey_detector::frame::{Frame, FrameError};

/// An image to detect in, made by `into` from the types of the crate `image` and from [`Frame`]s.
///
/// 8-bit RGB, RGBA and gray are borrowed, and other pixel formats converted to RGB.
#[derive(Debug)]
pub struct Image<'a>(Pixels<'a>);

#[derive(Debug)]
enum Pixels<'a> {
    Frame(Result<Frame<'a>, FrameError>),
    #[cfg(feature = "image")]
    Owned(image::RgbImage),
}

impl Image<'_> {
    /// The image as the library takes it.
    ///
    /// # Errors
    /// [`FrameError`] for an image without pixels, or with more than 65,535 on a side.
    pub fn frame(&self) -> Result<Frame<'_>, FrameError> {
        match &self.0 {
            Pixels::Frame(frame) => *frame,
            #[cfg(feature = "image")]
            Pixels::Owned(rgb) => Frame::rgb(rgb, rgb.width(), rgb.height()),
        }
    }
}

impl<'a> From<Frame<'a>> for Image<'a> {
    fn from(frame: Frame<'a>) -> Self {
        Self(Pixels::Frame(Ok(frame)))
    }
}

impl<'a> From<&Frame<'a>> for Image<'a> {
    fn from(frame: &Frame<'a>) -> Self {
        Self(Pixels::Frame(Ok(*frame)))
    }
}

impl<'a> From<&'a Image<'_>> for Image<'a> {
    fn from(image: &'a Image<'_>) -> Self {
        Self(Pixels::Frame(image.frame()))
    }
}

#[cfg(feature = "image")]
mod interop {
    use super::{Error, Frame, Image, Pixels};
    use image::{DynamicImage, GrayImage, ImageDecoder, ImageReader, RgbImage, RgbaImage};
    use std::path::Path;

    impl Image<'static> {
        /// Reads a file and turns it upright as its EXIF says, which `image::open` does not.
        ///
        /// # Errors
        /// [`Error::Image`].
        pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
            let path = path.as_ref();
            let failed = |source: image::ImageError| Error::Image { path: path.to_owned(), source };
            let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
            let mut decoder = reader.map_err(|e| failed(e.into()))?.into_decoder().map_err(failed)?;
            let orientation = decoder.orientation().map_err(failed)?;
            let mut image = DynamicImage::from_decoder(decoder).map_err(failed)?;
            image.apply_orientation(orientation);
            Ok(Self(Pixels::Owned(image.into_rgb8())))
        }
    }

    impl<'a> From<&'a RgbImage> for Image<'a> {
        fn from(image: &'a RgbImage) -> Self {
            Self(Pixels::Frame(Frame::rgb(image, image.width(), image.height())))
        }
    }

    impl<'a> From<&'a RgbaImage> for Image<'a> {
        fn from(image: &'a RgbaImage) -> Self {
            Self(Pixels::Frame(Frame::rgba(image, image.width(), image.height())))
        }
    }

    impl<'a> From<&'a GrayImage> for Image<'a> {
        fn from(image: &'a GrayImage) -> Self {
            Self(Pixels::Frame(Frame::gray(image, image.width(), image.height())))
        }
    }

    impl<'a> From<&'a DynamicImage> for Image<'a> {
        fn from(image: &'a DynamicImage) -> Self {
            match image {
                DynamicImage::ImageRgb8(rgb) => rgb.into(),
                DynamicImage::ImageRgba8(rgba) => rgba.into(),
                DynamicImage::ImageLuma8(gray) => gray.into(),
                other => Self(Pixels::Owned(other.to_rgb8())),
            }
        }
    }
}
