//! `render`

use serde_json::{Value as Json, json};

use super::entry::out;
use super::load::{Naming, Widen, load_jobs};
use crate::cli::{RenderArgs, RenderOutput};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::job::RenderedJob;
use crate::job::secret::MASK;
use crate::ui::{Printer, manifest};

/// Prints the Jobs as they would be sent.
pub(super) fn render(args: &RenderArgs, printer: Printer) -> Result<Exit, CliError> {
    let loaded = load_jobs(
        &args.targets,
        &args.config,
        &args.connection,
        &Widen::default(),
        &|_| Naming::Target,
        printer,
    )?;
    for loaded in &loaded.jobs {
        tell_secrets(&loaded.job, args.mask, printer);
    }
    let jobs: Vec<Json> =
        loaded.jobs.iter().map(|loaded| manifest_of(&loaded.job, args.mask)).collect();
    match args.output {
        RenderOutput::Yaml => out(printer, &manifest::documents(&jobs))?,
        RenderOutput::Json => {
            let list = json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": jobs});
            out(printer, &manifest::json(&list))?;
        }
        RenderOutput::Name => {
            let names = loaded.jobs.iter().map(|job| format!("job.batch/{}\n", job.job.name));
            out(printer, &names.collect::<String>())?;
        }
    }
    Ok(Exit::Fine)
}

/// Names the literal secrets of a manifest; never shows them.
fn tell_secrets(job: &RenderedJob, masked: bool, printer: Printer) {
    for value in job.values.iter().filter(|value| value.secret) {
        if masked || value.value.is_null() {
            continue;
        }
        let message = format!(
            "job.batch/{}: {} holds a literal secret ({})",
            job.name, value.path, value.origin.source
        );
        let problem = Problem::new(message);
        printer.problem_warning(
            &problem.hint("hide it with --mask, or take it from a Secret with value_from"),
        );
    }
}

fn manifest_of(job: &RenderedJob, mask: bool) -> Json {
    let mut manifest = job.job.clone();
    for value in job.values.iter().filter(|value| mask && value.secret) {
        let pointer: String = value
            .path
            .0
            .iter()
            .map(|segment| match segment {
                crate::config::Segment::Key(key) => {
                    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
                }
                crate::config::Segment::Index(index) => format!("/{index}"),
            })
            .collect();
        if let Some(place) = manifest.pointer_mut(&pointer) {
            *place = Json::from(MASK);
        }
    }
    manifest
}
