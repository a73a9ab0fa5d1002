//! Keeps logs in a folder, a file for each attempt of a block, byte for byte.
//!
//! A file that is there already, because another process wrote it before, is compared with the log
//! as that is read once more from its beginning, and goes on where it ends: nothing has to be
//! remembered, and nothing is written twice.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter};

use crate::cluster::label_value;

/// Every access to a disk takes a thread for a moment.
const BUFFER: usize = 64 << 10;

/// Why logs cannot be kept in a folder.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It cannot be made, or nothing can be written to it.
    #[error("cannot write to the folder {}: {}", path.display(), source.kind())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Logs of another run are in it.
    #[error("{} is of another run", path.display())]
    Taken {
        /// One of its logs.
        path: PathBuf,
    },
}

/// A folder for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFolder {
    path: PathBuf,
}

impl LogFolder {
    /// Makes the folder if it is missing, and finds out whether it can be written to.
    pub fn prepare(path: &Path) -> Result<Self, KeepError> {
        let failed = |source| KeepError::Folder { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(failed)?;
        tempfile::tempfile_in(path).map_err(failed)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Refuses logs of these blocks that are there before a run has begun.
    pub fn refuse_old<'a>(&self, blocks: impl Iterator<Item = &'a str>) -> Result<(), KeepError> {
        let failed = |source| KeepError::Folder { path: self.path.clone(), source };
        let stems: Vec<String> = blocks.map(label_value).collect();
        for entry in std::fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".log")?.rsplit_once('.'));
            let is_log = |number: &str| number.starts_with(|c: char| c.is_ascii_digit());
            if stem.is_some_and(|(stem, number)| {
                is_log(number) && stems.iter().any(|known| known == stem)
            }) {
                return Err(KeepError::Taken { path: self.path.join(name) });
            }
        }
        Ok(())
    }

    /// Returns what writes the log of a block.
    #[must_use]
    pub fn keeper(&self, block: &Arc<str>, attempt: u32) -> Keeper {
        Keeper { folder: self.clone(), block: Arc::clone(block), attempt, sink: Sink::Unopened }
    }

    /// Returns the path of a log; no name of a block leads out of the folder.
    fn file(&self, block: &str, attempt: u32, copy: u32) -> PathBuf {
        let copy = if copy > 1 { format!("-{copy}") } else { String::new() };
        self.path.join(format!("{}.{attempt}{copy}.log", label_value(block)))
    }
}

/// Writes the log of one pod, attempt by attempt.
#[derive(Debug)]
pub struct Keeper {
    folder: LogFolder,
    block: Arc<str>,
    attempt: u32,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Unopened,
    Open(Box<Kept>),
    /// It could not be written, and that was said.
    Broken,
}

impl Keeper {
    /// Keeps bytes; returns what is to be said about that, if anything is.
    pub async fn write(&mut self, bytes: &[u8]) -> Option<String> {
        let written = self.try_write(bytes).await;
        self.told(written)
    }

    /// Writes to the disk what is not there yet; makes the file of a log without a line.
    pub async fn flush(&mut self) -> Option<String> {
        let written = self.try_flush().await;
        self.told(written)
    }

    fn told(&mut self, written: io::Result<Option<String>>) -> Option<String> {
        match written {
            Ok(note) => note,
            Err(error) => {
                self.sink = Sink::Broken;
                let path = self.folder.file(&self.block, self.attempt, 1);
                Some(format!("the log is not kept: cannot write {}: {error}", path.display()))
            }
        }
    }

    /// Goes on with the log of another attempt.
    pub async fn go_to(&mut self, attempt: u32) -> Option<String> {
        let note = self.flush().await;
        self.attempt = attempt;
        self.sink = Sink::Unopened;
        note
    }

    async fn try_flush(&mut self) -> io::Result<Option<String>> {
        let note = self.try_write(b"").await?;
        if let Sink::Open(kept) = &mut self.sink {
            kept.file.flush().await?;
        }
        Ok(note)
    }

    async fn try_write(&mut self, bytes: &[u8]) -> io::Result<Option<String>> {
        let mut note = None;
        if matches!(self.sink, Sink::Unopened) {
            let path = self.folder.file(&self.block, self.attempt, 1);
            self.sink = Sink::Open(Box::new(Kept::open(path).await?));
        }
        let Sink::Open(kept) = &mut self.sink else { return Ok(None) };
        let new = if let Some(new) = kept.compare(bytes).await? {
            new
        } else {
            let old = kept.path.display().to_string();
            let kept = self.branch_off().await?;
            let path = kept.path.display();
            note = Some(format!("{old} is not the beginning of this log; it is kept in {path}"));
            self.sink = Sink::Open(Box::new(kept));
            bytes
        };
        let Sink::Open(kept) = &mut self.sink else { return Ok(None) };
        kept.file.write_all(new).await?;
        Ok(note)
    }

    /// Makes another file with what was the same so far.
    async fn branch_off(&mut self) -> io::Result<Kept> {
        let mut copy = 2;
        let (path, file) = loop {
            let path = self.folder.file(&self.block, self.attempt, copy);
            match options().write(true).create_new(true).open(&path).await {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => copy += 1,
                opened => break (path, opened?),
            }
        };
        let mut file = buffered(file);
        if let Sink::Open(kept) = &mut self.sink
            && let Some(old) = &mut kept.old
        {
            old.file.rewind().await?;
            tokio::io::copy(&mut (&mut old.file).take(old.same), &mut file).await?;
        }
        Ok(Kept { path, file, old: None })
    }
}

/// A file that a log is written to.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    file: BufWriter<File>,
    old: Option<Old>,
}

