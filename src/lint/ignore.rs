//! Inline ignores: `# mage-lint: ignore MAGE101 because …`.
//!
//! One stands at the end of the line at fault, or on a line of its own above it;
//! `# mage-lint: ignore-file MAGE101 because …` counts for the whole file. Several codes or names are
//! divided by commas. A reason is due.

use std::sync::Arc;

use super::reported::{Collected, Reported};
use super::rules::rule_named;
use crate::error::Problem;
use crate::finding::{Finding, FindingId};
use crate::yaml::SourceFile;

const MARK: &str = "# mage-lint:";

/// An ignore that passes over a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Its reason.
    pub reason: String,
}

struct Ignore {
    file: Arc<SourceFile>,
    /// The line it is for; `None` for the whole file.
    line: Option<u32>,
    codes: Vec<&'static str>,
    reason: String,
    start: usize,
    end: usize,
    used: bool,
}

/// Marks the findings that the files' ignores pass over, and adds findings of ignores that are
/// malformed or pass over nothing.
#[must_use]
pub fn ignores(files: &[Arc<SourceFile>], mut found: Vec<Reported>) -> Vec<Reported> {
    let mut problems = Vec::new();
    let mut all: Vec<Ignore> = files.iter().flat_map(|file| of_file(file, &mut problems)).collect();
    if all.is_empty() && problems.is_empty() {
        return found;
    }
    for reported in &mut found {
        let Some(place) = reported.finding.problem.place.clone() else { continue };
        let covers = |ignore: &&mut Ignore| {
            ignore.file.name == place.file.name
                && ignore.line.is_none_or(|line| line == place.span.start.line)
                && ignore.codes.contains(&reported.rule.code)
        };
        if let Some(ignore) = all.iter_mut().find(covers) {
            ignore.used = true;
            reported.ignored = Some(Ignored { reason: ignore.reason.clone() });
        }
    }
    for ignore in all.iter().filter(|ignore| !ignore.used) {
        let span = ignore.file.lines().span(ignore.start, ignore.end);
        let message = format!("nothing here is {}", ignore.codes.join(" or "));
        problems.push(Finding::note(
            Problem::new(message).at(&ignore.file, span).hint("remove the comment"),
        ));
    }
    let mut collected = Collected::default();
    for mut finding in problems {
        finding.problem.id = Some(FindingId::UselessIgnore);
        collected.add(finding, None);
    }
    found.extend(collected.sorted());
    found
}

fn of_file(file: &Arc<SourceFile>, problems: &mut Vec<Finding>) -> Vec<Ignore> {
    let mut ignores = Vec::new();
    if !file.text.contains(MARK) {
        return ignores;
    }
    let lines = file.lines();
    let mut offset = 0;
    for line in file.text.split_inclusive(['\n', '\r']) {
        if let Some(at) = line.find(MARK) {
            let own_line = line[..at].trim().is_empty();
            let start = offset + at;
            let text = line[at + MARK.len()..].trim();
            let end = start + line[at..].trim_end().len();
            let number = lines.position(start).line + u32::from(own_line);
            match read(text, number) {
                Ok((line, codes, reason)) => {
                    let file = Arc::clone(file);
                    ignores.push(Ignore { file, line, codes, reason, start, end, used: false });
                }
                Err(message) => {
                    let span = lines.span(start, end);
                    problems.push(Finding::warning(
                        Problem::new(message)
                            .at(file, span)
                            .hint("write `# mage-lint: ignore MAGE101 because …`"),
                    ));
                }
            }
        }
        offset += line.len();
    }
    ignores
}

type Read = (Option<u32>, Vec<&'static str>, String);

fn read(text: &str, line: u32) -> Result<Read, String> {
    let (order, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let line = match order {
        "ignore" => Some(line),
        "ignore-file" => None,
        other => return Err(format!("`{other}` is neither `ignore` nor `ignore-file`")),
    };
    let rest = rest.trim();
    let (names, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let mut codes = Vec::new();
    for name in names.split(',').filter(|name| !name.is_empty()) {
        match rule_named(name) {
            Some(rule) => codes.push(rule.code),
            None => return Err(format!("`{name}` is no finding")),
        }
    }
    if codes.is_empty() {
        return Err("the ignore names no finding".to_owned());
    }
    if reason.trim().is_empty() {
        return Err("the ignore has no reason".to_owned());
    }
    Ok((line, codes, reason.trim().to_owned()))
}
