//! `osprey live` and `osprey replay`.

use crate::scratch::{Scratch, assert_balanced, detector, osprey, outcome};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

fn summary(stdout: &str) -> Value {
    serde_json::from_str(stdout.lines().last().expect("a line")).expect("one line of JSON")
}

#[test]
fn a_synthetic_camera_ends_with_one_json_line() {
    let model = detector();
    let run = outcome(
        osprey()
            .args([
                "live",
                "--source",
                "synthetic",
                "--fps",
                "60",
                "--frames",
                "90",
                "--summary",
                "json",
                "--model",
            ])
            .arg(model),
    );
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 1, "{}", run.stdout);
    let summary = summary(&run.stdout);
    assert_balanced(&summary);
    assert_eq!(summary["ledger"]["captured"], 90);
    assert!(summary["ledger"]["shown"].as_u64().unwrap() > 0);
    for stage in ["submit", "preprocess", "wait", "inference", "post", "track", "age"] {
        let stage = &summary["latency_ms"][stage];
        let [p50, p95, p99] = ["p50", "p95", "p99"].map(|p| stage[p].as_f64().unwrap());
        assert!(p50 <= p95 && p95 <= p99, "{stage}");
    }
    assert!(summary["fps"].as_f64().unwrap() > 0.0);
}

#[test]
fn photos_are_recorded_and_replayed_to_the_same_detections() {
    let model = detector();
    let scratch = Scratch::with_photos();
    let run = outcome(
        osprey()
            .args(["live", "--every", "--quiet", "--summary", "json", "--filter", "antialiased", "--model"])
            .arg(&model)
            .arg(scratch.path("photos"))
            .arg("--jsonl")
            .arg(scratch.path("found.jsonl"))
            .arg("--record")
            .arg(scratch.path("session.osprey"))
            .arg("--annotated")
            .arg(scratch.path("drawn.y4m")),
    );
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let summary = summary(&run.stdout);
    assert_balanced(&summary);
    assert_eq!(summary["ledger"]["shown"], 3);
    let lines: Vec<Value> =
        scratch.read("found.jsonl").lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(lines.len(), 3);
    let labels = |line: &Value| {
        line["detections"].as_array().unwrap().iter().map(|d| d["label"].to_string()).collect::<String>()
    };
    assert!(labels(&lines[0]).contains("person") && labels(&lines[1]).contains("cat"), "{lines:?}");
    let video = std::fs::read(scratch.path("drawn.y4m")).unwrap();
    assert!(video.starts_with(b"YUV4MPEG2 W"));

    let replay = |file| outcome(osprey().arg("replay").arg(scratch.path(file)).arg("--model").arg(&model));
    let same = replay("session.osprey");
    assert_eq!((same.status, same.stdout.as_str()), (Some(0), "3 of 3 frames equal\n"), "{}", same.stderr);

    // A changed byte of a recorded score is noticed; a cut file is an error.
    let mut bytes = std::fs::read(scratch.path("session.osprey")).unwrap();
    let at = bytes.windows(8).position(|w| w == b"\"score\":").expect("a score") + 10;
    bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
    scratch.write("changed.osprey", &bytes);
    let changed = replay("changed.osprey");
    assert_eq!(changed.status, Some(2), "{}", changed.stderr);
    assert!(
        changed.stdout.contains("frame 0:") && changed.stdout.ends_with("2 of 3 frames equal\n"),
        "{}",
        changed.stdout
    );
    scratch.write("cut.osprey", &bytes[..bytes.len() - 7]);
    assert_eq!(replay("cut.osprey").status, Some(1));
    scratch.write("other.osprey", b"something else");
    assert_eq!(replay("other.osprey").status, Some(1));
}

#[test]
fn video_comes_through_standard_input() {
    let model = detector();
    let mut y4m = b"YUV4MPEG2 W64 H48 F25:1 C420jpeg\n".to_vec();
    for level in [50, 100, 150] {
        y4m.extend(b"FRAME\n");
        y4m.extend([level; 64 * 48]);
        y4m.extend([128; 64 * 48 / 2]);
    }
    let live = |arguments: &[&str], input: &[u8]| {
        let mut command = osprey();
        command.args(["live", "-", "--every", "--summary", "json", "--model"]).arg(&model).args(arguments);
        outcome(command.write_stdin(input))
    };
    let run = live(&[], &y4m);
    assert_eq!(
        (run.status, &summary(&run.stdout)["ledger"]["shown"]),
        (Some(0), &Value::from(3)),
        "{}",
        run.stderr
    );
    let run = live(&["--raw", "nv12", "--size", "32x16"], &[90; 32 * 16 * 3 / 2 * 4]);
    assert_eq!(
        (run.status, &summary(&run.stdout)["ledger"]["shown"]),
        (Some(0), &Value::from(4)),
        "{}",
        run.stderr
    );
    let run = live(&[], &y4m[..y4m.len() - 1]);
    assert!(run.status == Some(1) && run.stderr.contains("middle of a frame"), "{}", run.stderr);
    let run = live(&[], b"no video at all");
    assert!(run.status == Some(1) && run.stderr.contains("ffmpeg"), "{}", run.stderr);
}

