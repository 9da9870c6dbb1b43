//! Results in every format, drawn pictures, the report, choosing what is kept.

use super::scratch::{Object, Scratch, detector, iou, numbers, objects, outcome};
use serde_json::Value;
use std::path::Path;

/// The reference: jsonl on standard output.
fn reference(scratch: &Scratch, model: &Path) -> Vec<Object> {
    let run = outcome(&mut scratch.detect(model, &["photos", "--format", "jsonl"]));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    objects(&run.lines())
}

#[test]
fn the_person_the_cat_and_the_cup_are_found() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let run = outcome(&mut scratch.detect(&model, &["photos", "--format", "jsonl"]));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let lines = run.lines();
    let sizes: Vec<_> =
        lines.iter().map(|l| (l["image"].as_str(), l["width"].as_u64(), l["height"].as_u64())).collect();
    assert_eq!(
        sizes,
        [
            (Some("photos/astronaut.jpg"), Some(512), Some(512)),
            (Some("photos/cat.png"), Some(451), Some(300)),
            (Some("photos/coffee.jpg"), Some(600), Some(400)),
        ]
    );
    for line in &lines {
        for stage in ["decode", "preprocess", "inference", "postprocess"] {
            assert!(line["ms"][stage].as_f64().is_some_and(|ms| ms >= 0.0), "{line}");
        }
    }
    let found = objects(&lines);
    // Drawn by hand around the person, the cat and the cup.
    let truth = [
        ("photos/astronaut.jpg", "person", [10.0, 0.0, 460.0, 512.0]),
        ("photos/cat.png", "cat", [60.0, 5.0, 420.0, 300.0]),
        ("photos/coffee.jpg", "cup", [120.0, 55.0, 440.0, 360.0]),
    ];
    for (image, label, corners) in truth {
        let best = found.iter().filter(|o| o.image == image && o.label == label);
        let best = best.map(|o| iou(&o.corners, &corners)).fold(0.0, f64::max);
        assert!(best > 0.6, "{label} in {image}: IoU {best:.2} with {found:#?}");
    }
}

#[test]
fn csv_says_the_same_as_jsonl() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let expected = reference(&scratch, &model);
    assert_eq!(outcome(&mut scratch.detect(&model, &["photos", "-o", "out/found.csv"])).status, Some(0));
    let mut reader = csv::Reader::from_path(scratch.path("out/found.csv")).expect("a CSV file");
    let mut read = Vec::new();
    for row in reader.deserialize() {
        let row: CsvRow = row.expect("a row");
        let CsvRow { image, label, class_id, score, xmin, ymin, xmax, ymax } = row;
        read.push(Object { image, label, class_id, score, corners: [xmin, ymin, xmax, ymax] });
    }
    assert_eq!(read, expected);
}

#[test]
fn parquet_is_written_or_the_build_that_writes_it_is_named() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let run = outcome(&mut scratch.detect(&model, &["photos", "-o", "found.parquet"]));
    match cfg!(feature = "parquet") {
        true => {
            assert_eq!(run.status, Some(0), "{}", run.stderr);
            let file = std::fs::read(scratch.path("found.parquet")).expect("a file");
            assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
        }
        false => {
            assert_eq!(run.status, Some(1));
            assert!(run.stderr.contains("--features parquet"), "{}", run.stderr);
            assert!(!scratch.path("found.parquet").exists());
        }
    }
}

#[derive(serde::Deserialize)]
struct CsvRow {
    image: String,
    label: String,
    class_id: u64,
    score: f64,
    xmin: f64,
    ymin: f64,
    xmax: f64,
    ymax: f64,
}

#[test]
fn coco_says_the_same_as_jsonl() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let expected = reference(&scratch, &model);
    assert_eq!(
        outcome(&mut scratch.detect(&model, &["photos", "-f", "coco", "-o", "found.json"])).status,
        Some(0)
    );
    let coco: Value = serde_json::from_str(&scratch.read("found.json")).expect("JSON");
    let by_id = |list: &str, id: &Value, name: &str| {
        let items = coco[list].as_array().expect("a list");
        let item = items.iter().find(|i| i["id"] == *id).expect("an item of this id");
        item[name].as_str().expect("a name").to_owned()
    };
    let annotations = coco["annotations"].as_array().expect("annotations");
    assert_eq!(annotations.len(), expected.len());
    for (annotation, object) in annotations.iter().zip(&expected) {
        assert_eq!(by_id("images", &annotation["image_id"], "file_name"), object.image);
        assert_eq!(by_id("categories", &annotation["category_id"], "name"), object.label);
        assert_eq!(annotation["score"].as_f64(), Some(object.score));
        let [x, y, w, h] = numbers(&annotation["bbox"]).try_into().expect("four numbers");
        for (read, expected) in [x, y, x + w, y + h].iter().zip(object.corners) {
            assert!((read - expected).abs() < 0.02, "{annotation} {object:?}");
        }
        assert!((annotation["area"].as_f64().expect("area") - w * h).abs() < 0.1);
    }
    assert_eq!(coco["images"].as_array().map(Vec::len), Some(3));
}

