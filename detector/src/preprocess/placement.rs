//! Where an image lies in a model's input, and so how boxes come back from there.

use crate::geometry::{InputBox, NormBox};

/// Where the image ended up in the model's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// The part of the upright image that the model sees.
    source: NormBox,
    /// Where that part lies in the model's input; padding lies around it.
    target: InputBox,
}

impl Default for Placement {
    fn default() -> Self {
        Self::whole()
    }
}

impl Placement {
    /// Shows the part `source` of the upright image in the part `target` of the model's input.
    pub fn new(source: NormBox, target: InputBox) -> Self {
        Self { source, target }
    }

    /// The model's input shows the whole upright image and nothing else.
    pub fn whole() -> Self {
        Self { source: NormBox::WHOLE, target: InputBox::WHOLE }
    }

    /// The place in the upright image of a box in the model's input. Not clipped: a box on the
    /// padding comes out beyond the image's edge.
    pub fn to_frame(&self, found: InputBox) -> NormBox {
        NormBox::from_edges(map(found.edges(), self.target.edges(), self.source.edges()))
    }

    /// The place in the model's input of a box in the upright image.
    pub fn to_input(&self, bbox: NormBox) -> InputBox {
        InputBox::from_edges(map(bbox.edges(), self.source.edges(), self.target.edges()))
    }

    /// The part of the upright image that the model sees.
    pub fn source(&self) -> NormBox {
        self.source
    }

    /// Where that part lies in the model's input.
    pub fn target(&self) -> InputBox {
        self.target
    }
}

/// The edges of a box that lies in `from` as they lie in `to`.
fn map(edges: [f32; 4], from: [f32; 4], to: [f32; 4]) -> [f32; 4] {
    std::array::from_fn(|i| {
        let (low, high) = (i % 2, i % 2 + 2);
        to[low] + (edges[i] - from[low]) / (from[high] - from[low]) * (to[high] - to[low])
    })
}
