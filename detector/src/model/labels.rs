//! Names of classes, and which column of the scores each of them belongs to.

use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// Longest file of labels that is read.
const MAX_BYTES: usize = 1 << 20;
/// Most labels that a file may hold.
const MAX_LABELS: usize = 1 << 16;
/// Characters kept of a label; names only label.
const MAX_CHARS: usize = 128;

/// Names that label files give the column of "nothing here".
const BACKGROUND: [&str; 6] =
    ["???", "background", "__background__", "_background_", "bg", "none of the above"];

/// Where labels came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelSource {
    /// There are none: classes go by number.
    #[default]
    None,
    /// The caller.
    Given,
    /// A file that the caller named.
    File(PathBuf),
    /// The file packed behind the model, of this name.
    Metadata(String),
    /// The manifest.
    Manifest,
}

impl fmt::Display for LabelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Given => f.write_str("given"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Metadata(name) => write!(f, "{name} in the model's metadata"),
            Self::Manifest => f.write_str("manifest"),
        }
    }
}

/// Names of classes by class id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Labels {
    names: Vec<String>,
    source: LabelSource,
    dropped_background: bool,
}

/// Why labels cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// The file cannot be read.
    #[error("labels {}: {message}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// More than any model has.
    #[error("labels: {what} exceed the limit of {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// The text is not UTF-8.
    #[error("labels are not UTF-8 text (byte {at}); save the file as UTF-8")]
    NotText {
        /// Position of the first bad byte.
        at: usize,
    },
    /// No label at all.
    #[error("the list of labels is empty")]
    Empty,
    /// An index that occurs twice, or is too large to be one.
    #[error("labels, line {line}: index {index} is out of range or occurs twice")]
    BadIndex {
        /// Line, from 1.
        line: usize,
        /// The index.
        index: u64,
    },
    /// As many labels as no reading of the scores explains.
    #[error(
        "{labels} labels from {origin} do not fit {classes} classes; one per class is expected, or one more whose first is the background"
    )]
    Count {
        /// Number of labels.
        labels: usize,
        /// Classes that the model tells apart, the background not counted.
        classes: usize,
        /// Where the labels came from.
        origin: String,
    },
    /// A class that was asked for by a name that no label has.
    #[error("no class is called \"{name}\"{}", suggestion(.nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// A label that looks like it.
        nearest: Option<String>,
    },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default()
}

impl Labels {
    /// From names by class id.
    pub fn new(names: impl IntoIterator<Item = impl AsRef<str>>, source: LabelSource) -> Self {
        let names = names.into_iter().map(|n| clean(n.as_ref())).collect();
        Self { names, source, dropped_background: false }
    }

