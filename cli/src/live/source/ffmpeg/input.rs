//! What ffmpeg can open, and what it must be told for it.

use std::path::Path;

/// Something that ffmpeg opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::live) struct Input {
    /// As the user wrote it, without a password.
    pub(super) name: String,
    /// What stands before `-i`.
    pub(super) options: Vec<String>,
    pub(super) url: String,
    /// Frames come when they come; what stops may come back.
    alive: bool,
}

impl Input {
    /// What `text` names: `camera:0`, `screen:`, an address, or a file that is no picture. `None` where it
    /// is nothing for ffmpeg.
    pub(in crate::live) fn parse(text: &Path) -> Option<Self> {
        let name = text.to_str()?;
        let (options, url, alive): (&[&str], String, bool) = match name.split_once(':') {
            Some(("camera", device)) => {
                let (options, url) = camera(device);
                (options, url, true)
            }
            Some(("screen", display)) => {
                let (options, url) = screen(display);
                (options, url, true)
            }
            Some(("rtsp" | "rtsps", rest)) if rest.starts_with("//") => {
                (&["-rtsp_transport", "tcp", "-timeout", "10000000"], name.to_owned(), true)
            }
            Some(("http" | "https" | "rtmp" | "srt" | "udp" | "tcp", rest)) if rest.starts_with("//") => {
                (&[], name.to_owned(), true)
            }
            _ if text.is_file() => {
                // A playlist from a stranger must not open connections.
                (&["-protocol_whitelist", "file,crypto,data"], format!("file:{name}"), false)
            }
            _ => return None,
        };
        let options = options.iter().map(|&o| o.to_owned()).collect();
        Some(Self { name: without_password(name), options, url, alive })
    }

    /// Whether frames come when they come: a stream, a camera, the screen.
    pub(in crate::live) fn is_alive(&self) -> bool {
        self.alive
    }
}

/// Messages end up in logs.
fn without_password(name: &str) -> String {
    let hidden = || {
        let (scheme, rest) = name.split_once("://")?;
        let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
        let (user, host) = authority.rsplit_once('@')?;
        let user = user.split_once(':').map_or(user, |(user, _)| user);
        Some(format!("{scheme}://{user}@{host}{}", &rest[authority.len()..]))
    };
    hidden().unwrap_or_else(|| name.to_owned())
}

#[cfg(target_os = "linux")]
fn camera(device: &str) -> (&'static [&'static str], String) {
    let path = if device.parse::<u8>().is_ok() { format!("/dev/video{device}") } else { device.to_owned() };
    (&["-f", "v4l2"], path)
}

#[cfg(target_os = "macos")]
fn camera(device: &str) -> (&'static [&'static str], String) {
    (&["-f", "avfoundation", "-framerate", "30"], format!("{device}:none"))
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn camera(device: &str) -> (&'static [&'static str], String) {
    (&["-f", "dshow"], format!("video={device}"))
}

#[cfg(target_os = "linux")]
fn screen(display: &str) -> (&'static [&'static str], String) {
    let variable = || std::env::var("DISPLAY").unwrap_or_else(|_| ":0".into());
    (&["-f", "x11grab"], if display.is_empty() { variable() } else { display.to_owned() })
}

#[cfg(target_os = "macos")]
fn screen(display: &str) -> (&'static [&'static str], String) {
    let number = if display.is_empty() { "0" } else { display };
    (&["-f", "avfoundation"], format!("Capture screen {number}:none"))
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn screen(_: &str) -> (&'static [&'static str], String) {
    (&["-f", "gdigrab"], "desktop".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_cameras_and_files_are_told_apart() {
        let parse = |text: &str| Input::parse(Path::new(text));
        assert!(parse("rtsp://user:secret@10.0.0.7/live").is_some_and(|i| i.is_alive()));
        assert!(parse("https://example.org/a.mp4").is_some_and(|i| i.is_alive()));
        assert!(parse("camera:0").is_some_and(|i| i.is_alive() && i.name == "camera:0"));
        assert!(parse("screen:").is_some());
        assert!(parse(file!()).is_none_or(|i| !i.is_alive()));
        assert_eq!(parse("no-such-film.mp4"), None);
        assert_eq!(parse("http:no-address"), None);
    }

    #[test]
    fn passwords_are_not_shown() {
        for (given, shown) in [
            ("rtsp://user:secret@10.0.0.7:554/live?x=1", "rtsp://user@10.0.0.7:554/live?x=1"),
            ("rtsp://u:p@ss@host/", "rtsp://u@host/"),
            ("http://host/a@b", "http://host/a@b"),
            ("film:1.mp4", "film:1.mp4"),
        ] {
            assert_eq!(without_password(given), shown);
        }
    }
}
