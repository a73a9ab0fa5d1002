//! `explain-config`

use serde_json::json;

use super::entry::out;
use super::load::{Loaded, LoadedJob, Masked, Request, load_jobs};
use super::maker::{Naming, Widen};
use crate::cli::{ExplainArgs, ExplainOutput};
use crate::config::job_paths;
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::explain::{Query, Row, job_json, layer_rows, matching, rows, why};
use crate::job::RenderedJob;
use crate::project::Missing;
use crate::ui::{Headers, Printer, manifest, table};

/// Prints which layer supplied each value.
pub(super) fn explain(args: &ExplainArgs, printer: Printer) -> Result<Exit, CliError> {
    let targets: Vec<String> = args.target.iter().cloned().collect();
    let request = Request {
        targets: &targets,
        args: &args.config,
        connection: &args.connection,
        widen: Widen::default(),
        naming: &|_| Naming::Target,
        missing_secret: Missing::Placeholder,
        masked: Masked::Shown,
    };
    let (loaded, jobs) = load_jobs(&request, printer)?;
    let query = Query {
        paths: args.paths.clone(),
        all: args.all,
        overridden: args.overridden,
        show_secrets: args.show_secrets,
    };
    if args.output == ExplainOutput::Json {
        out(printer, &manifest::json(&as_json(&loaded, &jobs, &query)))?;
        return Ok(Exit::Fine);
    }
    let several = jobs.len() > 1;
    for (index, job) in jobs.iter().enumerate() {
        if index > 0 {
            out(printer, "\n")?;
        }
        if several {
            out(printer, &format!("{}\n", title(&job.job)))?;
        }
        show(args, job, &query, printer)?;
    }
    Ok(Exit::Fine)
}

fn title(job: &RenderedJob) -> String {
    match &job.block {
        Some(block) => {
            format!("{}/{block}  job.batch/{} in {}", job.pipeline, job.name, job.namespace)
        }
        None => format!("{}  job.batch/{} in {}", job.pipeline, job.name, job.namespace),
    }
}

fn as_json(loaded: &Loaded, jobs: &[LoadedJob], query: &Query) -> serde_json::Value {
    let edition = loaded.edition.name();
    let mut items: Vec<_> =
        jobs.iter().map(|loaded| job_json(&loaded.job, edition, &loaded.layers, query)).collect();
    if loaded.whole_pipeline { json!({"items": items}) } else { items.remove(0) }
}

fn show(
    args: &ExplainArgs,
    loaded: &LoadedJob,
    query: &Query,
    printer: Printer,
) -> Result<(), CliError> {
    let job = &loaded.job;
    if args.layers {
        let rows = layer_rows(&loaded.layers);
        let headers = ["LAYER", "PRESENT", "SOURCE", "LOOKED FOR"];
        return out(printer, &table(&headers, shown_headers(args), rows));
    }
    if let Some(path) = &args.why {
        let text = why(job, path, query.show_secrets).ok_or_else(|| unset(job, path))?;
        return out(printer, &text);
    }
    for path in &args.paths {
        let lost =
            job.lost.iter().any(|(lost, _)| job_paths(path).iter().any(|p| lost.starts_with(p)));
        if matching(job, path).is_empty() && !(lost && args.overridden) {
            return Err(unset(job, path));
        }
    }
    let rows = rows(job, query);
    let headers = ["PATH", "VALUE", "LAYER", "SOURCE", "WHY", "JOB PATH"];
    let cells = rows.iter().map(cells).collect();
    out(printer, &table(&headers, shown_headers(args), cells))
}

fn unset(job: &RenderedJob, path: &str) -> CliError {
    let settings: Vec<&str> =
        job.values.iter().map(|value| value.origin.setting.as_str()).collect();
    let problem = Problem::new(format!("no layer sets `{path}` for job.batch/{}", job.name));
    CliError::new(
        Exit::No,
        match crate::config::nearest(path, settings) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem
                .hint("leave the path out to see every value, with --all the built-in ones too"),
        },
    )
}

/// One line of the table.
fn cells(row: &Row) -> Vec<String> {
    let paths: Vec<String> = row.job_paths.iter().map(ToString::to_string).collect();
    vec![
        if row.setting.is_empty() { paths[0].clone() } else { row.setting.clone() },
        row.value.replace('\n', "\\n"),
        row.layer.to_owned(),
        row.source.clone(),
        if row.why.is_empty() { "-".to_owned() } else { row.why.clone() },
        paths.join(" "),
    ]
}

fn shown_headers(args: &ExplainArgs) -> Headers {
    if args.no_headers { Headers::Hidden } else { Headers::Shown }
}
