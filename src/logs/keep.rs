//! Keeps logs in a folder, a file for each attempt of a block, byte for byte.
//!
//! While a log is read its file is `NAME.N.log.part`; once it was read to its end, `NAME.N.log`. What
//! another process wrote before is compared with the log as that is read once more from its
//! beginning, and gone on with where it ends: nothing is written twice. Beside each file,
//! `NAME.N.times` says when each line was written, and one index for all says whose log it is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::batch::Batch;
use super::index::Index;
use super::kept::{Compared, Kept};
use super::saved::{Entry, LogOf, SavedLog};
use crate::cluster::label_value;
use crate::error::without_numbers;

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
#[derive(Clone, Debug)]
pub struct LogFolder {
    path: PathBuf,
    index: Arc<Mutex<Index>>,
}

impl PartialEq for LogFolder {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for LogFolder {}

impl LogFolder {
    /// Makes the folder if it is missing, and finds out whether it can be written to.
    pub fn prepare(path: &Path) -> Result<Self, KeepError> {
        let failed = |source| KeepError::Folder { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(failed)?;
        tempfile::tempfile_in(path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), index: Arc::new(Mutex::new(Index::read(path))) })
    }

    /// Returns the logs that were saved in a folder, of those that are meant.
    pub fn saved(path: &Path, is_meant: impl Fn(&LogOf) -> bool) -> Vec<SavedLog> {
        Index::read(path).saved(is_meant)
    }

    /// Refuses logs of these blocks that are there before a run has begun.
    pub fn refuse_old<'a>(&self, blocks: impl Iterator<Item = &'a str>) -> Result<(), KeepError> {
        let failed = |source| KeepError::Folder { path: self.path.clone(), source };
        let stems: Vec<String> = blocks.map(label_value).collect();
        for entry in std::fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let file = name.to_str().map(|name| name.strip_suffix(".part").unwrap_or(name));
            let stem = file.and_then(|name| name.strip_suffix(".log")?.rsplit_once('.'));
            let is_log = |number: &str| number.starts_with(|c: char| c.is_ascii_digit());
            if stem.is_some_and(|(stem, number)| {
                is_log(number) && stems.iter().any(|known| known == stem)
            }) {
                return Err(KeepError::Taken { path: self.path.join(name) });
            }
        }
        Ok(())
    }

    /// Returns what writes a log.
    #[must_use]
    pub fn keeper(&self, of: LogOf) -> Keeper {
        Keeper { folder: self.clone(), of, gaps: 0, sink: Sink::Unopened }
    }

    /// Says which file a log goes to: its own of an earlier reading, else one that is of no other.
    fn claim(&self, of: &LogOf) -> (String, Option<String>) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.refresh();
        if let Some(own) = index.file_of(of) {
            return (own, None);
        }
        let mut copy = 1;
        while index.knows(&file(of, copy)) {
            copy += 1;
        }
        let file = file(of, copy);
        let note = index.add(Entry { of: of.clone(), file: file.clone(), ..Entry::default() });
        (file, note)
    }

    /// Says which new file a log goes to.
    fn claim_new(&self, of: &LogOf) -> (String, Option<String>) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = |file: &str| {
            let path = self.path.join(file);
            [path.with_extension("log"), path.with_extension("log.part")]
                .iter()
                .any(|path| path.symlink_metadata().is_ok())
        };
        let mut copy = 2;
        while index.knows(&file(of, copy)) || is_there(&file(of, copy)) {
            copy += 1;
        }
        let file = file(of, copy);
        let note = index.add(Entry { of: of.clone(), file: file.clone(), ..Entry::default() });
        (file, note)
    }

    fn add(&self, entry: Entry) -> Option<String> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).add(entry)
    }
}

/// Returns the name of a file of a log; no name of a block leads out of the folder.
fn file(of: &LogOf, copy: u32) -> String {
    let copy = if copy > 1 { format!("-{copy}") } else { String::new() };
    format!("{}.{}{copy}.log", label_value(&of.stem()), of.attempt)
}

/// Whether a log was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// It was.
    Complete,
    /// It was not.
    CutOff,
}

