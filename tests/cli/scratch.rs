//! A folder to work in, the program, and the models that are at hand.

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The program, with nothing in its environment that would choose a model.
pub(crate) fn osprey() -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("osprey");
    command.env_remove("OSPREY_MODEL");
    command
}

/// A file of the optional assets, by its path inside them. Prints one line where it is missing.
pub(crate) fn asset(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("OSPREY_ASSETS").map(PathBuf::from);
    let root = root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/assets"));
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    println!("skipped: {path} is neither in $OSPREY_ASSETS nor in ../shared/assets");
    None
}

/// A detector of people, cats, cups and 77 other kinds.
pub(crate) fn detector() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/ssdlite_mobilenet_v2_300.tflite")
}

/// The photos that come with the project.
pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")
}

/// A temporary folder.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// One with a copy of the sample photos in `photos`.
    pub(crate) fn with_photos() -> Self {
        let scratch = Self::new();
        for photo in ["astronaut.jpg", "cat.png", "coffee.jpg"] {
            scratch
                .write(&format!("photos/{photo}"), fs::read(samples().join(photo)).expect("a sample photo"));
        }
        scratch
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, bytes).expect("a file");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// All files, by their paths in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path.strip_prefix(self.0.path()).expect("inside").display().to_string());
                }
            }
        }
        files.sort();
        files
    }

    /// The program, run in this folder.
    pub(crate) fn osprey(&self) -> Command {
        let mut command = osprey();
        command.current_dir(self.0.path());
        command
    }

    /// `osprey detect` with this model and these arguments, run in this folder.
    pub(crate) fn detect(&self, model: &Path, args: &[&str]) -> Command {
        let mut command = self.osprey();
        command.arg("detect").args(args).arg("--model").arg(model);
        command
    }
}

/// What the program printed, and its exit status.
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Outcome { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Outcome {
    /// The JSON objects that were printed, a line each.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// A box as jsonl gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    pub(crate) image: String,
    pub(crate) label: String,
    pub(crate) class_id: u64,
    pub(crate) score: f64,
    /// xmin, ymin, xmax, ymax in pixels.
    pub(crate) corners: [f64; 4],
}

/// All boxes of jsonl lines, in order.
pub(crate) fn objects(lines: &[Value]) -> Vec<Object> {
    let mut objects = Vec::new();
    for line in lines {
        for d in line["detections"].as_array().expect("detections") {
            objects.push(Object {
                image: line["image"].as_str().expect("image").into(),
                label: d["label"].as_str().expect("label").into(),
                class_id: d["class_id"].as_u64().expect("class_id"),
                score: d["score"].as_f64().expect("score"),
                corners: numbers(&d["box"]).try_into().expect("four corners"),
            });
        }
    }
    objects
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// Intersection over union of two boxes given by their corners.
pub(crate) fn iou(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let area = |c: &[f64; 4]| (c[2] - c[0]).max(0.0) * (c[3] - c[1]).max(0.0);
    let overlap = area(&[a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    overlap / (area(a) + area(b) - overlap)
}

/// Every frame of a session has one fate: captured = shown + dropped + stale + failed.
pub(crate) fn assert_balanced(summary: &Value) {
    let ledger = &summary["ledger"];
    let dropped: u64 = ledger["dropped"]
        .as_object()
        .expect("an object")
        .values()
        .map(|v| v.as_u64().expect("a count"))
        .sum();
    let count = |name: &str| ledger[name].as_u64().expect("a count");
    assert_eq!(count("captured"), count("shown") + dropped + count("stale") + count("failed"), "{summary}");
}
