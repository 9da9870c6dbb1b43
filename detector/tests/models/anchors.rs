use crate::support::{assets, floats, model};
use osprey_detector::model::{LoadOptions, LoadedModel, load};
use osprey_detector::ssd::{Anchor, AnchorSpec, MultiscaleAnchors, SsdAnchors};

fn assert_equal(name: &str, ours: &[Anchor], theirs: &[Anchor], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let difference =
            [a.cy - b.cy, a.cx - b.cx, a.h - b.h, a.w - b.w].into_iter().map(f32::abs).fold(0.0, f32::max);
        assert!(difference <= tolerance, "{name}: anchor {i}: {a:?} in place of {b:?}");
    }
}

#[test]
fn the_generator_gives_the_published_priors() {
    let Some(assets) = assets("the_generator_gives_the_published_priors") else { return };
    let text = std::fs::read_to_string(assets.join("models/box_priors.txt")).unwrap();
    let rows: Vec<Vec<f32>> = text
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(|l| l.split_whitespace().map(|v| v.parse().unwrap()).collect())
        .collect();
    let [cy, cx, h, w] = &rows[..] else { panic!("{} rows", rows.len()) };
    let priors: Vec<Anchor> = (0..cy.len()).map(|i| Anchor::from([cy[i], cx[i], h[i], w[i]])).collect();
    assert_eq!(priors.len(), 1917);
    assert_equal("box_priors.txt", &SsdAnchors::default().generate(300, 300).unwrap(), &priors, 1e-6);
}

#[test]
fn the_pyramid_generator_gives_the_teachers_anchors() {
    let Some(assets) = assets("the_pyramid_generator_gives_the_teachers_anchors") else { return };
    let values = floats(&assets.join("models/ssd_mobilenet_v2_fpnlite_320_coco_dynrange_anchors.npy"));
    let theirs: Vec<Anchor> = values.as_chunks().0.iter().copied().map(Anchor::from).collect();
    assert_equal("FPN", &MultiscaleAnchors::default().generate(320, 320).unwrap(), &theirs, 1e-6);
}

#[test]
fn generators_give_the_anchors_stored_in_files() {
    let Some(assets) = assets("generators_give_the_anchors_stored_in_files") else { return };
    let ssd = || AnchorSpec::Ssd(SsdAnchors::default());
    // Files that hold their anchors in bytes round them to steps of up to 0.012.
    for (name, spec, tolerance) in [
        ("ssd_mobilenet_v1_1_metadata_1", ssd(), 0.006),
        ("ssdlite_mobilenet_v2_300_clownfish_recalibrated_uint8", ssd(), 0.006),
        ("mobile_object_localizer_v1_1_meta", ssd(), 0.006),
        (
            "ssd_mobilenet_v2_fpnlite_320_coco_dynrange",
            AnchorSpec::Multiscale(MultiscaleAnchors::default()),
            1e-6,
        ),
    ] {
        let loaded: LoadedModel = load(model(&assets, name), &LoadOptions::default()).unwrap();
        let shape = loaded.model.inputs()[0].shape.clone();
        let stored: Vec<Anchor> =
            loaded.post_process.unwrap().anchors.into_iter().map(Anchor::from).collect();
        assert_equal(name, &spec.generate(shape[1], shape[2]).unwrap(), &stored, tolerance);
    }
}
