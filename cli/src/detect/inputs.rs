//! From PATHS to a list of pictures, in a stable order.

use super::decode::kinds::{has_picture_extension, remedy, unread};
use super::record::Skipped;
use anyhow::{Context, Result, bail};
use globset::{GlobBuilder, GlobMatcher};
use std::collections::{BTreeMap, HashSet};
use std::path::{Component, Path, PathBuf};
use walkdir::WalkDir;

/// A picture to process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// What files made from it are called: relative, without extension, unlike any other's.
    pub(crate) name: PathBuf,
}

/// The pictures that PATHS stand for: paths in the order given, the content of each folder by name.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) files: Vec<Input>,
    /// Paths that do not exist, folders that cannot be read.
    pub(crate) skipped: Vec<Skipped>,
    /// Files in folders that are pictures or films of kinds that are not read, by kind.
    pub(crate) unread: BTreeMap<&'static str, u64>,
    seen: HashSet<PathBuf>,
    names: HashSet<PathBuf>,
}

/// How PATHS are looked through.
pub(crate) struct Search<'a> {
    pub(crate) recursive: bool,
    /// Folders that results go to: what an earlier run wrote there is not input.
    pub(crate) exclude: &'a [&'a Path],
}

impl Inputs {
    /// # Errors
    /// Where PATHS name no picture at all; the message says why.
    pub(crate) fn collect(paths: &[PathBuf], search: &Search<'_>) -> Result<Self> {
        let mut inputs = Self::default();
        for path in paths {
            if let Some(address) = address(path) {
                let name = address.split(['?', '#']).next().unwrap_or(address).trim_end_matches('/');
                let name = name.rsplit('/').next().unwrap_or(name);
                inputs.add(path.clone(), PathBuf::from(name));
            } else if path.is_dir() {
                let before = inputs.files.len();
                inputs.add_tree(path, if search.recursive { usize::MAX } else { 1 }, search, &|_| true);
                if inputs.files.len() == before && !inputs.seen_inside(path) {
                    inputs.skip(path, nothing_inside(path, search.recursive));
                }
            } else if path.exists() {
                inputs.add(path.clone(), path.file_name().map(PathBuf::from).unwrap_or_default());
            } else if let Some((base, pattern)) = split_pattern(path)? {
                let before = inputs.files.len();
                let depth =
                    if path.to_string_lossy().contains("**") { usize::MAX } else { depth_of(&base, path) };
                inputs.add_tree(&base, depth, search, &|p| pattern.is_match(p));
                if inputs.files.len() == before {
                    inputs.skip(path, "no picture matches this pattern".into());
                }
            } else {
                inputs.skip(path, "no such file or folder".into());
            }
        }
        inputs.unread.retain(|_, count| *count > 0);
        if inputs.files.is_empty() {
            let reasons = inputs.skipped.iter().map(|s| format!("{}: {}", s.image, s.error));
            let reasons: Vec<_> = reasons.chain(inputs.left_out()).collect();
            bail!("there is no picture to look at\n  {}", reasons.join("\n  "));
        }
        inputs.seen = HashSet::new();
        inputs.names = HashSet::new();
        Ok(inputs)
    }

