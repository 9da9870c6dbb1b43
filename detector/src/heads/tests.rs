//! Each head against a plain reading of its authors' formulas, on inputs that are wider than high.

use super::*;
use crate::tensor::{DType, TensorSpec};
use proptest::prelude::*;

const W: usize = 96;
const H: usize = 64;
/// Cells at strides 8, 16 and 32.
const CELLS: usize = 12 * 8 + 6 * 4 + 3 * 2;

fn spec(shape: &[usize]) -> TensorSpec {
    TensorSpec { name: "o".into(), shape: shape.to_vec(), dtype: DType::F32, quantization: None }
}

fn find(shapes: &[&[usize]], labels: usize, asked: Option<HeadKind>) -> Option<Fitted> {
    let outputs: Vec<_> = shapes.iter().map(|s| spec(s)).collect();
    let forced = asked.is_some();
    choose(&Sought { outputs: &outputs, width: W, height: H, labels, forced }, asked)
}

fn kind(shapes: &[&[usize]], labels: usize) -> Option<HeadKind> {
    find(shapes, labels, None).map(|f| f.kind)
}

/// Scores of a fitted head, and its boxes.
fn decoded(fitted: &mut Fitted, values: &[Vec<f32>]) -> (Vec<f32>, Vec<InputBox>) {
    let mut scores = vec![f32::NAN; fitted.rows * fitted.classes];
    fitted.decode.scores(values, &mut scores);
    (scores, (0..fitted.rows).map(|row| fitted.decode.bbox(values, row)).collect())
}

fn near(a: &InputBox, b: &InputBox) -> bool {
    a.edges().iter().zip(b.edges()).all(|(a, b)| (a - b).abs() < 1e-4)
}

#[test]
fn shapes_and_labels_tell_the_families_apart() {
    use HeadKind::*;
    let (v5, x) = (3 * CELLS, CELLS);
    let maps = [[12, 8], [6, 4], [3, 2], [2, 1]].map(|[w, h]| w * h);
    let pico: Vec<Vec<usize>> = maps.iter().flat_map(|&n| [vec![1, n, 3], vec![1, n, 32]]).collect();
    let pico: Vec<&[usize]> = pico.iter().map(Vec::as_slice).collect();
    for (shapes, labels, wanted) in [
        (vec![&[1, 84, x][..]], 0, Some(Yolov8)),
        (vec![&[1, x, 84]], 0, Some(Yolov8)),
        (vec![&[1, x, 7]], 3, Some(Yolov8)),
        (vec![&[1, x, 7]], 2, Some(Yolox)),
        (vec![&[1, x, 85]], 0, Some(Yolox)),
        (vec![&[1, v5, 85]], 0, Some(Yolov5)),
        (vec![&[1, v5, 4], &[1, v5, 3]], 0, Some(Yolov4)),
        (vec![&[1, v5, 3], &[1, v5, 4]], 0, Some(Yolov4)),
        (vec![&[1, x, 112]], 0, Some(Dfl)),
        (vec![&[1, x + 2, 35]], 3, Some(Dfl)),
        (pico, 0, Some(Dfl)),
        (vec![&[1, 300, 6]], 0, Some(EndToEnd)),
        (vec![&[16, 7]], 0, Some(EndToEnd)),
        (vec![&[1, 8, 12, 3]], 0, Some(Fomo)),
        (vec![&[1, 10, 4], &[1, 10], &[1, 10], &[1]], 0, Some(Detections)),
        (vec![&[1], &[1, 10], &[1, 10, 4], &[1, 10]], 0, Some(Detections)),
        (vec![&[1, 336, 16], &[1, 336, 1]], 0, Some(Blazeface)),
        (vec![&[1, 336, 1], &[1, 336, 18]], 0, Some(Blazeface)),
        (vec![&[1, 336, 1], &[1, 336, 12]], 0, Some(Blazeface)),
        (vec![&[1, 252, 10], &[1, 252, 2], &[1, 252, 4]], 0, Some(Retinaface)),
        // An SSD's, a classifier's and a segmenter's.
        (vec![&[1, 1917, 4], &[1, 1917, 91]], 0, None),
        (vec![&[1, 1000]], 0, None),
        (vec![&[1, 7]], 0, None),
        (vec![&[1, H, W, 1]], 0, None),
        (vec![&[1, 12, 8, 3]], 0, None),
    ] {
        assert_eq!(kind(&shapes, labels), wanted, "{shapes:?}, {labels} labels");
    }
    // Asked for, a reading that is in doubt holds; one that cannot be does not.
    let asked = |shape: &[usize], kind| find(&[shape], 0, Some(kind)).map(|f| (f.kind, f.classes));
    assert_eq!(asked(&[1, x, 7], Yolov8), Some((Yolov8, 3)));
    assert_eq!(asked(&[1, x, 7], Yolox), Some((Yolox, 2)));
    assert_eq!(asked(&[1, 1000], Yolov8), None);
}