/// Writes the log of one container, attempt by attempt.
#[derive(Debug)]
pub struct Keeper {
    folder: LogFolder,
    of: LogOf,
    gaps: u32,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Unopened,
    Open(Box<Kept>),
    /// It could not be written, and that was said.
    Broken,
}

/// What is to be said, if anything.
type Notes = Vec<String>;

impl Keeper {
    /// Keeps lines; returns what is to be said about that.
    pub async fn write(&mut self, batch: &Batch) -> Notes {
        let mut notes = Notes::new();
        let written = self.try_write(batch, &mut notes).await;
        self.told(written, notes)
    }

    /// Writes to the disk what is not there yet; makes the file of a log without a line.
    pub async fn flush(&mut self) -> Notes {
        let mut notes = Notes::new();
        let written = self.try_flush(&mut notes).await;
        self.told(written, notes)
    }

    /// Notes that lines are missing here, because the node had rotated them away.
    pub fn gap(&mut self) {
        self.gaps += 1;
    }

    /// Ends the log of this attempt.
    pub async fn finish(&mut self, end: LogEnd) -> Notes {
        let mut notes = Notes::new();
        let written = self.try_finish(end, &mut notes).await;
        self.told(written, notes)
    }

    /// Ends the log of this attempt, and goes on with the next.
    pub async fn restart(&mut self) -> Notes {
        let notes = self.finish(LogEnd::Complete).await;
        self.of.restarted();
        self.gaps = 0;
        self.sink = Sink::Unopened;
        notes
    }

    fn told(&mut self, written: io::Result<()>, mut notes: Notes) -> Notes {
        if let Err(error) = written {
            let path = match &self.sink {
                Sink::Open(kept) => kept.path().display().to_string(),
                _ => self.folder.path.join(file(&self.of, 1)).display().to_string(),
            };
            self.sink = Sink::Broken;
            let why = without_numbers(error.to_string());
            notes.push(format!("the log is not kept: cannot write {path}: {why}"));
        }
        notes
    }

    async fn try_write(&mut self, batch: &Batch, notes: &mut Notes) -> io::Result<()> {
        if matches!(self.sink, Sink::Unopened) {
            let (file, note) = self.folder.claim(&self.of);
            notes.extend(note);
            self.sink = Sink::Open(Box::new(Kept::open(&self.folder.path, &file).await?));
        }
        let Sink::Open(kept) = &mut self.sink else { return Ok(()) };
        if kept.write(batch).await? == Compared::Differs {
            let words = "is not the beginning of this log";
            self.branch_off(words, notes).await?;
            let Sink::Open(kept) = &mut self.sink else { return Ok(()) };
            kept.write(batch).await?;
        }
        Ok(())
    }

    async fn try_flush(&mut self, notes: &mut Notes) -> io::Result<()> {
        self.try_write(&Batch::default(), notes).await?;
        let Sink::Open(kept) = &mut self.sink else { return Ok(()) };
        kept.flush().await
    }

    async fn try_finish(&mut self, end: LogEnd, notes: &mut Notes) -> io::Result<()> {
        self.try_flush(notes).await?;
        let Sink::Open(kept) = &self.sink else { return Ok(()) };
        if end == LogEnd::CutOff {
            return Ok(());
        }
        if kept.holds_more() {
            self.branch_off("holds more than this log", notes).await?;
        }
        let Sink::Open(kept) = &mut self.sink else { return Ok(()) };
        if let Some(bytes) = kept.complete().await? {
            let (of, file) = (self.of.clone(), kept.file.clone());
            let entry = Entry { of, file, at: None, bytes: Some(bytes), gaps: self.gaps };
            notes.extend(self.folder.add(entry));
        }
        Ok(())
    }

    /// Goes on in another file, with what was the same so far.
    async fn branch_off(&mut self, why: &str, notes: &mut Notes) -> io::Result<()> {
        let (file, note) = self.folder.claim_new(&self.of);
        notes.extend(note);
        let Sink::Open(old) = &mut self.sink else { return Ok(()) };
        let new = old.branch_off(&self.folder.path, &file).await?;
        let (old, path) = (old.path().display().to_string(), new.path().with_extension(""));
        let path = path.display();
        notes.push(format!("{old} {why}; it is kept in {path}"));
        self.sink = Sink::Open(Box::new(new));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Keeper, LogEnd, LogFolder};
    use crate::logs::{Batch, Extent, Gone, LogOf};
    use k8s_openapi::jiff::Timestamp;
    use std::fs;
    use std::path::Path;

