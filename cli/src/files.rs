//! Files that appear under their name only when they are complete.

use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where a command's result goes: standard output, or a file that is renamed into place by
/// [`Destination::commit`]. A file not committed leaves nothing behind.
pub(crate) struct Destination {
    out: BufWriter<Out>,
    path: Option<PathBuf>,
}

enum Out {
    Stdout(io::Stdout),
    /// Pipes and devices such as /dev/null, which a rename would replace.
    Direct(File),
    Temporary(NamedTempFile),
}

impl Destination {
    /// `-` is standard output. Missing folders are made.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self { out: BufWriter::new(Out::Stdout(io::stdout())), path: None });
        }
        // A link stays a link: what it points to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let out = match fs::metadata(&target) {
            Ok(m) if m.is_dir() => anyhow::bail!("{} is a folder; name a file to write", path.display()),
            Ok(m) if !m.is_file() => {
                let file = File::options().write(true).open(&target);
                Out::Direct(file.with_context(|| format!("cannot write {}", path.display()))?)
            }
            _ => Out::Temporary(temporary_beside(&target)?),
        };
        Ok(Self { out: BufWriter::new(out), path: Some(target) })
    }

    /// Goes on after the first `end` bytes of a file, which shows what is written as it comes; what lies
    /// beyond them is cut off. Missing folders are made.
    pub(crate) fn append(path: &Path, end: u64) -> Result<Self> {
        let open = || -> Result<File> {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = File::options().write(true).create(true).truncate(false).open(path)?;
            file.set_len(end)?;
            io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { out: BufWriter::new(Out::Direct(file)), path: Some(path.to_owned()) })
    }

    /// Hands on what was written so far, and says how long the file is.
    pub(crate) fn settle(&mut self) -> Result<u64> {
        self.out.flush()?;
        self.len()
    }

    /// Bytes of the file; 0 for standard output.
    pub(crate) fn len(&self) -> Result<u64> {
        match self.out.get_ref() {
            Out::Direct(file) => Ok(file.metadata()?.len()),
            Out::Temporary(file) => Ok(file.as_file().metadata()?.len()),
            Out::Stdout(_) => Ok(0),
        }
    }

    /// Whether a person or a program may be reading along.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.out.get_ref(), Out::Temporary(_))
    }

    /// Gives the file its name.
    pub(crate) fn commit(self) -> Result<()> {
        let out = self.out.into_inner().map_err(io::IntoInnerError::into_error);
        let shown = || self.path.as_deref().unwrap_or(Path::new("standard output")).display();
        match (out.with_context(|| format!("cannot write {}", shown()))?, &self.path) {
            (Out::Temporary(file), Some(path)) => persist(file, path),
            _ => Ok(()),
        }
    }
}

impl Write for Destination {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.out.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Write for Out {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(buf),
            Self::Direct(file) => file.write(buf),
            Self::Temporary(file) => file.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Direct(file) => file.flush(),
            Self::Temporary(file) => file.flush(),
        }
    }
}

/// Writes a whole file under a temporary name, then renames it. Missing folders are made.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = temporary_beside(path)?;
    file.write_all(bytes).with_context(|| format!("cannot write {}", path.display()))?;
    persist(file, path)
}

/// Makes a folder, parents included, and checks that it can be written to.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
    tempfile::tempfile_in(path).with_context(|| format!("cannot write into {}", path.display()))?;
    Ok(())
}

fn temporary_beside(path: &Path) -> Result<NamedTempFile> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".osprey-").suffix(".tmp");
    // Temporary files are private by default; results get the rights of any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).with_context(|| format!("cannot write into {}", folder.display()))
}

fn persist(file: NamedTempFile, path: &Path) -> Result<()> {
    file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
