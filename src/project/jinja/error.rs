//! Why a template cannot be rendered.

use std::sync::Arc;

use thiserror::Error;

use super::values::{Lookup, LookupKind};
use crate::error::Problem;
use crate::finding::FindingId;
use crate::yaml::{SourceFile, Span};

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{kind}")]
pub struct TemplateError {
    /// What is wrong.
    pub kind: TemplateErrorKind,
    /// Where, in the file as written; `None` for a single value whose place the caller knows.
    pub span: Option<Span>,
}

/// What can be wrong with a template.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TemplateErrorKind {
    /// It is no template, or fails when it is evaluated.
    #[error("{message}")]
    Invalid {
        /// What Jinja says.
        message: String,
    },
    /// It loops too often or makes too much text.
    #[error("it takes too many steps or makes too much text")]
    TooCostly,
    /// It is longer than any that Mage's users write.
    #[error("a file with templates in it may have {kib} KiB at most")]
    TooLong {
        /// The most KiB.
        kib: usize,
    },
    /// It prints a value that is not there.
    #[error("{0} is not set")]
    Unset(Lookup),
}

impl TemplateError {
    /// Makes a problem of it, with its place in `file`.
    #[must_use]
    pub fn to_problem(&self, file: &Arc<SourceFile>) -> Problem {
        let problem = match &self.kind {
            TemplateErrorKind::Invalid { message } => {
                let problem = Problem::new(format!("the template cannot be rendered: {message}"))
                    .id(FindingId::Template)
                    .hint("Mage renders this file as a Jinja template: correct the expression");
                // Jinja2 may have it: a valid file must not look wrong.
                if message.contains("% operator") {
                    problem.hint("of two texts, write `'%s' | format(x)` for Python's `'%s' % x`")
                } else if message.starts_with("unknown ") {
                    problem.hint(
                        "where Jinja2 knows it and this tool does not, write out what it gives, or pass that in a variable, `env_var('NAME')`",
                    )
                } else {
                    problem
                }
            }
            TemplateErrorKind::TooCostly => {
                Problem::new(format!("the template cannot be rendered: {}", self.kind))
                    .id(FindingId::Template)
                    .hint("loop over less, or write out what is needed: a million steps are done")
            }
            TemplateErrorKind::TooLong { .. } => {
                Problem::new(format!("the template cannot be rendered: {}", self.kind))
                    .id(FindingId::Template)
                    .hint("leave out what Mage does not read")
            }
            TemplateErrorKind::Unset(lookup) => lookup.problem(),
        };
        match self.span {
            Some(span) => problem.at(file, span),
            None => problem,
        }
    }
}

impl Lookup {
    /// Makes a problem of a value that is not there; its place is the caller's to tell.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let lookup = self;
        let name = &lookup.name;
        let id = if lookup.kind.is_secret() {
            FindingId::SecretNotSupplied
        } else {
            FindingId::UnsetVariable
        };
        let problem = Problem::new(format!("{lookup} is not set")).id(id);
        match lookup.kind {
            LookupKind::Env => problem
                .hint(format!("set it with `--server-env {name}=VALUE`"))
                .hint("render it empty with `--allow-unset` (Mage renders the word `None`)"),
            LookupKind::Variable => problem
                .hint(format!("set it with `--var {name}=VALUE`"))
                .hint("render it empty with `--allow-unset` (Mage renders the word `None`)"),
            LookupKind::MageSecret
            | LookupKind::AwsSecret
            | LookupKind::AzureSecret
            | LookupKind::DopplerSecret => {
                problem.hint(format!("supply it with `--secret {name}=VALUE`"))
            }
        }
    }
}
