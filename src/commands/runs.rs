//! `runs`

use k8s_openapi::jiff::Timestamp;

use super::entry::out;
use super::facts::connect;
use crate::cli::{RunsArgs, RunsOutput};
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Headers, Printer, manifest, runs_json, runs_table};

/// Lists the runs, by one request.
pub(super) fn runs(args: &RunsArgs, printer: Printer) -> Result<Exit, CliError> {
    let connected = connect(&args.connection)?;
    let cluster = &connected.cluster;
    printer.detail(&format!(
        "context {}, server {}",
        cluster.context().unwrap_or("none"),
        cluster.server()
    ));
    let namespace = (!args.all_namespaces).then(|| cluster.namespace());
    let rows =
        connected.runtime.block_on(cluster.list_runs(namespace, args.selector.as_deref()))?;
    match args.output {
        RunsOutput::Table if rows.is_empty() => match namespace {
            Some(namespace) => printer.notice(&format!("No runs found in namespace {namespace}.")),
            None => printer.notice("No runs found."),
        },
        RunsOutput::Table => {
            let headers = if args.no_headers { Headers::Hidden } else { Headers::Shown };
            out(printer, &runs_table(&rows, args.all_namespaces, headers, Timestamp::now()))?;
        }
        RunsOutput::Json => out(printer, &manifest::json(&runs_json(&rows)))?,
        RunsOutput::Yaml => out(printer, &manifest::yaml(&runs_json(&rows)))?,
        RunsOutput::Name => {
            let names: Vec<String> = rows.iter().map(|row| format!("run/{}\n", row.run)).collect();
            out(printer, &names.concat())?;
        }
    }
    Ok(Exit::Fine)
}
