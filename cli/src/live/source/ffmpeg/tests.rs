//! What comes out of the pipe is what ffmpeg decodes: the same bytes in the same order, at the film's times.

use super::{Ffmpeg, Input};
use crate::live::source::{OwnedFrame, Source};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs ffmpeg in a folder and gives what it wrote; `None`, with a line, where it is not installed or lacks
/// an encoder.
fn ffmpeg(folder: &Path, args: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new("ffmpeg");
    command.current_dir(folder).args(["-v", "error", "-nostdin", "-y"]).args(args);
    let output = command.stdin(Stdio::null()).output().ok().filter(|o| o.status.success());
    if output.is_none() {
        println!("skipped: ffmpeg is not installed, or cannot do {args:?}");
    }
    output.map(|o| o.stdout)
}

struct Read {
    bytes: Vec<u8>,
    times: Vec<f64>,
    size: (u32, u32),
}

fn read(film: &Path) -> Read {
    let input = Input::parse(film).expect("a file");
    let mut source = Ffmpeg::open(input, false, false).expect("a film");
    let (mut frame, mut read) =
        (OwnedFrame::default(), Read { bytes: Vec::new(), times: Vec::new(), size: (0, 0) });
    while source.next(&mut frame).expect("a frame") {
        read.bytes.extend(&frame.data);
        read.times.push(frame.time.expect("a time").as_secs_f64());
        read.size = (frame.width, frame.height);
    }
    read
}

#[test]
fn frames_are_ffmpegs_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let test = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30:duration=2"];
    let kinds: [(&str, &[&str]); 6] = [
        ("h264.mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p"]),
        ("hevc.mkv", &["-c:v", "libx265", "-x265-params", "log-level=none"]),
        ("vp9.webm", &["-c:v", "libvpx-vp9", "-deadline", "realtime"]),
        ("ten-bits.mkv", &["-c:v", "libx264", "-pix_fmt", "yuv422p10le"]),
        ("motion.avi", &["-c:v", "mjpeg", "-q:v", "3"]),
        (
            "varied.mp4",
            &[
                "-vf",
                "select='lt(n,20)+not(mod(n,4))'",
                "-fps_mode",
                "vfr",
                "-c:v",
                "libx264",
                "-pix_fmt",
                "yuv420p",
            ],
        ),
    ];
    for (name, codec) in kinds {
        if ffmpeg(folder.path(), &[&test[..], codec, &[name]].concat()).is_none() {
            continue;
        }
        let raw = ["-i", name, "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"];
        let Some(wanted) = ffmpeg(folder.path(), &raw) else { continue };
        let ours = read(&folder.path().join(name));
        assert_eq!(ours.times.len(), if name == "varied.mp4" { 30 } else { 60 }, "{name}");
        assert!(
            ours.bytes == wanted,
            "{name}: {} bytes, ffmpeg's own are {}",
            ours.bytes.len(),
            wanted.len()
        );
        assert!(ours.times.is_sorted_by(|a, b| a < b), "{name}: {:?}", ours.times);
        if name == "varied.mp4" {
            // The 21st frame is the film's 21st, the 22nd its 25th.
            assert!((ours.times[20] - 20.0 / 30.0).abs() < 0.002, "{:?}", ours.times);
            assert!((ours.times[21] - 24.0 / 30.0).abs() < 0.002, "{:?}", ours.times);
        }
    }
}

#[test]
fn a_turned_film_is_upright() {
    let folder = tempfile::tempdir().expect("a folder");
    let test = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30:duration=1", "-c:v", "mpeg4", "flat.mp4"];
    // An option of ffmpeg 6; older ones write the same as metadata.
    let turned = ["-display_rotation", "90", "-i", "flat.mp4", "-c", "copy", "turned.mp4"];
    let older = ["-i", "flat.mp4", "-c", "copy", "-metadata:s:v", "rotate=90", "turned.mp4"];
    let made = ffmpeg(folder.path(), &test).is_some()
        && (ffmpeg(folder.path(), &turned).is_some() || ffmpeg(folder.path(), &older).is_some());
    if !made {
        return;
    }
    let raw = ["-i", "turned.mp4", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"];
    let wanted = ffmpeg(folder.path(), &raw).expect("ffmpeg reads what it wrote");
    let ours = read(&folder.path().join("turned.mp4"));
    assert_eq!(ours.size, (90, 160));
    assert!(ours.bytes == wanted);
}
