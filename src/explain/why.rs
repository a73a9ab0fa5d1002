//! One value's whole history.

use std::fmt::Write as _;

use super::rows::{matching, shown, shown_value};
use crate::config::job_paths;
use crate::job::{JobValue, RenderedJob};
use crate::merge::Loser;

/// Returns the history of every value that `path` names, lowest layer first, with the rule at every
/// step. Returns `None` when no layer has set anything there.
#[must_use]
pub fn why(job: &RenderedJob, path: &str, show_secrets: bool) -> Option<String> {
    let values = matching(job, path);
    let paths = job_paths(path);
    let mut text = String::new();
    for value in &values {
        history(&mut text, value, show_secrets);
    }
    for (lost, loser) in &job.lost {
        if paths.iter().any(|path| lost.starts_with(path)) {
            let _ = writeln!(text, "{} is not in the Job\n  {lost}", loser.origin.setting);
            step(&mut text, loser, !show_secrets && is_secret(loser));
            text.push('\n');
        }
    }
    (!text.is_empty()).then(|| format!("{}\n", text.trim_end()))
}

fn is_secret(loser: &Loser) -> bool {
    crate::job::secret::is_secret_name(&loser.origin.setting)
}

fn history(text: &mut String, value: &JobValue, show_secrets: bool) {
    let secret = value.secret && !show_secrets;
    let setting = &value.origin.setting;
    let name = if setting.is_empty() { value.path.to_string() } else { setting.clone() };
    let _ = writeln!(text, "{name} = {}", shown(&value.value, secret));
    let _ = writeln!(text, "  {}", value.path);
    for loser in &value.overridden {
        step(text, loser, secret);
    }
    let rule = match value.rule {
        Some(rule) => format!("in force: {rule}"),
        None => "in force: no other layer sets it".to_owned(),
    };
    let origin = &value.origin;
    let shown = shown_value(value, show_secrets);
    line(text, origin.layer.name(), &shown, &origin.source.to_string(), &rule);
    text.push('\n');
}

fn step(text: &mut String, loser: &Loser, secret: bool) {
    let origin = &loser.origin;
    let value = shown(&loser.value, secret);
    let rule = format!("overridden: {}", loser.rule);
    line(text, origin.layer.name(), &value, &origin.source.to_string(), &rule);
}

fn line(text: &mut String, layer: &str, value: &str, source: &str, rule: &str) {
    let _ = writeln!(text, "  {layer:<18} {value:<12} {source}\n  {:<18} {rule}", "");
}