    fn of(block: &str, uid: &str) -> LogOf {
        let (block, uid) = (block.to_owned(), uid.to_owned());
        LogOf { block, uid, attempt: 1, main: true, usual: true, ..LogOf::default() }
    }

    fn keeper(folder: &Path, block: &str) -> Keeper {
        LogFolder::prepare(folder).unwrap().keeper(of(block, "u"))
    }

    /// Makes lines of which one is written each second.
    fn batch(first: i64, lines: &[&[u8]]) -> Batch {
        let mut batch = Batch::default();
        for (second, line) in (first..).zip(lines) {
            batch.push(Timestamp::from_second(second).unwrap(), line);
        }
        batch
    }

    /// Keeps a log that is one batch a line.
    async fn keep_of(folder: &Path, of: LogOf, lines: &[&[u8]], end: LogEnd) -> Vec<String> {
        let mut keeper = LogFolder::prepare(folder).unwrap().keeper(of);
        let mut notes = Vec::new();
        for (second, line) in (1..).zip(lines) {
            notes.extend(keeper.write(&batch(second, &[line])).await);
        }
        notes.extend(keeper.finish(end).await);
        notes
    }

    async fn keep(folder: &Path, block: &str, lines: &[&[u8]]) -> Vec<String> {
        keep_of(folder, of(block, "u"), lines, LogEnd::Complete).await
    }

    const WHOLE: [&[u8]; 3] = [b"one\n", b"two \xff\xfe\n", b"three\n"];

    fn times(seconds: &[i64]) -> Vec<u8> {
        seconds.iter().flat_map(|second| (second * 1_000_000_000).to_be_bytes()).collect()
    }

