//! `runs`

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;
use tokio::sync::mpsc;

use super::entry::out;
use super::facts::connect;
use super::holders::{UNKNOWN, fill};
use super::look::allowed;
use super::watch::{Mirror, POLL_EVERY, Reader, Row, Shown, TOGETHER, print_changed};
use crate::cli::{RunsArgs, TableOutput};
use crate::cluster::{
    Cluster, ClusterError, Lease, MANAGED_BY, MANAGER, PlanFacts, RUN, RunRow, WatchScope, Watched,
    group_runs,
};
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Headers, Printer, Width, manifest, run_json, runs_json, runs_table};

/// Lists the runs, by two requests side by side, or three where it is told who drives them.
pub(super) fn runs(args: &RunsArgs, printer: Printer) -> Result<Exit, CliError> {
    let connected = connect(&args.connection)?;
    let cluster = &connected.cluster;
    printer.detail(&format!(
        "context {}, server {}",
        cluster.context().unwrap_or("none"),
        cluster.server()
    ));
    connected.runtime.block_on(async {
        let seen = Seen::read(cluster, args).await?;
        for missing in &seen.missing {
            printer.notice(missing);
        }
        let rows = seen.rows();
        show(args, &rows, cluster, printer)?;
        if args.watch {
            watch(args, seen, &rows, cluster, printer).await?;
        }
        Ok(Exit::Fine)
    })
}

struct Seen {
    jobs: Vec<Job>,
    plans: Vec<PlanFacts>,
    /// Where they are asked for and may be read.
    leases: Option<Vec<Lease>>,
    missing: Vec<String>,
}

impl Seen {
    async fn read(cluster: &Cluster, args: &RunsArgs) -> Result<Self, ClusterError> {
        let namespace = (!args.all_namespaces).then(|| cluster.namespace());
        let narrow = args.selector.as_deref().unwrap_or_default();
        let mut plans = format!("{MANAGED_BY}={MANAGER},{RUN}");
        if !narrow.is_empty() {
            plans = format!("{plans},{narrow}");
        }
        let (jobs, plans, leases) = tokio::join!(
            cluster.list_jobs(namespace, narrow),
            cluster.list_plans(namespace, &plans),
            leases(cluster, args)
        );
        let mut missing = Vec::new();
        let plans = allowed(plans, "runs of which no Job is left are missing", &mut missing)?;
        let leases = allowed(leases, UNKNOWN, &mut missing)?;
        Ok(Self { jobs: jobs?, plans, leases, missing })
    }

    fn rows(&self) -> Vec<RunRow> {
        let mut rows = group_runs(&self.jobs, &self.plans);
        if let Some(leases) = &self.leases {
            fill(&mut rows, leases, &self.plans, &self.jobs);
        }
        rows
    }
}

/// Reads the Leases of runs, where who drives them is to be told.
async fn leases(cluster: &Cluster, args: &RunsArgs) -> Result<Option<Vec<Lease>>, ClusterError> {
    if matches!(args.output, TableOutput::Table | TableOutput::Name) {
        return Ok(None);
    }
    let namespace = (!args.all_namespaces).then(|| cluster.namespace());
    let ours = format!("{MANAGED_BY}={MANAGER},{RUN}");
    cluster.list_leases(namespace, &ours).await.map(Some)
}

fn width(output: TableOutput) -> Width {
    if output == TableOutput::Wide { Width::Wide } else { Width::Narrow }
}

fn show(
    args: &RunsArgs,
    rows: &[RunRow],
    cluster: &Cluster,
    printer: Printer,
) -> Result<(), CliError> {
    match args.output {
        TableOutput::Table | TableOutput::Wide if rows.is_empty() => {
            if args.all_namespaces {
                printer.notice("No runs found.");
            } else {
                printer.notice(&format!("No runs found in namespace {}.", cluster.namespace()));
            }
            Ok(())
        }
        TableOutput::Table | TableOutput::Wide => {
            let headers = if args.no_headers { Headers::Hidden } else { Headers::Shown };
            let width = width(args.output);
            out(printer, &runs_table(rows, args.all_namespaces, width, headers, Timestamp::now()))
        }
        TableOutput::Json => out(printer, &manifest::json(&runs_json(rows))),
        TableOutput::Yaml => out(printer, &manifest::yaml(&runs_json(rows))),
        TableOutput::Name => {
            let names: Vec<String> = rows.iter().map(|row| format!("run/{}\n", row.run)).collect();
            out(printer, &names.concat())
        }
    }
}

fn as_rows(rows: &[RunRow]) -> Vec<Row> {
    let row = |row: &RunRow| Row { key: format!("run/{}", row.run), state: run_json(row) };
    rows.iter().map(row).collect()
}

/// Prints each run again when a Job changes it; plans are read anew where Jobs may not be watched.
async fn watch(
    args: &RunsArgs,
    mut seen: Seen,
    rows: &[RunRow],
    cluster: &Cluster,
    printer: Printer,
) -> Result<(), CliError> {
    let mut shown = Shown::default();
    shown.changed(&as_rows(rows));
    let scope = WatchScope {
        namespace: if args.all_namespaces { String::new() } else { cluster.namespace().to_owned() },
        labels: args.selector.clone().unwrap_or_default(),
        fields: String::new(),
    };
    let (sender, mut received) = mpsc::unbounded_channel::<Watched<Job>>();
    let mut mirror = Mirror::new(&seen.jobs);
    let watching = cluster.watch::<Job>(&scope, move |change| drop(sender.send(change)));
    let follow = async {
        let mut refused = false;
        loop {
            if refused {
                tokio::time::sleep(POLL_EVERY).await;
                seen = Seen::read(cluster, args).await?;
            } else {
                let Some(change) = received.recv().await else { return Ok(()) };
                tokio::time::sleep(TOGETHER).await;
                let mut next = Some(change);
                while let Some(change) = next {
                    if let Err(error) = mirror.take(change) {
                        printer.notice(&format!(
                            "runs are read again and again instead of watched: {error}"
                        ));
                        refused = true;
                    }
                    next = received.try_recv().ok();
                }
                seen.jobs = mirror.items();
                if seen.leases.is_some() {
                    seen.leases = leases(cluster, args).await?;
                }
            }
            let rows = seen.rows();
            let lines = as_rows(&rows);
            let changed = shown.changed(&lines);
            let table = runs_table(
                &rows,
                args.all_namespaces,
                width(args.output),
                Headers::Hidden,
                Timestamp::now(),
            );
            if print_changed(printer, args.output, &lines, &changed, &table)? == Reader::Gone {
                return Ok(());
            }
        }
    };
    // The watch ends when it is refused; then it is polled.
    let watching = async {
        watching.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        result = follow => result,
        () = watching => Ok(()),
    }
}
