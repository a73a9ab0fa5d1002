//! What a command line names: pipelines, blocks, variables, secrets.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::ConfigArgs;
use crate::config::nearest;
use crate::error::{CliError, Problem};
use crate::load::{parse_dotenv, read, read_source};
use crate::project::Pipeline;

/// A pipeline and the blocks named of it; `None` names the whole of it.
pub(super) type Selected = (String, Vec<Option<String>>);

/// Groups the targets by pipeline, in the order given; without any, the project's only pipeline.
pub(super) fn selection(targets: &[String], project: &Path) -> Result<Vec<Selected>, CliError> {
    if targets.is_empty() {
        let mut names = pipelines(project);
        return match names.len() {
            1 => Ok(vec![(names.remove(0), vec![None])]),
            0 => {
                let problem = Problem::new(format!("{} has no pipelines", project.display()));
                Err(CliError::usage(
                    problem.hint("a pipeline is a folder in pipelines/ with a metadata.yaml"),
                ))
            }
            _ => Err(CliError::usage(
                Problem::new("the project has several pipelines: name one").hint(listed(&names)),
            )),
        };
    }
    let mut grouped: Vec<Selected> = Vec::new();
    for target in targets {
        let (pipeline, block) = match target.split_once('/') {
            Some((pipeline, block)) => (pipeline.to_owned(), Some(block.to_owned())),
            None => (target.clone(), None),
        };
        match grouped.iter_mut().find(|(known, _)| *known == pipeline) {
            Some((_, blocks)) => blocks.push(block),
            None => grouped.push((pipeline, vec![block])),
        }
    }
    Ok(grouped)
}

/// Returns the project's pipelines, sorted.
pub(super) fn pipelines(project: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(project.join("pipelines"))
        .into_iter()
        .flatten()
        .flatten()
        // What is there and no file is told by whoever reads it.
        .filter(|entry| entry.path().join("metadata.yaml").symlink_metadata().is_ok())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

pub(super) fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "the project has no pipelines: each is a folder in pipelines/".to_owned();
    }
    let first: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
    let more = if names.len() > 10 { ", …" } else { "" };
    format!("known: {}{more}", first.join(", "))
}

/// Says which name was meant, or which there are.
pub(super) fn meant(name: &str, names: &[String]) -> String {
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => listed(names),
    }
}

/// Reads a pipeline for what its blocks are called; none where it cannot be read.
pub(super) fn pipeline_at_hand(project: &Path, name: &str) -> Option<Pipeline> {
    let path = project.join("pipelines").join(name).join("metadata.yaml");
    let file = read_source(&path, project).ok()?;
    Pipeline::parse(&file, name, None).ok().map(|(pipeline, _)| pipeline)
}

/// Reads `--var`: JSON where it is JSON, text otherwise.
pub(super) fn variables(args: &ConfigArgs) -> BTreeMap<String, serde_json::Value> {
    args.var
        .iter()
        .map(|pair| {
            let value = serde_json::from_str(&pair.value)
                .unwrap_or_else(|_| serde_json::Value::String(pair.value.clone()));
            (pair.name.clone(), value)
        })
        .collect()
}

/// Reads `--secret`: `NAME=VALUE`, `NAME=@FILE` with a file that is the value, or `@FILE` with a dotenv
/// file. Of several of one name the last one counts.
pub(super) fn secrets(args: &ConfigArgs) -> Result<BTreeMap<String, String>, CliError> {
    let mut secrets = BTreeMap::new();
    for text in &args.secret {
        if let Some(path) = text.strip_prefix('@') {
            let variables = parse_dotenv(path, &read(Path::new(path))?)?.into_iter();
            secrets.extend(variables.map(|variable| (variable.name, variable.value)));
            continue;
        }
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.trim().is_empty())
        else {
            let problem = Problem::new("--secret is neither NAME=VALUE, NAME=@FILE nor @FILE");
            return Err(CliError::usage(problem.hint("the file has one NAME=VALUE a line")));
        };
        let name = name.trim();
        let value = match value.strip_prefix('@') {
            Some(path) => whole_file(name, path)?,
            None => value.to_owned(),
        };
        secrets.insert(name.to_owned(), value);
    }
    Ok(secrets)
}

/// Reads a secret that is a file, without the line break at its end. What it is named is not told: it
/// may be the secret itself.
fn whole_file(name: &str, path: &str) -> Result<String, CliError> {
    let text = read(Path::new(path)).map_err(|_| {
        let problem = Problem::new(format!("cannot read the file that --secret {name}=@FILE names"));
        CliError::usage(problem.hint(
            "check the path; a secret that begins with `@` itself goes into a dotenv file, --secret @FILE",
        ))
    })?;
    let end = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text));
    Ok(end.unwrap_or(&text).to_owned())
}
