//! HTTP for viewers on this machine alone.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Longest request that is read.
const MAX_REQUEST: u64 = 16 << 10;

/// A viewer that takes nothing for so long is gone; so is one whose request takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Listens on `port` of 127.0.0.1; 0 for a free one.
pub(crate) fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("cannot serve on port {port} of 127.0.0.1"))
}

/// The path that a GET asks for; `None` where the request has been refused.
pub(crate) fn requested(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let began = Instant::now();
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.try_clone()?.take(MAX_REQUEST)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // A page elsewhere must not read along by a name that it points to this machine.
    let mut local = false;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if began.elapsed() > PATIENCE {
            return Ok(None);
        }
        if let Some(host) = line.strip_prefix("host:") {
            let name = host.trim().rsplit_once(':').map_or(host.trim(), |(name, _)| name);
            local = matches!(name, "127.0.0.1" | "localhost" | "[::1]");
        }
        if line.is_empty() {
            break;
        }
    }
    let path = request.strip_prefix("GET ").and_then(|r| r.split(' ').next());
    match path {
        Some(path) if local => return Ok(Some(path.to_owned())),
        _ if !local => respond(stream, "403 Forbidden", "text/plain", b"this machine only")?,
        _ => not_found(stream)?,
    }
    Ok(None)
}

/// Everything of an answer but its body.
pub(crate) fn head(stream: &mut TcpStream, status: &str, kind: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
}

/// A whole answer, in a page that no other shares its process with: browsers give it shared memory.
pub(crate) fn respond_isolated(stream: &mut TcpStream, kind: &str, body: &[u8]) -> std::io::Result<()> {
    let kind = format!(
        "{kind}\r\nCross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp"
    );
    respond(stream, "200 OK", &kind, body)
}

/// A whole answer.
pub(crate) fn respond(stream: &mut TcpStream, status: &str, kind: &str, body: &[u8]) -> std::io::Result<()> {
    head(stream, status, kind)?;
    stream.write_all(body)
}

/// The answer to a path that leads nowhere.
pub(crate) fn not_found(stream: &mut TcpStream) -> std::io::Result<()> {
    respond(stream, "404 Not Found", "text/plain", b"no such page")
}