#[test]
fn the_page_shows_pictures_and_boxes_to_this_machine_only() {
    let model = detector();
    let scratch = Scratch::with_photos();
    let (mut program, address) = served(&model, &scratch);
    let get = |path: &str, host: &str, bytes: usize| {
        let mut stream = TcpStream::connect(&address).expect("the server");
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.take(bytes as u64).read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    };
    let page = get("/", &address, 100_000);
    let video = get("/video", &address, 4000);
    let events = get("/events", &address, 4000);
    let foreign = get("/", "evil.example", 1000);
    program.kill().expect("still running");
    program.wait().expect("ended");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("/events"), "{page}");
    assert!(video.contains("image/jpeg") && video.contains("JFIF"), "{}", &video[..200]);
    assert!(events.contains("data: {") && events.contains("\"ledger\""), "{events}");
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
}

/// `osprey live` showing the photos in turn on a page, and the page's address.
fn served(model: &Path, scratch: &Scratch) -> (std::process::Child, String) {
    let mut program = std::process::Command::new(assert_cmd::cargo::cargo_bin!("osprey"))
        .args(["live", "--serve", "0", "--loop", "--fps", "20", "--summary", "none", "--model"])
        .arg(model)
        .arg(scratch.path("photos"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut said = String::new();
    BufReader::new(program.stderr.take().expect("piped")).read_line(&mut said).expect("the address");
    (program, said.trim().rsplit('/').next().expect("an address").to_owned())
}

#[test]
fn a_browser_draws_the_boxes() {
    let mut found = ["chromium", "chromium-browser", "google-chrome"].into_iter();
    let Some(browser) = found.find(|name| std::process::Command::new(name).arg("--version").output().is_ok())
    else {
        println!("skipped: no Chromium on this machine");
        return;
    };
    let scratch = Scratch::with_photos();
    let (mut program, address) = served(&detector(), &scratch);
    let drawn = || {
        let page = std::process::Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .arg(format!("--user-data-dir={}", scratch.path("profile").display()))
            .arg(format!("http://{address}/"))
            .output()
            .expect("the browser");
        let page = String::from_utf8_lossy(&page.stdout).into_owned();
        let body = page.split("<main>").nth(1).unwrap_or_default();
        body.split("<script>").next().unwrap_or_default().to_owned()
    };
    // The browser writes the page down as soon as it has loaded, which can be before the first event.
    let body = (0..10).map(|_| drawn()).find(|body| body.contains("<rect")).unwrap_or_else(drawn);
    program.kill().expect("still running");
    program.wait().expect("ended");
    assert!(body.contains(" %</text>"), "no boxes: {body}");
    assert!(body.contains("FPS") && body.contains("captured"), "no figures: {body}");
}

#[test]
fn wrong_arguments_say_what_to_do() {
    for (arguments, said) in [
        (&["live"][..], "INPUT"),
        (&["live", "-", "--raw", "nv12"], "--size"),
        (&["live", "--source", "synthetic", "--size", "0x5"], "1280x720"),
        (&["live", "--source", "synthetic", "--fps", "0"], "frames per second"),
    ] {
        let run = outcome(osprey().args(arguments));
        assert_eq!(run.status, Some(1), "{arguments:?}");
        assert!(run.stderr.contains(said), "{arguments:?}: {}", run.stderr);
    }
}

/// Kilobytes of memory that a process holds.
#[cfg(target_os = "linux")]
fn resident_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("procfs");
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("a figure");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("kilobytes")
}

#[cfg(target_os = "linux")]
#[test]
fn memory_stays_flat_under_a_reader_that_stops() {
    // 2.8 MB a frame: 200 frames that wait somewhere would be half a gigabyte.
    let mut program = std::process::Command::new(assert_cmd::cargo::cargo_bin!("osprey"))
        .args(["live", "--source", "synthetic", "--fps", "60", "--frames", "260", "--quiet"])
        .args(["--summary", "none", "--annotated", "-", "--model"])
        .arg(detector())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut video = program.stdout.take().expect("a pipe");
    let mut start = [0; 10];
    video.read_exact(&mut start).expect("the video begins");
    assert_eq!(&start, b"YUV4MPEG2 ");
    std::thread::sleep(Duration::from_secs(1));
    let settled = resident_kb(program.id());
    std::thread::sleep(Duration::from_secs(3));
    let later = resident_kb(program.id());
    // Reading on, the rest comes and the program ends by itself.
    std::io::copy(&mut video, &mut std::io::sink()).expect("the rest");
    assert!(program.wait().expect("an end").success());
    assert!(later < settled + 24 * 1024, "memory grew from {settled} to {later} kB in three seconds");
}
