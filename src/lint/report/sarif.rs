//! SARIF 2.1.0, which code scanning reads: real ranges, related locations, fixes, suppressions.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{Context, message};
use crate::error::{Edit, Place};
use crate::finding::Severity;
use crate::lint::{Reported, Rule, rules_all};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Returns the log of one run. Files count from the root of the checkout.
#[must_use]
pub fn sarif(found: &[Reported], context: &Context) -> Json {
    let rules: Vec<Json> = rules_all().iter().map(|rule| described(rule)).collect();
    let results: Vec<Json> = found.iter().map(|reported| result(reported, context)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubectl-mage",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn described(rule: &Rule) -> Json {
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": rule.explanation, "markdown": rule.explanation},
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

fn result(reported: &Reported, context: &Context) -> Json {
    let problem = &reported.finding.problem;
    let rules = rules_all();
    let mut result = json!({
        "ruleId": reported.rule.code,
        "ruleIndex": rules.iter().position(|rule| rule.id == reported.rule.id),
        "level": level(reported.finding.severity),
        "message": {"text": message(reported)},
    });
    if let Some(location) = reported.place().and_then(|place| location(place, None, context)) {
        result["locations"] = json!([location]);
    }
    let details = problem.details().cloned().unwrap_or_default();
    let related: Vec<Json> = details
        .related
        .iter()
        .filter_map(|(what, place)| location(place, Some(what), context))
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    if let (Some(fix), Some(uri)) =
        (&details.fix, reported.place().and_then(|place| context.path(&place.file.name)))
    {
        let replacements: Vec<Json> = fix.edits.iter().map(replacement).collect();
        let change =
            json!({"artifactLocation": {"uri": encoded(&uri)}, "replacements": replacements});
        result["fixes"] =
            json!([{"description": {"text": fix.title}, "artifactChanges": [change]}]);
    }
    if let Some(ignored) = &reported.ignored {
        result["suppressions"] = json!([{"kind": "inSource", "justification": ignored.reason}]);
    }
    result
}

fn location(place: &Place, message: Option<&String>, context: &Context) -> Option<Json> {
    let uri = encoded(&context.path(&place.file.name)?);
    let (start, end) = (place.span.start, place.span.end);
    let region = json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    });
    let mut location =
        json!({"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}});
    if let Some(message) = message {
        location["message"] = json!({"text": message});
    }
    Some(location)
}

fn replacement(edit: &Edit) -> Json {
    let (start, end) = (edit.span.start, edit.span.end);
    json!({
        "deletedRegion": {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        },
        "insertedContent": {"text": edit.text},
    })
}

/// Encodes a path as a URI reference.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    if path.starts_with('/') { format!("file://{uri}") } else { uri }
}
