//! `render`

use std::fmt::Write as _;

use super::entry::out;
use super::facts::connect_for_facts;
use super::load::{Masked, Request, load_each, load_with};
use super::maker::{Naming, Widen};
use super::validate::{Validation, refuse_without_connection};
use crate::cli::{RenderArgs, RenderOutput};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::job::{JobValue, RenderedJob};
use crate::load::{find_project, read_server_env};
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
    let mut each = |job: &RenderedJob| {
        secrets.extend(told_secrets(job, args.mask));
        write(&mut text, job, args);
    };
    if args.validate {
        validated(&request, printer, &mut each)?;
    } else {
        load_each(&request, printer, &mut |_, job| each(&job))?;
    }
    for secret in &secrets {
        printer.problem_warning(secret);
    }
    if args.output == RenderOutput::Json {
        text = manifest::list(&text);
    }
    out(printer, &text)?;
    Ok(Exit::Fine)
}

/// Makes the Jobs and asks the API server about each.
fn validated(
    request: &Request<'_>,
    printer: Printer,
    each: &mut dyn FnMut(&RenderedJob),
) -> Result<(), CliError> {
    let Request { args, connection, .. } = *request;
    refuse_without_connection(args, "render --validate")?;
    find_project(args.project.as_deref())?;
    let env = read_server_env(args)?;
    let (facts, connected, notices) = connect_for_facts(args, connection, &env)?;
    let mut validation = Validation::new(connected, connection)?;
    let made = load_with((env, &facts, notices), request, printer, &mut |_, job| {
        each(&job);
        validation.add(job);
    });
    let (_, notice) = validation.end(made)?;
    printer.notice(&notice);
    Ok(())
}

fn write(text: &mut String, job: &RenderedJob, args: &RenderArgs) {
    match args.output {
        RenderOutput::Yaml => {
            if !text.is_empty() {
                text.push_str("---\n");
            }
            text.push_str(&manifest::yaml(&job.manifest(args.mask)));
        }
        RenderOutput::Json => {
            if !text.is_empty() {
                text.push_str(",\n");
            }
            text.push_str(&manifest::list_item(&job.manifest(args.mask)));
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
