//! Files packed behind a model: a zip archive appended to the flatbuffer.

use super::ModelError;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Longest file that is unpacked. Label lists take kilobytes; a bomb stops here.
const MAX_BYTES: u64 = 1 << 20;
/// Length of the record that ends an archive, and of the longest comment behind it.
const END_RECORD: usize = 22 + 0xFFFF;

/// The archive at the end of a model file.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
}

impl<'a> Archive<'a> {
    /// `None` where nothing is packed behind the model.
    pub(super) fn open(model: &'a [u8]) -> Result<Option<Self>, ModelError> {
        let tail = &model[model.len().saturating_sub(END_RECORD)..];
        if !tail.windows(4).any(|w| w == b"PK\x05\x06") {
            return Ok(None);
        }
        match ZipArchive::new(Cursor::new(model)) {
            Ok(zip) => Ok(Some(Self { zip })),
            // Weights may hold the four bytes by chance: nothing was packed then.
            Err(zip::result::ZipError::InvalidArchive(_)) if !model.ends_with_archive() => Ok(None),
            Err(e) => Err(damaged("the archive behind the model", &e)),
        }
    }

    /// The content of the file called `name`; `None` where there is none.
    pub(super) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, ModelError> {
        let mut file = match self.zip.by_name(name) {
            Ok(file) => file,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(e) => return Err(damaged(name, &e)),
        };
        let too_large =
            || ModelError::Metadata { what: format!("{name} unpacks to more than {MAX_BYTES} bytes") };
        if file.size() > MAX_BYTES {
            return Err(too_large());
        }
        // The declared size may be a lie, so that the stream is cut as well.
        let mut content = Vec::new();
        file.by_ref().take(MAX_BYTES + 1).read_to_end(&mut content).map_err(|e| damaged(name, &e))?;
        if content.len() as u64 > MAX_BYTES { Err(too_large()) } else { Ok(Some(content)) }
    }
}

trait EndsWithArchive {
    fn ends_with_archive(&self) -> bool;
}

impl EndsWithArchive for [u8] {
    /// Whether the end record sits exactly at the end, as writers without a comment leave it.
    fn ends_with_archive(&self) -> bool {
        self.len() >= 22 && self[self.len() - 22..].starts_with(b"PK\x05\x06")
    }
}

fn damaged(name: &str, error: &dyn std::fmt::Display) -> ModelError {
    ModelError::Metadata { what: format!("{name}: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn pack(prefix: &[u8], files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        [prefix, &zip.finish().unwrap().into_inner()].concat()
    }

    #[test]
    fn files_behind_the_model_are_found() {
        let model = pack(b"....TFL3 weights", &[("labelmap.txt", b"???\nperson\n")]);
        let mut archive = Archive::open(&model).unwrap().unwrap();
        assert_eq!(archive.read("labelmap.txt").unwrap().unwrap(), b"???\nperson\n");
        assert_eq!(archive.read("other").unwrap(), None);
        assert!(Archive::open(b"....TFL3 weights").unwrap().is_none());
        assert!(Archive::open(b"....TFL3 we PK\x05\x06 ights").unwrap().is_none());
    }

    #[test]
    fn a_bomb_is_refused() {
        let model = pack(b"", &[("labels.txt", &vec![0u8; 50 << 20])]);
        assert!(model.len() < 100_000);
        let mut archive = Archive::open(&model).unwrap().unwrap();
        assert!(matches!(archive.read("labels.txt"), Err(ModelError::Metadata { .. })));
    }

    #[test]
    fn a_cut_archive_is_an_error_or_nothing() {
        let model = pack(b"....TFL3", &[("labels.txt", b"person\n")]);
        for end in 0..model.len() {
            if let Ok(Some(mut archive)) = Archive::open(&model[..end]) {
                let _ = archive.read("labels.txt");
            }
        }
        for at in 0..model.len() {
            let mut broken = model.clone();
            broken[at] ^= 0xFF;
            if let Ok(Some(mut archive)) = Archive::open(&broken) {
                let _ = archive.read("labels.txt");
            }
        }
    }
}