    /// Reads a file in one of the forms of [`Labels::parse`].
    ///
    /// # Errors
    /// [`LabelError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, LabelError> {
        use std::io::Read;
        let path = path.as_ref();
        let failed = |e: std::io::Error| LabelError::Read { path: path.into(), message: e.to_string() };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        Self::parse(&bytes, LabelSource::File(path.into()))
    }

    /// Reads a list of labels: one name a line; or an index and a name a line (`3 car`, `3: car`),
    /// in any order and with gaps; or a TensorFlow label map (`item { id: 3 name: "car" }`, ids
    /// from 1). A name that is missing, `???` or `n/a` leaves its class without one.
    ///
    /// # Errors
    /// [`LabelError`].
    pub fn parse(bytes: &[u8], source: LabelSource) -> Result<Self, LabelError> {
        if bytes.len() > MAX_BYTES {
            return Err(LabelError::TooLarge { what: "bytes", limit: MAX_BYTES });
        }
        let text = std::str::from_utf8(bytes).map_err(|e| LabelError::NotText { at: e.valid_up_to() })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let names = if text.contains("item") && text.contains('{') {
            label_map(text)?
        } else {
            match indexed(text)? {
                Some(names) => names,
                None => text.trim_end().lines().map(clean).collect(),
            }
        };
        match names.len() {
            0 => Err(LabelError::Empty),
            n if n > MAX_LABELS => Err(LabelError::TooLarge { what: "labels", limit: MAX_LABELS }),
            _ => Ok(Self { names, source, dropped_background: false }),
        }
    }

    /// One label for each of `classes` object classes. Files often list the background first, as
    /// the score columns do, while class ids do not count it: it is dropped where the numbers show
    /// that it is there.
    ///
    /// # Errors
    /// [`LabelError::Count`] where neither reading fits.
    pub fn aligned(mut self, classes: usize) -> Result<Self, LabelError> {
        if self.names.is_empty() || self.names.len() == classes {
            return Ok(self);
        }
        if self.names.len() == classes + 1 && self.names.first().is_some_and(|n| is_background(n)) {
            self.names.remove(0);
            self.dropped_background = true;
            return Ok(self);
        }
        let origin = self.source.to_string();
        Err(LabelError::Count { labels: self.names.len(), classes, origin })
    }

    /// How many classes have a place in the list.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The label of a class; `None` where it has none.
    pub fn get(&self, class_id: usize) -> Option<&str> {
        self.names.get(class_id).map(String::as_str).filter(|n| is_name(n))
    }

    /// The label of a class, or "class 17" where it has none.
    pub fn name(&self, class_id: usize) -> Cow<'_, str> {
        self.get(class_id).map_or_else(|| format!("class {class_id}").into(), Cow::Borrowed)
    }

    /// All names by class id, empty where a class has none.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|n| if is_name(n) { n.as_str() } else { "" })
    }

    /// Where the labels came from.
    pub fn source(&self) -> &LabelSource {
        &self.source
    }

    /// Whether [`Labels::aligned`] took a background off the front.
    pub fn dropped_background(&self) -> bool {
        self.dropped_background
    }

    /// The class called `name`, without regard to case. A number stands for the class of that id
    /// where no label is spelt so.
    ///
    /// # Errors
    /// [`LabelError::Unknown`].
    pub fn find(&self, name: &str) -> Result<usize, LabelError> {
        let wanted = name.trim();
        if let Some(id) = self.names.iter().position(|n| is_name(n) && n.eq_ignore_ascii_case(wanted)) {
            return Ok(id);
        }
        match wanted.parse::<usize>() {
            Ok(id) if id < self.names.len() || (self.names.is_empty() && id < MAX_LABELS) => Ok(id),
            _ => Err(LabelError::Unknown { name: wanted.into(), nearest: self.nearest(wanted) }),
        }
    }

    fn nearest(&self, wanted: &str) -> Option<String> {
        let wanted = wanted.to_lowercase();
        if wanted.chars().count() > MAX_CHARS {
            return None;
        }
        let named = self.names.iter().filter(|n| is_name(n));
        let (distance, name) = named.map(|n| (edit_distance(&n.to_lowercase(), &wanted), n)).min()?;
        (distance <= wanted.chars().count() / 3 + 1).then(|| name.clone())
    }
}

/// Levenshtein's distance.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &cb) in b.iter().enumerate() {
            let change = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "???" && !name.eq_ignore_ascii_case("n/a")
}

fn is_background(name: &str) -> bool {
    BACKGROUND.iter().any(|b| name.eq_ignore_ascii_case(b))
}

/// Labels end up in terminals and reports: no control characters, no endless ones.
fn clean(name: &str) -> String {
    name.trim().chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect()
}

