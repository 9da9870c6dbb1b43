//! Versions of what was learned, on disk.
//!
//! Every version is a file of its own, written under another name, flushed and renamed: whatever
//! ends the process, a version is there whole or not at all.

use serde::{Serialize, de::DeserializeOwned};
use std::fs::{self, File};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"OSPREYCP";
/// Raised whenever the payload changes its meaning.
const FORMAT: u32 = 1;
/// Magic, format, kind, length and checksum of the payload.
const HEADER: usize = 8 + 4 + 4 + 8 + 4;
const EXTENSION: &str = "checkpoint";
const WRITING: &str = ".writing-";
/// Versions kept by default: enough to undo a bad training, little enough for a phone.
const KEEP: usize = 5;

/// What a [`Store`] can hold.
pub trait Stored: Serialize + DeserializeOwned {
    /// Marks the files, so that one kind is not taken for another.
    const KIND: [u8; 4];

    /// Whether the parts fit together; a file may hold anything.
    fn is_consistent(&self) -> bool;
}

/// Why something was not stored or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system refused.
    #[error("{}: {source}; check that the folder exists, has space and may be written", path.display())]
    Io {
        /// File or folder concerned.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process or another [`Store`] has the folder open.
    #[error("{} is in use by another training; wait for it or choose another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is cut short, altered, or of another kind.
    #[error("{} is damaged ({reason}); delete it, an older version is taken in its place", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file written by a later release.
    #[error("{} has format {format}, this release reads {FORMAT}; update Osprey", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// A version that is not, or no longer, there.
    #[error("there is no version {version}; there are {available:?}")]
    NoSuchVersion {
        /// The version asked for.
        version: u64,
        /// Those that are there.
        available: Vec<u64>,
    },
    /// The value does not serialize.
    #[error("the checkpoint cannot be encoded: {0}")]
    Encoding(String),
}

/// A folder with the last versions of a `T`, open to one process at a time.
#[derive(Debug)]
pub struct Store<T> {
    dir: PathBuf,
    /// Oldest first.
    versions: Vec<u64>,
    keep: usize,
    /// Holds the lock until the store is dropped or the process ends, in whatever way.
    _lock: File,
    kind: PhantomData<fn() -> T>,
}

impl<T: Stored> Store<T> {
    /// Opens the store in folder `dir`, which is made where it is missing.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::InUse`].
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(|e| io_error(&dir, e))?;
        let lock_path = dir.join(".lock");
        let lock = File::create(&lock_path).map_err(|e| io_error(&lock_path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(StoreError::InUse { path: dir }),
            Err(fs::TryLockError::Error(e)) => return Err(io_error(&lock_path, e)),
        }
        let mut versions = Vec::new();
        for entry in fs::read_dir(&dir).map_err(|e| io_error(&dir, e))? {
            let path = entry.map_err(|e| io_error(&dir, e))?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if name.starts_with(WRITING) {
                fs::remove_file(&path).map_err(|e| io_error(&path, e))?;
            } else if path.extension().is_some_and(|e| e == EXTENSION) {
                versions.extend(path.file_stem().and_then(|s| s.to_str()?.parse::<u64>().ok()));
            }
        }
        versions.sort_unstable();
        Ok(Self { dir, versions, keep: KEEP, _lock: lock, kind: PhantomData })
    }

    /// Keeps the last `versions` versions, at least one, from the next [`Self::save`] on.
    pub fn keep(&mut self, versions: usize) {
        self.keep = versions.max(1);
    }

    /// Numbers of the versions, oldest first. Damaged ones are among them.
    pub fn versions(&self) -> &[u64] {
        &self.versions
    }

    /// Writes a new version and gives its number. Once this returns it survives a loss of power.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Encoding`].
    pub fn save(&mut self, value: &T) -> Result<u64, StoreError> {
        let version = self.versions.last().map_or(1, |v| v + 1);
        write(&self.path(version), value)?;
        self.versions.push(version);
        while self.versions.len() > self.keep {
            let oldest = self.versions.remove(0);
            let path = self.path(oldest);
            fs::remove_file(&path).map_err(|e| io_error(&path, e))?;
        }
        Ok(version)
    }

