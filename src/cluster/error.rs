//! Why a request to the cluster failed, and how that reads at the border.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{CliError, Problem};
use crate::exit::Exit;

/// What a request was about, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The API verb: `create`, `get`, `list`, `watch`, `delete`.
    pub verb: &'static str,
    /// The resource as RBAC names it: `jobs`, `pods/log`.
    pub resource: &'static str,
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The object, as in `job.batch/NAME`; empty when it is about many.
    pub object: String,
    /// The namespace.
    pub namespace: String,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.object.is_empty() { self.resource } else { &self.object };
        write!(f, "{} {what} in namespace {}", self.verb, self.namespace)
    }
}

/// One of the reasons for which the server refused an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid`, `FieldManagerConflict`, …; empty where the server gives none.
    pub reason: String,
    /// The field in the object, as the server spells it; empty where it names none.
    pub field: String,
    /// The server's words.
    pub message: String,
}

/// Why the cluster could not be asked, or what it refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is no kubeconfig, and this is no pod either.
    #[error("there is no kubeconfig: looked at {}", list_paths(.looked))]
    NoKubeconfig {
        /// The files looked for.
        looked: Vec<PathBuf>,
    },
    /// A kubeconfig cannot be read.
    #[error("cannot read the kubeconfig: {cause}")]
    Kubeconfig {
        /// What is wrong with it.
        cause: String,
    },
    /// A name is not in the kubeconfig.
    #[error("the kubeconfig has no {what} {name:?}")]
    UnknownName {
        /// `context`, `cluster` or `user`.
        what: &'static str,
        /// The name asked for.
        name: String,
        /// The names it has.
        known: Vec<String>,
    },
    /// No context is set and none was named.
    #[error("the kubeconfig names no current context")]
    NoContext {
        /// The contexts it has.
        known: Vec<String>,
    },
    /// `--as-group` without `--as`.
    #[error("--as-group needs --as: groups are impersonated only with a user")]
    GroupAlone,
    /// Credentials or certificates do not work on this side.
    #[error("cannot set up the connection to {server}: {cause}")]
    Setup {
        /// The server.
        server: String,
        /// Why.
        cause: String,
    },
    /// The server did not answer.
    #[error("cannot reach the API server {server} to {action}: {cause}")]
    Unreachable {
        /// The server.
        server: String,
        /// What was asked.
        action: Box<Action>,
        /// Why, as the network said it.
        cause: String,
    },
    /// The server did not answer in time.
    #[error("the API server {server} did not answer within {after:?} to {action}")]
    TimedOut {
        /// The server.
        server: String,
        /// What was asked.
        action: Box<Action>,
        /// How long it was waited for.
        after: Duration,
    },
    /// 401.
    #[error("the API server {server} does not accept the credentials: cannot {action}")]
    Unauthorized {
        /// The server.
        server: String,
        /// What was asked.
        action: Box<Action>,
    },
    /// 403 by authorization.
    #[error("forbidden: cannot {action}: {message}")]
    Forbidden {
        /// What was asked.
        action: Box<Action>,
        /// The server's words.
        message: String,
    },
    /// 403 by a quota.
    #[error("cannot {action}: {message}")]
    Quota {
        /// What was asked.
        action: Box<Action>,
        /// The server's words.
        message: String,
    },
    /// 404.
    #[error("cannot {action}: {message}")]
    NotFound {
        /// What was asked.
        action: Box<Action>,
        /// The server's words.
        message: String,
    },
    /// Any other refusal.
    #[error("cannot {action}: {message}")]
    Refused {
        /// What was asked.
        action: Box<Action>,
        /// The HTTP status.
        code: u16,
        /// `AlreadyExists`, `Expired`, …
        reason: String,
        /// The server's words.
        message: String,
        /// The reasons, where it tells them apart.
        causes: Vec<Cause>,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
}

/// Returns the verb in `User "bob" cannot patch resource "jobs" in API group "batch"`; none where
/// admission forbids the object, in words of its own.
pub(super) fn missing_verb(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(" resource \"")?;
    let (_, verb) = before.rsplit_once(" cannot ")?;
    verb.chars().all(|c| c.is_ascii_lowercase()).then_some(verb)
}