/// Names by index; `None` unless every line starts with one.
fn indexed(text: &str) -> Result<Option<Vec<String>>, LabelError> {
    let split = |line: &str| -> Option<(u64, String)> {
        let line = line.trim_start();
        let end = line.find(|c: char| !c.is_ascii_digit()).filter(|&end| end > 0)?;
        let name = line[end..].strip_prefix([' ', '\t', ':', ',', '='])?;
        Some((line[..end].parse().ok()?, clean(name.trim_start_matches([' ', '\t', ':', '=']))))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some(pairs) = lines.map(|(at, line)| split(line).map(|p| (at + 1, p))).collect::<Option<Vec<_>>>()
    else {
        return Ok(None);
    };
    place(pairs.into_iter().map(|(line, (index, name))| (line, index, name))).map(Some)
}

/// Names of a label map, whose ids start at 1 because 0 is the background.
fn label_map(text: &str) -> Result<Vec<String>, LabelError> {
    let mut entries = Vec::new();
    let mut line = 1 + text.split('{').next().unwrap_or("").matches('\n').count();
    for item in text.split('{').skip(1) {
        let body = item.split('}').next().unwrap_or("");
        let field = |key: &str| {
            body.lines().flat_map(|l| l.split(',')).find_map(|l| {
                let value = l.trim().strip_prefix(key)?.trim_start().strip_prefix(':')?;
                Some(value.trim().trim_matches(['"', '\'']).to_owned())
            })
        };
        let bad = |index| LabelError::BadIndex { line, index };
        let id: u64 = field("id").and_then(|id| id.parse().ok()).ok_or(bad(0))?;
        let name = field("display_name").or_else(|| field("name")).unwrap_or_default();
        entries.push((line, id.checked_sub(1).ok_or(bad(id))?, clean(&name)));
        line += item.matches('\n').count();
    }
    place(entries.into_iter())
}

fn place(entries: impl Iterator<Item = (usize, u64, String)>) -> Result<Vec<String>, LabelError> {
    let mut names: Vec<Option<String>> = Vec::new();
    for (line, index, name) in entries {
        let bad = LabelError::BadIndex { line, index };
        let Some(at) = usize::try_from(index).ok().filter(|&at| at < MAX_LABELS) else { return Err(bad) };
        if at >= names.len() {
            names.resize(at + 1, None);
        }
        if names[at].replace(name).is_some() {
            return Err(bad);
        }
    }
    Ok(names.into_iter().map(Option::unwrap_or_default).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Labels, LabelError> {
        Labels::parse(text.as_bytes(), LabelSource::Given)
    }

    fn names(text: &str) -> Vec<String> {
        parse(text).unwrap().iter().map(str::to_owned).collect()
    }

    #[test]
    fn every_form_of_list_is_read() {
        assert_eq!(names("\u{feff}person\r\ncar\r\n\r\n"), ["person", "car"]);
        assert_eq!(names("???\nperson\nn/a\ncar"), ["", "person", "", "car"]);
        assert_eq!(names("0  person\n2: car\n1,bus\n"), ["person", "bus", "car"]);
        assert_eq!(names("0 person\n3 car"), ["person", "", "", "car"]);
        let map = "item {\n  name: \"/m/01\"\n  id: 1\n  display_name: 'person'\n}\nitem { id: 3, name: \"car\" }\n";
        assert_eq!(names(map), ["person", "", "car"]);
        // Names that merely start with a digit are names.
        assert_eq!(names("3d printer\n2 wheels\nlamp"), ["3d printer", "2 wheels", "lamp"]);
    }

    #[test]
    fn a_background_is_dropped_where_the_numbers_show_it() {
        let with = parse("???\nperson\ncar").unwrap();
        let aligned = with.clone().aligned(2).unwrap();
        assert_eq!((aligned.get(0), aligned.get(1)), (Some("person"), Some("car")));
        assert!(aligned.dropped_background());
        // Three classes, the first unnamed: nothing to drop.
        assert_eq!(with.clone().aligned(3).unwrap().get(1), Some("person"));
        assert_eq!(with.aligned(5), Err(LabelError::Count { labels: 3, classes: 5, origin: "given".into() }));
        // One too many, but the first is no background: which one is wrong cannot be known.
        assert!(parse("person\ncar\nbus").unwrap().aligned(2).is_err());
    }

    #[test]
    fn classes_are_found_by_name_or_number() {
        let labels = parse("person\ntraffic light\ncar").unwrap();
        assert_eq!(labels.find("Traffic Light"), Ok(1));
        assert_eq!(labels.find("2"), Ok(2));
        assert_eq!(
            labels.find("persn"),
            Err(LabelError::Unknown { name: "persn".into(), nearest: Some("person".into()) })
        );
        assert_eq!(labels.find("99"), Err(LabelError::Unknown { name: "99".into(), nearest: None }));
        assert_eq!(Labels::default().find("99"), Ok(99));
        assert_eq!(labels.name(7), "class 7");
    }

    #[test]
    fn hostile_lists_are_refused() {
        assert_eq!(parse(""), Err(LabelError::Empty));
        assert!(matches!(parse("0 a\n99999999999 b"), Err(LabelError::BadIndex { line: 2, .. })));
        assert!(matches!(parse("0 a\n0 b"), Err(LabelError::BadIndex { line: 2, index: 0 })));
        assert!(matches!(parse("item { id: 0 name: 'x' }"), Err(LabelError::BadIndex { .. })));
        assert!(matches!(
            Labels::parse(&[b'a', 0xff], LabelSource::Given),
            Err(LabelError::NotText { at: 1 })
        ));
        assert!(matches!(parse(&"\nx".repeat(100_000)), Err(LabelError::TooLarge { .. })));
        assert!(matches!(parse(&"x".repeat(MAX_BYTES + 1)), Err(LabelError::TooLarge { .. })));
        assert_eq!(names("\x1b[31mred\x07"), ["[31mred"]);
    }
}
