//! `--resume`: what an interrupted run has written is not done again.
//!
//! A journal beside the results holds a line for each picture that is finished: its path, its size, and how
//! long the results were after it. It is written after the results, so that whatever ends the run, results
//! beyond the journal's last line are of a picture that counts as not done, and are cut off.

use crate::detect::output::with_suffix;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The first line: what the results are made with. Others do not mix.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    osprey: String,
    fingerprint: String,
}

/// A finished picture.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    image: String,
    bytes: u64,
    /// Bytes of the results up to and with it.
    end: u64,
}

/// Which pictures are finished.
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    /// Hashes of path and size: small, as there may be millions.
    done: HashSet<[u8; 16]>,
    end: u64,
}

impl Journal {
    /// The journal of `output`, a file or a folder; a new one where there is none. `made_with` is whatever the
    /// results depend on.
    ///
    /// # Errors
    /// Where the results are of another model or of other options, of a run without `--resume`, or another
    /// run is at it.
    pub(super) fn open(output: &Path, is_folder: bool, made_with: &[u8]) -> Result<Self> {
        let path = match is_folder {
            true => output.join(".osprey-resume"),
            false => with_suffix(output, ".resume"),
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let written = !is_folder && fs::metadata(output).is_ok_and(|m| m.len() > 0);
        let fresh = !path.exists();
        ensure!(
            !(fresh && written),
            "{} was written without --resume, so that nobody knows what is done; name another --output",
            output.display()
        );
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
        ensure!(file.try_lock().is_ok(), "another run is writing {}", output.display());
        let fingerprint = Sha256::digest(made_with).iter().map(|b| format!("{b:02x}")).collect();
        let header = Header { osprey: env!("CARGO_PKG_VERSION").into(), fingerprint };
        let (mut done, mut end, mut whole) = (HashSet::new(), 0, 0);
        let mut lines = BufReader::new(&file);
        let mut text = String::new();
        // A line that does not end was being written when the run ended.
        while lines.read_line(&mut text).with_context(|| format!("cannot read {}", path.display()))? > 0
            && text.ends_with('\n')
        {
            if whole == 0 {
                let found: Header = serde_json::from_str(&text)
                    .with_context(|| format!("{} is no journal of osprey's", path.display()))?;
                ensure!(
                    found == header,
                    "{} was made with another model, other options or another version of osprey; name another \
                     --output, or delete it and {}",
                    output.display(),
                    path.display()
                );
            } else {
                let line: Line = serde_json::from_str(&text)
                    .with_context(|| format!("{} is damaged; delete it and the results", path.display()))?;
                done.insert(key(&line.image, line.bytes));
                end = line.end;
            }
            whole += text.len() as u64;
            text.clear();
        }
        drop(lines);
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        let mut journal = Self { file, path, done, end };
        if whole == 0 {
            journal.append(&header)?;
        }
        if written && fs::metadata(output)?.len() < end {
            bail!("{} is shorter than its journal says; delete both", output.display());
        }
        Ok(journal)
    }

    /// How many bytes of the results are whole.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Whether a picture of this path and size is finished.
    pub(super) fn knows(&self, image: &Path) -> bool {
        self.done.contains(&key(&image.to_string_lossy(), size(image)))
    }

    /// A picture is finished, and the results are `end` bytes long.
    pub(super) fn note(&mut self, image: &str, end: u64) -> Result<()> {
        self.append(&Line { image: image.into(), bytes: size(Path::new(image)), end })
    }

    fn append(&mut self, line: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Addresses have none.
fn size(image: &Path) -> u64 {
    fs::metadata(image).map_or(0, |m| m.len())
}

fn key(image: &str, bytes: u64) -> [u8; 16] {
    let hash = Sha256::new().chain_update(bytes.to_le_bytes()).chain_update(image).finalize();
    std::array::from_fn(|i| hash[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_being_written_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let (output, picture) = (folder.path().join("found.jsonl"), folder.path().join("a.jpg"));
        fs::write(&picture, b"12345").expect("a file");
        let image = picture.display().to_string();
        let mut journal = Journal::open(&output, false, b"model").expect("new");
        assert!(!journal.knows(&picture));
        journal.note(&image, 10).expect("written");
        assert!(Journal::open(&output, false, b"model").is_err(), "the first still writes");
        drop(journal);
        fs::write(&output, b"0123456789and more").expect("a file");
        let path = folder.path().join("found.jsonl.resume");
        let whole = fs::read(&path).expect("a journal");
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).expect("a file");
            // A journal without its first line is a new one, beside results that nobody knows.
            if let Ok(journal) = Journal::open(&output, false, b"model") {
                assert!(!journal.knows(&picture) && journal.end() == 0, "{cut}");
            }
        }
        fs::write(&path, &whole).expect("a file");
        let journal = Journal::open(&output, false, b"model").expect("old");
        assert!(journal.knows(&picture));
        assert_eq!(journal.end(), 10);
        drop(journal);
        fs::write(&picture, b"another picture").expect("a file");
        assert!(!Journal::open(&output, false, b"model").expect("old").knows(&picture));
        let error = Journal::open(&output, false, b"other").err().expect("another model");
        assert!(error.to_string().contains("another model"), "{error}");
        fs::write(&path, [&whole[..], b"nonsense\n"].concat()).expect("a file");
        assert!(Journal::open(&output, false, b"model").is_err());
        fs::remove_file(&path).expect("a file");
        assert!(Journal::open(&output, false, b"model").is_err(), "results without a journal");
    }
}
