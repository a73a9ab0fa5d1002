//! For people: the line itself, what is wrong, and the next step.

use std::fmt::Write as _;

use super::{Context, jobs};
use crate::finding::{FindingId, Severity};
use crate::lint::{Reported, Summary};
use crate::ui::{Paint, for_terminal, plural, snippet};

/// Writes the findings, painted; for a terminal, control characters are made harmless.
#[must_use]
pub fn text(found: &[Reported], terminal: bool) -> String {
    let safe = |text: &str| {
        if terminal { for_terminal(text).into_owned() } else { text.to_owned() }
    };
    let mut out = String::new();
    for reported in found.iter().filter(|reported| reported.ignored.is_none()) {
        one(&mut out, reported, &safe);
    }
    out
}

fn one(out: &mut String, reported: &Reported, safe: &dyn Fn(&str) -> String) {
    let problem = &reported.finding.problem;
    let place = problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let severity = reported.finding.severity;
    let paint = match severity {
        Severity::Error => Paint::Bad,
        Severity::Warning => Paint::Warn,
        Severity::Note => Paint::Active,
    };
    let label = paint.on(severity.name());
    let (code, name) = (reported.rule.code, reported.rule.name);
    let _ = writeln!(out, "{}{label} {code} {name}: {}", safe(&place), safe(&problem.message));
    let is_secret = reported.rule.id == FindingId::PlainSecret;
    if let Some(place) = problem.place.as_ref().filter(|_| !is_secret) {
        snippet(out, place, safe);
    }
    if let Some(details) = problem.details() {
        for (what, place) in &details.related {
            let _ = writeln!(out, "see: {}: {}", safe(&place.to_string()), safe(what));
        }
    }
    for hint in &problem.hints {
        let _ = writeln!(out, "{} {}", Paint::Active.on("hint:"), safe(hint));
    }
    if let Some(fix) = problem.details().and_then(|details| details.fix.as_ref()) {
        let _ = writeln!(out, "{} {} (--fix)", Paint::Active.on("fix:"), safe(&fix.title));
    }
    if let Some(jobs) = jobs(reported).filter(|_| reported.count > 1) {
        let _ = writeln!(out, "in: {}", safe(&jobs));
    }
    out.push('\n');
}

/// Says how it stands: the counts, then "ready" or the next steps.
#[must_use]
pub fn closing(summary: &Summary, context: &Context) -> String {
    let mut out = String::new();
    let looked =
        format!("{} in {}", plural(context.jobs, "Job"), plural(context.pipelines, "pipeline"));
    let mut counts: Vec<String> = Vec::new();
    for (count, noun) in
        [(summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note")]
    {
        if count > 0 {
            counts.push(plural(count, noun));
        }
    }
    if summary.ignored > 0 {
        counts.push(format!("{} ignored", summary.ignored));
    }
    let counts = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
    let _ = writeln!(out, "{looked}: {counts}");
    if context.fixed > 0 {
        let _ = writeln!(out, "{} changed", plural(context.fixed, "file"));
    }
    if summary.errors + summary.warnings == 0 {
        let _ = writeln!(out, "{}", Paint::Good.on("ready"));
        return out;
    }
    if summary.fixable > 0 {
        let many = if summary.fixable == 1 { "1 of them is" } else { "some are" };
        let _ = writeln!(out, "next: {many} fixed by `kubectl mage lint --fix`");
    }
    let _ = writeln!(out, "next: correct the lines above");
    out
}
