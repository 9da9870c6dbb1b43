//! Files packed behind a model, such as lists of labels: a zip archive that has to follow the new flatbuffer.

use crate::error::{QuantizeError, Result};
use std::io::{Cursor, Write};
use zip::result::{ZipError, ZipResult};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// `model`, with what is packed behind `old` packed behind it.
pub(crate) fn carry_over(old: &[u8], model: Vec<u8>) -> Result<Vec<u8>> {
    let archive = match ZipArchive::new(Cursor::new(old)) {
        Ok(archive) => archive,
        Err(ZipError::InvalidArchive(_)) => return Ok(model),
        Err(e) => return Err(damaged(&e)),
    };
    append(archive, model).map_err(|e| damaged(&e))
}

/// `model` with a file of this name packed behind it, beside those that are.
///
/// # Errors
/// [`QuantizeError::Archive`].
pub fn pack(model: Vec<u8>, name: &str, content: &str) -> Result<Vec<u8>> {
    let is_packed = ZipArchive::new(Cursor::new(&model)).is_ok();
    let add = || -> ZipResult<Vec<u8>> {
        let end = model.len() as u64;
        let mut out = Cursor::new(model);
        let mut zip = if is_packed {
            ZipWriter::new_append(out)?
        } else {
            out.set_position(end);
            ZipWriter::new(out)
        };
        // Without a fixed time the same model would give different files.
        let stored = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default());
        zip.start_file(name, stored)?;
        zip.write_all(content.as_bytes())?;
        Ok(zip.finish()?.into_inner())
    };
    add().map_err(|e| damaged(&e))
}

fn append(mut archive: ZipArchive<Cursor<&[u8]>>, model: Vec<u8>) -> ZipResult<Vec<u8>> {
    let end = model.len() as u64;
    let mut out = Cursor::new(model);
    out.set_position(end);
    let mut zip = ZipWriter::new(out);
    for index in 0..archive.len() {
        zip.raw_copy_file(archive.by_index_raw(index)?)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn damaged(error: &ZipError) -> QuantizeError {
    QuantizeError::Archive { what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn packed_files_follow_the_new_model() {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("labels.txt", SimpleFileOptions::default()).unwrap();
        zip.write_all(b"cat\ndog\n").unwrap();
        let old = [b"a long old model".as_slice(), &zip.finish().unwrap().into_inner()].concat();
        let new = carry_over(&old, b"new".to_vec()).unwrap();
        let new = pack(new, "more.txt", "more").unwrap();
        assert!(new.starts_with(b"new"));
        assert_eq!(ZipArchive::new(Cursor::new(pack(b"bare".to_vec(), "a", "b").unwrap())).unwrap().len(), 1);
        let mut text = String::new();
        ZipArchive::new(Cursor::new(new))
            .unwrap()
            .by_name("labels.txt")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "cat\ndog\n");
        assert_eq!(carry_over(b"old", b"new".to_vec()).unwrap(), b"new");
    }
}