    #[tokio::test]
    async fn a_log_goes_on_where_its_file_was_cut() {
        let whole = WHOLE.concat();
        for cut in 0..=whole.len() {
            for cut_of_times in [0, 8, 12, 24] {
                let folder = tempfile::tempdir().unwrap();
                let path = |name: &str| folder.path().join(name);
                fs::write(path("load.1.log.part"), &whole[..cut]).unwrap();
                fs::write(path("load.1.times"), &times(&[1, 2, 3])[..cut_of_times]).unwrap();
                let notes = keep(folder.path(), "load", &WHOLE).await;
                assert!(notes.is_empty(), "{notes:?}");
                assert_eq!(fs::read(path("load.1.log")).unwrap(), whole, "{cut}");
                assert_eq!(fs::read(path("load.1.times")).unwrap(), times(&[1, 2, 3]), "{cut}");
                assert!(!path("load.1.log.part").exists());
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_complete_is_named_so_and_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let is_there = |name: &str| folder.path().join(name).exists();
        let saved = || LogFolder::saved(folder.path(), |_| true);
        let cut = keep_of(folder.path(), of("load", "u"), &WHOLE[..2], LogEnd::CutOff).await;
        assert_eq!((cut, is_there("load.1.log")), (Vec::new(), false));
        assert_eq!(fs::read(folder.path().join("load.1.log.part")).unwrap(), WHOLE[..2].concat());
        assert_eq!(saved()[0].extent, Extent::CutOff);
        assert!(saved()[0].sentence(Gone::Pod).contains("load.1.log.part, cut off at "));
        assert!(keep(folder.path(), "load", &WHOLE).await.is_empty());
        assert!(is_there("load.1.log") && !is_there("load.1.log.part"));
        assert_eq!((saved().len(), saved()[0].extent), (1, Extent::Complete));
        // A third reading changes nothing.
        let about = fs::metadata(folder.path().join("load.1.log")).unwrap().modified().unwrap();
        assert!(keep(folder.path(), "load", &WHOLE).await.is_empty());
        let now = fs::metadata(folder.path().join("load.1.log")).unwrap().modified().unwrap();
        assert_eq!((about, saved().len()), (now, 1));
        fs::write(folder.path().join("load.1.log"), "one\n").unwrap();
        assert_eq!(saved()[0].extent, Extent::Changed);
        fs::remove_file(folder.path().join("load.1.log")).unwrap();
        assert!(saved().is_empty());
    }

    #[tokio::test]
    async fn a_file_that_somebody_changed_stays_as_it_is() {
        for (changed, why) in [
            ("one\nTWO\nthree\n", "is not the beginning of this log"),
            ("one\n", "is not the beginning of this log"),
            ("one\ntwo \nthree\nfour\n", "holds more than this log"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
            let lines: [&[u8]; 3] = [b"one\n", b"two \n", b"three\n"];
            assert!(keep(folder.path(), "load", &lines).await.is_empty());
            fs::write(folder.path().join("load.1.log"), changed).unwrap();
            let notes = keep(folder.path(), "load", &lines).await;
            assert_eq!(notes.len(), 1, "{notes:?}");
            assert!(notes[0].contains(&format!("load.1.log {why}; it is kept in ")), "{notes:?}");
            assert!(notes[0].ends_with("load.1-2.log"), "{notes:?}");
            assert_eq!(read("load.1.log"), changed);
            assert_eq!(read("load.1-2.log"), "one\ntwo \nthree\n");
            let kept = fs::read(folder.path().join("load.1-2.times")).unwrap();
            assert_eq!(kept, times(&[1, 2, 3]));
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
    async fn logs_of_several_pods_of_one_name_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        for (uid, line) in [("a", "same\n"), ("b", "same\n"), ("a", "same\n"), ("c", "other\n")] {
            let lines = [line.as_bytes()];
            let notes = keep_of(folder.path(), of("load", uid), &lines, LogEnd::Complete).await;
            assert!(notes.is_empty(), "{notes:?}");
        }
        let logs = ["load.1.log", "load.1-2.log", "load.1-3.log"].map(read);
        assert_eq!(logs, ["same\n", "same\n", "other\n"]);
        assert_eq!(LogFolder::saved(folder.path(), |_| true).len(), 3);
    }

    #[tokio::test]
    async fn two_that_save_other_logs_to_one_folder_take_other_names() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["a", "b"]
            .map(|uid| LogFolder::prepare(folder.path()).unwrap().keeper(of("load", uid)));
        for (mut keeper, lines) in [(one, &WHOLE[..1]), (two, &WHOLE[1..])] {
            assert!(keeper.write(&batch(1, lines)).await.is_empty());
            assert!(keeper.finish(LogEnd::Complete).await.is_empty());
        }
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read("load.1.log"), WHOLE[0]);
        assert_eq!(read("load.1-2.log"), WHOLE[1..].concat());
    }

    #[tokio::test]
    async fn two_at_once_do_not_mix() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = keeper(folder.path(), "load");
        assert!(first.write(&batch(1, &WHOLE[..1])).await.is_empty());
        let notes = keep(folder.path(), "load", &WHOLE).await;
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].ends_with("another process writes it"), "{notes:?}");
        assert!(first.write(&batch(2, &WHOLE[1..])).await.is_empty());
        assert!(first.finish(LogEnd::Complete).await.is_empty());
        assert_eq!(fs::read(folder.path().join("load.1.log")).unwrap(), WHOLE.concat());
    }

    #[tokio::test]
    async fn each_attempt_has_a_file_and_an_empty_log_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = keeper(folder.path(), "load");
        assert!(keeper.write(&batch(1, &[b"first"])).await.is_empty());
        keeper.gap();
        assert!(keeper.restart().await.is_empty());
        assert!(keeper.restart().await.is_empty());
        assert!(keeper.write(&batch(1, &[b"third\n"])).await.is_empty());
        assert!(keeper.finish(LogEnd::Complete).await.is_empty());
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            [read("load.1.log"), read("load.2.log"), read("load.3.log")],
            ["first", "", "third\n"]
        );
        let saved = LogFolder::saved(folder.path(), |_| true);
        let told: Vec<_> =
            saved.iter().map(|saved| (saved.of.attempt, saved.of.restart, saved.gaps)).collect();
        assert_eq!(told, [(1, 0, 1), (2, 1, 0), (3, 2, 0)]);
    }

    #[tokio::test]
    async fn no_name_leads_out_of_the_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("logs");
        for block in ["../out", "/etc/x", "..", ".", "", "a/../../b", "a\0b", "a\nb", "ü"] {
            let of = of(block, block);
            let notes = keep_of(&folder, of, &[b"x"], LogEnd::Complete).await;
            assert_eq!(notes, Vec::<String>::new(), "{block:?}");
        }
        let logs = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(logs.filter(|path| path.extension().unwrap() == "log").count(), 9);
        assert_eq!(LogFolder::saved(&folder, |_| true).len(), 9);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_are_not_followed_and_that_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let link = |name: &str| {
            std::os::unix::fs::symlink(&target, folder.path().join(name)).unwrap();
        };
        link("load.1.log");
        link("left.1.log.part");
        link("right.1.times");
        for block in ["load", "left", "right"] {
            let notes =
                keep_of(folder.path(), of(block, block), &WHOLE[..2], LogEnd::Complete).await;
            assert_eq!(notes.len(), 1, "{notes:?}");
            assert!(notes[0].starts_with("the log is not kept: cannot write "), "{notes:?}");
            assert!(!target.exists());
        }
        fs::write(&target, "precious").unwrap();
        let again = keep_of(folder.path(), of("load", "load"), &WHOLE, LogEnd::Complete).await;
        assert_eq!(again.len(), 1);
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        fs::create_dir(folder.path().join("up.1.log")).unwrap();
        assert_eq!(keep(folder.path(), "up", &[b"one\n"]).await.len(), 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn without_an_index_logs_are_kept_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let index = folder.path().join("kubectl-mage-logs.jsonl");
        std::os::unix::fs::symlink(&target, index).unwrap();
        let mut keeper = keeper(folder.path(), "load");
        let mut notes = keeper.write(&batch(1, &WHOLE)).await;
        notes.extend(keeper.finish(LogEnd::Complete).await);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with("`kubectl mage logs` will not find what is kept in "));
        assert_eq!(fs::read(folder.path().join("load.1.log")).unwrap(), WHOLE.concat());
        assert!(!target.exists());
    }

    #[tokio::test]
    async fn what_others_wrote_into_the_index_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("kubectl-mage-logs.jsonl");
        fs::write(folder.path().join("of-yore.1.log"), "of yore\n").unwrap();
        let lines = [
            r#"{"uid":"x","file":"../../etc/passwd.log"}"#,
            r#"{"uid":"y","file":"of-yore.1.log","created":"never","colour":["new"],"block":"b"}"#,
            r#"{"uid":3}"#,
            r#"{"v":9,"what":"is this"}"#,
            "\u{0}",
            r#"{"uid":"torn","fi"#,
        ];
        fs::write(&index, lines.join("\n")).unwrap();
        assert!(keep(folder.path(), "load", &WHOLE).await.is_empty());
        let mut saved = LogFolder::saved(folder.path(), |_| true);
        saved.sort_by(|a, b| a.of.uid.cmp(&b.of.uid));
        let found: Vec<_> = saved.iter().map(|saved| (&*saved.of.uid, &*saved.of.block)).collect();
        assert_eq!(found, [("u", "load"), ("y", "b")]);
    }

    #[test]
    fn logs_of_another_run_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let logs = LogFolder::prepare(folder.path()).unwrap();
        fs::write(folder.path().join("other.1.log"), "").unwrap();
        fs::write(folder.path().join("load.log"), "").unwrap();
        fs::write(folder.path().join("load.old.log"), "").unwrap();
        logs.refuse_old(["load", "left"].into_iter()).unwrap();
        for name in ["left.3.log", "left.3.log.part"] {
            fs::write(folder.path().join(name), "").unwrap();
            let error = logs.refuse_old(["load", "left"].into_iter()).unwrap_err();
            assert!(error.to_string().ends_with(&format!("{name} is of another run")), "{error}");
            fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
}
