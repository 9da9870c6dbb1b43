use crate::geometry::NormBox;

/// Where the picture ended up in the model's input, and so how boxes come back from there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// The part of the upright picture that the model sees.
    source: NormBox,
    /// Where that part lies in the model's input; letterbox bars lie around it.
    target: NormBox,
}

impl Placement {
    /// Shows the part `source` of the upright picture in the part `target` of the model's input.
    pub fn new(source: NormBox, target: NormBox) -> Self {
        Self { source, target }
    }

    /// The model's input shows the whole upright picture and nothing else.
    pub fn whole() -> Self {
        let all = NormBox { x_min: 0.0, y_min: 0.0, x_max: 1.0, y_max: 1.0 };
        Self { source: all, target: all }
    }

    /// From fractions of the model's input to fractions of the upright original picture. Not
    /// clipped: a box on a letterbox bar comes out beyond the picture's edge.
    pub fn to_frame(&self, model: NormBox) -> NormBox {
        map(model, &self.target, &self.source)
    }

    /// From fractions of the upright original picture to fractions of the model's input.
    pub fn to_model(&self, frame: NormBox) -> NormBox {
        map(frame, &self.source, &self.target)
    }

    /// The part of the upright picture that the model sees.
    pub fn source(&self) -> NormBox {
        self.source
    }

    /// Where that part lies in the model's input.
    pub fn target(&self) -> NormBox {
        self.target
    }
}

fn map(b: NormBox, from: &NormBox, to: &NormBox) -> NormBox {
    let x = |v: f32| to.x_min + (v - from.x_min) / (from.x_max - from.x_min) * (to.x_max - to.x_min);
    let y = |v: f32| to.y_min + (v - from.y_min) / (from.y_max - from.y_min) * (to.y_max - to.y_min);
    NormBox { x_min: x(b.x_min), y_min: y(b.y_min), x_max: x(b.x_max), y_max: y(b.y_max) }
}
