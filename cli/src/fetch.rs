//! Files from the network, no larger and no slower than is allowed.

use anyhow::{Context, Result, ensure};
use std::io::Read;
use std::time::Duration;

/// What a download may take.
pub(crate) struct Allowed {
    pub(crate) bytes: u64,
    /// Of the whole download.
    pub(crate) patience: Duration,
    /// Over encrypted connections only.
    pub(crate) encrypted: bool,
}

/// Pictures, from cameras at home as well.
pub(crate) const PICTURE: Allowed =
    Allowed { bytes: 64 << 20, patience: Duration::from_secs(30), encrypted: false };

/// Far more than any model for a phone.
pub(crate) const MODEL: Allowed =
    Allowed { bytes: 512 << 20, patience: Duration::from_secs(600), encrypted: true };

/// The bytes at an address.
pub(crate) fn download(address: &str, allowed: &Allowed) -> Result<Vec<u8>> {
    ensure!(
        !allowed.encrypted || address.starts_with("https://"),
        "only https:// addresses are fetched, not {address}"
    );
    let config = ureq::Agent::config_builder().https_only(allowed.encrypted);
    let config = config.timeout_global(Some(allowed.patience)).build();
    let response = ureq::Agent::new_with_config(config).get(address).call();
    let response = response.with_context(|| format!("cannot fetch {address}"))?;
    limited(response.into_body().into_reader(), address, allowed.bytes)
}

/// All that `source` holds, unless it is more than `most` bytes.
pub(crate) fn limited(source: impl Read, name: &str, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    ensure!(bytes.len() as u64 <= most, "{name} is larger than the {} MB that are allowed", most >> 20);
    Ok(bytes)
}
