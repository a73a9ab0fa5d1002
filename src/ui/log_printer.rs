//! Shows logs on a thread of its own: a slow terminal or a stopped pipe stalls nothing but itself, and
//! no line is lost by it.

use std::future::poll_fn;
use std::io::{self, Write};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use tokio::sync::mpsc;

use super::log_label::Label;
use super::log_view::{Composer, LogForm, LogStyle};
use super::printer::Printer;
use super::run_text::{Style, event_line};
use crate::logs::{Filter, Item, Order};
use crate::run::RunEvent;
use crate::tail::Told;

/// So much is written at once.
const ENOUGH: usize = 64 << 10;

/// Shows logs.
#[derive(Debug)]
pub struct LogPrinter {
    thread: JoinHandle<()>,
}

impl LogPrinter {
    /// Starts showing; whatever is to be shown goes to the sender.
    pub fn start(
        printer: Printer,
        style: LogStyle,
        filter: Filter,
        order: Order,
    ) -> io::Result<(mpsc::UnboundedSender<Told>, Self)> {
        let (sender, told) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let view = View {
            printer,
            form: style.form,
            composer: Composer::new(style, filter, order),
            order,
            told: Some(told),
            sources: Vec::new(),
            names: 0,
            first: 0,
            begun: Instant::now(),
        };
        let thread = std::thread::spawn(move || runtime.block_on(view.show()));
        Ok((sender, Self { thread }))
    }

    /// Waits until everything is shown.
    pub fn finish(self) {
        // A panic of the thread was printed by then and must not hide the outcome.
        let _ = self.thread.join();
    }
}

struct View {
    printer: Printer,
    form: LogForm,
    composer: Composer,
    order: Order,
    told: Option<mpsc::UnboundedReceiver<Told>>,
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

enum Heard {
    Told(Told),
    Item(usize, Item),
    /// A log has ended.
    End(usize),
    /// Nothing is to be told any more.
    Silence,
}

impl View {
    async fn show(mut self) {
        let mut out = Vec::new();
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
            if Self::write(&mut out).is_err() {
                // Nobody reads: whoever sends learns of it.
                return;
            }
        }
        self.composer.show(self.now(), &mut out);
        let _ = Self::write(&mut out);
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
                Poll::Ready(None) => self.told = None,
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
        if self.told.is_none() && count == 0 {
            return Poll::Ready(Heard::Silence);
        }
        Poll::Pending
    }

    fn take(&mut self, heard: Heard, out: &mut Vec<u8>) {
        let now = self.now();
        match heard {
            Heard::Told(Told::Log { label, items }) => {
                let name = self.begin(label.clone());
                self.sources.push(Source { name, label, items });
            }
            Heard::Told(Told::Event(event)) => self.tell(&event, out),
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
            Heard::Silence => {}
        }
    }

    fn begin(&mut self, label: Label) -> usize {
        let name = self.names;
        self.names += 1;
        let now = self.now();
        self.composer.begin(name, label, now);
        name
    }

    /// Says something at this place of a log; where only its bytes are wanted, beside it.
    fn say(&mut self, index: usize, time: Timestamp, text: &str) {
        let Source { name, label, .. } = &self.sources[index];
        if self.form == LogForm::Raw {
            self.printer.warning(&format!("{}: {text}", label.name()));
        } else {
            let now = self.begun.elapsed();
            self.composer.notice(*name, time, text, now);
        }
    }

    fn restart(&mut self, index: usize) {
        self.say(index, Timestamp::now(), "the container was restarted");
        // One after the other, the next run's lines belong right behind those of the last.
        if self.order == Order::Sequence {
            return;
        }
        self.composer.end(self.sources[index].name);
        let mut label = self.sources[index].label.clone();
        label.attempt += 1;
        self.sources[index].name = self.begin(label.clone());
        self.sources[index].label = label;
    }

    fn tell(&mut self, event: &RunEvent, out: &mut Vec<u8>) {
        if self.form == LogForm::Json {
            self.composer.event(event, out);
            return;
        }
        if self.printer.is_quiet() {
            return;
        }
        let harmless = self.printer.stderr_is_terminal();
        let style = Style { width: self.composer.width(), harmless, color: true };
        if let Some(line) = event_line(event, style) {
            let _ = writeln!(self.printer.stderr(), "{line}");
        }
    }

    fn write(out: &mut Vec<u8>) -> io::Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(out)?;
        stdout.flush()?;
        out.clear();
        out.shrink_to(ENOUGH * 4);
        Ok(())
    }
}
