//! What happens to people who meet the program for the first time: a wrong name, a wrong unit, Ctrl-C.

use super::scratch::{Outcome, Scratch, detector, outcome, samples};
use serde_json::Value;
use std::fs;

fn motion(scratch: &Scratch, args: &[&str]) -> Outcome {
    let model = detector().with_file_name("activity.tflite");
    let columns = "acceleration_x=x,acceleration_y=y,acceleration_z=z";
    let mut command = scratch.osprey();
    command.arg("motion").args(args).args(["--column", columns, "--model"]).arg(model);
    outcome(command.timeout(std::time::Duration::from_secs(60)))
}

#[test]
fn motion_ends_whatever_the_times_are() {
    let scratch = Scratch::new();
    let table = |time: &dyn Fn(u64) -> f64| {
        let rows = (0..300).map(|i| format!("{:e},0,0,-1\n", time(i)));
        format!("time,x,y,z\n{}", rows.collect::<String>())
    };
    // Half of the times are nonsense.
    scratch.write("far.csv", table(&|i| if i < 150 { i as f64 / 50.0 } else { 1e300 }));
    let far = motion(&scratch, &["far.csv"]);
    assert!(far.stdout.lines().count() < 20, "{}", far.stdout);
    // Nanoseconds since 1970 of a phone's log, read as seconds, then as what they are.
    scratch.write("phone.csv", table(&|i| 1.7e18 + i as f64 * 2e7));
    let seconds = motion(&scratch, &["phone.csv"]);
    assert_eq!((seconds.status, seconds.stdout.as_str()), (Some(1), ""), "{}", seconds.stderr);
    assert!(seconds.stderr.contains("--time-unit"), "{}", seconds.stderr);
    let nanoseconds = motion(&scratch, &["phone.csv", "--time-unit", "ns"]);
    assert_eq!(nanoseconds.status, Some(0), "{}", nanoseconds.stderr);
    assert!(nanoseconds.stdout.contains("stationary"), "{}", nanoseconds.stdout);
    // Milliseconds of a clock that began at zero look like a gap after every sample.
    scratch.write("ms.csv", table(&|i| i as f64 * 20.0));
    let gaps = motion(&scratch, &["ms.csv"]);
    assert!(gaps.status == Some(1) && gaps.stderr.contains("--time-unit"), "{}", gaps.stderr);
    // No sensor measures this; sums of it are no numbers.
    scratch.write("huge.csv", table(&|i| i as f64 / 50.0).replace("-1\n", "1e38\n"));
    let huge = motion(&scratch, &["huge.csv"]);
    assert!(huge.status == Some(1) && !huge.stdout.contains("NaN"), "{}", huge.stdout);
}

#[test]
fn a_damaged_manifest_is_not_passed_over() {
    let scratch = Scratch::with_photos();
    scratch.write("m/digits.tflite", fs::read(detector().with_file_name("digits.tflite")).expect("a model"));
    scratch.write("m/manifest.toml", "garbage [[[");
    let run = outcome(scratch.osprey().args(["digits", "photos/cat.png", "--model", "m/digits.tflite"]));
    assert_eq!(run.status, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains("manifest"), "{}", run.stderr);
}

#[test]
fn a_picture_is_no_place_for_a_table() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let before = fs::read(scratch.path("photos/cat.png")).expect("a photo");
    let refused = |args: &[&str], said: &str| {
        let run = outcome(&mut scratch.detect(&model, args));
        assert_eq!(run.status, Some(1), "{args:?}: {}", run.stdout);
        assert!(run.stderr.contains(said), "{args:?}: \"{said}\" is not in {}", run.stderr);
    };
    refused(&["photos/cat.png", "-o", "photos/cat.png"], "--annotated");
    refused(&["photos", "-o", "result.jpg"], "--annotated");
    refused(&["photos", "-o", "page.html"], "--report");
    refused(&["photos", "-o", "found.xyz"], "--format");
    refused(&["photos", "-f", "jsonl", "-o", "./photos/cat.png"], "one of the pictures");
    assert_eq!(fs::read(scratch.path("photos/cat.png")).expect("a photo"), before);
    assert!(!scratch.path("result.jpg").exists());
}

#[test]
fn what_a_folder_holds_and_is_not_read_is_told() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    for name in ["a.heic", "b.HEIC", "photo.avif", "clip.mov"] {
        scratch.write(&format!("photos/{name}"), b"\0\0\0\x18ftypheic\0\0\0\0");
    }
    let run = outcome(&mut scratch.detect(&model, &["photos"]));
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    for told in ["2 HEIC files", "heif-convert", "1 AVIF file", "1 film file", "4 skipped"] {
        assert!(run.stderr.contains(told), "\"{told}\" is not in {}", run.stderr);
    }
}

