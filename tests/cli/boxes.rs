//! What else is made of boxes: pictures of the objects, people made unrecognizable, tasks for Label Studio,
//! events in zones and at lines.

use crate::scratch::{Scratch, detector, osprey, outcome};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

#[test]
fn each_object_becomes_a_picture() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let args = ["photos", "-q", "-f", "jsonl", "-o", "found.jsonl", "--crop", "objects"];
    let run = outcome(&mut scratch.detect(&model, &args));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let (mut objects, lines) = (0, scratch.read("found.jsonl"));
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let stem = line["image"].as_str().expect("a path").trim_start_matches("photos/");
        let (stem, extension) = stem.rsplit_once('.').expect("an extension");
        for (number, found) in line["detections"].as_array().expect("detections").iter().enumerate() {
            let label = found["label"].as_str().expect("a label").replace(' ', "_");
            let name = format!("objects/{stem}-{number}-{label}.{extension}");
            let (width, height) = image::image_dimensions(scratch.path(&name)).expect("a picture");
            let edge = |i: usize| found["box"][i].as_f64().expect("a number");
            assert!((f64::from(width) - (edge(2) - edge(0))).abs() <= 2.0, "{name} is {width} wide: {found}");
            assert!(
                (f64::from(height) - (edge(3) - edge(1))).abs() <= 2.0,
                "{name} is {height} high: {found}"
            );
            objects += 1;
        }
    }
    assert!(objects >= 3, "{lines}");
    let refused = outcome(&mut scratch.detect(&model, &["photos", "--crop", "photos"]));
    assert!(refused.status == Some(1) && refused.stderr.contains("--crop"), "{}", refused.stderr);
}

#[test]
fn a_person_is_made_unrecognizable() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let args = ["photos/astronaut.jpg", "-q", "-f", "jsonl", "--annotated", "hidden", "--blur", "person"];
    let run = outcome(&mut scratch.detect(&model, &args));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let found = run.lines()[0]["detections"].as_array().expect("detections").clone();
    let person = found.iter().find(|d| d["label"] == "person").expect("a person");
    let read = |name: &str| image::open(scratch.path(name)).expect("a picture").into_luma8();
    let (before, after) = (read("photos/astronaut.jpg"), read("hidden/astronaut.jpg"));
    let edge = |i: usize| person["box"][i].as_f64().expect("a number") as u32;
    // Well inside the box, away from its line and label: differences from pixel to pixel are gone.
    let (width, height) = (edge(2) - edge(0), edge(3) - edge(1));
    let inside = |image: &image::GrayImage| -> f64 {
        let xs = edge(0) + width / 4..edge(2) - width / 4;
        let ys = edge(1) + height / 3..edge(3) - height / 4;
        let steps = ys.flat_map(|y| xs.clone().map(move |x| (x, y)));
        steps
            .map(|(x, y)| f64::from(image.get_pixel(x, y).0[0].abs_diff(image.get_pixel(x + 1, y).0[0])))
            .sum()
    };
    assert!(inside(&after) < inside(&before) / 4.0, "{} of {}", inside(&after), inside(&before));
    for (args, said) in [
        (["photos", "--blur", "person"].as_slice(), "--annotated"),
        (&["photos", "-a", "hidden", "--blur", "persn"], "did you mean"),
        (&["photos", "-a", "hidden", "--blur", "person", "--classes", "cat"], "not looked for"),
    ] {
        let run = outcome(&mut scratch.detect(&model, args));
        assert!(run.status == Some(1) && run.stderr.contains(said), "{args:?}: {}", run.stderr);
    }
}

