//! The index of a folder of logs: a line of JSON for each thing that became known, the newest last.
//!
//! Lines are only ever added, each at once, so that several processes may save to one folder; what
//! is not such a line is passed over.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use k8s_openapi::jiff::Timestamp;

use super::saved::{Entry, Extent, LogOf, SavedLog};

/// The name of the index.
const NAME: &str = "kubectl-mage-logs.jsonl";
/// No index is longer.
const LONGEST: u64 = 256 << 20;

/// The index of a folder.
#[derive(Debug)]
pub(super) struct Index {
    folder: PathBuf,
    entries: Vec<Entry>,
    /// How long the file was, with what was added since.
    length: u64,
    /// Whether it could not be written, which is said once.
    broken: bool,
}

impl Index {
    /// Reads what is there; of what cannot be read, nothing is known.
    pub(super) fn read(folder: &Path) -> Self {
        let (entries, length) = read(&folder.join(NAME)).unwrap_or_default();
        Self { folder: folder.to_owned(), entries, length, broken: false }
    }

    /// Reads it again if another process has added to it.
    pub(super) fn refresh(&mut self) {
        let about = self.folder.join(NAME).symlink_metadata();
        if !self.broken && about.is_ok_and(|about| about.len() != self.length) {
            *self = Self::read(&self.folder);
        }
    }

    /// Returns the name of the file of a log, if one was begun.
    pub(super) fn file_of(&self, of: &LogOf) -> Option<String> {
        let own = self.entries.iter().rev().find(|entry| entry.of.is_same(of));
        own.map(|entry| entry.file.clone())
    }

    /// Tells whether a file is of some log.
    pub(super) fn knows(&self, file: &str) -> bool {
        self.entries.iter().any(|entry| entry.file == file)
    }

    /// Adds a line; returns what is to be said about that, if anything is.
    pub(super) fn add(&mut self, mut entry: Entry) -> Option<String> {
        entry.at = Some(Timestamp::now());
        let added = append(&self.folder.join(NAME), &entry);
        self.entries.push(entry);
        match added {
            Ok(length) => {
                self.length += length;
                None
            }
            Err(error) if !std::mem::replace(&mut self.broken, true) => Some(format!(
                "`kubectl mage logs` will not find what is kept in {}: cannot write {NAME}: {error}",
                self.folder.display()
            )),
            Err(_) => None,
        }
    }

    /// Returns the logs that are meant and whose files are there.
    pub(super) fn saved(&self, is_meant: impl Fn(&LogOf) -> bool) -> Vec<SavedLog> {
        let mut newest: BTreeMap<(&str, &str, &str, u32), &Entry> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| is_meant(&entry.of)) {
            let of = &entry.of;
            newest.insert((&entry.file, &of.uid, &of.container, of.restart), entry);
        }
        newest.into_values().filter_map(|entry| self.look(entry)).collect()
    }

    /// Looks at the file of a log; none where it is gone.
    fn look(&self, entry: &Entry) -> Option<SavedLog> {
        let stem = entry.file.strip_suffix(".log")?;
        let whole = self.folder.join(&entry.file);
        let part = self.folder.join(format!("{stem}.log.part"));
        let times = self.folder.join(format!("{stem}.times"));
        let file = |path: &Path| path.symlink_metadata().ok().filter(std::fs::Metadata::is_file);
        let (path, about, is_whole) = match file(&whole) {
            Some(about) => (whole, about, true),
            None => (part.clone(), file(&part)?, false),
        };
        let extent = match entry.bytes {
            _ if !is_whole => Extent::CutOff,
            Some(bytes) if bytes != about.len() => Extent::Changed,
            _ => Extent::Complete,
        };
        let changed = about.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        let known = entry.at.filter(|_| extent == Extent::Complete && entry.bytes.is_some());
        let at = known.or(changed);
        let times = file(&times).map(|_| times);
        Some(SavedLog { of: entry.of.clone(), path, times, extent, at, gaps: entry.gaps })
    }
}

/// Reads the lines, and how long the file is.
fn read(path: &Path) -> io::Result<(Vec<Entry>, u64)> {
    let mut text = Vec::new();
    options().read(true).open(path)?.take(LONGEST).read_to_end(&mut text)?;
    let lines = text.split(|byte| *byte == b'\n');
    let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    let length = text.len() as u64;
    Ok((entries.filter(|entry| is_plain(&entry.file)).collect(), length))
}

/// Tells whether a name is that of a log in the same folder, and leads nowhere else.
fn is_plain(file: &str) -> bool {
    let is_separator = |c: char| matches!(c, '/' | '\\' | ':' | '\0');
    file.strip_suffix(".log").is_some_and(|stem| !stem.contains(is_separator))
}

/// Adds a line at once; what another process left behind in the middle of a line ends before it. Returns
/// how many bytes that are.
fn append(path: &Path, entry: &Entry) -> io::Result<u64> {
    let mut file = options().append(true).create(true).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let json = serde_json::to_string(entry).map_err(io::Error::other)?;
    let begin = if ends_a_line(path).unwrap_or(false) { "" } else { "\n" };
    let line = format!("{begin}{json}\n");
    file.write_all(line.as_bytes())?;
    Ok(line.len() as u64)
}

fn ends_a_line(path: &Path) -> io::Result<bool> {
    let mut file = options().read(true).open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Returns options that follow no link.
pub(super) fn options() -> OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        // A pipe that somebody put there is not waited for.
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt as _;
        options.custom_flags(0x0020_0000); // FILE_FLAG_OPEN_REPARSE_POINT
    }
    options
}
