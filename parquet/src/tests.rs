use super::*;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

fn row(path: &str, boxes: usize) -> PictureRow {
    let boxes = (0..boxes).map(|i| RowBox {
        corners: [i as f32, 2.0, 30.5, 40.25],
        score: 0.5,
        class_id: i as u32,
        label: format!("Käfer {i}"),
    });
    PictureRow {
        path: path.into(),
        image_id: "00ff".into(),
        size: Some((640, 480)),
        status: "ok",
        error: None,
        boxes: boxes.collect(),
        ms: 1.5,
    }
}

fn damaged() -> PictureRow {
    PictureRow { size: None, status: "damaged", error: Some("ends early".into()), ..row("b.png", 0) }
}

fn written(rows: impl IntoIterator<Item = PictureRow>) -> SerializedFileReader<bytes::Bytes> {
    let mut writer = PictureWriter::new(Vec::new()).unwrap();
    for row in rows {
        writer.write(row).unwrap();
    }
    SerializedFileReader::new(writer.finish().unwrap().into()).unwrap()
}

#[test]
fn rows_come_back() {
    let file = written([row("a.jpg", 2), damaged(), row("c.jpg", 0), row("d.jpg", 1)]);
    let rows: Vec<_> = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    let paths: Vec<_> = rows.iter().map(|r| r.get_string(0).unwrap().as_str()).collect();
    assert_eq!(paths, ["a.jpg", "b.png", "c.jpg", "d.jpg"]);
    let boxes: Vec<_> = rows.iter().map(|r| r.get_list(6).unwrap().len()).collect();
    assert_eq!(boxes, [2, 0, 0, 1]);
    assert_eq!(rows[0].get_int(2).unwrap(), 640);
    assert!(rows[1].get_int(2).is_err() && rows[1].get_string(5).unwrap() == "ends early");
    let text = rows[0].to_string();
    assert!(text.contains("x1: 1") && text.contains("y2: 40.25") && text.contains("Käfer 1"), "{text}");
}

#[test]
fn nothing_is_a_file_too_and_much_is_many_groups() {
    assert_eq!(written([]).metadata().num_row_groups(), 0);
    let file = written((0..GROUP + 1).map(|i| row(&i.to_string(), i % 3)));
    assert_eq!(file.metadata().num_row_groups(), 2);
    assert_eq!(file.metadata().file_metadata().num_rows(), GROUP as i64 + 1);
    let last = file.get_row_iter(None).unwrap().last().unwrap().unwrap();
    assert_eq!(last.get_string(0).unwrap(), &GROUP.to_string());
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let failed = PictureWriter::new(Full).and_then(|mut writer| {
        writer.write(row("a.jpg", 1))?;
        writer.finish().map(|_| ())
    });
    assert!(failed.is_err());
}
