//! `render`

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::entry::out;
use super::load::{Masked, Request, load_each};
use super::maker::{Naming, Widen};
use crate::cli::{RenderArgs, RenderOutput};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::job::secret::MASK;
use crate::job::{JobValue, RenderedJob};
use crate::project::Missing;
use crate::ui::{Printer, manifest};

/// Prints the Jobs as they would be sent. Only their text is kept until all are made, so that a
/// pipeline may have many blocks, and nothing is printed where one of them cannot be sent.
pub(super) fn render(args: &RenderArgs, printer: Printer) -> Result<Exit, CliError> {
    let request = Request {
        targets: &args.targets,
        args: &args.config,
        connection: &args.connection,
        widen: Widen::default(),
        naming: &|_| Naming::Target,
        missing_secret: Missing::Error,
        masked: if args.mask || args.output == RenderOutput::Name {
            Masked::Shown
        } else {
            Masked::Refused
        },
    };
    let mut text = String::new();
    let mut secrets = Vec::new();
    load_each(&request, printer, &mut |_, job| {
        secrets.extend(told_secrets(&job, args.mask));
        write(&mut text, &job, args);
    })?;
    for secret in &secrets {
        printer.problem_warning(secret);
    }
    if args.output == RenderOutput::Json {
        text = manifest::list(&text);
    }
    out(printer, &text)?;
    Ok(Exit::Fine)
}

fn write(text: &mut String, job: &RenderedJob, args: &RenderArgs) {
    match args.output {
        RenderOutput::Yaml => {
            if !text.is_empty() {
                text.push_str("---\n");
            }
            text.push_str(&manifest::yaml(&manifest_of(job, args.mask)));
        }
        RenderOutput::Json => {
            if !text.is_empty() {
                text.push_str(",\n");
            }
            text.push_str(&manifest::list_item(&manifest_of(job, args.mask)));
        }
        RenderOutput::Name => {
            let _ = writeln!(text, "job.batch/{}", job.name);
        }
    }
}

/// Names the literal secrets of a manifest; never shows them.
fn told_secrets(job: &RenderedJob, masked: bool) -> Vec<Problem> {
    let secrets = job.values.iter().filter(|value| value.secret && !value.value.is_null());
    let problem = |value: &JobValue| {
        let (name, path, source) = (&job.name, &value.path, &value.origin.source);
        Problem::new(format!("job.batch/{name}: {path} holds a literal secret ({source})"))
            .hint("hide it with --mask, or take it from a Secret with value_from")
    };
    secrets.filter(|_| !masked).map(problem).collect()
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
