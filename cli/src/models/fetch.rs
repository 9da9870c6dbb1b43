//! A model's bytes, from a file or from the network.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Far more than any model for a phone.
const MOST_BYTES: u64 = 512 << 20;
/// Of the whole download.
const PATIENCE: Duration = Duration::from_secs(600);

pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    limited(file, &path.display().to_string())
}

pub(super) fn download(address: &str) -> Result<Vec<u8>> {
    ensure!(address.starts_with("https://"), "only https:// addresses are fetched, not {address}");
    let config = ureq::Agent::config_builder().https_only(true).timeout_global(Some(PATIENCE)).build();
    let response = ureq::Agent::new_with_config(config).get(address).call();
    let response = response.with_context(|| format!("cannot fetch {address}"))?;
    limited(response.into_body().into_reader(), address)
}

fn limited(source: impl Read, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MOST_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    ensure!(
        bytes.len() as u64 <= MOST_BYTES,
        "{name} is larger than the {} MB of any model",
        MOST_BYTES >> 20
    );
    Ok(bytes)
}
