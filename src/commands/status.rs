//! `status`

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::jiff::Timestamp;
use tokio::sync::mpsc;

use super::entry::out;
use super::facts::connect;
use super::holders::{coming_driver, driving};
use super::look::{Seen, allowed, not_found};
use super::run_name::RunName;
use super::subject::Subject;
use super::watch::{Mirror, POLL_EVERY, Reader, Row, Shown, TOGETHER, print_changed};
use crate::cli::{StatusArgs, TableOutput};
use crate::cluster::{Cluster, RunRow, RunStatus, Source, WatchScope, Watched, blocks_selector};
use crate::diagnose::{Standing, standing};
use crate::error::CliError;
use crate::exit::Exit;
use crate::run::record_name;
use crate::status::{RunView, blocks, run_view};
use crate::ui::{
    Headers, Printer, Width, driving_sentence, manifest, status_json, status_table, unmet_words,
};

/// Shows a run block by block, by at most five requests in two round trips.
pub(super) fn status(args: &StatusArgs, printer: Printer) -> Result<Exit, CliError> {
    let subject = Subject::parse_run(&args.run)?;
    let connected = connect(&args.connection)?;
    let cluster = &connected.cluster;
    connected.runtime.block_on(async {
        let read = Read::new(cluster, &subject).await?;
        for missing in &read.seen.missing {
            printer.notice(missing);
        }
        let view = read.view();
        show(args, &view, printer)?;
        if args.watch {
            Box::pin(watch(args, &subject, read, &view, cluster, printer)).await?;
        }
        Ok(Exit::Fine)
    })
}

/// A run and what explains its Jobs without a pod.
struct Read {
    seen: Seen,
    row: RunRow,
    events: Vec<Event>,
}

impl Read {
    async fn new(cluster: &Cluster, subject: &Subject) -> Result<Self, CliError> {
        let namespace = cluster.namespace();
        let named = async {
            let Subject::Run(RunName::Named(run)) = subject else { return None };
            Some(cluster.get_lease(namespace, &record_name(run)).await)
        };
        let (seen, lease) = tokio::join!(Seen::read(cluster, namespace, subject), named);
        let mut seen = seen?;
        let Some(mut row) = seen.run(subject) else {
            return Err(not_found(cluster, &seen, subject).await);
        };
        let coming = coming_driver(&seen.jobs, namespace, &row.run);
        seen.keep(&row);
        let podless = blocks(&seen.jobs, &seen.pods)
            .iter()
            .any(|block| standing(block.job, &block.pods) == Standing::NoPod);
        let lease = async {
            match lease {
                None if row.source == Source::Run && !podless => {
                    Some(cluster.get_lease(namespace, &record_name(&row.run)).await)
                }
                // The plan and the events of `@latest` are requests enough.
                lease => lease,
            }
        };
        let events = async {
            if podless {
                let fields = "involvedObject.kind=Job,reason=FailedCreate";
                cluster.list_events(namespace, fields).await
            } else {
                Ok(Vec::new())
            }
        };
        let (planned, lease, events) =
            tokio::join!(seen.read_plan(cluster, &row.run), lease, events);
        planned?;
        if let Some(lease) = lease {
            let has_plan = !seen.plans.is_empty();
            row.driving = driving(lease, has_plan, coming, &mut seen.missing)?;
        }
        let events = allowed(events, "why a Job has no pod is not known", &mut seen.missing)?;
        Ok(Self { seen, row, events })
    }

    fn view(&self) -> RunView {
        let found = blocks(&self.seen.jobs, &self.seen.pods);
        let (row, plan) = (self.row.clone(), self.seen.planned());
        run_view(row, &found, &self.events, &plan, &self.seen.unmet(), &self.seen.noted())
    }

    /// Sees how the run stands now, by the Jobs and pods as they are.
    fn refresh(&mut self, subject: &Subject) {
        if let Some(row) = self.seen.run(subject) {
            self.row = row;
        } else {
            self.row.status = RunStatus::Unknown;
        }
    }
}

fn width(output: TableOutput) -> Width {
    if output == TableOutput::Wide { Width::Wide } else { Width::Narrow }
}