/// What a file held before, while it is compared.
#[derive(Debug)]
struct Old {
    file: BufReader<File>,
    same: u64,
    left: u64,
}

impl Kept {
    /// Opens the file, or makes it; never through a link, and nothing but a file.
    async fn open(path: PathBuf) -> io::Result<Self> {
        let made = options().append(true).create_new(true).open(&path).await;
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return Ok(Self { path, file: buffered(made?), old: None }),
        }
        let file = options().read(true).append(true).open(&path).await?;
        let about = file.metadata().await?;
        if !about.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let left = about.len();
        let reader = BufReader::with_capacity(BUFFER, options().read(true).open(&path).await?);
        let old = (left > 0).then_some(Old { file: reader, same: 0, left });
        Ok(Self { path, file: buffered(file), old })
    }

    /// Returns what of the bytes is not in the file yet; none where it holds others.
    async fn compare<'a>(&mut self, bytes: &'a [u8]) -> io::Result<Option<&'a [u8]>> {
        let Some(old) = &mut self.old else { return Ok(Some(bytes)) };
        let known = bytes.len().min(usize::try_from(old.left).unwrap_or(usize::MAX));
        let mut held = vec![0; known];
        old.file.read_exact(&mut held).await?;
        if held != bytes[..known] {
            return Ok(None);
        }
        old.same += known as u64;
        old.left -= known as u64;
        if old.left == 0 {
            self.old = None;
        }
        Ok(Some(&bytes[known..]))
    }
}

fn buffered(file: File) -> BufWriter<File> {
    BufWriter::with_capacity(BUFFER, file)
}

/// Returns options that follow no link.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    options.custom_flags(libc::O_NOFOLLOW);
    #[cfg(windows)]
    options.custom_flags(0x0020_0000); // FILE_FLAG_OPEN_REPARSE_POINT
    options
}

#[cfg(test)]
mod tests {
    use super::{Keeper, LogFolder};
    use std::fs;
    use std::path::Path;

    fn keeper(folder: &Path, block: &str) -> Keeper {
        LogFolder::prepare(folder).unwrap().keeper(&block.into(), 1)
    }

    async fn keep(folder: &Path, block: &str, parts: &[&[u8]]) -> Vec<String> {
        let mut keeper = keeper(folder, block);
        let mut notes = Vec::new();
        for part in parts {
            notes.extend(keeper.write(part).await);
        }
        notes.extend(keeper.flush().await);
        notes
    }

    #[tokio::test]
    async fn a_log_goes_on_where_its_file_was_cut() {
        let whole: &[u8] = b"one\ntwo \xff\xfe\nthree\n";
        for cut in 0..=whole.len() {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("load.1.log"), &whole[..cut]).unwrap();
            let notes =
                keep(folder.path(), "load", &[b"one\n", b"two \xff\xfe\n", b"three\n"]).await;
            assert!(notes.is_empty(), "{notes:?}");
            assert_eq!(fs::read(folder.path().join("load.1.log")).unwrap(), whole, "{cut}");
        }
    }

    #[tokio::test]
    async fn what_is_of_another_log_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        fs::write(folder.path().join("load.1.log"), "one\nother\n").unwrap();
        fs::write(folder.path().join("load.1-2.log"), "something\n").unwrap();
        let notes = keep(folder.path(), "load", &[b"one\n", b"two\n", b"three\n"]).await;
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].ends_with("load.1-3.log"), "{notes:?}");
        assert_eq!(read("load.1.log"), "one\nother\n");
        assert_eq!(read("load.1-2.log"), "something\n");
        assert_eq!(read("load.1-3.log"), "one\ntwo\nthree\n");
    }

    #[tokio::test]
    async fn each_attempt_has_a_file_and_an_empty_log_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = keeper(folder.path(), "load");
        assert_eq!(keeper.write(b"first").await, None);
        assert_eq!(keeper.go_to(2).await, None);
        assert_eq!(keeper.go_to(3).await, None);
        assert_eq!(keeper.write(b"third\n").await, None);
        assert_eq!(keeper.flush().await, None);
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            [read("load.1.log"), read("load.2.log"), read("load.3.log")],
            ["first", "", "third\n"]
        );
    }

    #[tokio::test]
    async fn no_name_leads_out_of_the_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("logs");
        for block in ["../out", "/etc/x", "..", ".", "", "a/../../b", "a\0b", "a\nb", "ü"] {
            assert_eq!(keep(&folder, block, &[b"x"]).await, Vec::<String>::new(), "{block:?}");
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 9);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_are_not_followed_and_that_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::os::unix::fs::symlink(&target, folder.path().join("load.1.log")).unwrap();
        let notes = keep(folder.path(), "load", &[b"one\n", b"two\n"]).await;
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with("the log is not kept: cannot write "), "{notes:?}");
        assert!(!target.exists());
        fs::write(&target, "precious").unwrap();
        assert_eq!(keep(folder.path(), "load", &[b"one\n"]).await.len(), 1);
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        fs::create_dir(folder.path().join("left.1.log")).unwrap();
        assert_eq!(keep(folder.path(), "left", &[b"one\n"]).await.len(), 1);
    }

    #[test]
    fn logs_of_another_run_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let logs = LogFolder::prepare(folder.path()).unwrap();
        fs::write(folder.path().join("other.1.log"), "").unwrap();
        fs::write(folder.path().join("load.log"), "").unwrap();
        fs::write(folder.path().join("load.old.log"), "").unwrap();
        logs.refuse_old(["load", "left"].into_iter()).unwrap();
        fs::write(folder.path().join("left.3.log"), "").unwrap();
        let error = logs.refuse_old(["load", "left"].into_iter()).unwrap_err();
        assert!(error.to_string().ends_with("left.3.log is of another run"), "{error}");
    }
}
