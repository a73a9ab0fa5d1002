//! `snapshot`

use std::collections::BTreeSet;
use std::path::Path;

use super::entry::out;
use super::facts::{Connected, connect, connect_for_facts};
use super::load::{Masked, Request, load_with};
use super::maker::{Naming, Widen};
use super::targets::pipelines;
use super::validate::refuse_without_connection;
use crate::cli::{ConfigArgs, ConnectionArgs, SnapshotArgs, SnapshotOutput};
use crate::error::CliError;
use crate::exit::Exit;
use crate::job::RenderedJob;
use crate::load::{ClusterFacts, find_project, read_server_env};
use crate::project::Missing;
use crate::snapshot::Snapshot;
use crate::ui::{ColorWhen, Printer, Verbosity, manifest};

/// Writes what `--snapshot` reads.
pub(super) fn snapshot(args: &SnapshotArgs, printer: Printer) -> Result<Exit, CliError> {
    refuse_without_connection(&args.config, "snapshot")?;
    let env = read_server_env(&args.config)?;
    let (mut facts, connected, notices) = connect_for_facts(&args.config, &args.connection, &env)?;
    let connected = match connected {
        Some(connected) => connected,
        None => connect(&args.connection)?,
    };
    for notice in &notices {
        printer.notice(notice);
    }
    fill((&args.config, &args.connection), &mut facts, &connected, printer)?;
    let snapshot = facts.snapshot.masked();
    tell(&snapshot, printer);
    let value = serde_json::to_value(&snapshot).unwrap_or_default();
    let text = match args.output {
        SnapshotOutput::Json => manifest::json(&value),
        SnapshotOutput::Yaml => manifest::yaml(&value),
    };
    out(printer, &text)?;
    Ok(Exit::Fine)
}

/// Returns the namespaces of the project's Jobs, of `-n` and of the server's pod; without any, the
/// context's. A pipeline whose Jobs cannot be made is named and left out.
fn namespaces(
    (config, connection): (&ConfigArgs, &ConnectionArgs),
    facts: &ClusterFacts,
    current: &str,
    printer: Printer,
) -> Result<BTreeSet<String>, CliError> {
    let pod = facts.snapshot.server_pod.pod.as_ref();
    let of_pod = pod.and_then(|pod| pod["metadata"]["namespace"].as_str()).map(str::to_owned);
    let mut namespaces: BTreeSet<String> =
        connection.given_namespace().map(str::to_owned).into_iter().chain(of_pod).collect();
    let project = match find_project(config.project.as_deref()) {
        Ok(project) => Some(project),
        Err(error) if config.project.is_some() => return Err(error),
        Err(error) => {
            printer.notice(&format!("{error}: the namespaces of its Jobs are not asked"));
            None
        }
    };
    let unmade = match &project {
        Some(project) => each_job(project, (config, connection), facts, &mut |_, job| {
            namespaces.insert(job.namespace);
        })?,
        None => Vec::new(),
    };
    for (pipeline, error) in unmade {
        printer.warning(&format!(
            "not all namespaces of pipeline {pipeline} are asked, since its Jobs cannot be made: {error}"
        ));
    }
    if namespaces.is_empty() {
        namespaces.insert(current.to_owned());
    }
    Ok(namespaces)
}

/// Makes every Job of the project, and says of which pipelines they cannot be made. What they are
/// made of is told when they are made; here only what they want of a cluster matters.
pub(super) fn each_job(
    project: &Path,
    (config, connection): (&ConfigArgs, &ConnectionArgs),
    facts: &ClusterFacts,
    each: &mut dyn FnMut(&str, RenderedJob),
) -> Result<Vec<(String, CliError)>, CliError> {
    let quiet = Printer::new(ColorWhen::Never, Verbosity::Quiet);
    let mut unmade = Vec::new();
    for pipeline in pipelines(project) {
        let request = Request {
            targets: std::slice::from_ref(&pipeline),
            args: config,
            connection,
            widen: Widen::default(),
            naming: &|_| Naming::Target,
            missing_secret: Missing::Placeholder,
            masked: Masked::Shown,
        };
        let given = (read_server_env(config)?, facts, Vec::new());
        let made = load_with(given, &request, quiet, &mut |_, job| each(&pipeline, job));
        if let Err(error) = made {
            unmade.push((pipeline, error));
        }
    }
    Ok(unmade)
}

/// Asks the cluster about the namespaces of the project's Jobs, of `-n` and of the server's pod.
pub(super) fn fill(
    args: (&ConfigArgs, &ConnectionArgs),
    facts: &mut ClusterFacts,
    connected: &Connected,
    printer: Printer,
) -> Result<(), CliError> {
    let namespaces = namespaces(args, facts, connected.cluster.namespace(), printer)?;
    let fill = connected.cluster.fill_snapshot(&mut facts.snapshot, &namespaces);
    Ok(connected.runtime.block_on(fill)?)
}

/// Says what is not in the snapshot.
fn tell(snapshot: &Snapshot, printer: Printer) {
    let names: Vec<&str> = snapshot.namespaces.keys().map(String::as_str).collect();
    printer.notice(&format!("namespaces asked: {}", names.join(", ")));
    for gap in &snapshot.unreadable {
        let place = gap.namespace.as_ref().map(|name| format!(" in namespace {name}"));
        printer.warning(&format!(
            "cannot {} {}{}: what depends on them stays unknown",
            gap.verb,
            gap.resource,
            place.unwrap_or_default()
        ));
    }
    let server = &snapshot.server_pod;
    let masked = server.masked.len()
        + server.variables.iter().filter(|variable| variable.masked).count()
        + server.files.iter().map(|file| file.masked.len()).sum::<usize>();
    if let Some(pod) = &server.pod {
        let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default().to_owned();
        let (name, namespace) = (text("name"), text("namespace"));
        let masked = match masked {
            0 => String::new(),
            count => format!(
                "; secret values masked in it: {count} (a Job that needs one wants --server-env NAME=VALUE)"
            ),
        };
        printer.notice(&format!("server pod {name} in namespace {namespace}{masked}"));
    }
}