fn list_paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl ClusterError {
    /// Tells whether the same request may well work a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Refused { code, .. } => *code == 429 || *code >= 500,
            _ => false,
        }
    }

    /// Tells whether it says nothing of what was asked: the server could not be asked, or not with
    /// these credentials, which may be good again later.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.is_transient() || self.is_about_credentials()
    }

    /// Tells whether the credentials were not accepted, or could not be got.
    #[must_use]
    pub fn is_about_credentials(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::Setup { .. })
    }

    /// Tells whether the resource version asked for is too old.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Refused { code: 410, .. })
    }

    /// Tells whether an object of that name is already there.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason == "AlreadyExists")
    }

    /// Tells whether the server only had too much to do.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Refused { code: 429, .. })
    }

    /// Returns what is wrong with the object that was sent, where that is why it was refused: not
    /// the sender's rights, nor the server's state.
    #[must_use]
    pub fn refusal(&self) -> Option<(&str, &[Cause])> {
        match self {
            Self::Refused { code: 400 | 403 | 413 | 422, message, causes, .. } => {
                // What a webhook cannot be asked says nothing of the object.
                (!message.contains("does not support dry run")).then_some((message, causes))
            }
            Self::Quota { message, .. } => Some((message, &[])),
            // Authorization says who cannot do what; whatever else forbids is admission.
            Self::Forbidden { message, .. } => {
                missing_verb(message).is_none().then_some((message, &[]))
            }
            _ => None,
        }
    }

    /// Returns the verb that the sender has no right to, where authorization refused it: another than
    /// what was asked where the server needs several, as to patch an object into being.
    #[must_use]
    pub fn missing_right(&self) -> Option<&str> {
        match self {
            Self::Forbidden { message, .. } => missing_verb(message),
            _ => None,
        }
    }

    /// Returns how long the server asks to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoKubeconfig { .. } => {
                vec!["name one with --kubeconfig FILE, or set KUBECONFIG".to_owned()]
            }
            Self::UnknownName { what, known, .. } => vec![known_names(what, known)],
            Self::GroupAlone => vec!["name the user with --as USER".to_owned()],
            Self::NoContext { known } => {
                vec!["name one with --context".to_owned(), known_names("context", known)]
            }
            Self::Unreachable { .. } | Self::TimedOut { .. } => {
                vec!["see whether `kubectl cluster-info` answers".to_owned()]
            }
            Self::Unauthorized { .. } => {
                vec!["see who you are with `kubectl auth whoami`, and log in again".to_owned()]
            }
            Self::Forbidden { action, .. } => forbidden_hints(action),
            Self::Quota { action, .. } => {
                vec![format!("see `kubectl describe resourcequota -n {}`", action.namespace)]
            }
            Self::NotFound { action, message } => vec![not_found_hint(action, message)],
            Self::Refused { action, code: 400 | 403 | 422, .. } if action.resource == "jobs" => {
                vec!["see what was sent with `kubectl mage render`".to_owned()]
            }
            Self::Kubeconfig { .. } => {
                vec!["see whether `kubectl config view` can read it".to_owned()]
            }
            Self::Setup { .. } => {
                vec!["see whether `kubectl get namespaces` works with the same flags".to_owned()]
            }
            Self::Refused { .. } => Vec::new(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NoKubeconfig { .. }
            | Self::Kubeconfig { .. }
            | Self::UnknownName { .. }
            | Self::GroupAlone
            | Self::NoContext { .. } => Exit::Usage,
            _ => Exit::Cluster,
        }
    }
}

fn known_names(what: &str, known: &[String]) -> String {
    match known {
        [] => format!("it has no {what} at all"),
        known => {
            let shown = known.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if known.len() > 10 { ", …" } else { "" };
            format!("it has: {shown}{more}")
        }
    }
}

fn not_found_hint(action: &Action, message: &str) -> String {
    if message.starts_with("namespaces ") {
        return "see `kubectl get namespaces`, and name one with -n".to_owned();
    }
    format!("see `kubectl get {} -n {}`", action.resource, action.namespace)
}

fn forbidden_hints(action: &Action) -> Vec<String> {
    let resource = if action.group.is_empty() {
        action.resource.to_owned()
    } else {
        match action.resource.split_once('/') {
            Some((resource, sub)) => format!("{resource}.{}/{sub}", action.group),
            None => format!("{}.{}", action.resource, action.group),
        }
    };
    vec![
        format!("ask with `kubectl auth can-i {} {resource} -n {}`", action.verb, action.namespace),
        format!(
            "a Role in namespace {} needs the rule {{apiGroups: [{:?}], resources: [{:?}], verbs: [{:?}]}}",
            action.namespace, action.group, action.resource, action.verb
        ),
    ]
}

impl From<ClusterError> for CliError {
    fn from(error: ClusterError) -> Self {
        let mut problem = Problem::new(error.to_string());
        problem.hints = error.hints();
        Self::new(error.exit(), problem)
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, ClusterError};
    use crate::error::CliError;
    use crate::exit::Exit;

    #[test]
    fn forbidden_names_the_rule_that_is_missing() {
        let error = ClusterError::Forbidden {
            action: Box::new(Action {
                verb: "get",
                resource: "pods/log",
                group: "",
                object: String::new(),
                namespace: "etl".to_owned(),
            }),
            message: "no".to_owned(),
        };
        let error = CliError::from(error);
        assert_eq!(error.exit, Exit::Cluster);
        assert_eq!(
            error.problems[0].hints,
            [
                "ask with `kubectl auth can-i get pods/log -n etl`",
                "a Role in namespace etl needs the rule {apiGroups: [\"\"], resources: [\"pods/log\"], verbs: [\"get\"]}",
            ]
        );
    }

    #[test]
    fn an_unknown_context_is_a_usage_error_that_lists_the_known() {
        let error = CliError::from(ClusterError::UnknownName {
            what: "context",
            name: "prod".to_owned(),
            known: vec!["dev".to_owned(), "test".to_owned()],
        });
        assert_eq!(error.exit, Exit::Usage);
        assert_eq!(error.problems[0].message, "the kubeconfig has no context \"prod\"");
        assert_eq!(error.problems[0].hints, ["it has: dev, test"]);
    }
}
