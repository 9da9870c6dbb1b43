//! A page with the live picture, on this machine only: MJPEG for the picture, server-sent events
//! for boxes and figures.

use anyhow::{Context, Result};
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use osprey_detector::pipeline::Snapshot;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static PAGE: &str = include_str!("page.html");

/// JPEG quality of the live picture.
const QUALITY: u8 = 80;

/// Longest request that is read.
const MAX_REQUEST: u64 = 16 << 10;

/// A viewer that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Latest {
    number: u64,
    jpeg: Arc<Vec<u8>>,
    event: Arc<String>,
}

#[derive(Default)]
struct Shared {
    latest: Mutex<Latest>,
    changed: Condvar,
}

/// The server; its threads end with the program.
pub(super) struct Page {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Page {
    pub(super) fn serve(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("cannot serve on port {port} of 127.0.0.1"))?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&server);
                // Errors are viewers that went away.
                std::thread::spawn(move || answer(stream, &shared));
            }
        });
        Ok(Self { address, shared })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands the newest picture and result to all viewers.
    pub(super) fn show(&self, picture: &RgbImage, result: &Value, snapshot: &Snapshot) {
        let mut jpeg = Vec::new();
        if JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(picture).is_err() {
            return;
        }
        let event = json!({"result": result, "summary": snapshot}).to_string();
        let mut latest = lock(&self.shared.latest);
        *latest = Latest { number: latest.number + 1, jpeg: Arc::new(jpeg), event: Arc::new(event) };
        self.shared.changed.notify_all();
    }
}

fn lock(latest: &Mutex<Latest>) -> MutexGuard<'_, Latest> {
    latest.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.try_clone()?.take(MAX_REQUEST)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // A page elsewhere must not read along by a name that it points to this machine.
    let mut local = false;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if let Some(host) = line.strip_prefix("host:") {
            let name = host.trim().rsplit_once(':').map_or(host.trim(), |(name, _)| name);
            local = matches!(name, "127.0.0.1" | "localhost");
        }
        if line.is_empty() {
            break;
        }
    }
    let path = request.strip_prefix("GET ").and_then(|r| r.split(' ').next());
    match path {
        _ if !local => respond(&mut stream, "403 Forbidden", "text/plain", b"this machine only"),
        Some("/") => respond(&mut stream, "200 OK", "text/html; charset=utf-8", PAGE.as_bytes()),
        Some("/video") => {
            head(&mut stream, "200 OK", "multipart/x-mixed-replace; boundary=frame")?;
            each(shared, |latest| {
                write!(
                    stream,
                    "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
                    latest.jpeg.len()
                )?;
                stream.write_all(&latest.jpeg)?;
                stream.write_all(b"\r\n")
            })
        }
        Some("/events") => {
            head(&mut stream, "200 OK", "text/event-stream")?;
            each(shared, |latest| write!(stream, "data: {}\n\n", latest.event))
        }
        _ => respond(&mut stream, "404 Not Found", "text/plain", b"no such page"),
    }
}

fn head(stream: &mut TcpStream, status: &str, kind: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
}

fn respond(stream: &mut TcpStream, status: &str, kind: &str, body: &[u8]) -> std::io::Result<()> {
    head(stream, status, kind)?;
    stream.write_all(body)
}

/// Gives every newest state to `send`, until the viewer goes.
fn each(shared: &Shared, mut send: impl FnMut(&Latest) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut seen = 0;
    loop {
        let latest = {
            let guard = lock(&shared.latest);
            let guard = shared
                .changed
                .wait_while(guard, |l| l.number == seen)
                .unwrap_or_else(PoisonError::into_inner);
            Latest { number: guard.number, jpeg: Arc::clone(&guard.jpeg), event: Arc::clone(&guard.event) }
        };
        seen = latest.number;
        send(&latest)?;
    }
}