    fn add_tree(&mut self, base: &Path, depth: usize, search: &Search<'_>, wanted: &dyn Fn(&Path) -> bool) {
        let excluded: Vec<_> = search.exclude.iter().filter_map(|p| p.canonicalize().ok()).collect();
        let walk = WalkDir::new(base).max_depth(depth).follow_links(true).sort_by_file_name();
        let visible = |e: &walkdir::DirEntry| {
            let hidden = e.depth() > 0 && e.file_name().as_encoded_bytes().starts_with(b".");
            let ours = e.depth() > 0
                && e.file_type().is_dir()
                && !excluded.is_empty()
                && e.path().canonicalize().is_ok_and(|p| excluded.contains(&p));
            !hidden && !ours
        };
        for entry in walk.into_iter().filter_entry(visible) {
            match entry {
                Ok(e) if e.file_type().is_file() && has_picture_extension(e.path()) => {
                    let name = e.path().strip_prefix(base).unwrap_or(e.path()).to_owned();
                    let path = e.into_path();
                    if wanted(&path) {
                        self.add(path, name);
                    }
                }
                Ok(e) => {
                    if let Some(kind) = unread(e.path()).filter(|_| e.file_type().is_file()) {
                        *self.unread.entry(kind).or_default() += u64::from(wanted(e.path()));
                    }
                }
                Err(e) => {
                    let path = e.path().unwrap_or(base).to_owned();
                    self.skip(&path, e.io_error().map_or_else(|| e.to_string(), ToString::to_string));
                }
            }
        }
    }

    fn add(&mut self, path: PathBuf, name: PathBuf) {
        if self.seen.insert(path.clone()) {
            let name = self.unlike_others(&name);
            self.files.push(Input { path, name });
        }
    }

    /// `a/1` for `a/1.jpg`; `a/1.png` for the `a/1.png` beside it; `a/1.png-2` for one from elsewhere.
    fn unlike_others(&mut self, name: &Path) -> PathBuf {
        let stem = name.with_extension("");
        let numbered = (2..).map(|n| PathBuf::from(format!("{}-{n}", name.display())));
        let mut candidates = [stem, name.to_owned()].into_iter().chain(numbered);
        candidates.find(|c| self.names.insert(c.clone())).unwrap_or_default()
    }

    /// A line for each kind of file that is not read: how many, and what makes pictures of them.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = String> {
        self.unread.iter().map(|(kind, count)| {
            let files = if *count == 1 { "file is" } else { "files are" };
            format!("{count} {kind} {files} left out; {}", remedy(kind))
        })
    }

    fn seen_inside(&self, folder: &Path) -> bool {
        self.files.iter().any(|f| f.path.starts_with(folder))
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.skipped.push(Skipped::unreadable(path, reason));
    }
}

/// The address that a path is.
pub(crate) fn address(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.starts_with("https://") || text.starts_with("http://"))
}

fn nothing_inside(folder: &Path, recursive: bool) -> String {
    let has_folders = || {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        entries.into_iter().any(|e| e.path().is_dir())
    };
    if !recursive && has_folders() {
        "no picture directly in this folder; --recursive looks into the folders inside".into()
    } else {
        "no picture in this folder (JPEG, PNG, BMP, GIF, WebP and TIFF are read)".into()
    }
}

/// The folder before a path's first wildcard, and the whole path as a pattern.
fn split_pattern(path: &Path) -> Result<Option<(PathBuf, GlobMatcher)>> {
    let is_plain = |c: &Component<'_>| !c.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
    let base: PathBuf = path.components().take_while(is_plain).collect();
    let Some(text) = path.to_str().filter(|_| base.as_path() != path) else { return Ok(None) };
    let (base, text) = match base.as_os_str().is_empty() {
        true => (PathBuf::from("."), format!("./{text}")),
        false => (base, text.to_owned()),
    };
    let glob = GlobBuilder::new(&text).literal_separator(true).case_insensitive(true).build();
    let glob = glob.with_context(|| format!("{} is not a valid pattern", path.display()))?;
    Ok(Some((base, glob.compile_matcher())))
}

