//! Reads a log that was saved, as if it came from the cluster.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use k8s_openapi::jiff::Timestamp;
use tokio::sync::mpsc;

use super::batch::Batch;
use super::index::options;
use super::saved::SavedLog;
use super::source::{Item, Part};

/// How much comes together at most, and how long a piece of a line is at most.
const LARGEST_BATCH: usize = 64 << 10;

/// Why a saved log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
pub struct RereadError {
    /// The file.
    path: String,
    /// Why.
    source: io::Error,
}

/// Reads a saved log and sends the lines that are asked for. Lines of which nobody knows when they
/// were written count as written when the file was.
pub async fn reread(
    saved: SavedLog,
    part: Part,
    items: mpsc::Sender<Item>,
) -> Result<(), RereadError> {
    let path = saved.path.display().to_string();
    let reading = tokio::task::spawn_blocking(move || read(&saved, part, &items));
    let read = reading.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    read.map_err(|source| RereadError { path, source })
}

fn read(saved: &SavedLog, part: Part, items: &mpsc::Sender<Item>) -> io::Result<()> {
    let mut log = open(&saved.path)?;
    let mut times = saved.times.as_deref().map(open).transpose()?;
    let mut skipped = match part.tail_lines {
        None => 0,
        Some(wanted) => count_lines(open(&saved.path)?)?.saturating_sub(u64::from(wanted)),
    };
    let mut time = saved.at.unwrap_or(Timestamp::UNIX_EPOCH);
    let (mut batch, mut at_line, mut is_wanted) = (Batch::default(), true, true);
    loop {
        let held = log.fill_buf()?;
        if held.is_empty() {
            break;
        }
        let piece = &held[..memchr::memchr(b'\n', held).map_or(held.len(), |end| end + 1)];
        if at_line {
            time = times.as_mut().and_then(next_time).unwrap_or(time);
            is_wanted = skipped == 0 && part.since.is_none_or(|since| time >= since);
            skipped = skipped.saturating_sub(1);
        }
        if is_wanted {
            batch.push(time, piece);
        }
        at_line = piece.ends_with(b"\n");
        let length = piece.len();
        log.consume(length);
        let is_full = batch.bytes().len() >= LARGEST_BATCH;
        if is_full && items.blocking_send(Item::Lines(batch.take())).is_err() {
            return Ok(());
        }
    }
    if !batch.is_empty() {
        // Whoever does not listen does not want it.
        let _ = items.blocking_send(Item::Lines(batch));
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<BufReader<File>> {
    let file = options().read(true).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    Ok(BufReader::with_capacity(LARGEST_BATCH, file))
}

/// Returns when the next line was written, if that is known.
fn next_time(times: &mut BufReader<File>) -> Option<Timestamp> {
    let mut nanoseconds = [0; 8];
    times.read_exact(&mut nanoseconds).ok()?;
    Timestamp::from_nanosecond(i64::from_be_bytes(nanoseconds).into()).ok()
}

fn count_lines(mut log: BufReader<File>) -> io::Result<u64> {
    let (mut count, mut ends) = (0, true);
    loop {
        let held = log.fill_buf()?;
        let Some(last) = held.last() else { return Ok(count + u64::from(!ends)) };
        ends = *last == b'\n';
        count += memchr::memchr_iter(b'\n', held).count() as u64;
        let length = held.len();
        log.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::{SavedLog, reread};
    use crate::logs::{Batch, Item, LogEnd, LogFolder, LogOf, Part};
    use k8s_openapi::jiff::Timestamp;
    use std::path::Path;
    use tokio::sync::mpsc;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Saves a log of which each line was written a second after the one before.
    async fn save(folder: &Path, lines: &[&[u8]]) -> SavedLog {
        let of = LogOf { block: "load".to_owned(), attempt: 1, main: true, ..LogOf::default() };
        let mut keeper = LogFolder::prepare(folder).unwrap().keeper(of);
        for (second, line) in (1..).zip(lines) {
            let mut batch = Batch::default();
            // A long line comes in pieces.
            for piece in line.chunks(50_000) {
                batch.push(at(second), piece);
            }
            assert!(keeper.write(&batch).await.is_empty());
        }
        assert!(keeper.finish(LogEnd::Complete).await.is_empty());
        LogFolder::saved(folder, |_| true).remove(0)
    }

    async fn read(saved: &SavedLog, part: Part) -> (Vec<u8>, Vec<i64>) {
        let (sender, mut items) = mpsc::channel(1000);
        reread(saved.clone(), part, sender).await.unwrap();
        let (mut bytes, mut times, mut ends) = (Vec::new(), Vec::new(), true);
        while let Some(Item::Lines(batch)) = items.recv().await {
            bytes.extend_from_slice(batch.bytes());
            for line in batch.lines() {
                if std::mem::replace(&mut ends, line.ends()) {
                    times.push(line.time.as_second());
                }
            }
        }
        (bytes, times)
    }

    #[tokio::test]
    async fn what_was_saved_comes_back_with_its_times() {
        let long = [vec![b'x'; 200_000], b"\n".to_vec()].concat();
        let lines: [&[u8]; 5] = [b"one\n", b"\n", &long, b"\xff\0\r\n", b"no end"];
        let folder = tempfile::tempdir().unwrap();
        let saved = save(folder.path(), &lines).await;
        assert_eq!(read(&saved, Part::default()).await, (lines.concat(), vec![1, 2, 3, 4, 5]));
        for count in 0..7 {
            let from = 5_usize.saturating_sub(count);
            let tail_lines = Some(u32::try_from(count).unwrap());
            let (bytes, times) = read(&saved, Part { tail_lines, ..Part::default() }).await;
            assert_eq!((bytes, times.len()), (lines[from..].concat(), 5 - from), "{count}");
            let since = Some(at(i64::try_from(count).unwrap()));
            let (bytes, _) = read(&saved, Part { since, ..Part::default() }).await;
            assert_eq!(bytes, lines[count.saturating_sub(1).min(5)..].concat(), "since {count}");
        }
    }

    #[tokio::test]
    async fn without_times_the_bytes_are_there_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let saved = save(folder.path(), &[b"one\n", b"two\n"]).await;
        std::fs::write(saved.times.as_ref().unwrap(), [0; 9]).unwrap();
        let (bytes, times) = read(&saved, Part::default()).await;
        assert_eq!((bytes, times), (b"one\ntwo\n".to_vec(), vec![0, 0]));
        let saved = SavedLog { times: None, ..saved };
        let (bytes, times) = read(&saved, Part::default()).await;
        assert_eq!(
            (bytes, times),
            (b"one\ntwo\n".to_vec(), vec![saved.at.unwrap().as_second(); 2])
        );
        std::fs::remove_file(&saved.path).unwrap();
        let (sender, _items) = mpsc::channel(1);
        let error = reread(saved, Part::default(), sender).await.unwrap_err();
        assert!(error.to_string().starts_with("cannot read "), "{error}");
    }
}
