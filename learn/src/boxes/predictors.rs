//! The layers that are trained: a linear one for each feature map, as 1 × 1 convolutions are.

use super::{BoxLoss, Loss, Matching, Object};
use crate::optimizer::Moments;
use crate::{LearnError, Optimizer, softmax};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use osprey_detector::ssd::{Anchor, BoxDecoder};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// Numbers of a box code: y, x, h, w.
const CODE: usize = 4;
/// Standard deviation of weights at the start, and the share of anchors that are taken for objects then, so that the
/// loss of all the background does not drown the first steps; both as in RetinaNet.
const SPREAD: f32 = 0.01;
const PRIOR: f32 = 0.01;

/// A feature map and its anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapShape {
    /// Height × width.
    pub cells: usize,
    /// Features of a cell.
    pub channels: usize,
    /// Anchors of a cell.
    pub anchors: usize,
}

/// What the predictors see of a picture, and what is in it.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// Each feature map, [cells × channels], in the order of the anchors.
    pub maps: Vec<ArrayView2<'a, f32>>,
    /// The objects.
    pub objects: &'a [Object],
}

/// What the predictors say of a view, anchor by anchor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outputs {
    /// [anchors × 4]: encoded y, x, h, w.
    pub codes: Vec<f32>,
    /// [anchors × classes].
    pub logits: Vec<f32>,
}

/// Predictors of boxes and classes, and the memory of their optimizer.
#[derive(Debug, Clone)]
pub struct Predictors {
    shapes: Vec<MapShape>,
    anchors: Vec<Anchor>,
    classes: usize,
    decoder: BoxDecoder,
    matching: Matching,
    loss: BoxLoss,
    optimizer: Optimizer,
    moments: Moments,
    /// For each map the weights [outputs × channels] and a bias for each output. Outputs are the codes of a cell's
    /// anchors, then the logits of its anchors.
    parameters: Vec<f32>,
}