fn show(args: &StatusArgs, view: &RunView, printer: Printer) -> Result<(), CliError> {
    match args.output {
        TableOutput::Table | TableOutput::Wide => {
            printer.notice(&headline(&view.row));
            if let Some(driving) = driving_sentence(&view.row, Timestamp::now()) {
                printer.notice(&driving);
            }
            let headers = if args.no_headers { Headers::Hidden } else { Headers::Shown };
            out(printer, &status_table(view, width(args.output), headers, Timestamp::now()))
        }
        TableOutput::Json => out(printer, &manifest::json(&status_json(view))),
        TableOutput::Yaml => out(printer, &manifest::yaml(&status_json(view))),
        TableOutput::Name => {
            let jobs = view.blocks.iter().filter_map(|block| block.job.as_ref());
            let names: Vec<String> = jobs.map(|job| format!("job.batch/{job}\n")).collect();
            out(printer, &names.concat())
        }
    }
}

fn headline(row: &RunRow) -> String {
    let total = row.total.map_or_else(|| "?".to_owned(), |total| total.to_string());
    let text = format!(
        "run {} in namespace {}: pipeline {}, {}, {}/{total} blocks complete{}",
        row.run,
        row.namespace,
        row.pipeline,
        row.status,
        row.done,
        unmet_words(row)
    );
    match (row.status, row.source) {
        (RunStatus::Failed, _) => {
            format!("{text}\nsee why: kubectl mage why {} -n {}", row.run, row.namespace)
        }
        (RunStatus::Unknown, Source::Server) => format!(
            "{text}\nthe Mage server deletes each Job some seconds after its end: blocks of which no Job is left are not shown"
        ),
        _ => text,
    }
}

fn as_rows(view: &RunView) -> Vec<Row> {
    let json = status_json(view);
    let key = |index: usize| {
        let block = &view.blocks[index];
        block.job.as_ref().map_or_else(|| block.block.clone(), |job| format!("job.batch/{job}"))
    };
    let items = json["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().enumerate().map(|(index, state)| Row { key: key(index), state }).collect()
}

enum Change {
    Job(Box<Watched<Job>>),
    Pod(Box<Watched<Pod>>),
}

/// Prints each block again when its Job or pod changes it.
async fn watch(
    args: &StatusArgs,
    subject: &Subject,
    mut read: Read,
    view: &RunView,
    cluster: &Cluster,
    printer: Printer,
) -> Result<(), CliError> {
    let mut shown = Shown::default();
    shown.changed(&as_rows(view));
    // What `@latest` names must not change while it is watched.
    let subject = match (subject, read.row.source) {
        (Subject::Run(_), _) => Subject::parse_run(&read.row.run)?,
        (other, _) => other.clone(),
    };
    let labels = match read.row.source {
        Source::Run => blocks_selector(&read.row.run),
        Source::Apply | Source::Server => String::new(),
    };
    let scope =
        WatchScope { namespace: read.seen.namespace.clone(), labels, fields: String::new() };
    let (sender, mut received) = mpsc::unbounded_channel();
    let (of_jobs, of_pods) = (sender.clone(), sender);
    let watching = async {
        tokio::join!(
            cluster.watch::<Job>(&scope, move |change| drop(
                of_jobs.send(Change::Job(Box::new(change)))
            )),
            cluster.watch::<Pod>(&scope, move |change| drop(
                of_pods.send(Change::Pod(Box::new(change)))
            )),
        );
        std::future::pending::<()>().await;
    };
    let mut jobs = Mirror::new(&read.seen.jobs);
    let mut pods = Mirror::new(&read.seen.pods);
    let follow = async {
        let mut refused = false;
        loop {
            if refused {
                tokio::time::sleep(POLL_EVERY).await;
                read = Read::new(cluster, &subject).await?;
            } else {
                let Some(change) = received.recv().await else { return Ok(()) };
                tokio::time::sleep(TOGETHER).await;
                let mut next = Some(change);
                while let Some(change) = next {
                    let taken = match change {
                        Change::Job(change) => jobs.take(*change),
                        Change::Pod(change) => pods.take(*change),
                    };
                    if let Err(error) = taken {
                        printer.notice(&format!(
                            "it is read again and again instead of watched: {error}"
                        ));
                        refused = true;
                    }
                    next = received.try_recv().ok();
                }
                read.seen.jobs = jobs.items();
                read.seen.pods = pods.items();
                read.refresh(&subject);
                let row = read.row.clone();
                read.seen.keep(&row);
            }
            let view = read.view();
            let lines = as_rows(&view);
            let changed = shown.changed(&lines);
            let table = status_table(&view, width(args.output), Headers::Hidden, Timestamp::now());
            if print_changed(printer, args.output, &lines, &changed, &table)? == Reader::Gone {
                return Ok(());
            }
        }
    };
    tokio::select! {
        result = follow => result,
        () = watching => Ok(()),
    }
}
