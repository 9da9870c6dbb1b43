//! A page with the live picture, on this machine only: MJPEG for the picture, server-sent events
//! for boxes and figures. Pictures are encoded for those who look at them, on their own threads and as
//! often as they take one: nobody else waits for it.

use crate::loopback::{self, head, respond};
use anyhow::Result;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use osprey_detector::pipeline::Snapshot;
use serde_json::{Value, json};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

static PAGE: &str = include_str!("page.html");

/// JPEG quality of the live picture.
const QUALITY: u8 = 80;

/// Connections at a time; a page takes three.
const MAX_CONNECTIONS: usize = 60;

/// A picture, and its JPEG once somebody has asked for it.
#[derive(Default)]
struct Picture {
    pixels: RgbImage,
    jpeg: OnceLock<Vec<u8>>,
}

#[derive(Default, Clone)]
struct Latest {
    number: u64,
    picture: Arc<Picture>,
    event: Arc<String>,
}

#[derive(Default)]
struct Shared {
    latest: Mutex<Latest>,
    changed: Condvar,
    connections: AtomicUsize,
    viewers: Viewers,
}

/// How many look at the picture, and how many read the events.
#[derive(Debug, Default, Clone)]
pub(super) struct Viewers {
    picture: Arc<AtomicUsize>,
    events: Arc<AtomicUsize>,
}

impl Viewers {
    /// Whether anybody looks at the picture.
    pub(super) fn look(&self) -> bool {
        self.picture.load(Ordering::Relaxed) > 0
    }

    /// Whether anybody looks or reads.
    pub(super) fn any(&self) -> bool {
        self.look() || self.events.load(Ordering::Relaxed) > 0
    }
}

/// Counts one while it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The server; its threads end with the program.
pub(super) struct Page {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Page {
    pub(super) fn serve(port: u16) -> Result<Self> {
        let listener = loopback::listen(port)?;
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

    /// Who is there.
    pub(super) fn viewers(&self) -> Viewers {
        self.shared.viewers.clone()
    }

    /// Hands the newest result to all viewers, with its picture where somebody looked when its frame came.
    pub(super) fn show(&self, picture: Option<RgbImage>, result: &Value, snapshot: &Snapshot) {
        let event = json!({"result": result, "summary": snapshot}).to_string();
        let mut latest = lock(&self.shared.latest);
        if let Some(pixels) = picture {
            latest.picture = Arc::new(Picture { pixels, jpeg: OnceLock::new() });
        }
        (latest.number, latest.event) = (latest.number + 1, Arc::new(event));
        self.shared.changed.notify_all();
    }
}

impl Picture {
    /// By the first viewer who wants it.
    fn jpeg(&self) -> &[u8] {
        self.jpeg.get_or_init(|| {
            let mut jpeg = Vec::new();
            let encoded = JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&self.pixels);
            encoded.map_or_else(|_| Vec::new(), |()| jpeg)
        })
    }
}

fn lock(latest: &Mutex<Latest>) -> MutexGuard<'_, Latest> {
    latest.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let _connection = Counted::new(&shared.connections);
    let crowded = shared.connections.load(Ordering::Relaxed) > MAX_CONNECTIONS;
    let Some(path) = loopback::requested(&mut stream)? else { return Ok(()) };
    match path.as_str() {
        _ if crowded => respond(&mut stream, "503 Service Unavailable", "text/plain", b"too many viewers"),
        "/" => respond(&mut stream, "200 OK", "text/html; charset=utf-8", PAGE.as_bytes()),
        "/video" => {
            head(&mut stream, "200 OK", "multipart/x-mixed-replace; boundary=frame")?;
            let _viewer = Counted::new(&shared.viewers.picture);
            each(shared, |latest| {
                let jpeg = latest.picture.jpeg();
                if jpeg.is_empty() {
                    return Ok(());
                }
                write!(
                    stream,
                    "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
                    jpeg.len()
                )?;
                stream.write_all(jpeg)?;
                stream.write_all(b"\r\n")
            })
        }
        "/favicon.ico" => respond(&mut stream, "204 No Content", "image/x-icon", b""),
        "/events" => {
            head(&mut stream, "200 OK", "text/event-stream")?;
            let _viewer = Counted::new(&shared.viewers.events);
            each(shared, |latest| write!(stream, "data: {}\n\n", latest.event))
        }
        _ => loopback::not_found(&mut stream),
    }
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
            guard.clone()
        };
        seen = latest.number;
        send(&latest)?;
    }
}
