//! What the choice of a head depends on, from a model that is loaded or merely looked at.

use super::{Fitted, Sought, choose, convention};
use crate::model::{Entry, HeadKind, InputConvention, PictureShape};
use crate::tensor::TensorSpec;

/// What is known of a model before its head is chosen.
pub(crate) struct Outline<'a> {
    pub(crate) input: Option<&'a TensorSpec>,
    pub(crate) outputs: &'a [TensorSpec],
    pub(crate) labels: usize,
    pub(crate) entry: Option<&'a Entry>,
    /// The metadata describe an SSD's raw outputs.
    pub(crate) described: bool,
    /// The head that the caller names.
    pub(crate) given: Option<HeadKind>,
    /// The graph ended in LiteRT's post-processing: it is an SSD.
    pub(crate) ends_in_detections: bool,
}

impl Outline<'_> {
    /// The head that caller, manifest or metadata name; a description of an SSD names one too.
    pub(crate) fn named(&self) -> Option<HeadKind> {
        let described = |e: &Entry| e.head.or(e.ssd.as_ref().map(|_| HeadKind::Ssd));
        self.given
            .or_else(|| self.entry.and_then(described))
            .or_else(|| self.described.then_some(HeadKind::Ssd))
    }

    fn sought(&self) -> Option<Sought<'_>> {
        let picture = PictureShape::of(&self.input?.shape)?;
        Some(Sought {
            outputs: self.outputs,
            width: picture.width,
            height: picture.height,
            labels: self.labels,
            forced: self.named().is_some(),
        })
    }

    /// The head that is no SSD's, where one fits.
    pub(crate) fn fitted(&self) -> Option<Fitted> {
        if self.ends_in_detections || self.named() == Some(HeadKind::Ssd) {
            return None;
        }
        choose(&self.sought()?, self.named())
    }

    /// What the authors of its family feed such a model.
    pub(crate) fn convention(&self) -> Option<InputConvention> {
        convention(&self.fitted()?, &self.sought()?)
    }
}