    /// Reads a version.
    ///
    /// # Errors
    /// [`StoreError::NoSuchVersion`], [`StoreError::Io`], [`StoreError::Damaged`],
    /// [`StoreError::TooNew`].
    pub fn load(&self, version: u64) -> Result<T, StoreError> {
        if !self.versions.contains(&version) {
            return Err(StoreError::NoSuchVersion { version, available: self.versions.clone() });
        }
        read(&self.path(version))
    }

    /// The newest version that is sound; `None` in an empty store.
    ///
    /// # Errors
    /// Those of the newest version, where none is sound.
    pub fn latest(&self) -> Result<Option<(u64, T)>, StoreError> {
        let mut newest = None;
        for &version in self.versions.iter().rev() {
            match self.load(version) {
                Ok(value) => return Ok(Some((version, value))),
                Err(e) => newest = newest.or(Some(e)),
            }
        }
        newest.map_or(Ok(None), Err)
    }

    /// Why each unsound version cannot be read.
    pub fn damage(&self) -> Vec<StoreError> {
        self.versions.iter().filter_map(|&v| self.load(v).err()).collect()
    }

    /// Makes an older version the newest, under a new number, so that this can be undone as well.
    ///
    /// # Errors
    /// Those of [`Self::load`] and [`Self::save`].
    pub fn roll_back(&mut self, version: u64) -> Result<u64, StoreError> {
        let value = self.load(version)?;
        self.save(&value)
    }

    fn path(&self, version: u64) -> PathBuf {
        self.dir.join(format!("{version:06}.{EXTENSION}"))
    }
}

/// The bytes of a checkpoint, for where there are no files.
///
/// # Errors
/// [`StoreError::Encoding`].
pub fn encode<T: Stored>(value: &T) -> Result<Vec<u8>, StoreError> {
    let payload = postcard::to_stdvec(value).map_err(|e| StoreError::Encoding(e.to_string()))?;
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend(T::KIND);
    bytes.extend((payload.len() as u64).to_le_bytes());
    bytes.extend(crc32fast::hash(&payload).to_le_bytes());
    bytes.extend(payload);
    Ok(bytes)
}

