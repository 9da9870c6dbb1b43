#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod columns;

use columns::Columns;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::io::Write;
use std::sync::Arc;

/// Pictures of a row group: a few megabytes, so that readers can skip and memory stays small.
const GROUP: usize = 20_000;

const SCHEMA: &str = "
message pictures {
  required binary path (UTF8);
  required binary image_id (UTF8);
  optional int32 width;
  optional int32 height;
  required binary status (UTF8);
  optional binary error (UTF8);
  required group boxes (LIST) {
    repeated group list {
      required group element {
        required float x1;
        required float y1;
        required float x2;
        required float y2;
        required float score;
        required int32 class_id;
        required binary label (UTF8);
      }
    }
  }
  required float ms;
}";

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write Parquet: {0}")]
pub struct Error(#[from] ParquetError);

/// A picture and what was found in it.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureRow {
    /// Where the picture lies.
    pub path: String,
    /// The first 16 hexadecimal digits of the SHA-256 of its file; empty where the file could not be read.
    pub image_id: String,
    /// Width and height of the upright picture in pixels; `None` where it could not be looked at.
    pub size: Option<(u32, u32)>,
    /// "ok", or a word for what was in the way.
    pub status: &'static str,
    /// The same in a sentence.
    pub error: Option<String>,
    /// Best score first.
    pub boxes: Vec<RowBox>,
    /// How long it took, in milliseconds.
    pub ms: f32,
}

/// A box of a [`PictureRow`].
#[derive(Debug, Clone, PartialEq)]
pub struct RowBox {
    /// Left, top, right and bottom edge in pixels of the upright picture.
    pub corners: [f32; 4],
    /// 0 to 1.
    pub score: f32,
    /// Number of the class, from 0.
    pub class_id: u32,
    /// Its name.
    pub label: String,
}

/// Writes rows into a Parquet file, a row group at a time; snappy, with statistics and dictionaries.
pub struct PictureWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    group: Columns,
}

impl<W: Write + Send> PictureWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Where `out` takes no bytes.
    pub fn new(out: W) -> Result<Self, Error> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("osprey ", env!("CARGO_PKG_VERSION")).to_owned());
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let file = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
        Ok(Self { file, group: Columns::default() })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Where `out` takes no bytes.
    pub fn write(&mut self, row: PictureRow) -> Result<(), Error> {
        self.group.push(row);
        if self.group.rows() == GROUP { self.write_group() } else { Ok(()) }
    }

    /// Writes what is left and the end of the file, without which it cannot be read, and gives `out` back.
    ///
    /// # Errors
    /// Where `out` takes no bytes.
    pub fn finish(mut self) -> Result<W, Error> {
        if self.group.rows() > 0 {
            self.write_group()?;
        }
        Ok(self.file.into_inner()?)
    }

    fn write_group(&mut self) -> Result<(), Error> {
        let mut group = self.file.next_row_group()?;
        self.group.write(&mut group)?;
        group.close()?;
        self.group = Columns::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
