//! Which anchor stands for which object.

use crate::LearnError;
use osprey_detector::InputBox;
use osprey_detector::ssd::{Anchor, BoxDecoder};

/// An object in a view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object {
    /// Index of its class.
    pub class: usize,
    /// Where it is, in fractions of the view.
    pub bbox: InputBox,
}

/// By how much anchor and object overlap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matching {
    /// From this intersection over union on an anchor stands for the object.
    pub object: f32,
    /// Below this an anchor stands for background; between the two it is not asked.
    pub background: f32,
}

impl Default for Matching {
    /// 0.5 and 0.4, as RetinaNet has them.
    fn default() -> Self {
        Self { object: 0.5, background: 0.4 }
    }
}

/// What an anchor is to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// That it stands for an object.
    Object {
        /// The object's class.
        class: usize,
        /// What makes the object's box of the anchor.
        code: [f32; 4],
    },
    /// That there is nothing.
    Background,
    /// Whatever it likes.
    NotAsked,
}

/// What each anchor is to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Targets {
    /// By anchor.
    pub anchors: Vec<Target>,
    /// How many of them stand for an object.
    pub objects: usize,
}

impl Matching {
    /// Fails where a threshold lies outside its range.
    pub(super) fn check(&self) -> Result<(), LearnError> {
        let ranges = [
            ("the overlap of an object's anchors", self.object, 1.0, "0 to 1"),
            ("the overlap of the background's anchors", self.background, self.object, "0 to the object's"),
        ];
        match ranges.into_iter().find(|(_, value, most, _)| !(0.0..=*most).contains(value)) {
            Some((setting, value, _, allowed)) => {
                Err(LearnError::Setting { setting, value: value.into(), allowed })
            }
            None => Ok(()),
        }
    }

    /// What `anchors` are to say of a view with these objects. Each anchor stands for the object that it overlaps
    /// most; each object has at least the one anchor that overlaps it most, whatever the thresholds.
    pub fn targets(&self, anchors: &[Anchor], objects: &[Object], decoder: &BoxDecoder) -> Targets {
        // A code of zeros is the anchor itself.
        let boxes: Vec<InputBox> = anchors.iter().map(|a| decoder.decode([0.0; 4], *a)).collect();
        let mut chosen: Vec<(f32, Option<usize>)> = boxes
            .iter()
            .map(|bbox| {
                let overlaps = objects.iter().enumerate().map(|(i, o)| (bbox.iou(&o.bbox), i));
                overlaps.max_by(|a, b| a.0.total_cmp(&b.0)).map_or((0.0, None), |(iou, i)| (iou, Some(i)))
            })
            .collect();
        // The best pair first, so that two objects do not claim one anchor.
        let mut claims: Vec<(f32, usize, usize)> = Vec::new();
        for (o, object) in objects.iter().enumerate() {
            let overlaps = boxes.iter().enumerate().map(|(a, bbox)| (bbox.iou(&object.bbox), a, o));
            claims.extend(overlaps.filter(|(iou, ..)| *iou > 0.0));
        }
        claims.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let (mut claimed, mut served) = (vec![false; anchors.len()], vec![false; objects.len()]);
        for (_, a, o) in claims {
            if !claimed[a] && !served[o] {
                (claimed[a], served[o]) = (true, true);
                chosen[a] = (1.0, Some(o));
            }
        }
        let target = |(&(iou, object), &anchor): (&(f32, Option<usize>), &Anchor)| match object {
            Some(o) if iou >= self.object => {
                let code = decoder.encode(objects[o].bbox, anchor);
                match code.iter().all(|v| v.is_finite()) {
                    true => Target::Object { class: objects[o].class, code },
                    // A box without extent has no code.
                    false => Target::Background,
                }
            }
            _ if iou < self.background => Target::Background,
            _ => Target::NotAsked,
        };
        let anchors: Vec<_> = chosen.iter().zip(anchors).map(target).collect();
        let objects = anchors.iter().filter(|t| matches!(t, Target::Object { .. })).count();
        Targets { anchors, objects }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(cy: f32, cx: f32, h: f32, w: f32) -> Anchor {
        Anchor { cy, cx, h, w }
    }

    fn object(targets: &Targets, anchor: usize) -> (usize, [f32; 4]) {
        match targets.anchors[anchor] {
            Target::Object { class, code } => (class, code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn anchors_stand_for_what_they_overlap() {
        let anchors = [
            anchor(0.25, 0.25, 0.3, 0.4),
            anchor(0.25, 0.30, 0.3, 0.4),
            anchor(0.25, 0.42, 0.3, 0.4),
            anchor(0.80, 0.80, 0.3, 0.2),
        ];
        let decoder = BoxDecoder::default();
        let bbox = decoder.decode([0.0; 4], anchors[0]);
        let targets = Matching::default().targets(&anchors, &[Object { class: 2, bbox }], &decoder);
        let (class, code) = object(&targets, 0);
        assert!(class == 2 && code.iter().all(|c| c.abs() < 1e-5), "{code:?}");
        // IoU 0.35 / 0.45 = 0.78: the box lies an eighth of the anchor's width to its left.
        let (class, code) = object(&targets, 1);
        assert!(class == 2 && (code[1] - -0.125 * 10.0).abs() < 1e-4 && code[0].abs() < 1e-5, "{code:?}");
        // IoU 0.23 / 0.57 = 0.40: not asked, a little above the background's limit.
        assert_eq!(targets.anchors[2], Target::NotAsked);
        assert_eq!(targets.anchors[3], Target::Background);
        assert_eq!(targets.objects, 2);
    }

    #[test]
    fn codes_decode_to_the_object() {
        let anchors = [anchor(0.4, 0.6, 0.2, 0.5)];
        let decoder = BoxDecoder::default();
        let bbox = InputBox::from_yxyx([0.35, 0.4, 0.55, 0.9]);
        let targets = Matching::default().targets(&anchors, &[Object { class: 0, bbox }], &decoder);
        let back = decoder.decode(object(&targets, 0).1, anchors[0]);
        assert!(back.iou(&bbox) > 0.9999, "{back:?}");
    }

    #[test]
    fn small_objects_have_an_anchor_each() {
        let anchors = [anchor(0.5, 0.5, 1.0, 1.0), anchor(0.5, 0.5, 0.9, 1.0)];
        let small = |x: f32| InputBox::from_yxyx([0.1, x, 0.2, x + 0.1]);
        let objects = [Object { class: 0, bbox: small(0.1) }, Object { class: 1, bbox: small(0.7) }];
        let targets = Matching::default().targets(&anchors, &objects, &BoxDecoder::default());
        let mut classes = [object(&targets, 0).0, object(&targets, 1).0];
        classes.sort_unstable();
        assert_eq!(classes, [0, 1]);
    }

    #[test]
    fn objects_without_extent_teach_nothing() {
        let anchors = [anchor(0.5, 0.5, 0.2, 0.2)];
        let bbox = InputBox::from_yxyx([0.5, 0.5, 0.5, 0.5]);
        let targets =
            Matching::default().targets(&anchors, &[Object { class: 0, bbox }], &BoxDecoder::default());
        assert_eq!(targets.objects, 0);
    }

    #[test]
    fn thresholds_outside_their_range_are_refused() {
        assert!(Matching { object: 1.5, background: 0.4 }.check().is_err());
        assert!(Matching { object: 0.5, background: 0.6 }.check().is_err());
        assert!(Matching { object: f32::NAN, background: 0.1 }.check().is_err());
        assert!(Matching::default().check().is_ok());
    }
}