/// Numbers within ±`range` that repeat.
fn noise(seed: u64, count: usize, range: f32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 24) as f32 * 2.0 - 1.0) * range
    };
    (0..count).map(|_| next()).collect()
}

fn transposed(rows: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| rows.iter().skip(c).step_by(columns).copied()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Centre and size in fractions or pixels, probabilities or logits, either way round.
    #[test]
    fn yolov8_gives_centres_and_sizes(seed: u64, turned: bool, pixels: bool, logits: bool) {
        let columns = 4 + 3;
        let mut table = Vec::new();
        for n in noise(seed, CELLS * columns, 1.0).chunks(columns) {
            let s = if pixels { [W as f32, H as f32] } else { [1.0; 2] };
            let half = |v: f32| (v + 1.0) / 2.0;
            table.extend([half(n[0]) * s[0], half(n[1]) * s[1], half(n[2]) * s[0], half(n[3]) * s[1]]);
            table.extend(n[4..].iter().map(|v| if logits { v * 8.0 } else { half(*v) }));
        }
        let (shape, values) = match turned {
            true => ([1, columns, CELLS], transposed(&table, columns)),
            false => ([1, CELLS, columns], table.clone()),
        };
        let mut fitted = find(&[&shape], 3, None).unwrap();
        let (scores, boxes) = decoded(&mut fitted, &[values]);
        for (row, n) in table.chunks(columns).enumerate() {
            let [x, y] = if pixels { [W as f32, H as f32] } else { [1.0; 2] };
            let (x0, y0) = ((n[0] - n[2] / 2.0) / x, (n[1] - n[3] / 2.0) / y);
            let wanted = InputBox::from_edges([x0, y0, x0 + n[2] / x, y0 + n[3] / y]);
            prop_assert!(near(&boxes[row], &wanted), "{:?} in place of {wanted:?}", boxes[row]);
            for class in 0..3 {
                let v = n[4 + class];
                let wanted = if logits { 1.0 / (1.0 + (-v).exp()) } else { v };
                prop_assert!((scores[row * 3 + class] - wanted).abs() < 1e-5);
            }
        }
    }

    /// Object and class multiply; cells are undone where sizes are logarithms.
    #[test]
    fn yolox_undoes_its_cells(seed: u64, relative: bool) {
        let columns = 5 + 2;
        let mut table = Vec::new();
        let mut wanted = Vec::new();
        let cells: Vec<(usize, usize, usize)> = [8, 16, 32]
            .into_iter()
            .flat_map(|s| (0..H / s).flat_map(move |y| (0..W / s).map(move |x| (x, y, s))))
            .collect();
        for (n, (x, y, s)) in noise(seed, CELLS * columns, 1.0).chunks(columns).zip(cells) {
            let (cx, cy) = ((n[0] + x as f32) * s as f32, (n[1] + y as f32) * s as f32);
            let (w, h) = (n[2].exp() * s as f32, n[3].exp() * s as f32);
            let edges = [cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0];
            let edges: [f32; 4] = std::array::from_fn(|i| edges[i] / [W, H][i % 2] as f32);
            let scores: Vec<f32> = n[4..].iter().map(|v| (v + 1.0) / 2.0).collect();
            table.extend(if relative { [n[0], n[1], n[2], n[3]] } else { [cx, cy, w, h] });
            table.extend(&scores);
            wanted.push((InputBox::from_edges(edges), [scores[0] * scores[1], scores[0] * scores[2]]));
        }
        let mut fitted = find(&[&[1, CELLS, columns]], 2, None).unwrap();
        let (scores, boxes) = decoded(&mut fitted, &[table]);
        for (row, (bbox, both)) in wanted.iter().enumerate() {
            prop_assert!(near(&boxes[row], bbox), "{:?} in place of {bbox:?}", boxes[row]);
            prop_assert!(both.iter().zip(&scores[2 * row..]).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    /// Encoding a box against the prior and decoding it gives the box.
    #[test]
    fn anchored_heads_undo_their_encoding(seed: u64) {
        let boxes = |count: usize| -> Vec<[f32; 4]> {
            let of = |n: &[f32]| [0.5 + n[0] / 4.0, 0.5 + n[1] / 4.0, 0.3 + n[2] / 5.0, 0.3 + n[3] / 5.0];
            noise(seed, 4 * count, 1.0).chunks(4).map(of).collect()
        };
        // MediaPipe: two anchors a cell of 8 pixels, six of 16.
        let mut fitted = find(&[&[1, 336, 16], &[1, 336, 1]], 0, None).unwrap();
        let mut centres = Vec::new();
        for (s, count) in [(8, 2), (16, 6)] {
            for (y, x) in (0..H / s).flat_map(|y| (0..W / s).map(move |x| (y, x))) {
                let centre = [(x as f32 + 0.5) * s as f32, (y as f32 + 0.5) * s as f32];
                centres.extend(std::iter::repeat_n(centre, count));
            }
        }
        let wanted = boxes(336);
        let mut table = Vec::new();
        for ([cx, cy, w, h], [ax, ay]) in wanted.iter().zip(&centres) {
            table.extend([cx * W as f32 - ax, cy * H as f32 - ay, w * W as f32, h * H as f32]);
            table.extend([0.0; 12]);
        }
        let (scores, found) = decoded(&mut fitted, &[table, noise(seed, 336, 9.0)]);
        prop_assert!(scores.iter().all(|s| (0.0..=1.0).contains(s)));
        for (b, &[cx, cy, w, h]) in found.iter().zip(&wanted) {
            prop_assert!(near(b, &centred([cx, cy, w, h])), "{b:?}");
        }
        // RetinaFace: sides of 16 to 512 pixels, two a cell.
        let mut fitted = find(&[&[1, 252, 4], &[1, 252, 2], &[1, 252, 10]], 0, None).unwrap();
        let wanted = boxes(252);
        let mut table = Vec::new();
        let mut at = 0;
        for (s, sides) in [(8, [16.0, 32.0]), (16, [64.0, 128.0]), (32, [256.0, 512.0])] {
            for (y, x) in (0..H / s).flat_map(|y| (0..W / s).map(move |x| (y, x))) {
                for side in sides {
                    let [cx, cy, w, h] = wanted[at];
                    let (px, py) = ((x as f32 + 0.5) * s as f32 / W as f32, (y as f32 + 0.5) * s as f32 / H as f32);
                    let (pw, ph) = (side / W as f32, side / H as f32);
                    table.extend([(cx - px) / (0.1 * pw), (cy - py) / (0.1 * ph)]);
                    table.extend([(w / pw).ln() / 0.2, (h / ph).ln() / 0.2]);
                    at += 1;
                }
            }
        }
        let (_, found) = decoded(&mut fitted, &[table, vec![0.5; 504]]);
        for (b, &[cx, cy, w, h]) in found.iter().zip(&wanted) {
            prop_assert!(near(b, &centred([cx, cy, w, h])), "{b:?}");
        }
    }

    /// Distances are the means of their distributions, in strides.
    #[test]
    fn distributions_give_their_means(seed: u64) {
        let columns = 80 + 32;
        let mut fitted = find(&[&[1, CELLS, columns]], 0, None).unwrap();
        let table = noise(seed, CELLS * columns, 4.0);
        let (scores, boxes) = decoded(&mut fitted, std::slice::from_ref(&table));
        let cells = [8, 16, 32]
            .into_iter()
            .flat_map(|s| (0..H / s).flat_map(move |y| (0..W / s).map(move |x| (x, y, s))));
        for (row, (n, (x, y, s))) in table.chunks(columns).zip(cells).enumerate() {
            let mean = |side: usize| {
                let e: Vec<f32> = n[80 + 8 * side..][..8].iter().map(|v| v.exp()).collect();
                e.iter().enumerate().map(|(i, v)| i as f32 * v).sum::<f32>() / e.iter().sum::<f32>()
            };
            let (x, y, s) = (x as f32 + 0.5, y as f32 + 0.5, s as f32);
            let edges = [x - mean(0), y - mean(1), x + mean(2), y + mean(3)];
            let edges = std::array::from_fn(|i| edges[i] * s / [W, H][i % 2] as f32);
            prop_assert!(near(&boxes[row], &InputBox::from_edges(edges)));
            prop_assert!((scores[row * 80] - 1.0 / (1.0 + (-n[0]).exp())).abs() < 1e-5);
        }
    }
}

#[test]
fn outputs_by_stride_are_found_in_any_order() {
    let maps = [12 * 8, 6 * 4, 3 * 2, 2];
    let shapes: Vec<Vec<usize>> =
        maps.iter().map(|&n| vec![1, n, 32]).chain(maps.iter().map(|&n| vec![1, n, 5])).collect();
    let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
    let mut fitted = find(&shapes, 0, None).unwrap();
    assert_eq!((fitted.kind, fitted.classes, fitted.rows), (HeadKind::Dfl, 5, 128));
    assert_eq!(fitted.outputs, [4, 0, 5, 1, 6, 2, 7, 3]);
    // All weight on the second bin: a stride to each side of the cell's middle.
    let mut sides = [-50.0; 32];
    (0..4).for_each(|side| sides[8 * side + 1] = 50.0);
    let values: Vec<Vec<f32>> = maps.iter().flat_map(|&n| [vec![0.25; 5 * n], sides.repeat(n)]).collect();
    let (scores, boxes) = decoded(&mut fitted, &values);
    assert!(scores.iter().all(|s| *s == 0.25));
    let wanted = [-4.0 / 96.0, -4.0 / 64.0, 12.0 / 96.0, 12.0 / 64.0];
    assert!(near(&boxes[0], &InputBox::from_edges(wanted)), "{:?}", boxes[0]);
}

#[test]
fn finished_detections_are_taken_as_they_are() {
    let mut fitted = find(&[&[1, 2, 6]], 3, None).unwrap();
    assert_eq!((fitted.kind, fitted.overlaps), (HeadKind::EndToEnd, Overlaps::Settled));
    let rows = vec![9.6, 6.4, 48.0, 32.0, 0.9, 2.0, 0.0, 0.0, 96.0, 64.0, 0.4, 0.0];
    let (scores, boxes) = decoded(&mut fitted, &[rows]);
    assert_eq!(scores, [0.0, 0.0, 0.9, 0.4, 0.0, 0.0]);
    assert!(near(&boxes[0], &InputBox::from_edges([0.1, 0.1, 0.5, 0.5])));
    let mut fitted = find(&[&[2, 7]], 3, None).unwrap();
    let (scores, boxes) = decoded(&mut fitted, &[[0.0, 1.0, 0.8, 9.6, 6.4, 48.0, 32.0].repeat(2)]);
    assert_eq!(scores, [0.0, 0.8, 0.0, 0.0, 0.8, 0.0]);
    assert!(near(&boxes[0], &InputBox::from_edges([0.1, 0.1, 0.5, 0.5])));
}

#[test]
fn lists_are_told_by_name_or_by_what_they_hold() {
    let boxes = vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.6, 0.6];
    let (classes, likely) = (vec![2.0, 1.0], vec![0.9, 0.3]);
    for lists in [[classes.clone(), likely.clone()], [likely, classes]] {
        let mut fitted = find(&[&[1, 2, 4], &[1, 2], &[1, 2], &[1]], 3, None).unwrap();
        let [a, b] = lists;
        let (scores, found) = decoded(&mut fitted, &[boxes.clone(), a, b, vec![1.0]]);
        assert_eq!(scores, [0.0, 0.0, 0.9, 0.0, 0.0, 0.0], "one detection counts");
        assert!(near(&found[0], &InputBox::from_yxyx([0.1, 0.2, 0.3, 0.4])));
    }
}

#[test]
fn numbers_that_are_none_do_no_harm() {
    for shapes in [
        vec![&[1, 84, CELLS][..]],
        vec![&[1, CELLS, 85]],
        vec![&[1, 300, 6]],
        vec![&[1, 8, 12, 3]],
        vec![&[1, 10, 4], &[1, 10], &[1, 10], &[1]],
        vec![&[1, CELLS, 112]],
        vec![&[1, 336, 16], &[1, 336, 1]],
    ] {
        for value in [f32::NAN, f32::INFINITY, -f32::INFINITY, f32::MAX] {
            let mut fitted = find(&shapes, 0, None).unwrap();
            let of = |&i: &usize| vec![value; shapes[i].iter().product()];
            let values: Vec<Vec<f32>> = fitted.outputs.iter().map(of).collect();
            decoded(&mut fitted, &values);
        }
    }
}