impl Predictors {
    /// Untrained ones: small random weights, and biases that call nearly everything background.
    ///
    /// # Errors
    /// [`LearnError::Anchors`] where `anchors` are not as many as the maps have; [`LearnError::Setting`] without
    /// classes.
    pub fn new(
        shapes: &[MapShape],
        anchors: &[Anchor],
        decoder: BoxDecoder,
        classes: usize,
        seed: u64,
    ) -> Result<Self, LearnError> {
        let expected = shapes.iter().map(|s| s.cells * s.anchors).sum();
        if expected != anchors.len() {
            return Err(LearnError::Anchors { expected, actual: anchors.len() });
        }
        let counts = [("the number of classes", classes)].into_iter();
        let counts = counts.chain(shapes.iter().map(|s| ("the number of a cell's anchors", s.anchors)));
        if let Some((setting, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(LearnError::Setting { setting, value: 0.0, allowed: "1 or more" });
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut parameters = Vec::new();
        for shape in shapes {
            let outputs = shape.anchors * (CODE + classes);
            // Uniform, with the same deviation as the normal distribution of the paper.
            let end = SPREAD * 3f32.sqrt();
            parameters.extend((0..outputs * shape.channels).map(|_| rng.random_range(-end..end)));
            parameters.extend(std::iter::repeat_n(0.0, shape.anchors * CODE));
            let background = -((1.0 - PRIOR) / PRIOR).ln();
            parameters.extend(std::iter::repeat_n(background, shape.anchors * classes));
        }
        Ok(Self {
            shapes: shapes.to_vec(),
            anchors: anchors.to_vec(),
            classes,
            decoder,
            matching: Matching::default(),
            loss: BoxLoss::default(),
            optimizer: Optimizer::ADAM,
            moments: Moments::default(),
            parameters,
        })
    }

    /// The same with other rules of learning.
    ///
    /// # Errors
    /// [`LearnError::Setting`].
    pub fn with(self, matching: Matching, loss: BoxLoss, optimizer: Optimizer) -> Result<Self, LearnError> {
        matching.check()?;
        loss.check()?;
        optimizer.check()?;
        Ok(Self { matching, loss, optimizer, moments: Moments::default(), ..self })
    }

    /// What they say of feature maps.
    ///
    /// # Errors
    /// [`LearnError::FeatureLength`].
    pub fn predict(&self, maps: &[ArrayView2<'_, f32>]) -> Result<Outputs, LearnError> {
        self.check(maps)?;
        let mut outputs = Outputs::default();
        for ((shape, at), map) in self.layers().zip(maps) {
            let (weights, bias) = self.layer(shape, at);
            let said = map.dot(&weights.t()) + bias;
            let codes = shape.anchors * CODE;
            outputs.codes.extend(said.slice(s![.., ..codes]).iter());
            outputs.logits.extend(said.slice(s![.., codes..]).iter());
        }
        Ok(outputs)
    }

    /// One step on a batch: the mean loss of its views before the step. A loss that is not finite leaves the
    /// predictors as they were: the rate is too high, or features are not finite.
    ///
    /// # Errors
    /// [`LearnError::FeatureLength`], [`LearnError::NoSuchClass`].
    pub fn step(&mut self, batch: &[View<'_>], rate: f32) -> Result<Loss, LearnError> {
        let mut gradient = vec![0.0; self.parameters.len()];
        let mut mean = Loss::default();
        for view in batch {
            let loss = self.differentiate(view, &mut gradient)?;
            mean.classes += loss.classes / batch.len() as f64;
            mean.boxes += loss.boxes / batch.len() as f64;
        }
        if mean.sum().is_finite() && !batch.is_empty() {
            gradient.iter_mut().for_each(|g| *g /= batch.len() as f32);
            self.moments.step(&self.optimizer, &mut self.parameters, &gradient, rate);
        }
        Ok(mean)
    }

    /// Weights [outputs × channels] and biases of each map's layer, the codes' outputs first.
    pub fn weights(&self) -> impl Iterator<Item = (ArrayView2<'_, f32>, ArrayView1<'_, f32>)> {
        self.layers().map(|(shape, at)| self.layer(shape, at))
    }

    /// The loss of a view; its gradient is added to `gradient`.
    fn differentiate(&self, view: &View<'_>, gradient: &mut [f32]) -> Result<Loss, LearnError> {
        if let Some(object) = view.objects.iter().find(|o| o.class >= self.classes) {
            return Err(LearnError::NoSuchClass { class: object.class, classes: self.classes });
        }
        let Outputs { mut codes, mut logits } = self.predict(&view.maps)?;
        let targets = self.matching.targets(&self.anchors, view.objects, &self.decoder);
        let loss = self.loss.differentiate(&targets, &mut logits, &mut codes);
        let (mut codes, mut logits) = (codes.as_slice(), logits.as_slice());
        for ((shape, at), map) in self.layers().zip(&view.maps) {
            let (of_codes, of_logits) = (shape.anchors * CODE, shape.anchors * self.classes);
            let mut slopes = Array2::zeros((shape.cells, of_codes + of_logits));
            for mut row in slopes.rows_mut() {
                let (head, rest) = codes.split_at(of_codes);
                row.slice_mut(s![..of_codes]).assign(&ArrayView1::from(head));
                codes = rest;
                let (head, rest) = logits.split_at(of_logits);
                row.slice_mut(s![of_codes..]).assign(&ArrayView1::from(head));
                logits = rest;
            }
            let outputs = of_codes + of_logits;
            let (weights, bias) =
                gradient[at..at + outputs * (shape.channels + 1)].split_at_mut(outputs * shape.channels);
            // Both lie row by row: the product of a transposed matrix need not.
            let product = slopes.t().dot(map);
            weights.iter_mut().zip(product.iter()).for_each(|(g, v)| *g += v);
            bias.iter_mut().zip(slopes.sum_axis(Axis(0))).for_each(|(g, v)| *g += v);
        }
        Ok(loss)
    }

    fn check(&self, maps: &[ArrayView2<'_, f32>]) -> Result<(), LearnError> {
        let expected: Vec<usize> = self.shapes.iter().flat_map(|s| [s.cells, s.channels]).collect();
        let actual: Vec<usize> = maps.iter().flat_map(|m| [m.nrows(), m.ncols()]).collect();
        if expected == actual {
            return Ok(());
        }
        let total = |extents: &[usize]| extents.as_chunks::<2>().0.iter().map(|[r, c]| r * c).sum();
        Err(LearnError::FeatureLength { expected: total(&expected), actual: total(&actual) })
    }

    /// Each map, and where its parameters begin.
    fn layers(&self) -> impl Iterator<Item = (MapShape, usize)> {
        let classes = self.classes;
        self.shapes.iter().scan(0, move |at, &shape| {
            let begin = *at;
            *at += shape.anchors * (CODE + classes) * (shape.channels + 1);
            Some((shape, begin))
        })
    }

    fn layer(&self, shape: MapShape, at: usize) -> (ArrayView2<'_, f32>, ArrayView1<'_, f32>) {
        let outputs = shape.anchors * (CODE + self.classes);
        let (weights, rest) = self.parameters[at..].split_at(outputs * shape.channels);
        (softmax::view(weights, outputs), ArrayView1::from(&rest[..outputs]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osprey_detector::InputBox;

    /// Two maps, 2 × 2 and one cell, two and one anchors a cell.
    fn shapes() -> [MapShape; 2] {
        [MapShape { cells: 4, channels: 3, anchors: 2 }, MapShape { cells: 1, channels: 2, anchors: 1 }]
    }

    fn anchors() -> Vec<Anchor> {
        let mut anchors = Vec::new();
        for (cy, cx) in [(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)] {
            anchors.extend([(0.5, 0.4), (0.3, 0.5)].map(|(h, w)| Anchor { cy, cx, h, w }));
        }
        anchors.push(Anchor { cy: 0.5, cx: 0.5, h: 0.9, w: 0.8 });
        anchors
    }

    fn untrained() -> Predictors {
        Predictors::new(&shapes(), &anchors(), BoxDecoder::default(), 2, 7).unwrap()
    }

    /// Features, the same each time.
    fn maps() -> [Array2<f32>; 2] {
        let value = |(r, c): (usize, usize)| ((r * 5 + c * 3) as f32 * 0.7).sin();
        [Array2::from_shape_fn((4, 3), value), Array2::from_shape_fn((1, 2), value)]
    }

    fn objects() -> [Object; 2] {
        [
            Object { class: 1, bbox: InputBox::from_yxyx([0.02, 0.05, 0.5, 0.47]) },
            Object { class: 0, bbox: InputBox::from_yxyx([0.1, 0.12, 0.95, 0.9]) },
        ]
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut predictors = untrained();
        // Away from the start, where all boxes are alike.
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        predictors.parameters.iter_mut().for_each(|p| *p = rng.random_range(-0.8..0.8));
        let (maps, objects) = (maps(), objects());
        let view = View { maps: maps.iter().map(|m| m.view()).collect(), objects: &objects };
        let mut gradient = vec![0.0; predictors.parameters.len()];
        predictors.differentiate(&view, &mut gradient).unwrap();
        let step = 1e-2f32;
        for (at, slope) in gradient.iter().enumerate() {
            let loss = |by: f32| {
                let mut other = predictors.clone();
                other.parameters[at] += by;
                other.differentiate(&view, &mut vec![0.0; gradient.len()]).unwrap().sum()
            };
            // Of fourth order, so that the step may be wide enough for single precision.
            let near = loss(step) - loss(-step);
            let far = loss(2.0 * step) - loss(-2.0 * step);
            let numeric = (8.0 * near - far) / (12.0 * f64::from(step));
            assert!(
                (numeric - f64::from(*slope)).abs() < 1e-4 * (1.0 + numeric.abs()),
                "{at}: {slope}, {numeric}"
            );
        }
    }

    /// PyTorch 2.9.1 in double precision: matching in plain Python, `binary_cross_entropy_with_logits` times the focal
    /// factor, `smooth_l1_loss`, both divided by the three anchors that stand for objects, and a step of `optim.SGD`.
    #[test]
    fn a_step_is_the_one_of_pytorch() {
        let plain = Optimizer::Sgd { momentum: 0.0 };
        let mut predictors = untrained().with(Matching::default(), BoxLoss::default(), plain).unwrap();
        for (i, p) in predictors.parameters.iter_mut().enumerate() {
            *p = (i as f32 * 0.37).sin() * 0.6;
        }
        let (maps, objects) = (maps(), objects());
        let view = View { maps: maps.iter().map(|m| m.view()).collect(), objects: &objects };
        let loss = predictors.step(&[view], 0.1).unwrap();
        assert!((loss.classes - 0.386171).abs() < 1e-5 && (loss.boxes - 1.083567).abs() < 1e-5, "{loss:?}");
        #[rustfmt::skip]
        let expected = [
            0.000000, 0.215667, 0.405887, 0.537419, 0.588778, 0.585600, 0.477939, 0.286249, 0.136809,
            -0.112377, -0.331563, -0.466606, -0.577879, -0.599761, -0.532946, -0.401544, -0.210847, 0.001761,
            0.220776, 0.436356, 0.510172, 0.597885, 0.551632, 0.499682, 0.308981, 0.098214, -0.108255,
            -0.321590, -0.479376, -0.582233, -0.593249, -0.534190, -0.401517, -0.203834, 0.015334, 0.211855,
            0.409066, 0.530869, 0.565571, 0.558631, 0.469919, 0.310104, 0.133638, -0.148194, -0.343963,
            -0.491265, -0.592545, -0.602384, -0.531853, -0.374037, -0.205488, 0.025002, 0.228359, 0.409083,
            0.542761, 0.596727, 0.573264, 0.473150, 0.303914, 0.093009, -0.099618, -0.313483, -0.492819,
            -0.583130, -0.592667, -0.533727,
        ];
        assert_eq!(predictors.parameters.len(), expected.len());
        for (at, (is, should)) in predictors.parameters.iter().zip(expected).enumerate() {
            assert!((is - should).abs() < 1e-4, "{at}: {is}, {should}");
        }
    }

    #[test]
    fn what_is_learnt_is_found_again() {
        let mut predictors = untrained();
        let (maps, objects) = (maps(), objects());
        let view = View { maps: maps.iter().map(|m| m.view()).collect(), objects: &objects };
        let before = predictors.step(std::slice::from_ref(&view), 0.05).unwrap().sum();
        let mut after = before;
        for _ in 0..400 {
            after = predictors.step(std::slice::from_ref(&view), 0.05).unwrap().sum();
        }
        assert!(after < 0.05 * before, "{before}, {after}");
        let said = predictors.predict(&view.maps).unwrap();
        for object in &objects {
            let logit = |a: usize| said.logits[2 * a + object.class];
            let best = (0..anchors().len()).max_by(|&a, &b| logit(a).total_cmp(&logit(b))).unwrap();
            let code = said.codes.as_chunks().0[best];
            let bbox = BoxDecoder::default().decode(code, anchors()[best]);
            assert!(logit(best) > 0.0 && bbox.iou(&object.bbox) > 0.8, "{object:?}: {bbox:?}");
        }
    }

    #[test]
    fn untrained_predictors_see_background() {
        let maps = maps();
        let said = untrained().predict(&[maps[0].view(), maps[1].view()]).unwrap();
        assert_eq!((said.codes.len(), said.logits.len()), (9 * 4, 9 * 2));
        assert!(said.logits.iter().all(|l| *l < -4.0), "{:?}", said.logits);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(matches!(
            Predictors::new(&shapes(), &anchors()[1..], BoxDecoder::default(), 2, 1),
            Err(LearnError::Anchors { expected: 9, actual: 8 })
        ));
        assert!(Predictors::new(&shapes(), &anchors(), BoxDecoder::default(), 0, 1).is_err());
        let maps = maps();
        assert!(matches!(untrained().predict(&[maps[0].view()]), Err(LearnError::FeatureLength { .. })));
        let objects = [Object { class: 2, ..objects()[0] }];
        let view = View { maps: maps.iter().map(|m| m.view()).collect(), objects: &objects };
        assert!(matches!(
            untrained().step(&[view], 0.1),
            Err(LearnError::NoSuchClass { class: 2, classes: 2 })
        ));
    }

    #[test]
    fn a_loss_that_is_not_finite_changes_nothing() {
        let mut predictors = untrained();
        let mut maps = maps();
        maps[0][[0, 0]] = f32::NAN;
        let before = predictors.parameters.clone();
        let view = View { maps: maps.iter().map(|m| m.view()).collect(), objects: &objects() };
        assert!(!predictors.step(&[view], 0.1).unwrap().sum().is_finite());
        assert_eq!(predictors.parameters, before);
    }
}