#[test]
fn yolo_says_the_same_as_jsonl() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let expected = reference(&scratch, &model);
    let args = ["photos", "-f", "yolo", "-o", "labels", "--yolo-scores"];
    assert_eq!(outcome(&mut scratch.detect(&model, &args)).status, Some(0));
    let classes = scratch.read("labels/classes.txt");
    let classes: Vec<_> = classes.lines().collect();
    let mut read = Vec::new();
    for (name, image, width, height) in [
        ("astronaut", "astronaut.jpg", 512.0, 512.0),
        ("cat", "cat.png", 451.0, 300.0),
        ("coffee", "coffee.jpg", 600.0, 400.0),
    ] {
        for line in scratch.read(&format!("labels/{name}.txt")).lines() {
            let numbers: Vec<f64> = line.split(' ').map(|n| n.parse().expect("a number")).collect();
            let [class, x, y, w, h, score] = numbers.try_into().expect("six columns");
            assert!([x, y, w, h].iter().all(|v| (0.0..=1.0).contains(v)), "{line}");
            read.push(Object {
                image: format!("photos/{image}"),
                label: classes[class as usize].into(),
                class_id: class as u64,
                score,
                corners: [
                    (x - w / 2.0) * width,
                    (y - h / 2.0) * height,
                    (x + w / 2.0) * width,
                    (y + h / 2.0) * height,
                ],
            });
        }
    }
    assert_close(&read, &expected, 0.02);
    assert_eq!(
        outcome(&mut scratch.detect(&model, &["photos", "-f", "yolo", "-o", "plain"])).status,
        Some(0)
    );
    let plain = scratch.read("plain/cat.txt");
    assert!(plain.lines().all(|l| l.split(' ').count() == 5), "{plain}");
}

#[test]
fn voc_says_the_same_as_jsonl() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let expected = reference(&scratch, &model);
    assert_eq!(outcome(&mut scratch.detect(&model, &["photos", "-f", "voc", "-o", "voc"])).status, Some(0));
    let mut read = Vec::new();
    for (name, image) in [("astronaut", "astronaut.jpg"), ("cat", "cat.png"), ("coffee", "coffee.jpg")] {
        let voc: Voc = quick_xml::de::from_str(&scratch.read(&format!("voc/{name}.xml"))).expect("XML");
        assert_eq!((voc.filename.as_str(), voc.folder.as_str()), (image, "photos"));
        for object in voc.object {
            let b = object.bndbox;
            assert!(1.0 <= b.xmin && b.xmax <= voc.size.width && 1.0 <= b.ymin && b.ymax <= voc.size.height);
            read.push(Object {
                image: format!("photos/{image}"),
                class_id: expected.iter().find(|e| e.label == object.name).map_or(u64::MAX, |e| e.class_id),
                label: object.name,
                score: object.score,
                // Counted from one, both ends included.
                corners: [b.xmin - 1.0, b.ymin - 1.0, b.xmax, b.ymax],
            });
        }
    }
    assert_close(&read, &expected, 0.51);
}

#[derive(serde::Deserialize)]
struct Voc {
    filename: String,
    folder: String,
    size: Size,
    #[serde(default)]
    object: Vec<VocObject>,
}

#[derive(serde::Deserialize)]
struct Size {
    width: f64,
    height: f64,
}

#[derive(serde::Deserialize)]
struct VocObject {
    name: String,
    score: f64,
    bndbox: Corners,
}

#[derive(serde::Deserialize)]
struct Corners {
    xmin: f64,
    ymin: f64,
    xmax: f64,
    ymax: f64,
}

fn assert_close(read: &[Object], expected: &[Object], tolerance: f64) {
    assert_eq!(read.len(), expected.len());
    assert!(!expected.is_empty(), "the detector finds something");
    for (r, e) in read.iter().zip(expected) {
        assert_eq!((&r.image, &r.label, r.class_id), (&e.image, &e.label, e.class_id));
        assert!((r.score - e.score).abs() < 1e-3, "{r:?} {e:?}");
        for (a, b) in r.corners.iter().zip(e.corners) {
            assert!((a - b).abs() <= tolerance, "{r:?} {e:?}");
        }
    }
}

#[test]
fn a_table_is_printed_where_nothing_else_is_asked_for() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let run = outcome(&mut scratch.detect(&model, &["photos"]));
    assert!(run.stdout.contains("photos/cat.png") && run.stdout.contains("cat "), "{}", run.stdout);
    assert!(run.stderr.contains("3 pictures"), "{}", run.stderr);
    let quiet = outcome(&mut scratch.detect(&model, &["photos", "--quiet"]));
    assert_eq!((quiet.stdout, quiet.stderr.as_str()), (run.stdout, ""));
}

