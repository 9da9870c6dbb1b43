//! Rows as columns, with the levels that say where lists and missing values are.
//!
//! A value of a list column has a repetition level, 0 where a picture's list begins and 1 within it, and a
//! definition level, 1 for a box and 0 for a picture without any. An optional column has definition levels
//! alone, 1 for a value and 0 for none.

use crate::{PictureRow, RowBox};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int32Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedRowGroupWriter;
use std::io::Write;

/// The rows of a group.
#[derive(Default)]
pub(crate) struct Columns {
    paths: Vec<ByteArray>,
    image_ids: Vec<ByteArray>,
    widths: Vec<i32>,
    heights: Vec<i32>,
    sized: Vec<i16>,
    statuses: Vec<ByteArray>,
    errors: Vec<ByteArray>,
    failed: Vec<i16>,
    /// Left, top, right, bottom, score.
    numbers: [Vec<f32>; 5],
    class_ids: Vec<i32>,
    labels: Vec<ByteArray>,
    repetition: Vec<i16>,
    definition: Vec<i16>,
    times: Vec<f32>,
}

impl Columns {
    pub(crate) fn rows(&self) -> usize {
        self.paths.len()
    }

    pub(crate) fn push(&mut self, row: PictureRow) {
        self.paths.push(row.path.into_bytes().into());
        self.image_ids.push(row.image_id.into_bytes().into());
        self.sized.push(i16::from(row.size.is_some()));
        if let Some((width, height)) = row.size {
            self.widths.push(clamped(width));
            self.heights.push(clamped(height));
        }
        self.statuses.push(row.status.into());
        self.failed.push(i16::from(row.error.is_some()));
        self.errors.extend(row.error.map(|error| error.into_bytes().into()));
        if row.boxes.is_empty() {
            self.repetition.push(0);
            self.definition.push(0);
        }
        for (i, RowBox { corners: [left, top, right, bottom], score, class_id, label }) in
            row.boxes.into_iter().enumerate()
        {
            self.repetition.push(i16::from(i > 0));
            self.definition.push(1);
            for (column, value) in self.numbers.iter_mut().zip([left, top, right, bottom, score]) {
                column.push(value);
            }
            self.class_ids.push(clamped(class_id));
            self.labels.push(label.into_bytes().into());
        }
        self.times.push(row.ms);
    }

    /// Writes all columns, in the order of the schema.
    pub(crate) fn write<W: Write + Send>(&self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        let lists = (Some(&*self.definition), Some(&*self.repetition));
        let sized = (Some(&*self.sized), None);
        let every = (None, None);
        column::<ByteArrayType, W>(group, &self.paths, every)?;
        column::<ByteArrayType, W>(group, &self.image_ids, every)?;
        column::<Int32Type, W>(group, &self.widths, sized)?;
        column::<Int32Type, W>(group, &self.heights, sized)?;
        column::<ByteArrayType, W>(group, &self.statuses, every)?;
        column::<ByteArrayType, W>(group, &self.errors, (Some(&*self.failed), None))?;
        for numbers in &self.numbers {
            column::<FloatType, W>(group, numbers, lists)?;
        }
        column::<Int32Type, W>(group, &self.class_ids, lists)?;
        column::<ByteArrayType, W>(group, &self.labels, lists)?;
        column::<FloatType, W>(group, &self.times, every)
    }
}

/// Definition and repetition levels, where a column has any.
type Levels<'a> = (Option<&'a [i16]>, Option<&'a [i16]>);

fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    (definition, repetition): Levels<'_>,
) -> Result<()> {
    let next = group.next_column()?;
    let mut column = next.ok_or_else(|| ParquetError::General("the schema has fewer columns".into()))?;
    column.typed::<T>().write_batch(values, definition, repetition)?;
    column.close()
}

fn clamped(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