#[test]
fn the_first_frame_of_a_gif_is_looked_at() {
    let (model, scratch) = (detector(), Scratch::new());
    let photo = image::open(samples().join("cat.png")).expect("a sample photo");
    photo.save(scratch.path("cat.gif")).expect("a GIF");
    let run = outcome(&mut scratch.detect(&model, &["cat.gif"]));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("cat "), "{}", run.stdout);
}

#[test]
fn one_object_has_one_class_where_nothing_else_is_asked_for() {
    let (model, scratch) = (detector(), Scratch::with_photos());
    let args = ["photos", "-f", "jsonl", "-s", "0.1"];
    let one = outcome(&mut scratch.detect(&model, &args)).stdout;
    let all = outcome(&mut scratch.detect(&model, &[&args[..], &["--one-object-iou", "1"]].concat())).stdout;
    let boxes = |text: &str| text.matches("\"box\"").count();
    assert!(boxes(&one) < boxes(&all), "{} boxes, {} with all classes", boxes(&one), boxes(&all));
}

#[test]
fn results_for_pycocotools_have_cocos_ids() {
    let (model, scratch) = (detector(), Scratch::new());
    let cat = fs::read(samples().join("cat.png")).expect("a sample photo");
    scratch.write("val/000000397133.png", &cat);
    let args = ["val", "-f", "coco-results", "-o", "results.json"];
    let run = outcome(&mut scratch.detect(&model, &args));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let results: Value = serde_json::from_str(&scratch.read("results.json")).expect("JSON");
    let first = &results.as_array().expect("an array")[0];
    assert_eq!((first["image_id"].as_u64(), first["category_id"].as_u64()), (Some(397_133), Some(17)));
    assert_eq!(first["bbox"].as_array().map(Vec::len), Some(4));
    scratch.write("val/cat.png", cat);
    let nameless = outcome(&mut scratch.detect(&model, &args));
    assert!(nameless.status == Some(1) && nameless.stderr.contains("cat.png"), "{}", nameless.stderr);
}

#[test]
fn training_is_never_lost_without_a_word() {
    let scratch = Scratch::new();
    for (class, shade) in [("dark", 30), ("light", 220)] {
        for number in 0..3u8 {
            let path = scratch.write(&format!("pictures/{class}/{number}.png"), b"");
            let picture = image::RgbImage::from_pixel(40, 40, image::Rgb([shade, shade + number, shade]));
            picture.save(path).expect("a picture");
        }
    }
    let model = detector();
    let train = |args: &[&str]| {
        let mut command = scratch.osprey();
        let common = ["train", "pictures", "-q", "--views", "1", "--model"];
        command.args(common).arg(&model).args(args);
        if !args.contains(&"--epochs") {
            command.args(["--epochs", "2"]);
        }
        outcome(&mut command)
    };
    let nowhere = train(&[]);
    assert!(nowhere.status == Some(1) && nowhere.stderr.contains("--output"), "{}", nowhere.stderr);
    assert_eq!(train(&["-o", "made"]).status, Some(0));
    let again = train(&["-o", "made"]);
    assert_eq!(again.status, Some(1), "{}", again.stdout);
    assert!(again.stderr.contains("--resume") && again.stderr.contains("--replace"), "{}", again.stderr);
    assert_eq!(train(&["-o", "made", "--replace"]).status, Some(0));
    let same = train(&["-o", "made", "--resume", "--epochs", "3"]);
    assert!(same.status == Some(0) && !same.stderr.contains("other pictures"), "{}", same.stderr);
    let path = scratch.write("pictures/dark/new.png", b"");
    image::RgbImage::from_pixel(40, 40, image::Rgb([20, 20, 20])).save(path).expect("a picture");
    let other = train(&["-o", "made", "--resume", "--epochs", "4"]);
    assert!(other.status == Some(0) && other.stderr.contains("other pictures"), "{}", other.stderr);

    // A damaged description does not ask for memory that no machine has.
    let description = scratch.read("made/classifier.json");
    for views in ["0", "4294967295", "18446744073709551615"] {
        scratch.write(
            "made/classifier.json",
            description.replace("\"views\": 1", &format!("\"views\": {views}")),
        );
        let run = outcome(scratch.osprey().args(["classify", "pictures", "-r", "--model", "made"]));
        assert!(run.status == Some(1) && run.stderr.contains("views"), "{views}: {}", run.stderr);
    }
}

