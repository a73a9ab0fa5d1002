//! Asks the API server whether it would take Jobs, a few at once, as they are made.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use super::facts::{Connected, connect};
use crate::cli::{ConfigArgs, ConnectionArgs};
use crate::cluster::{Cluster, ClusterError, UnknownFields};
use crate::config::{JobPath, Source};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::job::{Refusal, RenderedJob, Violation, refusals};

/// How many Jobs are kept until they are asked about.
const BATCH: usize = 128;
/// How many are asked about at once.
const AT_ONCE: usize = 8;

/// What the server has said so far.
pub(super) struct Validation {
    connected: Connected,
    waiting: Vec<RenderedJob>,
    accepted: usize,
    refused: Refusals,
    /// Why no more can be asked.
    ended: Option<ClusterError>,
}

/// Why Jobs are refused, each reason once.
#[derive(Default)]
pub(super) struct Refusals {
    /// Every reason with the Job it was told of first, and the number of all.
    found: Vec<(Problem, usize)>,
    known: BTreeMap<String, usize>,
    missing: BTreeSet<String>,
}

/// What came of asking about one Job.
pub(super) enum Answer {
    Accepted,
    /// One of that name stands there; the server finds that only when all else is well.
    Exists,
    Refused(Vec<Violation>),
    NoNamespace,
    Failed(ClusterError),
}

impl Validation {
    /// Begins with the connection that was made already, or makes one.
    pub(super) fn new(
        connected: Option<Connected>,
        flags: &ConnectionArgs,
    ) -> Result<Self, CliError> {
        let connected = match connected {
            Some(connected) => connected,
            None => connect(flags)?,
        };
        Ok(Self {
            connected,
            waiting: Vec::with_capacity(BATCH),
            accepted: 0,
            refused: Refusals::default(),
            ended: None,
        })
    }

    /// Takes a Job to ask about.
    pub(super) fn add(&mut self, job: RenderedJob) {
        self.waiting.push(job);
        if self.waiting.len() == BATCH {
            self.ask();
        }
    }

    /// Returns how many Jobs the server takes, if it takes all. `made` is what became of making
    /// them: everything wrong is told at once.
    pub(super) fn end<T>(mut self, made: Result<T, CliError>) -> Result<(T, String), CliError> {
        self.ask();
        let server = self.connected.cluster.server().to_owned();
        let ended = self.ended.take().map(CliError::from);
        let mut exit = ended.as_ref().map_or(Exit::Usage, |error| error.exit);
        let mut problems = self.refused.problems();
        problems.extend(ended.into_iter().flat_map(|error| error.problems));
        let made = match made {
            Ok(made) if problems.is_empty() => made,
            Ok(_) => return Err(CliError { exit, problems }),
            Err(error) => {
                exit = error.exit;
                let problems = error.problems.into_iter().chain(problems).collect();
                return Err(CliError { exit, problems });
            }
        };
        let jobs = if self.accepted == 1 { "Job" } else { "Jobs" };
        Ok((made, format!("the API server {server} would take {} {jobs} (dry run)", self.accepted)))
    }

    /// Asks about the Jobs that wait.
    fn ask(&mut self) {
        let jobs = std::mem::take(&mut self.waiting);
        if self.ended.is_some() {
            return;
        }
        let Connected { runtime, cluster } = &self.connected;
        let answers = runtime.block_on(async {
            let asked = futures::stream::iter(&jobs).map(|job| ask(cluster, job, &job.job));
            let mut answers = asked.buffered(AT_ONCE);
            let mut all = Vec::with_capacity(jobs.len());
            while let Some(answer) = answers.next().await {
                let failed = matches!(answer, Answer::Failed(_));
                all.push(answer);
                if failed {
                    break;
                }
            }
            all
        });
        for (job, answer) in jobs.iter().zip(answers) {
            match answer {
                Answer::Accepted | Answer::Exists => self.accepted += 1,
                Answer::Refused(violations) => self.refused.add(job, &violations),
                Answer::NoNamespace => self.refused.no_namespace(job),
                Answer::Failed(error) => self.ended = Some(error),
            }
        }
    }
}

