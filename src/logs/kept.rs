//! The file of one log, and the file of its times beside it.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};

use super::batch::Batch;
use super::index::options;

/// Every access to a disk takes a thread for a moment.
const BUFFER: usize = 64 << 10;

/// Whether what is written agrees with what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// It is the same, or goes on from there.
    Agrees,
    /// It is the log of something else.
    Differs,
}

/// The files of a log.
#[derive(Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    /// The name of the file, once it is complete.
    pub(super) file: String,
    /// Whether it is complete already, and only compared.
    is_complete: bool,
    log: Track,
    /// None beside a complete file without times.
    times: Option<Track>,
    /// Whether the next bytes begin a line.
    at_line: bool,
}

impl Kept {
    /// Opens the file of a log, or makes it; never through a link, and nothing but a file.
    pub(super) async fn open(folder: &Path, file: &str) -> io::Result<Self> {
        let whole = folder.join(file);
        let is_complete = tokio::fs::symlink_metadata(&whole).await.is_ok();
        let (log, times) = if is_complete {
            let times = Track::read(&times_of(folder, file)).await;
            (Track::read(&whole).await?, times.ok())
        } else {
            let log = Track::append(&part_of(folder, file)).await?;
            (log, Some(Track::append(&times_of(folder, file)).await?))
        };
        let (folder, file) = (folder.to_owned(), file.to_owned());
        Ok(Self { folder, file, is_complete, log, times, at_line: true })
    }

    /// Makes other files with what was the same so far.
    pub(super) async fn branch_off(&mut self, folder: &Path, file: &str) -> io::Result<Self> {
        self.flush().await?;
        let mut new = Self::open(folder, file).await?;
        self.log.copy_same(&mut new.log).await?;
        if let (Some(old), Some(new)) = (&self.times, &mut new.times) {
            old.copy_same(new).await?;
        }
        new.at_line = self.at_line;
        Ok(new)
    }

    /// Returns where the log is now.
    pub(super) fn path(&self) -> PathBuf {
        if self.is_complete {
            self.folder.join(&self.file)
        } else {
            part_of(&self.folder, &self.file)
        }
    }

    /// Writes what is not there yet; where something else is there, nothing is.
    pub(super) async fn write(&mut self, batch: &Batch) -> io::Result<Compared> {
        let bytes = batch.bytes();
        let mut at_line = self.at_line;
        let mut stamps = Vec::new();
        for line in batch.lines() {
            if std::mem::replace(&mut at_line, line.ends()) {
                stamps.extend(nanoseconds(line.time).to_be_bytes());
            }
        }
        let log = self.log.compare(bytes).await?;
        let times = match &mut self.times {
            Some(times) => times.compare(&stamps).await?,
            None => Some(stamps.len()),
        };
        let (Some(log), Some(times)) = (log, times) else { return Ok(Compared::Differs) };
        // A complete file has no room for more.
        if self.is_complete && log < bytes.len() {
            return Ok(Compared::Differs);
        }
        if !self.is_complete {
            self.log.add(&bytes[log..]).await?;
            if let Some(track) = &mut self.times {
                track.add(&stamps[times..]).await?;
            }
        }
        self.log.same += bytes.len() as u64;
        if let Some(track) = &mut self.times {
            track.same += if self.is_complete { times } else { stamps.len() } as u64;
        }
        self.at_line = at_line;
        Ok(Compared::Agrees)
    }

    /// Tells whether more is there than came.
    pub(super) fn holds_more(&self) -> bool {
        self.log.old.is_some()
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        // The times first: of no line that is there it should be unknown when it was written.
        for track in self.times.iter_mut().chain([&mut self.log]) {
            if let Some(file) = &mut track.new {
                file.flush().await?;
            }
        }
        Ok(())
    }

    /// Makes the file one of a complete log; returns its length, unless it was complete before.
    pub(super) async fn complete(&mut self) -> io::Result<Option<u64>> {
        if self.is_complete {
            return Ok(None);
        }
        self.flush().await?;
        for track in self.times.iter_mut().chain([&mut self.log]) {
            if let Some(file) = &mut track.new {
                file.get_mut().sync_all().await?;
            }
        }
        let (part, whole) = (part_of(&self.folder, &self.file), self.folder.join(&self.file));
        if tokio::fs::symlink_metadata(&whole).await.is_ok() {
            let text = format!("{} came to be in the meantime", whole.display());
            return Err(io::Error::other(text));
        }
        let bytes = tokio::fs::metadata(&part).await?.len();
        tokio::fs::rename(&part, &whole).await?;
        self.is_complete = true;
        self.log.new = None;
        self.times = None;
        Ok(Some(bytes))
    }
}

fn part_of(folder: &Path, file: &str) -> PathBuf {
    folder.join(format!("{file}.part"))
}

fn times_of(folder: &Path, file: &str) -> PathBuf {
    folder.join(file).with_extension("times")
}

/// Returns a time as nanoseconds since 1970, which is enough until 2262.
fn nanoseconds(time: k8s_openapi::jiff::Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

/// A file that is compared as far as it goes, and gone on with.
#[derive(Debug)]
struct Track {
    path: PathBuf,
    /// Where more goes; none where it is only compared.
    new: Option<BufWriter<File>>,
    old: Option<Old>,
    /// How many bytes were the same as those that came.
    same: u64,
}

/// What a file held before, as far as it is not compared yet.
#[derive(Debug)]
struct Old {
    file: BufReader<File>,
    left: u64,
}

impl Track {
    /// Opens a file that is only compared.
    async fn read(path: &Path) -> io::Result<Self> {
        let file = checked(OpenOptions::from(options()).read(true).open(path).await?).await?;
        let left = file.metadata().await?.len();
        let file = BufReader::with_capacity(BUFFER, file);
        let old = (left > 0).then_some(Old { file, left });
        Ok(Self { path: path.to_owned(), new: None, old, same: 0 })
    }

    /// Opens or makes a file that is gone on with, which nobody else may do at the same time.
    async fn append(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::from(options());
        let file = options.read(true).append(true).create(true).open(path).await?;
        let file = checked(file).await?.into_std().await;
        // On Windows a lock would keep readers out too.
        if cfg!(unix) && matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
            return Err(io::Error::other("another process writes it"));
        }
        let compared = Self::read(path).await?;
        let new = BufWriter::with_capacity(BUFFER, File::from_std(file));
        Ok(Self { new: Some(new), ..compared })
    }

    /// Returns how many of the bytes are in the file already; none where it holds others.
    async fn compare(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let Some(old) = &mut self.old else { return Ok(Some(0)) };
        let known = bytes.len().min(usize::try_from(old.left).unwrap_or(usize::MAX));
        let mut held = vec![0; known];
        old.file.read_exact(&mut held).await?;
        if held != bytes[..known] {
            return Ok(None);
        }
        old.left -= known as u64;
        if old.left == 0 {
            self.old = None;
        }
        Ok(Some(known))
    }

    async fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.new {
            Some(file) => file.write_all(bytes).await,
            None => Ok(()),
        }
    }

    /// Writes what was the same so far to another file.
    async fn copy_same(&self, to: &mut Self) -> io::Result<()> {
        let Some(new) = &mut to.new else { return Ok(()) };
        let from = OpenOptions::from(options()).read(true).open(&self.path).await?;
        tokio::io::copy(&mut from.take(self.same), new).await?;
        Ok(())
    }
}

async fn checked(file: File) -> io::Result<File> {
    if file.metadata().await?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a file"))
    }
}
