//! Follows the log of one pod and tells what it says.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::events::{EventKind, EventSender, RunEvent};
use super::input::{Input, LogEnd};
use super::options::Logs;
use crate::cluster::{Cluster, ContainerView};
use crate::logs::{
    End, Item, Keeper, Line, Listener, LogEnd as FileEnd, MageLine, Part, PodLog, begins_traceback,
    follow, is_drawn, is_of_frames, parse_line,
};

/// How many lines the summary of a failed block shows.
const TAIL: usize = 10;
/// A longer line is told in pieces.
const LONGEST_LINE: usize = 16 << 20;
/// How many lines of a block are kept until it is known whether it failed.
const KEPT: usize = 10_000;

/// How long lines may wait until they are written to a file.
const WRITE_WITHIN: Duration = Duration::from_millis(250);

/// What to follow, and where to tell it.
pub(super) struct Follow {
    pub(super) cluster: Cluster,
    pub(super) namespace: String,
    pub(super) pod: Arc<str>,
    pub(super) uid: String,
    pub(super) container: String,
    pub(super) block: usize,
    pub(super) block_name: Arc<str>,
    pub(super) attempt: u32,
    pub(super) logs: Logs,
    /// Whether another client told of it, so that it is only kept.
    pub(super) told_before: bool,
    /// Where the log is kept besides, if anywhere.
    pub(super) keeper: Option<Keeper>,
    pub(super) view: watch::Receiver<ContainerView>,
    /// Tells whether the pod failed, once that is known; with `--logs=failed` that decides.
    pub(super) failed: watch::Receiver<Option<bool>>,
    pub(super) events: EventSender,
    pub(super) inputs: mpsc::UnboundedSender<Input>,
}

impl Follow {
    /// Follows until the log ends, and tells the dispatcher then.
    pub(super) async fn run(mut self) {
        let source = PodLog {
            cluster: self.cluster.clone(),
            namespace: self.namespace.clone(),
            pod: self.pod.to_string(),
            uid: self.uid.clone(),
            container: self.container.clone(),
        };
        let (items, mut received) = mpsc::channel(8);
        let view = self.view.clone();
        let following = async move {
            let end = follow(&source, Part::default(), view, &items).await;
            drop(items);
            end
        };
        let telling = async {
            let mut told = Told::default();
            let mut unwritten = None;
            loop {
                let item = match unwritten {
                    Some(due) => tokio::time::timeout_at(due, received.recv()).await,
                    None => Ok(received.recv().await),
                };
                match item {
                    Ok(Some(item)) => {
                        let due = Instant::now() + WRITE_WITHIN;
                        unwritten = self.keep(&item).await.then_some(unwritten.unwrap_or(due));
                        self.tell(item, &mut told).await;
                    }
                    Ok(None) => {
                        self.tell_pieces(&mut told).await;
                        break;
                    }
                    Err(_) => {
                        self.keep_rest().await;
                        unwritten = None;
                    }
                }
            }
            told
        };
        let (end, mut told) = tokio::join!(following, telling);
        self.keep_end(&end).await;
        if self.logs == Logs::Failed {
            self.show_if_failed(&mut told).await;
        }
        let trouble = match end {
            End::Complete => None,
            End::Unreadable(error) => Some(error.to_string()),
            End::Gone => Some(format!("pod/{} is gone, and the rest of its log with it", self.pod)),
        };
        let _ = self.inputs.send(Input::LogEnded(LogEnd {
            block: self.block,
            pod: self.uid.clone(),
            tail: told.tail.into(),
            traceback: told.traceback.lines,
            condition: told.listener.false_condition(),
            is_decided: told.listener.is_decided(),
            notes: told.notes,
            trouble,
        }));
    }

    /// Keeps what came in the file of its attempt; tells whether anything is kept.
    async fn keep(&mut self, item: &Item) -> bool {
        let Some(keeper) = &mut self.keeper else { return false };
        let notes = match item {
            Item::Lines(batch) => keeper.write(batch).await,
            Item::Restarted => keeper.restart().await,
            Item::Gap(_) => {
                keeper.gap();
                Vec::new()
            }
        };
        self.notices(notes).await;
        true
    }

    /// Writes what is kept to the file, which a log without a line has too.
    async fn keep_rest(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
        let notes = keeper.flush().await;
        self.notices(notes).await;
    }

    /// Ends the file, which tells whether the log was read to its end.
    async fn keep_end(&mut self, end: &End) {
        let Some(keeper) = &mut self.keeper else { return };
        let is_complete = matches!(end, End::Complete);
        let end = if is_complete { FileEnd::Complete } else { FileEnd::CutOff };
        let notes = keeper.finish(end).await;
        self.notices(notes).await;
    }

    async fn notices(&self, notes: Vec<String>) {
        for note in notes {
            self.notice(&note).await;
        }
    }

    async fn tell(&mut self, item: Item, told: &mut Told) {
        match item {
            Item::Lines(batch) => {
                for line in batch.lines() {
                    self.tell_line(line, told).await;
                }
            }
            Item::Gap(gap) => {
                self.tell_pieces(told).await;
                self.notice(&gap.sentence()).await;
            }
            Item::Restarted => {
                self.tell_pieces(told).await;
                self.attempt += 1;
                told.listener = Listener::default();
                self.notice("the container was restarted").await;
            }
        }
    }

