//! Writing results, a picture at a time: memory does not grow with their number.

mod coco;
mod coco_results;
mod csv;
mod jsonl;
mod label_studio;
#[cfg(feature = "parquet")]
mod parquet;
mod table;
mod voc;
mod yolo;

pub(crate) use yolo::with_suffix;

use super::decode::kinds::has_picture_extension;
use super::record::{Record, Skipped};
use crate::args::{Format, WriteArgs};
use crate::files::Destination;
use anyhow::{Result, bail};
use std::path::Path;

/// Takes the records in the order of the inputs.
pub(crate) trait Writer: Send {
    fn write(&mut self, record: &Record) -> Result<()>;

    /// Takes a picture that was left out, where the format has a place for it.
    fn skip(&mut self, _: &Skipped) -> Result<()> {
        Ok(())
    }

    /// Brings what was written so far to the disk, and says how long the output is, where it is one file.
    fn settle(&mut self) -> Result<u64> {
        Ok(0)
    }

    /// Completes the output; until then its name does not appear.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The format asked for, else the one that the output's extension stands for, else a table.
pub(crate) fn format(args: &WriteArgs) -> Result<Format> {
    let extension = args.output.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    let by_extension = || {
        Ok(match extension.as_deref() {
            Some("jsonl" | "ndjson") => Format::Jsonl,
            Some("csv") => Format::Csv,
            Some("parquet") => Format::Parquet,
            Some("json") => Format::Coco,
            None | Some("txt" | "log") => Format::Table,
            Some(_) if has_picture_extension(&args.output) => bail!(
                "{} is a picture's name: --annotated DIR writes pictures with boxes, --output a table or one \
                 of the formats that --format names",
                args.output.display()
            ),
            Some("html" | "htm") => bail!("--report {} writes a page to look through", args.output.display()),
            Some(e) => bail!("what is \".{e}\"? --format says what to write into {}", args.output.display()),
        })
    };
    let format = match args.format {
        Some(format) => format,
        None => by_extension()?,
    };
    if matches!(format, Format::Yolo | Format::Voc) {
        if args.output == Path::new("-") {
            bail!("this format writes a file for each picture: name a folder with --output DIR");
        }
        if args.output.is_file() {
            bail!("{} is a file; this format takes a folder as --output", args.output.display());
        }
    }
    if format == Format::Parquet && !cfg!(feature = "parquet") {
        bail!(
            "this program was built without Parquet; `cargo build --release --features parquet` builds one with it"
        );
    }
    if args.yolo_scores && format != Format::Yolo {
        bail!("--yolo-scores goes with --format yolo");
    }
    Ok(format)
}

/// Whether rows of this format name pictures by what is in their files.
pub(crate) fn identifies(format: Format) -> bool {
    format == Format::Parquet
}

/// Formats whose output is whole after each picture, so that a run can go on in it.
pub(crate) fn can_resume(format: Format) -> bool {
    matches!(format, Format::Jsonl | Format::Csv | Format::Yolo | Format::Voc)
}

/// `labels` are the names of all classes, by id. `from` is where an output of an earlier run goes on.
pub(crate) fn writer(
    format: Format,
    args: &WriteArgs,
    labels: &[String],
    from: Option<u64>,
) -> Result<Box<dyn Writer>> {
    let path = &args.output;
    let lines = || match from {
        Some(end) => Destination::append(path, end),
        None => Destination::create(path),
    };
    Ok(match format {
        Format::Table => Box::new(table::Table::new(Destination::create(path)?)),
        Format::Jsonl => Box::new(jsonl::Jsonl::new(lines()?)),
        Format::Csv => Box::new(csv::Csv::new(lines()?, from.is_none_or(|end| end == 0))?),
        Format::CocoResults => Box::new(coco_results::CocoResults::new(Destination::create(path)?, labels)?),
        Format::LabelStudio => Box::new(label_studio::LabelStudio::new(Destination::create(path)?)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(parquet::Parquet::new(Destination::create(path)?)?),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => bail!("this program was built without Parquet"),
        Format::Coco => Box::new(coco::Coco::new(Destination::create(path)?, labels)?),
        Format::Yolo => Box::new(yolo::Yolo::new(path, labels, args.yolo_scores)?),
        Format::Voc => Box::new(voc::Voc::new(path)?),
    })
}
