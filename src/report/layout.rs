//! The block tree and the Gantt chart of a run, as positions.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::run::{AttemptReport, BlockReport, BlockState, Outcome, Plan};

/// How many times are written beneath the chart.
const TICKS: u32 = 5;

/// A block in the tree.
pub(super) struct Branch {
    /// Its place among the blocks.
    pub(super) block: usize,
    /// What is drawn before its name.
    pub(super) lead: String,
    /// The other blocks that it waits for.
    pub(super) also_after: Vec<String>,
}

/// Returns the blocks as a tree in which each stands once, beneath the last that it waits for.
pub(super) fn tree(plan: &Plan) -> Vec<Branch> {
    let place = |uuid: &String| plan.blocks.iter().position(|block| block.uuid == *uuid);
    let mut below = vec![Vec::new(); plan.blocks.len() + 1];
    for (index, block) in plan.blocks.iter().enumerate() {
        let parent = block.upstream.last().and_then(place).unwrap_or(plan.blocks.len());
        below[parent].push(index);
    }
    let mut open: Vec<(usize, String, String)> = below[plan.blocks.len()]
        .iter()
        .rev()
        .map(|root| (*root, String::new(), String::new()))
        .collect();
    let mut tree = Vec::new();
    // Not by recursion: a pipeline may be a chain of thousands.
    while let Some((block, lead, indent)) = open.pop() {
        for (position, child) in below[block].iter().enumerate().rev() {
            let is_last = position + 1 == below[block].len();
            let (corner, side) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            open.push((*child, format!("{indent}{corner}"), format!("{indent}{side}")));
        }
        let upstream = &plan.blocks[block].upstream;
        let also_after = upstream[..upstream.len().saturating_sub(1)].to_vec();
        tree.push(Branch { block, lead, also_after });
    }
    tree
}

/// The time that a chart shows.
pub(super) struct Axis {
    start: Timestamp,
    span: SignedDuration,
}

/// A stretch of a chart, in percent of its width.
pub(super) struct Bar {
    pub(super) left: f64,
    pub(super) width: f64,
}

/// An attempt in the chart.
pub(super) struct Row<'a> {
    pub(super) block: &'a BlockReport,
    pub(super) attempt: &'a AttemptReport,
    pub(super) waiting: Option<Bar>,
    pub(super) running: Option<Bar>,
    /// Whether it went on when the report was made.
    pub(super) goes_on: bool,
}

impl Axis {
    /// Finds the time from the first to the last that is known; none where nothing is.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        let times = || {
            outcome.blocks.iter().flat_map(|block| {
                let own = block.started.into_iter().chain(super::told::block_ended(block));
                let of = |a: &AttemptReport| [a.created, a.started, a.ended];
                own.chain(block.history.iter().flat_map(of).flatten())
            })
        };
        let (start, end) = (times().min()?, times().max()?);
        Some(Self { start, span: end.duration_since(start).max(SignedDuration::from_secs(1)) })
    }

    /// Returns the times to write, each with its place in percent.
    pub(super) fn ticks(&self) -> Vec<(f64, SignedDuration)> {
        (0..=TICKS)
            .map(|tick| {
                (f64::from(tick) / f64::from(TICKS) * 100.0, self.span * tick.cast_signed())
            })
            .map(|(place, time)| (place, time / TICKS.cast_signed()))
            .collect()
    }

    fn place(&self, time: Timestamp) -> f64 {
        let share = time.duration_since(self.start).as_secs_f64() / self.span.as_secs_f64();
        (share * 100.0).clamp(0.0, 100.0)
    }

    fn bar(&self, from: Timestamp, to: Option<Timestamp>) -> Bar {
        let left = self.place(from);
        let right = to.map_or(100.0, |to| self.place(to));
        Bar { left, width: (right - left).max(0.0) }
    }

    /// Returns the rows of the chart: an attempt each, in the plan's order.
    pub(super) fn rows<'a>(&self, outcome: &'a Outcome) -> Vec<Row<'a>> {
        let each = |block: &'a BlockReport| block.history.iter().map(move |a| (block, a));
        outcome.blocks.iter().flat_map(each).map(|(block, a)| self.row(block, a)).collect()
    }

    fn row<'a>(&self, block: &'a BlockReport, attempt: &'a AttemptReport) -> Row<'a> {
        let last = block.history.last().is_some_and(|last| last.number == attempt.number);
        let goes_on = last && attempt.ended.is_none() && block.state == BlockState::LeftRunning;
        let job_end = super::told::block_ended(block).filter(|_| last);
        // One whose container never started waited until its Job ended.
        let waiting = attempt.created.map(|created| {
            let until = attempt.started.or(attempt.ended).or(job_end);
            self.bar(created, until)
        });
        let running = attempt.started.map(|started| self.bar(started, attempt.ended.or(job_end)));
        Row { block, attempt, waiting, running, goes_on }
    }
}
