//! Boxes, each with the space of its coordinates in its type.
//!
//! A model finds an [`InputBox`]; [`Placement::to_frame`](crate::preprocess::Placement::to_frame)
//! makes it a [`NormBox`] of the image, and [`NormBox::to_pixels`] a [`PixelBox`]. There is no other
//! way from one to the next, so a box cannot be drawn where it does not belong.

/// The four edges, with what does not depend on the space that they are in.
macro_rules! boxes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Default)]
        pub struct $name {
            /// Left edge.
            pub x_min: f32,
            /// Upper edge.
            pub y_min: f32,
            /// Right edge.
            pub x_max: f32,
            /// Lower edge.
            pub y_max: f32,
        }

        impl $name {
            /// From the order of TensorFlow's detection models.
            pub const fn from_yxyx([y_min, x_min, y_max, x_max]: [f32; 4]) -> Self {
                Self { x_min, y_min, x_max, y_max }
            }

            /// Left, upper, right and lower edge.
            pub const fn edges(&self) -> [f32; 4] {
                [self.x_min, self.y_min, self.x_max, self.y_max]
            }

            /// From left, upper, right and lower edge.
            pub const fn from_edges([x_min, y_min, x_max, y_max]: [f32; 4]) -> Self {
                Self { x_min, y_min, x_max, y_max }
            }

            /// Area; zero for an inverted box.
            pub fn area(&self) -> f32 {
                (self.x_max - self.x_min).max(0.0) * (self.y_max - self.y_min).max(0.0)
            }

            /// Area of what both cover.
            pub fn intersection(&self, other: &Self) -> f32 {
                let w = self.x_max.min(other.x_max) - self.x_min.max(other.x_min);
                let h = self.y_max.min(other.y_max) - self.y_min.max(other.y_min);
                w.max(0.0) * h.max(0.0)
            }

            /// Intersection over union, 0..1; zero if both are empty.
            pub fn iou(&self, other: &Self) -> f32 {
                let overlap = self.intersection(other);
                let union = self.area() + other.area() - overlap;
                if union > 0.0 { overlap / union } else { 0.0 }
            }
        }
    )*};
}

boxes! {
    /// A box in fractions of the upright image: 0 is the left or upper edge, 1 the right or lower.
    NormBox,
    /// A box in fractions of a model's input, which may show a part of the image, or padding beside
    /// it: what a model finds, before it is known where that lies in the image.
    InputBox,
    /// A box in pixels of the upright original image; x to the right, y down.
    PixelBox,
}

impl NormBox {
    /// The whole image.
    pub const WHOLE: Self = Self::from_edges([0.0, 0.0, 1.0, 1.0]);

    /// In pixels of an image of `width` × `height`.
    pub fn to_pixels(&self, width: u32, height: u32) -> PixelBox {
        let (w, h) = (width as f32, height as f32);
        PixelBox {
            x_min: self.x_min * w,
            y_min: self.y_min * h,
            x_max: self.x_max * w,
            y_max: self.y_max * h,
        }
    }

    /// Clipped to the image.
    pub fn clipped(&self) -> Self {
        Self::from_edges(self.edges().map(|edge| edge.clamp(0.0, 1.0)))
    }
}

impl InputBox {
    /// The whole input.
    pub const WHOLE: Self = Self::from_edges([0.0, 0.0, 1.0, 1.0]);
}

/// An object that a detector found, with its box in the image unless the type says otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection<B = NormBox> {
    /// Where it is.
    pub bbox: B,
    /// Index into the model's labels; the background is not counted.
    pub class_id: usize,
    /// Confidence, 0..1.
    pub score: f32,
}
