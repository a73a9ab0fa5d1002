//! The live tree of blocks (pure): what every line says right now.

use std::fmt::Write;
use std::sync::Arc;

use indexmap::IndexMap;
use k8s_openapi::jiff::Timestamp;

use super::color::Paint;
use super::duration::duration;
use super::run_text::{paint, words};
use super::sanitize::line_for_terminal;
use crate::run::{BlockState, EventKind, Plan, RunEvent};

struct Row {
    depth: usize,
    state: BlockState,
    attempt: Option<u32>,
    pod: Option<Arc<str>>,
    reason: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// The tree of a run.
pub(super) struct Tree {
    rows: IndexMap<Arc<str>, Row>,
}

impl Tree {
    /// Makes the tree of a plan: indented by how far a block is from the first.
    pub(super) fn new(plan: &Plan) -> Self {
        let graph = plan.graph();
        let mut depths = vec![0; graph.len()];
        for (block, upstream) in graph.iter().enumerate() {
            depths[block] = upstream.iter().map(|&up| depths[up] + 1).max().unwrap_or(0);
        }
        let rows = plan.blocks.iter().zip(depths).map(|(block, depth)| {
            let row = Row {
                depth,
                state: BlockState::Waiting,
                attempt: None,
                pod: None,
                reason: String::new(),
                since: None,
                until: None,
            };
            (Arc::from(block.uuid.as_str()), row)
        });
        Self { rows: rows.collect() }
    }

    /// Takes in an event.
    pub(super) fn take(&mut self, event: &RunEvent) {
        let Some(row) = event.block.as_ref().and_then(|block| self.rows.get_mut(block)) else {
            return;
        };
        if let Some(pod) = &event.pod {
            row.pod = Some(Arc::clone(pod));
        }
        row.attempt = event.attempt.or(row.attempt);
        if event.kind == EventKind::Pod && event.reason.is_some() && row.state.is_active() {
            row.reason = event.message.clone().unwrap_or_default();
        }
        if let EventKind::Block(state) = event.kind {
            row.state = state;
            row.reason = match state {
                BlockState::Created | BlockState::Running | BlockState::Complete => String::new(),
                _ => event.message.clone().or_else(|| event.reason.clone()).unwrap_or_default(),
            };
            if state == BlockState::Retrying {
                (row.since, row.until, row.pod) = (None, None, None);
            } else if state.is_active() {
                row.since.get_or_insert(event.time);
            } else if row.since.is_some() {
                row.until = Some(event.time);
            }
        }
    }

    /// Renders at most `height` lines of at most `width` columns: what is active first, then what
    /// failed, then the rest, all in the plan's order; a last line counts what is not shown.
    pub(super) fn lines(&self, width: usize, height: usize, now: Timestamp) -> Vec<String> {
        let room = height.saturating_sub(1).max(1);
        let mut shown: Vec<usize> = (0..self.rows.len()).collect();
        if shown.len() > room {
            shown.sort_by_key(|&index| (weight(self.rows[index].state), index));
            shown.truncate(room);
            shown.sort_unstable();
        }
        let mut lines: Vec<String> = shown
            .iter()
            .filter_map(|&index| self.rows.get_index(index))
            .map(|(name, row)| row_line(name, row, width, now))
            .collect();
        lines.push(self.totals(self.rows.len() - shown.len()));
        lines
    }

    fn totals(&self, hidden: usize) -> String {
        let count = |wanted: fn(BlockState) -> bool| {
            self.rows.values().filter(|row| wanted(row.state)).count()
        };
        let complete = count(|state| state == BlockState::Complete);
        let running = count(BlockState::is_active);
        let more = if hidden > 0 { format!(", {hidden} not shown") } else { String::new() };
        Paint::Dim
            .on(&format!("{complete} of {} complete, {running} active{more}", self.rows.len()))
    }
}

fn weight(state: BlockState) -> u8 {
    match state {
        BlockState::Retrying => 0,
        state if state.is_active() => 0,
        state if state.went_wrong() => 1,
        BlockState::Waiting => 2,
        _ => 3,
    }
}

fn row_line(name: &str, row: &Row, width: usize, now: Timestamp) -> String {
    let mark = match row.state {
        BlockState::Complete => "✓",
        state if state.went_wrong() => "✗",
        BlockState::Running => "●",
        BlockState::Created | BlockState::Pending | BlockState::Retrying => "◌",
        _ => "·",
    };
    let mut plain = format!(
        "{}{mark} {} {}",
        "  ".repeat(row.depth.min(8)),
        line_for_terminal(name),
        words(row.state)
    );
    if let Some(since) = row.since {
        let took = row.until.unwrap_or(now).duration_since(since);
        let _ = write!(plain, " {}", duration(took));
    }
    if let Some(attempt) = row.attempt.filter(|attempt| *attempt > 1) {
        let _ = write!(plain, " attempt {attempt}");
    }
    if let Some(pod) = row.pod.as_ref().filter(|_| row.state.is_active()) {
        let _ = write!(plain, " pod/{pod}");
    }
    if !row.reason.is_empty() {
        let _ = write!(plain, " {}", line_for_terminal(&row.reason.replace('\n', " ")));
    }
    let cut: String = plain.chars().take(width.max(20)).collect();
    paint(row.state).on(&cut)
}

#[cfg(test)]
mod tests {
    use super::Tree;
    use crate::run::{BlockState, EventKind, Plan, PlannedBlock, RunEvent};

    #[test]
    fn shows_what_matters_in_the_room_there_is() {
        let block = |uuid: &str, upstream: &[&str]| PlannedBlock {
            uuid: uuid.to_owned(),
            block_type: "transformer".to_owned(),
            upstream: upstream.iter().map(|up| (*up).to_owned()).collect(),
            namespace: "n".to_owned(),
            job: serde_json::Value::Null,
            ..PlannedBlock::default()
        };
        let plan = Plan {
            pipeline: "p".to_owned(),
            blocks: vec![
                block("load", &[]),
                block("left", &["load"]),
                block("right", &["load"]),
                block("join", &["left", "right"]),
            ],
            edition: "pro".to_owned(),
            revision: None,
            user: None,
            flags: Vec::new(),
        };
        let mut tree = Tree::new(&plan);
        let at = |second: i64| k8s_openapi::jiff::Timestamp::from_second(second).unwrap();
        let mut tell = |name: &str, state, second, message: &str| {
            let mut event =
                RunEvent::new(EventKind::Block(state)).block(&name.into()).message(message);
            event.time = at(second);
            tree.take(&event);
        };
        tell("load", BlockState::Created, 0, "job.batch/x");
        tell("load", BlockState::Complete, 3, "after 3s");
        tell("left", BlockState::Running, 3, "");
        tell("right", BlockState::Pending, 3, "0/1 nodes are available");
        let retry = "Mage's attempt 1 of 3 failed";
        let told = RunEvent::new(EventKind::Pod).block(&"left".into()).reason("MageRetry");
        tree.take(&told.message(retry));
        let text = |height| {
            let text = tree.lines(60, height, at(10)).join("\n");
            anstream::adapter::strip_str(&text).to_string()
        };
        insta::assert_snapshot!(text(20), @r"
        ✓ load complete 3s
          ● left running 7s Mage's attempt 1 of 3 failed
          ◌ right pending 7s 0/1 nodes are available
            · join waiting
        1 of 4 complete, 2 active
        ");
        insta::assert_snapshot!(text(3), @r"
          ● left running 7s Mage's attempt 1 of 3 failed
          ◌ right pending 7s 0/1 nodes are available
        1 of 4 complete, 2 active, 2 not shown
        ");
    }
}
