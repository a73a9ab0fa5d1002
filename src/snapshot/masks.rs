//! Keeps a Job from silently holding what only stands for a secret.

use super::model::{Place, Snapshot};
use super::variables::Environment;
use crate::config::{LayerKind, Source};
use crate::error::Problem;
use crate::job::secret::MASK;
use crate::job::{JobValue, RenderedJob};

/// What of a snapshot is masked.
#[derive(Clone, Debug, Default)]
pub struct Masks {
    /// The snapshot's file.
    file: String,
    /// Masked fields of the pod, with the variable's name where it is one.
    fields: Vec<(String, Option<String>)>,
    /// Masked places in the template and the policy.
    places: Vec<(String, Place)>,
    /// Variables whose value holds a mask.
    variables: Vec<String>,
    /// Variables that are left out of the snapshot, with what they come from.
    withheld: Vec<(String, String)>,
}

impl Masks {
    /// Reads what a snapshot lists as masked. `environment` is that of the server's container, and
    /// `given` tells which variables were given by hand.
    #[must_use]
    pub fn new(
        snapshot: &Snapshot,
        file: &str,
        environment: &Environment,
        given: impl Fn(&str) -> bool,
    ) -> Self {
        let server = &snapshot.server_pod;
        let field = |field: &String| {
            let pod = server.pod.as_ref()?;
            let pointer = format!("/{}", field.replace(['.', '['], "/").replace(']', ""));
            let name = pod.pointer(pointer.strip_suffix("/value")?)?["name"].as_str();
            name.map(str::to_owned)
        };
        let files = server.files.iter().flat_map(|file| {
            let name = file.object.clone().unwrap_or_default();
            file.masked.iter().map(move |place| (name.clone(), *place))
        });
        let known = environment.variables.iter();
        let unknown = environment.unknown.iter();
        Self {
            file: file.to_owned(),
            fields: server.masked.iter().map(|of| (of.clone(), field(of))).collect(),
            places: files.collect(),
            variables: known
                .filter(|variable| variable.value.contains(MASK) && !given(&variable.name))
                .map(|variable| variable.name.clone())
                .collect(),
            withheld: unknown
                .filter(|variable| variable.masked && !given(&variable.name))
                .map(|variable| (variable.name.clone(), variable.object.clone()))
                .collect(),
        }
    }

    /// Says which variables must be given before any Job can be made, since what they decide is in
    /// a Secret.
    #[must_use]
    pub fn withheld_problems(&self) -> Vec<Problem> {
        let problem = |(name, object): &(String, String)| {
            Problem::new(format!(
                "{name} of the server pod comes from {object}, and the snapshot {} holds no value of a Secret",
                self.file
            ))
            .hint(format!("pass --server-env {name}=VALUE"))
        };
        self.withheld.iter().map(problem).collect()
    }

    /// Says what must be given before this Job can be sent. The same is said in the same words of
    /// every Job.
    #[must_use]
    pub fn problems(&self, job: &RenderedJob) -> Vec<Problem> {
        let holds_nothing =
            self.fields.is_empty() && self.places.is_empty() && self.variables.is_empty();
        if holds_nothing {
            return Vec::new();
        }
        job.values.iter().flat_map(|value| self.of_value(value)).collect()
    }

    fn masked(&self, what: &str) -> Problem {
        Problem::new(format!(
            "{what} is masked in the snapshot {}, and the Job would hold the mask",
            self.file
        ))
    }

    fn of_variable(&self, name: &str) -> Problem {
        self.masked(&format!("{name} of the server pod"))
            .hint(format!("pass --server-env {name}=VALUE"))
    }

    fn of_value(&self, value: &JobValue) -> Vec<Problem> {
        let Some(text) = value.value.as_str() else { return Vec::new() };
        if !text.contains(MASK) {
            return Vec::new();
        }
        match &value.origin.source {
            Source::Object { field, .. } => {
                let known = self.fields.iter().find(|(known, _)| **known == **field);
                let problem = known.map(|(field, name)| match name {
                    Some(name) => self.of_variable(name),
                    None => self.masked(&format!("{field} of the server pod")).hint(
                        "pass the pod itself with --server-pod @FILE (`kubectl get pod NAME -o json`)",
                    ),
                });
                problem.into_iter().collect()
            }
            Source::File { file, span } => {
                let start = Place { line: span.start.line, column: span.start.column };
                if self.places.iter().any(|(name, place)| *name == file.name && *place == start) {
                    let is_template = value.origin.layer == LayerKind::Template;
                    let flag = if is_template { "--template" } else { "--policy" };
                    let hint = format!("copy {} here and pass {flag} FILE", file.name);
                    let problem = self.masked(&format!("a value of {}", file.name));
                    return vec![problem.at(file, *span).hint(hint)];
                }
                let written = file.text.get(span.bytes()).unwrap_or_default();
                let template = value.origin.expression.as_deref().unwrap_or(written);
                if !template.contains("{{") {
                    return Vec::new();
                }
                self.named_in(template).map(|name| self.of_variable(name).at(file, *span)).collect()
            }
            Source::Env { name, .. } if self.variables.iter().any(|known| **known == **name) => {
                vec![self.of_variable(name)]
            }
            Source::Env { .. } | Source::Flag { .. } | Source::BuiltIn | Source::Api => Vec::new(),
        }
    }

    /// Returns the masked variables that a template names; all of them where it names none, since
    /// the value holds the mask of one.
    fn named_in(&self, template: &str) -> impl Iterator<Item = &String> {
        let named = |name: &&String| template.contains(name.as_str());
        let any = self.variables.iter().any(|name| named(&name));
        let found: Vec<&String> =
            self.variables.iter().filter(|name| !any || named(name)).collect();
        found.into_iter()
    }
}
