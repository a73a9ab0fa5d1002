//! `explain-config`

use serde_json::json;

use super::api_defaults::api_defaults;
use super::entry::{out, styled_out};
use super::load::{Loaded, LoadedJob, Masked, Request, load_jobs};
use super::maker::{Naming, Widen};
use crate::cli::{ExplainArgs, ExplainOutput};
use crate::config::{UnknownPath, check_path};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::explain::{
    EXECUTOR_TYPE, Query, comments, executor_text, job_json, layer_rows, links, matching,
    matching_lost, rows, why,
};
use crate::job::RenderedJob;
use crate::project::Missing;
use crate::ui::{
    Headers, Printer, annotated, explain_table, manifest, table, with_links, without_secrets,
};

/// Prints which layer supplied each value.
pub(super) fn explain(args: &ExplainArgs, printer: Printer) -> Result<Exit, CliError> {
    let query = query(args)?;
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
    let (loaded, mut jobs) = load_jobs(&request, printer)?;
    // The annotated Job is the one that is sent.
    if args.all && args.output != ExplainOutput::Annotated {
        api_defaults(&loaded, &mut jobs, &args.config, printer);
    }
    for path in &query.paths {
        named(&jobs, path, args.overridden || args.why.is_some())?;
    }
    match args.output {
        ExplainOutput::Json => out(printer, &manifest::json(&as_json(&loaded, &jobs, &query)))?,
        ExplainOutput::Annotated => out(printer, &as_annotated(&jobs, &query))?,
        ExplainOutput::Table => {
            let several = jobs.len() > 1;
            for (index, job) in jobs.iter().enumerate() {
                if index > 0 {
                    out(printer, "\n")?;
                }
                if several {
                    out(printer, &format!("{}\n", hushed(&title(&job.job), &query)))?;
                }
                show(args, job, &query, printer)?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// Reads what is asked for; a path that no Job can have is an error.
fn query(args: &ExplainArgs) -> Result<Query, CliError> {
    for path in args.paths.iter().chain(&args.why) {
        check_path(path).map_err(|unknown| unknown_path(path, unknown))?;
    }
    if args.output == ExplainOutput::Annotated && !(args.paths.is_empty() && args.why.is_none()) {
        let problem = Problem::new("-o annotated shows the whole Job, and a path is given");
        return Err(CliError::usage(
            problem.hint("leave the path out, or use the table or -o json"),
        ));
    }
    Ok(Query {
        paths: args.paths.iter().chain(&args.why).cloned().collect(),
        all: args.all,
        overridden: args.overridden,
        show_secrets: args.show_secrets,
    })
}

fn unknown_path(path: &str, unknown: UnknownPath) -> CliError {
    let part = match unknown.part.as_str() {
        part if part == path => String::new(),
        part => format!(": `{part}` is not known"),
    };
    let problem = Problem::new(format!("no setting and no field of a Job is `{path}`{part}"));
    let hint = if let Some(near) = unknown.near {
        format!("did you mean `{near}`?")
    } else {
        let first: Vec<&str> = unknown.known.iter().take(10).map(String::as_str).collect();
        format!("known: {}", first.join(", "))
    };
    CliError::usage(problem.hint(hint))
}

/// Makes sure that a layer says something about a path, for one of the Jobs at least.
fn named(jobs: &[LoadedJob], path: &str, lost_too: bool) -> Result<(), CliError> {
    let is_said = |job: &RenderedJob| {
        !matching(job, path).is_empty() || (lost_too && !matching_lost(job, path).is_empty())
    };
    if path == EXECUTOR_TYPE || jobs.iter().any(|loaded| is_said(&loaded.job)) {
        return Ok(());
    }
    let of = match jobs {
        [only] => format!("job.batch/{}", only.job.name),
        several => format!("any of {} Jobs", several.len()),
    };
    let problem = Problem::new(format!("no layer sets `{path}` for {of}"));
    let has_lost = jobs.iter().any(|loaded| !matching_lost(&loaded.job, path).is_empty());
    let hint = if has_lost {
        format!("what was said did not make it into the Job: see --why '{path}'")
    } else {
        "it is a field of a Job that nobody sets; leave the path out to see what is set".to_owned()
    };
    Err(CliError::new(Exit::No, problem.hint(hint)))
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
    let mut items: Vec<_> = jobs
        .iter()
        .map(|loaded| job_json(&loaded.job, &loaded.executor, edition, &loaded.layers, query))
        .collect();
    if !query.show_secrets {
        items.iter_mut().for_each(hush_json);
    }
    if loaded.whole_pipeline || items.len() != 1 {
        json!({"items": items})
    } else {
        items.remove(0)
    }
}

/// Leaves secrets out of what is told beside the values of a Job, whose secrets are masked one by one.
fn hushed(text: &str, query: &Query) -> String {
    if query.show_secrets { text.to_owned() } else { without_secrets(text).into_owned() }
}

fn hush_json(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(items) => items.iter_mut().for_each(hush_json),
        serde_json::Value::Object(map) => {
            let mut redacted = false;
            for (key, value) in map.iter_mut() {
                match value {
                    serde_json::Value::String(text)
                        if ["name", "namespace", "value"].contains(&key.as_str()) =>
                    {
                        let shown = without_secrets(text).into_owned();
                        redacted |= key == "value" && shown != *text;
                        *text = shown;
                    }
                    _ => hush_json(value),
                }
            }
            if let Some(known) = map.get_mut("redacted").filter(|_| redacted) {
                *known = true.into();
            }
        }
        _ => {}
    }
}

fn as_annotated(jobs: &[LoadedJob], query: &Query) -> String {
    let documents = jobs.iter().map(|loaded| {
        let comments = comments(&loaded.job, query.show_secrets);
        let manifest = loaded.job.manifest(!query.show_secrets);
        annotated(&manifest, &|path| comments.at(path).map(str::to_owned))
    });
    documents.collect::<Vec<_>>().join("---\n")
}

fn show(
    args: &ExplainArgs,
    loaded: &LoadedJob,
    query: &Query,
    printer: Printer,
) -> Result<(), CliError> {
    let job = &loaded.job;
    let headers = if args.no_headers { Headers::Hidden } else { Headers::Shown };
    if args.layers {
        let rows = layer_rows(&loaded.layers);
        let names = ["LAYER", "PRESENT", "SOURCE", "LOOKED FOR"];
        return out(printer, &table(&names, headers, rows));
    }
    if query.asks_for_executor() {
        told(loaded, &hushed(&executor_text(&loaded.executor), query), printer)?;
        if query.asks_only_for_executor() {
            return Ok(());
        }
    }
    if let Some(path) = &args.why {
        let nothing = || format!("no layer sets {path}\n");
        let text = why(job, path, query.show_secrets).unwrap_or_else(nothing);
        return told(loaded, &hushed(&text, query), printer);
    }
    let rows = rows(job, query);
    let terminal = printer.terminal();
    let text = explain_table(&rows, headers, terminal);
    match terminal {
        Some(_) => styled_out(printer, &text),
        None => out(printer, &text),
    }
}

/// Prints a text whose sources are links on a terminal that has them.
fn told(loaded: &LoadedJob, text: &str, printer: Printer) -> Result<(), CliError> {
    match printer.terminal() {
        Some(terminal) if terminal.links => {
            let links = links(&loaded.job, &loaded.executor);
            styled_out(printer, &with_links(text, &links))
        }
        _ => out(printer, text),
    }
}
