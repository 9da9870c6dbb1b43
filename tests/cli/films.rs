//! Films and streams through an ffmpeg child, made by ffmpeg itself; skipped where it is not installed.

use crate::scratch::{Outcome, Scratch, assert_balanced, detector, outcome};
use serde_json::Value;
use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs ffmpeg in the folder; false, with a line, where there is none or it lacks what is asked for.
fn ffmpeg(scratch: &Scratch, args: &[&str]) -> bool {
    let mut command = Command::new("ffmpeg");
    command.current_dir(scratch.path("")).args(["-v", "error", "-nostdin", "-y"]).args(args);
    let made = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    if !made {
        println!("skipped: ffmpeg is not installed, or cannot do {args:?}");
    }
    made
}

/// A small detector.
fn quick() -> PathBuf {
    detector().with_file_name("ssdlite_mobilenet_v2_quick_160.tflite")
}

fn live(scratch: &Scratch, args: &[&str]) -> Outcome {
    let mut command = scratch.osprey();
    command.arg("live").args(args).args(["-q", "--summary", "json", "--model"]).arg(quick());
    outcome(command.timeout(Duration::from_secs(120)))
}

fn lines(scratch: &Scratch, file: &str) -> Vec<Value> {
    scratch.read(file).lines().map(|l| serde_json::from_str(l).expect("JSON")).collect()
}

#[test]
fn every_frame_of_a_film_is_looked_at_at_its_own_time() {
    let scratch = Scratch::new();
    let test = ["-f", "lavfi", "-i", "testsrc2=size=320x192:rate=25:duration=2"];
    let kinds: [(&str, &[&str]); 4] = [
        ("h264.mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p"]),
        ("hevc.mkv", &["-c:v", "libx265", "-x265-params", "log-level=none"]),
        ("vp9.webm", &["-c:v", "libvpx-vp9", "-deadline", "realtime"]),
        ("mpeg4.avi", &["-c:v", "mpeg4"]),
    ];
    for (file, codec) in kinds {
        if !ffmpeg(&scratch, &[&test[..], codec, &[file]].concat()) {
            continue;
        }
        let run = live(&scratch, &[file, "--jsonl", "found.jsonl"]);
        assert_eq!(run.status, Some(0), "{file}: {}", run.stderr);
        let summary = &run.lines()[0];
        assert_balanced(summary);
        assert_eq!(summary["ledger"]["captured"], 50, "{file}: {summary}");
        assert_eq!(summary["ledger"]["shown"], 50, "{file}: {summary}");
        let found = lines(&scratch, "found.jsonl");
        let last = &found[49];
        assert_eq!((last["frame"].as_u64(), last["width"].as_u64()), (Some(49), Some(320)), "{file}");
        assert!((last["time"].as_f64().expect("a time") - 1.96).abs() < 1e-3, "{file}: {last}");
    }
}

