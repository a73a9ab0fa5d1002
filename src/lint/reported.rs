//! Gathers findings: each once, with the Jobs it is about, in the order of files and lines.

use std::collections::HashMap;

use super::ignore::Ignored;
use super::rule::Rule;
use super::rules::rule;
use crate::error::Place;
use crate::finding::{Finding, FindingId, Severity};

/// How many Jobs a finding names.
const NAMED: usize = 3;

/// A finding as it is told.
#[derive(Clone, Debug)]
pub struct Reported {
    /// What was found.
    pub finding: Finding,
    /// The rule it falls under.
    pub rule: &'static Rule,
    /// The first few Jobs it is about, `PIPELINE/BLOCK`.
    pub jobs: Vec<String>,
    /// How many Jobs it is about.
    pub count: usize,
    /// Why it is not counted: an inline ignore and its reason.
    pub ignored: Option<Ignored>,
}

/// Findings in the making.
#[derive(Debug, Default)]
pub struct Collected {
    found: HashMap<Key, Reported>,
}

/// What makes two findings the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    file: Option<String>,
    offset: u32,
    code: &'static str,
    message: String,
}

impl Collected {
    /// Adds what somebody found on the way to a Job. How bad it is the rule says: that a Job can
    /// still be made of what is meant does not make it better.
    pub fn add_found(&mut self, mut finding: Finding, job: Option<&str>) {
        if let Some(id) = finding.problem.id {
            finding.severity = rule(id).severity;
        }
        self.add(finding, job);
    }

    /// Adds a finding about a Job, or about none in particular.
    pub fn add(&mut self, finding: Finding, job: Option<&str>) {
        let rule = rule(finding.problem.id.unwrap_or(FindingId::UnreadableFile));
        let place = finding.problem.place.as_ref();
        let key = Key {
            file: place.map(|place| place.file.name.clone()),
            offset: place.map_or(0, |place| place.span.start.offset),
            code: rule.code,
            message: finding.problem.message.clone(),
        };
        let severity = finding.severity;
        let known = self.found.entry(key).or_insert_with(|| Reported {
            finding,
            rule,
            jobs: Vec::new(),
            count: 0,
            ignored: None,
        });
        known.finding.severity = known.finding.severity.max(severity);
        if let Some(job) = job {
            known.count += 1;
            if known.jobs.len() < NAMED {
                known.jobs.push(job.to_owned());
            }
        }
    }

    /// Takes over what another has collected later.
    pub fn append(&mut self, other: Self) {
        for (key, reported) in other.found {
            match self.found.get_mut(&key) {
                None => {
                    self.found.insert(key, reported);
                }
                Some(known) => {
                    known.count += reported.count;
                    known.jobs.extend(reported.jobs);
                    known.jobs.truncate(NAMED);
                }
            }
        }
    }

    /// Returns the findings in the order of files, lines and codes.
    #[must_use]
    pub fn sorted(self) -> Vec<Reported> {
        let mut found: Vec<(Key, Reported)> = self.found.into_iter().collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        found.into_iter().map(|(_, reported)| reported).collect()
    }
}

impl Reported {
    /// Returns where it is.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.finding.problem.place.as_ref()
    }
}

/// How many of each there are, without those ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
    /// Findings that an inline ignore passes over.
    pub ignored: usize,
    /// Findings that `--fix` removes.
    pub fixable: usize,
}

impl Summary {
    /// Counts findings.
    #[must_use]
    pub fn of(found: &[Reported]) -> Self {
        let mut summary = Self::default();
        for reported in found {
            if reported.ignored.is_some() {
                summary.ignored += 1;
                continue;
            }
            match reported.finding.severity {
                Severity::Error => summary.errors += 1,
                Severity::Warning => summary.warnings += 1,
                Severity::Note => summary.notes += 1,
            }
            let fix = reported.finding.problem.details().and_then(|details| details.fix.as_ref());
            summary.fixable += usize::from(fix.is_some());
        }
        summary
    }
}