#[test]
fn a_models_task_is_told_or_asked_for() {
    let scratch = Scratch::new();
    let add = |args: &[&str]| {
        let mut command = scratch.osprey();
        outcome(command.env("OSPREY_MODELS", scratch.path("catalogue")).args(["models", "add"]).args(args))
    };
    let digits = detector().with_file_name("digits.tflite").display().to_string();
    let unknown = add(&[&digits, "--name", "x"]);
    assert!(unknown.status == Some(1) && unknown.stderr.contains("--task"), "{}", unknown.stderr);
    assert_eq!(add(&[&digits, "--name", "x", "--task", "digits"]).status, Some(0));
    assert!(scratch.read("catalogue/manifest.toml").contains("task = \"digits\""));
    let taken = add(&[&digits, "--name", "digits", "--task", "digits"]);
    assert!(taken.status == Some(1) && taken.stderr.contains("built-in"), "{}", taken.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_error_or_output_is_no_crash() {
    use std::process::{Command, Stdio};
    let scratch = Scratch::with_photos();
    let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").expect("a device"));
    let mut detect = Command::new(assert_cmd::cargo::cargo_bin!("osprey"));
    detect.arg("detect").arg(scratch.path("photos/cat.png")).arg("--model").arg(detector());
    let deaf = detect.stdout(Stdio::null()).stderr(full()).status().expect("runs");
    assert_eq!(deaf.code(), Some(0));
    let mut list = Command::new(assert_cmd::cargo::cargo_bin!("osprey"));
    let output = list.arg("models").stdout(full()).stderr(Stdio::piped()).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"), "{output:?}");
}

#[test]
fn a_name_like_a_flag_and_help_say_what_is_so() {
    let scratch = Scratch::with_photos();
    fs::rename(scratch.path("photos/cat.png"), scratch.path("-cat.png")).expect("a file");
    let run = outcome(scratch.osprey().args(["detect", "-cat.png"]));
    assert!(run.status == Some(1) && run.stderr.contains("./-cat.png names it"), "{}", run.stderr);
    let run = outcome(scratch.osprey().args(["detect", "photos", "--max-megapixels", "-1"]));
    assert!(run.status == Some(1) && run.stderr.contains("1..=4000"), "{}", run.stderr);
    let help =
        |command: &str| outcome(scratch.osprey().args([command, "--help"])).stdout.replace(['\n', ' '], "");
    assert!(help("eval").contains("0.001in`ospreyeval`"), "{}", help("eval"));
    assert!(help("motion").contains("built-inmodelforwhatthecommanddoes"), "{}", help("motion"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_finished() {
    use std::process::{Command, Stdio};
    use std::time::Duration;
    const PICTURES: usize = 600;
    let scratch = Scratch::new();
    let photo = fs::read(samples().join("astronaut.jpg")).expect("a sample photo");
    for number in 0..PICTURES {
        scratch.write(&format!("photos/{number:04}.jpg"), &photo);
    }
    for (file, format) in [("found.jsonl", "jsonl"), ("found.json", "coco"), ("found.csv", "csv")] {
        let mut detect = Command::new(assert_cmd::cargo::cargo_bin!("osprey"));
        detect.current_dir(scratch.path("")).args(["detect", "photos", "-f", format, "-o", file]);
        let detect = detect.arg("--model").arg(detector()).stderr(Stdio::piped());
        let child = detect.spawn().expect("runs");
        // Some results are written, not all.
        let begun = || {
            let files = fs::read_dir(scratch.path("")).expect("the folder").flatten();
            let mut files = files.filter(|f| f.file_name().to_string_lossy().starts_with(".osprey-"));
            files.any(|f| f.metadata().is_ok_and(|m| m.len() > 0))
        };
        for _ in 0..6000 {
            if begun() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(killed.expect("kill").success());
        let output = child.wait_with_output().expect("ends");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("stopped by Ctrl-C"), "{told}");
        let text = scratch.read(file);
        let records = match format {
            "jsonl" => {
                let whole = |line: &str| serde_json::from_str::<Value>(line).is_ok();
                assert!(text.lines().all(whole), "a line is cut off");
                text.lines().count()
            }
            "coco" => serde_json::from_str::<Value>(&text).expect("a whole file")["images"]
                .as_array()
                .map_or(0, Vec::len),
            _ => text.lines().count(),
        };
        assert!(records > 0, "{format}: nothing is kept");
        assert!(
            !scratch.files().iter().any(|f| f.contains(".osprey-")),
            "{format}: a temporary file is left"
        );
    }
}
