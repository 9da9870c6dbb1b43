//! A folder of model files with a manifest that says what they are.

use crate::files;
use anyhow::{Context, Result, bail, ensure};
use osprey_detector::model::{Entry, Manifest, ModelInfo, Task};
use sha2::{Digest, Sha256};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Names the catalogue's folder.
const VARIABLE: &str = "OSPREY_MODELS";
const MANIFEST: &str = "manifest.toml";

/// The user's own models.
pub(crate) struct Catalogue {
    folder: PathBuf,
    manifest: Manifest,
}

impl Catalogue {
    /// The catalogue, which may not exist yet.
    ///
    /// # Errors
    /// Where its manifest is damaged, or no folder for it is known.
    pub(crate) fn open() -> Result<Self> {
        let folder =
            folder().with_context(|| format!("where is the catalogue? Set ${VARIABLE} to a folder"))?;
        let path = folder.join(MANIFEST);
        let manifest = if path.is_file() { Manifest::read(&path) } else { Ok(Manifest::default()) };
        let manifest = manifest.with_context(|| format!("cannot use {}", path.display()))?;
        Ok(Self { folder, manifest })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn models(&self) -> &[Entry] {
        &self.manifest.models
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.manifest.get(name)
    }

    /// The file of a model, checked to be the one that was added.
    pub(crate) fn file(&self, name: &str) -> Result<Option<PathBuf>> {
        let Some(entry) = self.get(name) else { return Ok(None) };
        let path = self.inside(&entry.file)?;
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            entry.sha256.is_empty() || sha256(&bytes) == entry.sha256.to_ascii_lowercase(),
            "{} has changed since it was added; remove \"{name}\" and add it again",
            path.display()
        );
        Ok(Some(path))
    }

    /// Writes the file, then the manifest; each appears under its name only when complete.
    pub(crate) fn add(
        &mut self,
        name: &str,
        sha256: &str,
        task: Task,
        info: &ModelInfo,
        bytes: &[u8],
    ) -> Result<PathBuf> {
        files::make_folder(&self.folder)?;
        let file = format!("{name}.tflite");
        let path = self.inside(&file)?;
        let description = [&info.metadata.name, &info.metadata.description, &info.description];
        let description = description.into_iter().find(|d| !d.is_empty()).cloned().unwrap_or_default();
        let entry = Entry {
            name: name.to_owned(),
            file,
            sha256: sha256.to_owned(),
            task,
            description: description.lines().next().unwrap_or_default().chars().take(80).collect(),
            licence: info.metadata.license.lines().next().unwrap_or_default().to_owned(),
            ..Entry::default()
        };
        self.manifest.models.retain(|m| m.name != name);
        self.manifest.models.push(entry);
        files::write_whole(&path, bytes)?;
        self.save()?;
        Ok(path)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<()> {
        let Some(entry) = self.get(name) else { bail!("the catalogue has no model \"{name}\"") };
        let path = self.inside(&entry.file)?;
        self.manifest.models.retain(|m| m.name != name);
        self.save()?;
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(e).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// A file of the catalogue. Names are plain, but a link could still lead elsewhere.
    fn inside(&self, file: &str) -> Result<PathBuf> {
        let path = self.folder.join(file);
        let folder = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        let parent = path.canonicalize().ok().and_then(|p| p.parent().map(Path::to_owned));
        let plain = Path::new(file).components().count() == 1 && !file.starts_with('.');
        ensure!(
            plain && parent.is_none_or(|p| p == folder),
            "{} leads out of the catalogue {}",
            path.display(),
            self.folder.display()
        );
        Ok(path)
    }

    fn save(&self) -> Result<()> {
        let text = toml::to_string_pretty(&self.manifest).context("the manifest cannot be written")?;
        files::write_whole(&self.folder.join(MANIFEST), text.as_bytes())
    }
}

/// $OSPREY_MODELS, else a folder where each system keeps programs' data.
fn folder() -> Option<PathBuf> {
    let variable = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let data = || {
        variable("XDG_DATA_HOME").or_else(|| variable("APPDATA")).or_else(|| {
            let home = variable("HOME")?;
            Some(home.join(if cfg!(target_os = "macos") {
                "Library/Application Support"
            } else {
                ".local/share"
            }))
        })
    };
    variable(VARIABLE).or_else(|| Some(data()?.join("osprey").join("models")))
}

/// In hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_that_of_fips_180() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), expected);
    }
}