fn depth_of(base: &Path, pattern: &Path) -> usize {
    let below = if base == Path::new(".") { 0 } else { base.components().count() };
    pattern.components().count().saturating_sub(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, b"").expect("a file");
        }
        dir
    }

    fn collect(dir: &Path, paths: &[&str], recursive: bool) -> Result<Inputs> {
        let paths: Vec<_> = paths.iter().map(|p| dir.join(p)).collect();
        Inputs::collect(&paths, &Search { recursive, exclude: &[&dir.join("drawn")] })
    }

    fn shown(dir: &Path, inputs: &Inputs) -> Vec<(String, String)> {
        let relative = |p: &Path| p.strip_prefix(dir).expect("inside").display().to_string();
        inputs.files.iter().map(|f| (relative(&f.path), f.name.display().to_string())).collect()
    }

    #[test]
    fn folders_are_listed_by_name_without_hidden_files_and_own_results() {
        let dir = tree(&["b.jpg", "a.PNG", "notes.txt", ".hidden.jpg", "sub/c.webp", "drawn/a.png"]);
        let flat = collect(dir.path(), &["."], false).expect("pictures");
        let names: Vec<_> = flat.files.iter().map(|f| f.name.display().to_string()).collect();
        assert_eq!(names, ["a", "b"]);
        let deep = collect(dir.path(), &["."], true).expect("pictures");
        let names: Vec<_> = deep.files.iter().map(|f| f.name.display().to_string()).collect();
        assert_eq!(names, ["a", "b", "sub/c"]);
    }

    #[test]
    fn kinds_that_are_not_read_are_counted() {
        let dir = tree(&["a.jpg", "b.HEIC", "c.heic", "d.avif", "e.mov", "notes.txt", "sub/f.heic"]);
        let flat = collect(dir.path(), &["."], false).expect("a picture");
        let counts: Vec<_> = flat.unread.iter().map(|(kind, count)| (*kind, *count)).collect();
        assert_eq!(counts, [("AVIF", 1), ("HEIC", 2), ("film", 1)]);
        assert!(
            flat.left_out().any(|line| line.starts_with("2 HEIC files") && line.contains("heif-convert"))
        );
        let pattern = collect(dir.path(), &["*.jpg"], false).expect("a picture");
        assert!(pattern.unread.is_empty(), "a pattern leaves out what it does not name");
        let only = tree(&["only/b.heic"]);
        let error = collect(only.path(), &["only"], false).expect_err("no picture");
        assert!(error.to_string().contains("1 HEIC file is left out"), "{error}");
    }

    #[test]
    fn names_of_results_are_unique() {
        let dir = tree(&["x/1.jpg", "x/1.png", "y/1.jpg", "y/1.png"]);
        let inputs = collect(dir.path(), &["x", "y", "x/1.jpg"], false).expect("pictures");
        let names: Vec<_> = shown(dir.path(), &inputs).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["1", "1.png", "1.jpg", "1.png-2"]);
    }

    #[test]
    fn patterns_match_within_their_depth() {
        let dir = tree(&["a1.jpg", "a2.jpg", "b1.jpg", "sub/a3.jpg", "sub/deep/a4.jpg"]);
        let found = |pattern: &str| {
            let inputs = collect(dir.path(), &[pattern], false).expect("pictures");
            shown(dir.path(), &inputs).into_iter().map(|(path, _)| path).collect::<Vec<_>>()
        };
        assert_eq!(found("a*.jpg"), ["a1.jpg", "a2.jpg"]);
        assert_eq!(found("*/a*.jpg"), ["sub/a3.jpg"]);
        assert_eq!(found("**/a*.jpg"), ["a1.jpg", "a2.jpg", "sub/a3.jpg", "sub/deep/a4.jpg"]);
        assert_eq!(found("[ab]1.jpg"), ["a1.jpg", "b1.jpg"]);
    }

    #[test]
    fn a_missing_path_is_skipped_and_no_picture_at_all_is_an_error() {
        let dir = tree(&["a.jpg", "only/sub/b.jpg"]);
        let inputs = collect(dir.path(), &["a.jpg", "missing.jpg", "only"], false).expect("one picture");
        assert_eq!(inputs.files.len(), 1);
        assert_eq!(inputs.skipped.len(), 2);
        assert!(inputs.skipped[1].error.message.contains("--recursive"));
        let error = collect(dir.path(), &["missing.jpg"], false).expect_err("no picture");
        assert!(error.to_string().contains("missing.jpg"));
    }
}