#[test]
fn a_film_of_variable_rate_has_its_own_times() {
    let scratch = Scratch::new();
    let varied = ["-f", "lavfi", "-i", "testsrc2=size=160x96:rate=30:duration=2", "-vf"];
    let select = "select='lt(n,20)+not(mod(n,4))'";
    let codec = ["-fps_mode", "vfr", "-c:v", "libx264", "-pix_fmt", "yuv420p", "varied.mp4"];
    if !ffmpeg(&scratch, &[&varied[..], &[select], &codec].concat()) {
        return;
    }
    let run = live(&scratch, &["varied.mp4", "--jsonl", "found.jsonl"]);
    assert_eq!(run.lines()[0]["ledger"]["shown"], 30, "{} {}", run.stdout, run.stderr);
    let time = |line: &Value| line["time"].as_f64().expect("a time");
    let times: Vec<_> = lines(&scratch, "found.jsonl").iter().map(time).collect();
    // The 21st frame is the film's 21st, the 22nd its 25th; the last is its 57th.
    for (frame, of_film) in [(20, 20), (21, 24), (29, 56)] {
        assert!((times[frame] - f64::from(of_film) / 30.0).abs() < 0.002, "{times:?}");
    }
    // Round again, time goes on.
    let run = live(&scratch, &["varied.mp4", "--loop", "--frames", "35", "--jsonl", "twice.jsonl"]);
    assert_eq!(run.lines()[0]["ledger"]["shown"], 35, "{}", run.stderr);
    let times: Vec<_> = lines(&scratch, "twice.jsonl").iter().map(time).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[test]
fn an_annotated_film_has_as_many_frames() {
    let scratch = Scratch::new();
    let test = ["-f", "lavfi", "-i", "testsrc2=size=161x97:rate=25:duration=1", "-c:v", "mpeg4", "film.mp4"];
    if !ffmpeg(&scratch, &test) {
        return;
    }
    let run = live(&scratch, &["film.mp4", "--annotated", "drawn.mp4"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(!scratch.files().iter().any(|f| f.starts_with(".osprey-")), "{:?}", scratch.files());
    let again = live(&scratch, &["drawn.mp4"]);
    assert_eq!(again.lines()[0]["ledger"]["shown"], 25, "{}", again.stderr);
    let run = live(&scratch, &["film.mp4", "--annotated", "hidden.mp4", "--blur", "persn"]);
    assert!(run.status == Some(1) && run.stderr.contains("did you mean"), "{}", run.stderr);
    // A kind that ffmpeg does not know.
    let run = live(&scratch, &["film.mp4", "--annotated", "drawn.nonsense"]);
    assert!(run.status == Some(1) && run.stderr.contains("drawn.nonsense"), "{}", run.stderr);
}

#[test]
fn what_ffmpeg_cannot_read_is_told_in_its_words() {
    let scratch = Scratch::new();
    if !ffmpeg(&scratch, &["-version"]) {
        return;
    }
    scratch.write("garbage.mp4", b"\0\0\0\x18ftypmp42 this is no film at all");
    let run = live(&scratch, &["garbage.mp4"]);
    assert_eq!(run.status, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains("garbage.mp4") && run.stderr.contains("nvalid data"), "{}", run.stderr);
    // A film down the pipe that wants Y4M.
    let test = ["-f", "lavfi", "-i", "testsrc2=size=320x192:rate=25:duration=4", "-c:v", "mpeg4", "film.mkv"];
    assert!(ffmpeg(&scratch, &test));
    let piped = outcome(
        scratch.osprey().args(["live", "-"]).write_stdin(fs::read(scratch.path("film.mkv")).expect("a film")),
    );
    assert!(piped.status == Some(1) && piped.stderr.contains("ffmpeg"), "{}", piped.stderr);
}

#[test]
fn without_ffmpeg_one_line_says_how_to_get_it() {
    let scratch = Scratch::new();
    scratch.write("film.mp4", b"\0\0\0\x18ftypmp42");
    let mut command = scratch.osprey();
    let run = outcome(command.args(["live", "film.mp4"]).env("OSPREY_FFMPEG", "no-such-program"));
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("apt install ffmpeg"), "{}", run.stderr);
}

/// A stand-in for ffmpeg that writes two frames and then does as it is told.
#[cfg(unix)]
fn pretender(scratch: &Scratch, then: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let frame = "printf 'FRAME\\n'; head -c 6144 /dev/zero";
    let script = format!(
        "#!/bin/sh\nprintf 'YUV4MPEG2 W64 H64 F25:1 C420jpeg\\n'; {frame}; {frame}; echo 'the cable is out' >&2; {then}\n"
    );
    let path = scratch.write("ffmpeg", script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    path
}

#[cfg(unix)]
#[test]
fn a_child_that_dies_in_a_film_is_an_error_and_keeps_what_came() {
    let scratch = Scratch::new();
    scratch.write("film.mp4", b"a film");
    for then in
        ["kill -9 $$", "exit 3", "printf 'FRAME\\n'; exit 1", "printf 'nonsense without end'; sleep 30"]
    {
        let program = pretender(&scratch, then);
        let began = Instant::now();
        let mut command = scratch.osprey();
        command.args(["live", "film.mp4", "-q", "--jsonl", "found.jsonl", "--model"]);
        command.arg(quick());
        let run = outcome(command.env("OSPREY_FFMPEG", program));
        assert_eq!(run.status, Some(1), "{then}: {}", run.stderr);
        assert!(run.stderr.contains("the cable is out"), "{then}: {}", run.stderr);
        assert_eq!(lines(&scratch, "found.jsonl").len(), 2, "{then}");
        assert!(began.elapsed() < Duration::from_secs(20), "{then}");
    }
}

#[cfg(unix)]
#[test]
fn a_child_that_pauses_is_waited_for() {
    let scratch = Scratch::new();
    scratch.write("film.mp4", b"a film");
    let program = pretender(&scratch, "sleep 5; printf 'FRAME\\n'; head -c 6144 /dev/zero");
    let mut command = scratch.osprey();
    command.args(["live", "film.mp4", "-q", "--summary", "json", "--model"]).arg(quick());
    let run = outcome(command.env("OSPREY_FFMPEG", program).timeout(Duration::from_secs(60)));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_balanced(&run.lines()[0]);
    assert_eq!(run.lines()[0]["ledger"]["shown"], 3, "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn a_stream_that_stops_is_tried_again() {
    let scratch = Scratch::new();
    let program = pretender(&scratch, "echo 'rtsp://me:secret@127.0.0.1:9/none: refused' >&2; exit 1");
    let mut command = scratch.osprey();
    command.args([
        "live",
        "rtsp://me:secret@127.0.0.1:9/none",
        "-q",
        "--every",
        "--frames",
        "6",
        "--summary",
        "json",
    ]);
    command.arg("--model").arg(quick());
    let run = outcome(command.env("OSPREY_FFMPEG", program).timeout(Duration::from_secs(60)));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(run.lines()[0]["ledger"]["shown"], 6, "{}", run.stdout);
    assert_balanced(&run.lines()[0]);
    assert_eq!(run.stderr.matches("trying again").count(), 2, "{}", run.stderr);
    assert!(run.stderr.contains("rtsp://me@127.0.0.1:9/none: refused"), "{}", run.stderr);
    assert!(!run.stderr.contains("secret"), "{}", run.stderr);
}

#[test]
fn a_stream_on_this_machine_is_followed() {
    let scratch = Scratch::new();
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a port").port();
    let address = format!("udp://127.0.0.1:{port}");
    let mut server = Command::new("ffmpeg");
    server.args(["-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25"]);
    server.args(["-c:v", "mpeg2video", "-g", "12", "-f", "mpegts", &address]).stdin(Stdio::null());
    let Ok(mut server) = server.stderr(Stdio::null()).spawn() else {
        println!("skipped: ffmpeg is not installed");
        return;
    };
    let run = live(&scratch, &[&address, "--frames", "20"]);
    let _ = server.kill();
    let _ = server.wait();
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_balanced(&run.lines()[0]);
    assert_eq!(run.lines()[0]["ledger"]["captured"], 20, "{}", run.stdout);
}
