//! Shows a run while it goes on, on a thread of its own: a slow terminal or pipe stalls nothing but
//! itself, and a closed one ends the showing, never the run.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use k8s_openapi::jiff::Timestamp;

use super::known_secrets::without_secrets;
use super::printer::Printer;
use super::run_json::event_json;
use super::run_summary::render_summary;
use super::run_text::{Style, event_line, log_lines};
use super::run_tree::Tree;
use crate::run::{
    EventKind, EventSender, Outcome, Output, Plan, RunEvent, RunId, RunState, channel,
};

const REDRAW: Duration = Duration::from_millis(200);
const LONGEST_NAME: usize = 32;

/// Shows a run.
#[derive(Debug)]
pub struct RunReporter {
    printer: Printer,
    output: Output,
    thread: JoinHandle<()>,
}

impl RunReporter {
    /// Starts showing; give the sender to [`crate::run::execute`].
    #[must_use]
    pub fn start(
        printer: Printer,
        plan: &Plan,
        run: &RunId,
        output: Output,
    ) -> (EventSender, Self) {
        let (sender, events) = channel();
        let width = plan.blocks.iter().map(|block| block.uuid.chars().count()).max().unwrap_or(0);
        let live = output == Output::Text
            && !printer.is_quiet()
            && printer.stderr_is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let view = View {
            printer,
            run: run.to_string(),
            namespace: plan.namespaces().into_iter().next().unwrap_or_default(),
            output,
            width: width.min(LONGEST_NAME),
            seq: 0,
            live: live.then(|| Live::new(Tree::new(plan))),
            stdout_open: true,
        };
        let thread = std::thread::spawn(move || view.show(&events));
        (sender, Self { printer, output, thread })
    }

    /// Waits until everything is shown, then shows the summary.
    pub fn finish(self, outcome: &Outcome) {
        // A panic of the thread was printed by then and must not hide the outcome.
        let _ = self.thread.join();
        if self.output == Output::Text {
            let text = render_summary(outcome);
            let _ = self.printer.stderr().write_all(without_secrets(&text).as_bytes());
        }
    }

    /// Waits until everything is shown, after a run that did not begin.
    pub fn abandon(self) {
        let _ = self.thread.join();
    }
}

struct View {
    printer: Printer,
    run: String,
    namespace: String,
    output: Output,
    width: usize,
    seq: u64,
    live: Option<Live>,
    stdout_open: bool,
}

impl View {
    fn show(mut self, events: &Receiver<RunEvent>) {
        loop {
            let mut batch = Vec::new();
            match events.recv_timeout(REDRAW) {
                Ok(event) => {
                    batch.push(event);
                    batch.extend(events.try_iter().take(1000));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let over = batch.iter().any(is_last);
            self.show_batch(&batch);
            if over {
                break;
            }
        }
        if let Some(live) = &mut self.live {
            live.clear();
        }
    }

    fn show_batch(&mut self, batch: &[RunEvent]) {
        let mut live = self.live.take();
        match &mut live {
            None => self.write(batch),
            Some(live) => {
                for event in batch {
                    live.tree.take(event);
                }
                if batch.iter().any(is_above) {
                    live.bars.clone().suspend(|| self.write_above(batch));
                }
                live.draw();
            }
        }
        self.live = live;
    }

    /// Writes above the tree what the tree does not show.
    fn write_above(&mut self, batch: &[RunEvent]) {
        for event in batch.iter().filter(|event| is_above(event)) {
            self.write_text(event);
        }
        self.flush();
    }

    fn write(&mut self, batch: &[RunEvent]) {
        for event in batch {
            match self.output {
                Output::Json => self.write_json(event),
                Output::Text => self.write_text(event),
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        if self.stdout_open && io::stdout().flush().is_err() {
            self.stdout_open = false;
        }
    }

    fn write_json(&mut self, event: &RunEvent) {
        self.seq += 1;
        let line = event_json(event, &self.run, self.seq);
        if self.stdout_open && writeln!(io::stdout().lock(), "{line}").is_err() {
            self.stdout_open = false;
        }
    }

    fn write_text(&mut self, event: &RunEvent) {
        if matches!(event.kind, EventKind::Log(_)) {
            let harmless = self.printer.stdout_is_terminal();
            let color = self.printer.stdout_has_color();
            let text = log_lines(event, Style { width: self.width, harmless, color });
            // What a block wrote passes as it is, so not through a stream that strips colours.
            if self.stdout_open && io::stdout().write_all(text.as_bytes()).is_err() {
                self.stdout_open = false;
            }
            return;
        }
        if self.printer.is_quiet() {
            return;
        }
        let harmless = self.printer.stderr_is_terminal();
        if let Some(line) = event_line(event, Style { width: self.width, harmless, color: true }) {
            let _ = writeln!(self.printer.stderr(), "{}", without_secrets(&line));
        }
        if matches!(event.kind, EventKind::Run(RunState::Started | RunState::Resumed)) {
            let _ = writeln!(
                self.printer.stderr(),
                "come back to it with: kubectl mage attach {} -n {}",
                self.run,
                self.namespace
            );
        }
    }
}

fn is_last(event: &RunEvent) -> bool {
    matches!(event.kind, EventKind::Run(state) if state.is_last())
}

fn is_above(event: &RunEvent) -> bool {
    !matches!(event.kind, EventKind::Block(_))
}

/// The tree on the terminal.
struct Live {
    bars: MultiProgress,
    lines: Vec<ProgressBar>,
    tree: Tree,
    drawn: Option<Instant>,
}

impl Live {
    fn new(tree: Tree) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { bars, lines: Vec::new(), tree, drawn: None }
    }

    fn draw(&mut self) {
        if self.drawn.is_some_and(|at| at.elapsed() < REDRAW / 2) {
            return;
        }
        self.drawn = Some(Instant::now());
        let (height, width) = size();
        let lines = self.tree.lines(width.saturating_sub(1), (height / 2).max(4), Timestamp::now());
        while self.lines.len() > lines.len() {
            if let Some(bar) = self.lines.pop() {
                bar.finish_and_clear();
                self.bars.remove(&bar);
            }
        }
        for (index, line) in lines.into_iter().enumerate() {
            if index == self.lines.len() {
                let bar = ProgressBar::new_spinner().with_style(
                    ProgressStyle::with_template("{msg}").expect("the template is a constant"),
                );
                self.lines.push(self.bars.add(bar));
            }
            if self.lines[index].message() != line {
                self.lines[index].set_message(line);
            }
        }
    }

    fn clear(&mut self) {
        let _ = self.bars.clear();
        self.bars.set_draw_target(ProgressDrawTarget::hidden());
        self.lines.clear();
    }
}

/// Returns the terminal's rows and columns.
fn size() -> (usize, usize) {
    // indicatif knows only the width of its own target; the rows come from the environment it keeps.
    let (rows, columns) = console::Term::stderr().size();
    (usize::from(rows), usize::from(columns))
}
