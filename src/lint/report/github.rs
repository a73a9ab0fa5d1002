//! Annotations that GitHub Actions shows beside the lines of a pull request.

use std::fmt::Write as _;

use super::{Context, message};
use crate::finding::Severity;
use crate::lint::Reported;

/// Writes one workflow command a finding.
#[must_use]
pub fn github(found: &[Reported], context: &Context) -> String {
    let mut out = String::new();
    for reported in found.iter().filter(|reported| reported.ignored.is_none()) {
        let command = match reported.finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(place) = reported.place()
            && let Some(path) = context.path(&place.file.name)
        {
            let (start, end) = (place.span.start, place.span.end);
            properties.push(format!("file={}", property(&path)));
            properties.push(format!("line={}", start.line));
            properties.push(format!("endLine={}", end.line));
            // GitHub takes columns only where both are on one line.
            if start.line == end.line {
                properties.push(format!("col={}", start.column));
                properties.push(format!("endColumn={}", end.column));
            }
        }
        let title = format!("{} {}", reported.rule.code, reported.rule.name);
        properties.push(format!("title={}", property(&title)));
        let _ = writeln!(out, "::{command} {}::{}", properties.join(","), data(&message(reported)));
    }
    out
}

/// Escapes what a command says, as the runner reads it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
