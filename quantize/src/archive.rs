//! Files packed behind a model, such as lists of labels: a zip archive that has to follow the new flatbuffer.

use crate::error::{QuantizeError, Result};
use std::io::Cursor;
use zip::result::{ZipError, ZipResult};
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
    use std::io::{Read, Write};

    #[test]
    fn packed_files_follow_the_new_model() {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("labels.txt", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(b"cat\ndog\n").unwrap();
        let old = [b"a long old model".as_slice(), &zip.finish().unwrap().into_inner()].concat();
        let new = carry_over(&old, b"new".to_vec()).unwrap();
        assert!(new.starts_with(b"new"));
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
