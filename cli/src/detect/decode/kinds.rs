//! Kinds of files by their names: pictures that are read, and what helps with those that are not.

use std::path::Path;

/// Extensions that count as pictures in folders; a file that is named is tried whatever it is called.
pub const EXTENSIONS: [&str; 11] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "bmp", "webp", "tif", "tiff", "dib", "gif"];

/// Extensions of pictures and films that are not read, with what they are called.
const UNREAD: [(&str, &str); 18] = [
    ("heic", "HEIC"),
    ("heif", "HEIC"),
    ("avif", "AVIF"),
    ("jxl", "JPEG XL"),
    ("jp2", "JPEG 2000"),
    ("dng", "raw camera"),
    ("cr2", "raw camera"),
    ("cr3", "raw camera"),
    ("nef", "raw camera"),
    ("arw", "raw camera"),
    ("orf", "raw camera"),
    ("rw2", "raw camera"),
    ("mp4", "film"),
    ("mov", "film"),
    ("m4v", "film"),
    ("mkv", "film"),
    ("avi", "film"),
    ("webm", "film"),
];

/// What a file of a kind that is not read is called, by its extension.
pub(crate) fn unread(path: &Path) -> Option<&'static str> {
    let extension = path.extension().and_then(|e| e.to_str())?;
    UNREAD.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known)).map(|(_, kind)| *kind)
}

/// The command that makes files of this kind readable.
pub(crate) fn remedy(kind: &str) -> &'static str {
    match kind {
        "film" => "`osprey live FILM` looks at one",
        "HEIC" => {
            "`heif-convert IN.heic OUT.jpg` (libheif) or, on a Mac, `sips -s format jpeg IN.heic --out OUT.jpg` \
             converts one"
        }
        "AVIF" => "`ffmpeg -i IN.avif OUT.png` converts one",
        _ => "`magick IN OUT.jpg` (ImageMagick) converts one",
    }
}

/// Whether a file's name is that of a picture that is read.
pub(crate) fn has_picture_extension(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}