/// Answers each request with this status and body, once for each.
fn serve(answers: Vec<(&'static str, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for ((status, body), stream) in answers.into_iter().zip(listener.incoming()) {
            let mut stream = stream.expect("a client");
            let mut request = BufReader::new(stream.try_clone().expect("a stream"));
            let mut line = String::new();
            while request.read_line(&mut line).is_ok_and(|n| n > 2) {
                line.clear();
            }
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // A client that takes no more goes away.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    address
}

#[test]
fn pictures_are_fetched_within_limits() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let file = std::fs::read(scratch.path("photos/cat.png")).expect("a photo");
    let address = serve(vec![
        ("200 OK", file.clone()),
        ("404 Not Found", Vec::new()),
        ("200 OK", vec![b'x'; 80 << 20]),
    ]);
    let args = [&format!("{address}/cat.png?size=full"), "-q", "-f", "jsonl", "--annotated", "drawn"];
    let run = outcome(&mut scratch.detect(&model, &args));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let here = outcome(&mut scratch.detect(&model, &["photos/cat.png", "-q", "-f", "jsonl"]));
    assert_eq!(run.lines()[0]["detections"], here.lines()[0]["detections"]);
    assert!(scratch.files().contains(&"drawn/cat.png".to_owned()), "{:?}", scratch.files());
    for said in ["404", "64 MB"] {
        let run = outcome(&mut scratch.detect(&model, &[&format!("{address}/other.png"), "-q"]));
        assert!(run.status == Some(1) && run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn label_studio_gets_what_jsonl_says() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let lines = outcome(&mut scratch.detect(&model, &["photos", "-q", "-f", "jsonl"])).lines();
    let run = outcome(&mut scratch.detect(&model, &["photos", "-q", "-f", "label-studio"]));
    let tasks: Vec<Value> = serde_json::from_str(&run.stdout).expect("an array");
    assert_eq!(tasks.len(), lines.len());
    for (task, line) in tasks.iter().zip(&lines) {
        assert_eq!(task["data"]["image"], line["image"]);
        let boxes = task["predictions"][0]["result"].as_array().expect("boxes");
        let found = line["detections"].as_array().expect("detections");
        assert_eq!(boxes.len(), found.len());
        for (b, d) in boxes.iter().zip(found) {
            assert_eq!(b["value"]["rectanglelabels"], json!([d["label"]]));
            assert_eq!(b["score"], d["score"]);
            let of = |key: &str, size: &str| {
                b["value"][key].as_f64().expect("percent") / 100.0 * line[size].as_f64().expect("pixels")
            };
            let edges = [of("x", "width"), of("y", "height")];
            let far = [edges[0] + of("width", "width"), edges[1] + of("height", "height")];
            for (i, edge) in edges.into_iter().chain(far).enumerate() {
                assert!((edge - d["box"][i].as_f64().expect("a number")).abs() < 0.02, "{b} {d}");
            }
        }
    }
}

#[test]
fn zones_tell_who_is_there() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    scratch.write(
        "zones.toml",
        "[[zone]]\nname = \"everywhere\"\npoints = [[0, 0], [1, 0], [1, 1], [0, 1]]\nclasses = [\"cat\"]\ndwell = 0.3\n\
         [[line]]\nname = \"middle\"\nfrom = [0.5, 1]\nto = [0.5, 0]\n",
    );
    let mut live = osprey();
    live.current_dir(scratch.path("")).args([
        "live",
        "photos/cat.png",
        "--loop",
        "--fps",
        "10",
        "--frames",
        "20",
    ]);
    live.args(["--every", "--summary", "none", "--zones", "zones.toml", "--model"]).arg(&model);
    let run = outcome(&mut live);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let events = run.lines();
    let cats: Vec<_> = events.iter().filter(|e| e["label"] == "cat" && e["zone"] == "everywhere").collect();
    assert!(cats.len() >= 2 && cats[0]["event"] == "enter", "{events:?}");
    assert!(cats.iter().any(|e| e["event"] == "dwell" && e["seconds"].as_f64().is_some_and(|s| s >= 0.3)));
    assert!(run.stderr.contains("everywhere: 1 × cat, enter"), "{}", run.stderr);
    for (zones, said) in [
        ("", "neither"),
        ("[[zone]]\nname = \"a\"\npoints = [[0, 0], [1, 1]]\n", "three corners"),
        ("[[zone]]\nname = \"a\"\npoints = [[0, 0], [1, 1], [300, 2]]\n", "fractions"),
        ("[[zone]]\nname = \"a\"\npoints = [[0, 0], [1, 1], [1, 0]]\nclasses = [\"cta\"]\n", "did you mean"),
        ("[[line]]\nname = \"a\"\nfrom = [0, 0]\n", "to"),
    ] {
        scratch.write("zones.toml", zones);
        let mut live = osprey();
        live.current_dir(scratch.path(""))
            .args(["live", "photos", "--zones", "zones.toml", "--model"])
            .arg(&model);
        let run = outcome(&mut live);
        assert!(run.status == Some(1) && run.stderr.contains(said), "{zones}: {}", run.stderr);
    }
}
