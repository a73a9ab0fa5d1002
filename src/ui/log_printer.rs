//! Shows logs beside whatever reads them: a slow terminal or a stopped pipe stalls nothing but itself,
//! and no line is lost by it.

use std::future::poll_fn;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::known_secrets::without_secrets;
use super::log_label::Label;
use super::log_sink::Sink;
use super::log_view::{Composer, LogForm, LogStyle};
use super::printer::Printer;
use super::run_text::{Style, event_line};
use super::sanitize::line_for_terminal;
use crate::logs::{Filter, Item, Order};
use crate::run::RunEvent;
use crate::tail::{Teller, Told};

/// So much is written at once.
const ENOUGH: usize = 64 << 10;

/// Shows logs.
#[derive(Debug)]
pub struct LogPrinter {
    shown: JoinHandle<io::Result<()>>,
    said: Option<std::thread::JoinHandle<()>>,
}

impl LogPrinter {
    /// Starts showing, while the runtime runs; whatever is to be shown goes to the teller.
    pub fn start(
        runtime: &Runtime,
        printer: Printer,
        style: LogStyle,
        (filter, order): (Filter, Order),
    ) -> (Teller, Self) {
        let (logs, told) = mpsc::unbounded_channel();
        let (events, said) = mpsc::unbounded_channel();
        let width = Arc::new(AtomicUsize::new(0));
        let form = style.form;
        let (to_view, to_thread) =
            if form == LogForm::Json { (Some(said), None) } else { (None, Some(said)) };
        let view = View {
            printer,
            form,
            composer: Composer::new(style, filter, order),
            width: Arc::clone(&width),
            told: Some(told),
            events: to_view,
            sources: Vec::new(),
            names: 0,
            first: 0,
            begun: Instant::now(),
        };
        // Of what becomes of the Jobs is told although nobody reads stdout.
        let said = to_thread.map(|said| std::thread::spawn(move || say(printer, said, &width)));
        (Teller { logs, events }, Self { shown: runtime.spawn(view.show()), said })
    }

    /// Waits until everything is shown.
    ///
    /// # Errors
    /// What stdout would not take, and why; `BrokenPipe` where nobody reads it any more.
    pub async fn finish(self) -> io::Result<()> {
        // A panic was printed by then and must not hide the outcome.
        let shown = self.shown.await.unwrap_or(Ok(()));
        if let Some(thread) = self.said {
            let _ = thread.join();
        }
        shown
    }
}

struct View {
    printer: Printer,
    form: LogForm,
    composer: Composer,
    /// How wide the column of names is.
    width: Arc<AtomicUsize>,
    told: Option<mpsc::UnboundedReceiver<Told>>,
    events: Option<mpsc::UnboundedReceiver<RunEvent>>,
    sources: Vec<Source>,
    /// How many names the composer was given.
    names: usize,
    /// Who is asked first, so that nobody always is.
    first: usize,
    begun: Instant,
}

/// A log that has not ended.
struct Source {
    /// Its name for the composer.
    name: usize,
    label: Label,
    items: mpsc::Receiver<Item>,
}

/// Says what becomes of Jobs and pods, a line each.
fn say(printer: Printer, mut events: mpsc::UnboundedReceiver<RunEvent>, width: &AtomicUsize) {
    let harmless = printer.stderr_is_terminal();
    while let Some(event) = events.blocking_recv() {
        if printer.is_quiet() {
            continue;
        }
        let style = Style { width: width.load(Ordering::Relaxed), harmless, color: true };
        if let Some(line) = event_line(&event, style) {
            let _ = writeln!(printer.stderr(), "{}", without_secrets(&line));
        }
    }
}

enum Heard {
    Told(Told),
    Event(RunEvent),
    Item(usize, Item),
    /// A log has ended.
    End(usize),
    /// No other log begins.
    AllBegun,
    /// Nothing is to be told any more.
    Silence,
}