    async fn tell_line(&mut self, line: Line<'_>, told: &mut Told) {
        told.pieces.1.extend_from_slice(line.bytes);
        told.pieces.0 = line.time;
        if line.ends() || told.pieces.1.len() >= LONGEST_LINE {
            self.tell_pieces(told).await;
        }
    }

    /// Tells the line whose pieces have come, if there is one.
    async fn tell_pieces(&mut self, told: &mut Told) {
        if told.pieces.1.is_empty() {
            return;
        }
        let (time, bytes) = (told.pieces.0, std::mem::take(&mut told.pieces.1));
        let text = text(bytes);
        let line = parse_line(&text);
        self.listen(&line, told).await;
        for part in line.text.lines().filter(|part| !is_drawn(part)) {
            if told.tail.len() == TAIL {
                told.tail.pop_front();
            }
            told.tail.push_back(part.to_owned());
            told.traceback.take(part);
        }
        match self.logs {
            Logs::All => self.show(time, text, line).await,
            Logs::Failed => {
                if told.kept.len() == KEPT {
                    told.kept.pop_front();
                }
                told.kept.push_back((time, text));
            }
            Logs::None => {}
        }
    }

    /// Tells what Mage did inside of the pod that its end does not tell.
    async fn listen(&self, line: &MageLine, told: &mut Told) {
        let Some(news) = told.listener.take(line, &self.block_name) else { return };
        let sentence = news.sentence();
        if !self.told_before {
            let event = RunEvent::new(EventKind::Pod)
                .block(&self.block_name)
                .pod(&self.pod, self.attempt)
                .reason(news.reason())
                .message(sentence.clone());
            self.events.send_line(event).await;
        }
        if told.notes.len() < TAIL {
            told.notes.push(sentence);
        }
    }

    async fn show(&self, time: Timestamp, text: String, line: MageLine) {
        let mut event = RunEvent::new(EventKind::Log(line.level))
            .block(&self.block_name)
            .pod(&self.pod, self.attempt);
        event.time = time;
        event.message = Some(line.text);
        event.line = Some(text);
        self.events.send_line(event).await;
    }

    async fn notice(&self, text: &str) {
        let event = RunEvent::new(EventKind::Pod)
            .block(&self.block_name)
            .pod(&self.pod, self.attempt)
            .message(text);
        self.events.send_line(event).await;
    }

    async fn show_if_failed(&mut self, told: &mut Told) {
        let failed =
            self.failed.wait_for(Option::is_some).await.is_ok_and(|known| *known == Some(true));
        if failed {
            for (time, text) in std::mem::take(&mut told.kept) {
                let line = parse_line(&text);
                self.show(time, text, line).await;
            }
        }
    }
}

/// Returns a line's text without its end; what is not UTF-8 is replaced.
fn text(mut bytes: Vec<u8>) -> String {
    bytes.pop_if(|last| *last == b'\n');
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

/// The most lines of a traceback that are kept: its innermost frames.
const LONGEST_TRACEBACK: usize = 60;

/// The last traceback in plain text: the box that Mage draws after it breaks the exception into lines of 80 columns.
#[derive(Default)]
struct LastTraceback {
    lines: Vec<String>,
    is_open: bool,
}

impl LastTraceback {
    fn take(&mut self, line: &str) {
        if begins_traceback(line) {
            self.lines.clear();
            self.is_open = true;
        } else if !self.is_open {
            return;
        } else {
            self.is_open = is_of_frames(line);
        }
        if self.lines.len() == LONGEST_TRACEBACK {
            self.lines.remove(1);
        }
        let end = line.floor_char_boundary(4096);
        self.lines.push(line[..end].to_owned());
    }
}

#[derive(Default)]
struct Told {
    /// What came of a line that has not ended, and when it was written.
    pieces: (Timestamp, Vec<u8>),
    tail: VecDeque<String>,
    traceback: LastTraceback,
    kept: VecDeque<(Timestamp, String)>,
    listener: Listener,
    notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::LastTraceback;
    use crate::diagnose::traceback;

    /// After the box that Mage draws comes the exception once more, broken into lines of 80 columns.
    #[test]
    fn the_exception_is_told_whole() {
        let missing = "FileNotFoundError: [Errno 2] No such file or directory: '/home/src/shop/data/orders.csv'";
        let mut log =
            vec!["Traceback (most recent call last):", "  File \"<string>\", line 16, in load"];
        log.push(missing);
        log.extend(["bye"; 12]);
        log.extend(missing.split_inclusive(": ").skip(1));
        let mut kept = LastTraceback::default();
        for line in &log {
            kept.take(line);
        }
        let last = log[log.len() - 10..].iter().map(|line| (*line).to_owned());
        let lines: Vec<String> = kept.lines.into_iter().chain(last).collect();
        let found = traceback(&lines).unwrap();
        assert_eq!(found.exception, missing);
        assert_eq!(found.frame.unwrap().line, 16);
    }

    #[test]
    fn of_a_long_one_the_innermost_frames_are_kept() {
        let mut kept = LastTraceback::default();
        kept.take("Traceback (most recent call last):");
        for line in 0..500 {
            kept.take(&format!("  File \"<string>\", line {line}, in f"));
        }
        kept.take("RecursionError: maximum recursion depth exceeded");
        assert_eq!(kept.lines.len(), super::LONGEST_TRACEBACK);
        assert!(kept.lines[0].starts_with("Traceback") && kept.lines[58].contains("line 499"));
    }
}
