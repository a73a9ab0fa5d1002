//! For programs: everything that is known of each finding.

use serde_json::{Value as Json, json};

use super::Context;
use crate::error::{Edit, Place};
use crate::lint::{Reported, Summary};

/// Returns the findings, ignored ones too, with a summary.
#[must_use]
pub fn json(found: &[Reported], summary: &Summary, context: &Context) -> Json {
    let findings: Vec<Json> = found.iter().map(one).collect();
    json!({
        "findings": findings,
        "summary": {
            "errors": summary.errors,
            "warnings": summary.warnings,
            "notes": summary.notes,
            "ignored": summary.ignored,
            "fixable": summary.fixable,
            "pipelines": context.pipelines,
            "jobs": context.jobs,
        },
    })
}

fn one(reported: &Reported) -> Json {
    let problem = &reported.finding.problem;
    let details = problem.details().cloned().unwrap_or_default();
    let related: Vec<Json> = details
        .related
        .iter()
        .map(|(message, place)| json!({"message": message, "range": range(place)}))
        .collect();
    let fix = details.fix.as_ref().map(|fix| {
        let edits: Vec<Json> = fix.edits.iter().map(edit).collect();
        json!({"title": fix.title, "edits": edits})
    });
    json!({
        "id": reported.rule.code,
        "name": reported.rule.name,
        "severity": reported.finding.severity.name(),
        "message": problem.message,
        "hints": problem.hints,
        "range": problem.place.as_ref().map(range),
        "path": details.setting,
        "jobPath": details.job_path,
        "related": related,
        "fix": fix,
        "jobs": reported.jobs,
        "jobCount": reported.count,
        "ignored": reported.ignored.as_ref().map(|ignored| ignored.reason.as_str()),
    })
}

fn range(place: &Place) -> Json {
    let (start, end) = (place.span.start, place.span.end);
    json!({
        "file": place.file.name,
        "line": start.line,
        "column": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

fn edit(edit: &Edit) -> Json {
    let (start, end) = (edit.span.start, edit.span.end);
    json!({
        "line": start.line,
        "column": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "text": edit.text,
    })
}