impl View {
    async fn show(mut self) -> io::Result<()> {
        let (mut out, mut sink) = (Vec::new(), Sink::stdout());
        loop {
            match self.hear().await {
                None => {}
                Some(Heard::Silence) if self.sources.is_empty() => break,
                Some(heard) => {
                    self.take(heard, &mut out);
                    // What is there already is shown together.
                    while out.len() < ENOUGH
                        && let Some(heard) = self.at_once().await
                    {
                        self.take(heard, &mut out);
                    }
                }
            }
            self.composer.show(self.now(), &mut out);
            // Where nobody reads, whoever sends learns of it.
            sink.write(&mut out).await?;
        }
        self.composer.show(self.now(), &mut out);
        sink.write(&mut out).await?;
        sink.finish().await
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Waits until something is heard, or is due.
    async fn hear(&mut self) -> Option<Heard> {
        match self.composer.due() {
            None => Some(poll_fn(|context| self.poll(context)).await),
            Some(due) => {
                let wait = due.saturating_sub(self.now());
                tokio::time::timeout(wait, poll_fn(|context| self.poll(context))).await.ok()
            }
        }
    }

    async fn at_once(&mut self) -> Option<Heard> {
        poll_fn(|context| {
            Poll::Ready(match self.poll(context) {
                Poll::Ready(Heard::Silence) | Poll::Pending => None,
                Poll::Ready(heard) => Some(heard),
            })
        })
        .await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Heard> {
        if let Some(told) = &mut self.told {
            match told.poll_recv(context) {
                Poll::Ready(Some(told)) => return Poll::Ready(Heard::Told(told)),
                Poll::Ready(None) => {
                    self.told = None;
                    return Poll::Ready(Heard::AllBegun);
                }
                Poll::Pending => {}
            }
        }
        if let Some(events) = &mut self.events {
            match events.poll_recv(context) {
                Poll::Ready(Some(event)) => return Poll::Ready(Heard::Event(event)),
                Poll::Ready(None) => self.events = None,
                Poll::Pending => {}
            }
        }
        let count = self.sources.len();
        for offset in 0..count {
            let index = (self.first + offset) % count;
            let source = &mut self.sources[index];
            if !self.composer.wants(source.name) {
                continue;
            }
            if let Poll::Ready(item) = source.items.poll_recv(context) {
                self.first = index + 1;
                return Poll::Ready(
                    item.map_or(Heard::End(index), |item| Heard::Item(index, item)),
                );
            }
        }
        if self.told.is_none() && self.events.is_none() && count == 0 {
            return Poll::Ready(Heard::Silence);
        }
        Poll::Pending
    }

    fn take(&mut self, heard: Heard, out: &mut Vec<u8>) {
        let now = self.now();
        match heard {
            Heard::Told(Told { label, items }) => {
                let name = self.begin(label.clone());
                self.sources.push(Source { name, label, items });
            }
            Heard::Event(event) => self.composer.event(&event, out),
            Heard::Item(index, Item::Lines(batch)) => {
                self.composer.take(self.sources[index].name, batch, now);
                self.composer.show(now, out);
            }
            Heard::Item(index, Item::Gap(gap)) => {
                let time = gap.next.or(gap.last).unwrap_or_else(Timestamp::now);
                self.say(index, time, &gap.sentence());
            }
            Heard::Item(index, Item::Restarted) => self.restart(index),
            Heard::End(index) => {
                let source = self.sources.swap_remove(index);
                self.composer.end(source.name);
            }
            Heard::AllBegun => self.composer.all_have_begun(),
            Heard::Silence => {}
        }
    }

    fn begin(&mut self, label: Label) -> usize {
        let name = self.names;
        self.names += 1;
        let now = self.now();
        self.composer.begin(name, label, now);
        self.width.store(self.composer.width(), Ordering::Relaxed);
        name
    }

    /// Says something at this place of a log; where only its bytes are wanted, beside it.
    fn say(&mut self, index: usize, time: Timestamp, text: &str) {
        let Source { name, label, .. } = &self.sources[index];
        if self.form == LogForm::Raw {
            // Without a place among the bytes; but never silent, however quiet it is to be.
            let line =
                line_for_terminal(&format!("warning: {}: {text}", label.name())).into_owned();
            let _ = writeln!(self.printer.stderr(), "{line}");
        } else {
            let now = self.begun.elapsed();
            self.composer.notice(*name, time, text, now);
        }
    }

    fn restart(&mut self, index: usize) {
        let now = self.now();
        let source = &mut self.sources[index];
        source.label.attempt += 1;
        self.composer.restart(source.name, source.label.attempt, now);
        self.say(index, Timestamp::now(), "the container was restarted");
    }
}