/// Writes `value` to `path`, whole or not at all.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::Encoding`].
pub fn write<T: Stored>(path: &Path, value: &T) -> Result<(), StoreError> {
    let bytes = encode(value)?;
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |e| io_error(path, e);
    let mut file = tempfile::Builder::new().prefix(WRITING).tempfile_in(dir).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    // The new name is in the folder: flushed where the system lets folders be opened.
    if cfg!(unix) {
        File::open(dir).and_then(|d| d.sync_all()).map_err(failed)?;
    }
    Ok(())
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::Damaged`], [`StoreError::TooNew`].
pub fn read<T: Stored>(path: &Path) -> Result<T, StoreError> {
    let bytes = fs::read(path).map_err(|e| io_error(path, e))?;
    decode(&bytes).map_err(|problem| match problem {
        Problem::Damaged(reason) => StoreError::Damaged { path: path.into(), reason },
        Problem::TooNew(format) => StoreError::TooNew { path: path.into(), format },
    })
}

/// What is wrong with the bytes of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// They are cut short, altered, or of another kind.
    #[error("what was kept is damaged ({0})")]
    Damaged(&'static str),
    /// A later release wrote them.
    #[error("what was kept has format {0}, this release reads {FORMAT}; update Osprey")]
    TooNew(u32),
}

/// Reads what [`encode`] gave.
///
/// # Errors
/// [`Problem`].
pub fn decode<T: Stored>(bytes: &[u8]) -> Result<T, Problem> {
    let (header, payload) = bytes.split_at_checked(HEADER).ok_or(Problem::Damaged("it is cut short"))?;
    let (magic, rest) = header.split_at(8);
    if magic != MAGIC {
        return Err(Problem::Damaged("it is not a checkpoint"));
    }
    let word = |at: usize| rest[at..at + 4].try_into().map(u32::from_le_bytes).unwrap_or_default();
    match word(0) {
        FORMAT => {}
        0 => return Err(Problem::Damaged("its format is unknown")),
        newer => return Err(Problem::TooNew(newer)),
    }
    if rest[4..8] != T::KIND {
        return Err(Problem::Damaged("it holds something else"));
    }
    if u64::from(word(8)) | u64::from(word(12)) << 32 != payload.len() as u64 {
        return Err(Problem::Damaged("its length is wrong"));
    }
    if crc32fast::hash(payload) != word(16) {
        return Err(Problem::Damaged("its checksum is wrong"));
    }
    let value: T =
        postcard::from_bytes(payload).map_err(|_| Problem::Damaged("its content cannot be decoded"))?;
    if value.is_consistent() { Ok(value) } else { Err(Problem::Damaged("its parts contradict each other")) }
}

fn io_error(path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { path: path.into(), source }
}

#[cfg(test)]
mod tests {
    use super::super::Examples;
    use super::*;

    fn examples(n: usize) -> Examples {
        let mut set = Examples::with_classes(3, ["a", "b"]).unwrap();
        for i in 0..n {
            set.push(i % 2, &[i as f32, 0.5, -1.0]).unwrap();
        }
        set
    }

    fn store(dir: &Path) -> Store<Examples> {
        Store::open(dir).unwrap()
    }

    #[test]
    fn versions_are_kept_numbered_and_rolled_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut s = store(dir.path());
        assert!(s.latest().unwrap().is_none());
        s.keep(3);
        for n in 1..=5 {
            assert_eq!(s.save(&examples(n)).unwrap(), n as u64);
        }
        assert_eq!(s.versions(), [3, 4, 5]);
        assert_eq!(s.roll_back(3).unwrap(), 6);
        drop(s);
        let s = store(dir.path());
        assert_eq!(s.versions(), [4, 5, 6]);
        assert_eq!(s.latest().unwrap().unwrap(), (6, examples(3)));
        assert!(matches!(s.load(1), Err(StoreError::NoSuchVersion { version: 1, .. })));
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = store(dir.path());
        assert!(matches!(Store::<Examples>::open(dir.path()), Err(StoreError::InUse { .. })));
        drop(first);
        store(dir.path());
    }

    #[test]
    fn any_damage_is_noticed_and_the_version_before_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let mut s = store(dir.path());
        s.save(&examples(4)).unwrap();
        s.save(&examples(5)).unwrap();
        let path = s.path(2);
        let sound = fs::read(&path).unwrap();
        for at in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            assert!(s.load(2).is_err(), "a flipped bit in byte {at}");
            fs::write(&path, &sound[..at]).unwrap();
            assert!(matches!(s.load(2), Err(StoreError::Damaged { .. })), "cut after {at} bytes");
        }
        assert_eq!(s.latest().unwrap().unwrap(), (1, examples(4)));
        assert_eq!(s.damage().len(), 1);
        fs::write(s.path(1), b"").unwrap();
        let error = s.latest().unwrap_err().to_string();
        assert!(error.contains("000002.checkpoint is damaged"), "{error}");
    }

    #[test]
    fn files_of_a_later_release_say_so() {
        let dir = tempfile::tempdir().unwrap();
        let mut s = store(dir.path());
        s.save(&examples(2)).unwrap();
        let mut bytes = fs::read(s.path(1)).unwrap();
        bytes[8] = 9;
        fs::write(s.path(1), bytes).unwrap();
        assert!(matches!(s.latest(), Err(StoreError::TooNew { format: 9, .. })));
    }

    #[test]
    fn a_sound_file_with_nonsense_inside_is_damaged() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Fake(usize, Vec<String>, Vec<u32>, Vec<f32>);
        impl Stored for Fake {
            const KIND: [u8; 4] = Examples::KIND;
            fn is_consistent(&self) -> bool {
                true
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for fake in [
            Fake(2, vec!["a".into()], vec![0], vec![1.0]),
            Fake(1, vec!["a".into()], vec![1], vec![1.0]),
            Fake(1, vec!["a".into()], vec![0], vec![f32::NAN]),
            Fake(1, vec!["a".into(), "a".into()], vec![0], vec![1.0]),
        ] {
            write(&path, &fake).unwrap();
            assert!(matches!(read::<Examples>(&path), Err(StoreError::Damaged { .. })));
        }
    }
}