impl Refusals {
    /// Takes what the server has against a Job.
    pub(super) fn add(&mut self, job: &RenderedJob, violations: &[Violation]) {
        for refusal in refusals(job, violations) {
            self.keep(refusal);
        }
    }

    /// Returns everything, and of how many Jobs it is.
    pub(super) fn problems(self) -> Vec<Problem> {
        self.found.into_iter().map(counted).collect()
    }

    fn keep(&mut self, refusal: Refusal) {
        if let Some(index) = self.known.get(&refusal.reason) {
            self.found[*index].1 += 1;
        } else {
            self.known.insert(refusal.reason, self.found.len());
            self.found.push((refusal.problem, 1));
        }
    }

    /// Takes that there is no namespace for a Job.
    pub(super) fn no_namespace(&mut self, job: &RenderedJob) {
        let namespace = &job.namespace;
        if !self.missing.insert(namespace.clone()) {
            return;
        }
        let path = JobPath::default().key("metadata").key("namespace");
        let value = job.values.iter().find(|value| value.path == path);
        let mut problem = Problem::new(format!(
            "namespace {namespace} does not exist, and job.batch/{} is to be in it",
            job.name
        ));
        if let Some(value) = value {
            match &value.origin.source {
                Source::File { file, span } => problem = problem.at(file, *span),
                source => problem.message = format!("{} ({source})", problem.message),
            }
        }
        let create = format!("create it with `kubectl create namespace {namespace}`");
        self.found.push((problem.hint(create).hint("or name another with -n"), 1));
    }
}

/// Says of how many Jobs a problem is.
pub(super) fn counted((mut problem, jobs): (Problem, usize)) -> Problem {
    match jobs {
        1 => {}
        2 => problem.message.push_str(" (and 1 more Job)"),
        jobs => problem.message = format!("{} (and {} more Jobs)", problem.message, jobs - 1),
    }
    problem
}

/// Refuses the flags that forbid a connection, for what needs one.
pub(super) fn refuse_without_connection(args: &ConfigArgs, asks: &str) -> Result<(), CliError> {
    let flag = match (args.offline, &args.snapshot) {
        (true, _) => "--offline",
        (false, Some(_)) => "--snapshot",
        (false, None) => return Ok(()),
    };
    let problem = Problem::new(format!("`{asks}` asks a cluster, and {flag} forbids it"));
    Err(CliError::usage(problem.hint(format!("leave out {flag}"))))
}

/// Asks whether the server would take a Job as a new one, in the form in which it is sent.
pub(super) async fn ask(cluster: &Cluster, job: &RenderedJob, sent: &serde_json::Value) -> Answer {
    let asked = |unknown| cluster.dry_run_job(&job.namespace, sent, unknown);
    match asked(UnknownFields::Refused).await {
        Err(error) if error.is_already_exists() => Answer::Exists,
        Ok(_) => Answer::Accepted,
        Err(ClusterError::NotFound { .. }) => Answer::NoNamespace,
        Err(error) => {
            let Some(mut violations) = violations(&error) else { return Answer::Failed(error) };
            // Unknown fields hide everything else: asked again without them.
            if violations.iter().any(|violation| violation.message == "unknown field") {
                let rest = asked(UnknownFields::Dropped).await.err();
                violations.extend(rest.as_ref().and_then(self::violations).unwrap_or_default());
            }
            Answer::Refused(violations)
        }
    }
}

/// Returns what is wrong with a Job, if that is why it was refused.
pub(super) fn violations(error: &ClusterError) -> Option<Vec<Violation>> {
    let (message, causes) = error.refusal()?;
    if causes.iter().all(|cause| cause.field.is_empty()) {
        return Some(Violation::read(message));
    }
    Some(causes.iter().map(|cause| Violation::new(&cause.field, &cause.message)).collect())
}
