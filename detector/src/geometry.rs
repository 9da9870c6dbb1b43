//! Boxes and the coordinates they live in.

/// A box in fractions of the upright image: 0 is the left or upper edge, 1 the right or lower.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NormBox {
    /// Left edge.
    pub x_min: f32,
    /// Upper edge.
    pub y_min: f32,
    /// Right edge.
    pub x_max: f32,
    /// Lower edge.
    pub y_max: f32,
}

/// A box in pixels of the upright original image; x to the right, y down.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PixelBox {
    /// Left edge.
    pub x_min: f32,
    /// Upper edge.
    pub y_min: f32,
    /// Right edge.
    pub x_max: f32,
    /// Lower edge.
    pub y_max: f32,
}

impl NormBox {
    /// From the order of TensorFlow's detection models.
    pub const fn from_yxyx([y_min, x_min, y_max, x_max]: [f32; 4]) -> Self {
        Self { x_min, y_min, x_max, y_max }
    }

    /// Area; zero for an inverted box.
    pub fn area(&self) -> f32 {
        (self.x_max - self.x_min).max(0.0) * (self.y_max - self.y_min).max(0.0)
    }

    /// Intersection over union, 0..1; zero where both are empty.
    pub fn iou(&self, other: &Self) -> f32 {
        let w = self.x_max.min(other.x_max) - self.x_min.max(other.x_min);
        let h = self.y_max.min(other.y_max) - self.y_min.max(other.y_min);
        let overlap = w.max(0.0) * h.max(0.0);
        let union = self.area() + other.area() - overlap;
        if union > 0.0 { overlap / union } else { 0.0 }
    }

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
        Self {
            x_min: self.x_min.clamp(0.0, 1.0),
            y_min: self.y_min.clamp(0.0, 1.0),
            x_max: self.x_max.clamp(0.0, 1.0),
            y_max: self.y_max.clamp(0.0, 1.0),
        }
    }
}

/// An object that a detector found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Where it is.
    pub bbox: NormBox,
    /// Index into the model's labels; the background is not counted.
    pub class_id: usize,
    /// Confidence, 0..1.
    pub score: f32,
}