#[test]
fn annotated_pictures_keep_size_and_format_and_show_the_box() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let expected = reference(&scratch, &model);
    assert_eq!(outcome(&mut scratch.detect(&model, &["photos", "--annotated", "drawn"])).status, Some(0));
    for name in ["astronaut.jpg", "cat.png", "coffee.jpg"] {
        let before = image::open(scratch.path(&format!("photos/{name}"))).expect("a picture").into_rgb8();
        let after = image::open(scratch.path(&format!("drawn/{name}"))).expect("a picture").into_rgb8();
        assert_eq!(before.dimensions(), after.dimensions());
        let image = format!("photos/{name}");
        let best = expected.iter().find(|o| o.image == image).expect("an object");
        let [x0, _, x1, y1] = best.corners.map(|v| v as u32);
        let changed = |x: u32, y: u32| {
            before.get_pixel(x, y).0.iter().zip(after.get_pixel(x, y).0).any(|(a, b)| a.abs_diff(b) > 24)
        };
        let bottom =
            (x0..x1.min(before.width())).filter(|&x| changed(x, y1.clamp(1, before.height()) - 1)).count();
        assert!(
            bottom as u32 * 10 > (x1 - x0) * 8,
            "{name}: {bottom} of {} pixels of the lower edge",
            x1 - x0
        );
    }
}

#[test]
fn the_report_stands_alone() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    scratch.write("photos/<b>broken & \"quoted\".jpg", "no picture");
    let run = outcome(&mut scratch.detect(&model, &["photos", "--report", "report.html"]));
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    let page = scratch.read("report.html");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert_eq!(page.matches("src=\"data:image/jpeg;base64,").count(), 3);
    for outside in ["http://", "https://", "src=\"/", "href="] {
        assert!(!page.contains(outside), "the page refers to something outside: {outside}");
    }
    assert!(page.contains("&lt;b&gt;broken &amp; &quot;quoted&quot;") && !page.contains("<b>broken"));
    assert!(page.contains("cat <b>") && page.contains("By its calibrated scores, about"));
    let limited =
        outcome(&mut scratch.detect(&model, &["photos", "--report", "two.html", "--report-pictures", "1"]));
    assert_eq!(limited.status, Some(2));
    assert_eq!(scratch.read("two.html").matches("<figure").count(), 0, "the first picture is the broken one");
}

#[test]
fn choices_narrow_down_what_is_reported() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let found = |args: &[&str]| {
        let mut all = vec!["photos", "--format", "jsonl"];
        all.extend(args);
        let run = outcome(&mut scratch.detect(&model, &all));
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        objects(&run.lines())
    };
    let cats = found(&["--classes", "Cat,cup"]);
    assert!(!cats.is_empty() && cats.iter().all(|o| o.label == "cat" || o.label == "cup"), "{cats:?}");
    let others = found(&["--exclude-classes", "cat,cup", "--score-threshold", "0.1"]);
    assert!(!others.is_empty() && others.iter().all(|o| o.label != "cat" && o.label != "cup"), "{others:?}");
    let sure = found(&["--score-threshold", "0.6"]);
    assert!(!sure.is_empty() && sure.iter().all(|o| o.score >= 0.6), "{sure:?}");
    let many = found(&["--score-threshold", "0.02", "--max-detections", "1000", "--nms-iou", "1"]);
    assert!(many.len() > 60, "no cap of ten: {}", many.len());
    let few = found(&["--score-threshold", "0.02", "--max-detections", "2"]);
    assert!(few.len() <= 6, "{few:?}");
    let per_class = found(&["--class-threshold", "cat=0.99", "--score-threshold", "0.3"]);
    assert!(!per_class.is_empty() && per_class.iter().all(|o| o.label != "cat"), "{per_class:?}");
}

#[test]
fn labels_can_be_replaced() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let names: String = (0..80).map(|i| format!("kind-{i}\n")).collect();
    scratch.write("names.txt", names);
    let run = outcome(&mut scratch.detect(&model, &["photos", "-f", "jsonl", "--labels", "names.txt"]));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    for o in objects(&run.lines()) {
        assert_eq!(o.label, format!("kind-{}", o.class_id));
    }
    let unknown = outcome(&mut scratch.detect(&model, &["photos", "--classes", "unicorn"]));
    assert_eq!(unknown.status, Some(1));
    assert!(unknown.stderr.contains("unicorn"), "{}", unknown.stderr);
}

#[test]
fn the_order_is_that_of_the_inputs_however_many_threads_decode() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let photos = ["astronaut.jpg", "cat.png", "coffee.jpg"]
        .map(|p| std::fs::read(scratch.path("photos").join(p)).expect("a photo"));
    for i in 0..24 {
        scratch.write(&format!("many/{i:02}"), &photos[i % 3]);
        std::fs::rename(scratch.path(&format!("many/{i:02}")), scratch.path(&format!("many/{i:02}.jpg")))
            .expect("renamed");
    }
    let run = |threads: &str| {
        let args = ["many", "-f", "csv", "--decode-threads", threads, "--quiet", "--annotated", "drawn"];
        let run = outcome(&mut scratch.detect(&model, &args));
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        run.stdout
    };
    let one = run("1");
    assert_eq!(one, run("8"));
    let images: Vec<_> =
        one.lines().skip(1).map(|l| l.split(',').next().expect("a column").to_owned()).collect();
    assert!(images.is_sorted() && images.len() >= 24, "{one}");
}
