//! The project's own file.

use std::sync::Arc;

use super::jinja::{LookupKind, TemplateValues, UsedLookup, render};
use crate::error::Problem;
use crate::finding::FindingId;
use crate::yaml::{self, Node, SourceFile, Value};

/// A project's `metadata.yaml`, rendered and read.
#[derive(Clone, Debug)]
pub struct Project {
    /// The file that all places point into.
    pub file: Arc<SourceFile>,
    /// The whole file; null when empty.
    pub root: Node,
    /// What its templates asked for.
    pub lookups: Vec<UsedLookup>,
    /// What is doubtful, such as keys given twice.
    pub warnings: Vec<Problem>,
}

impl Project {
    /// Renders the file as a template, then reads it as YAML, then trims the ends of all strings,
    /// as Mage does (`mage_ai/data_preparation/repo_manager.py: RepoConfig`).
    pub fn parse(
        file: &Arc<SourceFile>,
        values: &Arc<TemplateValues>,
    ) -> Result<Self, Vec<Problem>> {
        let rendered = render(file, values)
            .map_err(|errors| errors.iter().map(|e| e.to_problem(file)).collect::<Vec<_>>())?;
        let document = yaml::parse_mapped(&rendered.text, &rendered.map, file)
            .map_err(|error| vec![error.to_problem()])?;
        let warnings = document.warnings.iter().map(|twice| twice_problem(twice, &document.file));
        let warnings = warnings.collect();
        let mut root = document.root.unwrap_or(Node {
            value: Value::Null,
            span: document.file.lines().span(0, 0),
            alias: None,
            expression: None,
        });
        if !matches!(root.value, Value::Null | Value::Mapping(_)) {
            let problem = Problem::new(format!("the project is {}, not a mapping", root.kind()));
            return Err(vec![
                problem
                    .id(FindingId::WrongType)
                    .at(&document.file, root.span)
                    .hint("give Mage's settings as `key: value`, such as `k8s_executor_config:`"),
            ]);
        }
        root.trim_strings();
        Ok(Self { file: document.file, root, lookups: rendered.lookups, warnings })
    }

    /// Returns `k8s_executor_config`.
    #[must_use]
    pub fn executor_config(&self) -> Option<&Node> {
        self.root.get("k8s_executor_config")
    }

    /// Says where Mage OSS fails at the file: it renders it without variables
    /// (`mage_ai/data_preparation/shared/utils.py: get_template_vars`).
    #[must_use]
    pub fn variables_unknown_to_mage(&self) -> Vec<Problem> {
        let variables = self.lookups.iter().filter(|used| used.lookup.kind == LookupKind::Variable);
        variables
            .map(|used| {
                let message = format!(
                    "Mage OSS fails here: it renders the project's file without variables, so `{}` is unknown",
                    used.lookup.name
                );
                let problem = Problem::new(message)
                    .id(FindingId::OssFails)
                    .hint("put it into the block's `executor_config`, or use `env_var`");
                match used.span {
                    Some(span) => problem.at(&self.file, span),
                    None => problem,
                }
            })
            .collect()
    }

    /// Returns `overrides.<ENV>.k8s_executor_config`.
    #[must_use]
    pub fn override_executor_config(&self, env: &str) -> Option<&Node> {
        self.root.get("overrides")?.get(env)?.get("k8s_executor_config")
    }

    /// Returns `queue_config.concurrency`, if it is a number above zero.
    #[must_use]
    pub fn queue_concurrency(&self) -> Option<u32> {
        positive(self.root.get("queue_config")?.get("concurrency")?)
    }
}

/// Returns a number above zero.
pub(super) fn positive(node: &Node) -> Option<u32> {
    match &node.value {
        Value::Int(value) => value.to_i64().and_then(|value| u32::try_from(value).ok()),
        _ => None,
    }
    .filter(|value| *value > 0)
}

/// Makes a problem of a key that is given twice.
pub(crate) fn twice_problem(twice: &yaml::DuplicateKey, file: &Arc<SourceFile>) -> Problem {
    let message = format!(
        "`{}` is given twice, first in line {}: the last one counts",
        twice.key, twice.first.start.line
    );
    Problem::new(message)
        .id(FindingId::DuplicateKey)
        .at(file, twice.second)
        .related("first here", file, twice.first)
        .hint("remove one of the two")
}
