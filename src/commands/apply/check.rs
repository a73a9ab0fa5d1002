//! What applying a Job would come to, by the API server's own word, before anything is sent.

use futures::StreamExt;
use serde_json::Value;

use super::object::{Begin, changed_job, is_suspended, new_job};
use crate::cluster::{
    AppliedJob, ApplyError, Applying, Cluster, ClusterError, Conflict, Effect, JobState,
    MANAGED_BY, MANAGER, Ownership, Refused, as_job, is_ours, job_state,
};
use crate::commands::load::LoadedJob;
use crate::commands::validate::{Answer, Refusals, ask, counted};
use crate::config::{JobPath, Segment};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::job::{
    Change, Standing, Violation, changed_fields, conflict_problem, is_as_sent, replace_problems,
};

/// How many Jobs are asked about at once.
const AT_ONCE: usize = 8;

/// How Jobs are applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) begin: Begin,
    pub(super) ownership: Ownership,
    pub(super) replace: Replace,
}

/// Which Jobs may be deleted to be created anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replace {
    /// None.
    Never,
    /// Those that are not active.
    Inactive,
    /// All.
    Any,
}

/// Whether Jobs may be patched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patch {
    Possible,
    Forbidden,
}

/// A Job that can be applied.
pub(super) struct Checked<'a> {
    pub(super) loaded: &'a LoadedJob,
    /// What is sent.
    pub(super) sent: Value,
    /// What stands there.
    pub(super) live: Option<Value>,
    pub(super) step: Step,
}

/// How a Job is applied.
pub(super) enum Step {
    /// It is applied into being.
    Create,
    /// It is posted: the right to patch is missing.
    Post,
    /// It is changed in place.
    Change {
        ownership: Ownership,
        /// As it would be stored.
        then: Box<Value>,
    },
    /// It stands there as it is sent, and may not be patched.
    Keep,
    /// It is deleted, by its UID, and created anew.
    Replace {
        uid: String,
        /// Whether it is posted: the right to patch is missing.
        posted: bool,
    },
}

/// Why a Job cannot be applied.
enum Trouble {
    /// No server would take it.
    Refused(Vec<Violation>),
    NoNamespace,
    /// It exists, and may neither be read nor changed.
    Unseen,
    /// Something is to be decided first.
    Undecided(Vec<Problem>),
    /// The server could not be asked, or a right is missing.
    Failed(Box<ClusterError>),
}

impl From<ClusterError> for Trouble {
    fn from(error: ClusterError) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// Asks about every Job; tells everything that is wrong with all of them at once.
pub(super) async fn check<'a>(
    cluster: &Cluster,
    jobs: &'a [LoadedJob],
    wish: Wish,
) -> Result<Vec<Checked<'a>>, CliError> {
    let asked = futures::stream::iter(jobs).map(|loaded| look(cluster, loaded, wish));
    let answers: Vec<Result<Checked<'a>, Trouble>> = asked.buffered(AT_ONCE).collect().await;
    let mut checked = Vec::with_capacity(jobs.len());
    let mut refusals = Refusals::default();
    let mut undecided = Vec::new();
    let mut failed: Vec<(ClusterError, usize)> = Vec::new();
    let mut exit = Exit::Usage;
    for (loaded, answer) in jobs.iter().zip(answers) {
        match answer {
            Ok(job) => checked.push(job),
            Err(Trouble::Refused(violations)) => refusals.add(&loaded.job, &violations),
            Err(Trouble::NoNamespace) => refusals.no_namespace(&loaded.job),
            Err(Trouble::Unseen) => {
                exit = Exit::Cluster;
                undecided.push(unseen(loaded));
            }
            Err(Trouble::Undecided(problems)) => undecided.extend(problems),
            Err(Trouble::Failed(error)) => {
                match failed.iter_mut().find(|(known, _)| is_alike(known, &error)) {
                    Some((_, jobs)) => *jobs += 1,
                    None => failed.push((*error, 1)),
                }
            }
        }
    }
    let mut problems = refusals.problems();
    problems.extend(undecided);
    for (error, jobs) in failed {
        let error = CliError::from(error);
        exit = error.exit;
        problems.extend(error.problems.into_iter().map(|problem| counted((problem, jobs))));
    }
    if problems.is_empty() { Ok(checked) } else { Err(CliError { exit, problems }) }
}

/// Tells whether one of two errors says what the other does, but for the Job: the server is away, or the same
/// right is missing.
fn is_alike(one: &ClusterError, other: &ClusterError) -> bool {
    let away = one.is_loss() && other.is_loss();
    away || (one.missing_right().is_some() && one.missing_right() == other.missing_right())
}

async fn look<'a>(
    cluster: &Cluster,
    loaded: &'a LoadedJob,
    wish: Wish,
) -> Result<Checked<'a>, Trouble> {
    let job = &loaded.job;
    match cluster.get_job_json(&job.namespace, &job.name).await {
        Ok(Some(live)) => look_at_standing(cluster, loaded, live, wish).await,
        Ok(None) => look_at_new(cluster, loaded, wish, None).await,
        // Who may only create need not see what stands there.
        Err(error) if error.missing_right().is_some() => {
            look_at_new(cluster, loaded, wish, Some(error)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks about a Job that does not stand there, as far as that may be known.
async fn look_at_new<'a>(
    cluster: &Cluster,
    loaded: &'a LoadedJob,
    wish: Wish,
    unseen: Option<ClusterError>,
) -> Result<Checked<'a>, Trouble> {
    let job = &loaded.job;
    let sent = new_job(job, wish.begin);
    let created = |sent, step| Checked { loaded, sent, live: None, step };
    let mut trouble = None;
    if unseen.is_none() {
        match told(cluster, loaded, &sent, wish.ownership).await {
            Ok(_) => return Ok(created(sent, Step::Create)),
            Err(ApplyError::Other(error)) if error.missing_right() == Some("patch") => {}
            Err(ApplyError::Other(error)) => trouble = Some(error),
            Err(_) => {}
        }
    }
    match ask(cluster, job, &sent).await {
        Answer::Accepted => match trouble {
            // What it has against the patch it does not say of the Job.
            Some(error) => Err(error.into()),
            None => Ok(created(sent, Step::Post)),
        },
        Answer::Exists => Err(match (unseen, trouble) {
            (Some(_), _) => Trouble::Unseen,
            (None, Some(error)) => error.into(),
            (None, None) => Trouble::Undecided(vec![made_meanwhile(loaded)]),
        }),
        answer => Err(trouble_of(answer)),
    }
}

fn trouble_of(answer: Answer) -> Trouble {
    match answer {
        Answer::Refused(violations) => Trouble::Refused(violations),
        Answer::NoNamespace => Trouble::NoNamespace,
        Answer::Failed(error) => error.into(),
        Answer::Accepted | Answer::Exists => Trouble::Undecided(Vec::new()),
    }
}

fn unseen(loaded: &LoadedJob) -> Problem {
    let (name, namespace) = (&loaded.job.name, &loaded.job.namespace);
    Problem::new(format!(
        "job.batch/{name} in namespace {namespace} exists, and whether it is as it should be cannot be seen: missing are the rights to get and to patch jobs.batch"
    ))
    .hint("see the Role for them with `kubectl mage doctor --for apply -o role`")
}

fn made_meanwhile(loaded: &LoadedJob) -> Problem {
    let (name, namespace) = (&loaded.job.name, &loaded.job.namespace);
    Problem::new(format!("somebody else has just made job.batch/{name} in namespace {namespace}"))
        .hint("apply again")
}

/// Asks what the server would store.
async fn told(
    cluster: &Cluster,
    loaded: &LoadedJob,
    sent: &Value,
    ownership: Ownership,
) -> Result<AppliedJob, ApplyError> {
    let how = Applying { effect: Effect::Told, ownership };
    cluster.apply_job(&loaded.job.namespace, sent, how).await
}

/// Asks about a Job that stands there.
async fn look_at_standing<'a>(
    cluster: &Cluster,
    loaded: &'a LoadedJob,
    live: Value,
    wish: Wish,
) -> Result<Checked<'a>, Trouble> {
    if !live["metadata"]["deletionTimestamp"].is_null() {
        return match wish.replace {
            Replace::Never => Err(Trouble::Undecided(vec![being_deleted(loaded)])),
            _ => replacement(cluster, loaded, live, wish, Patch::Possible).await,
        };
    }
    let sent = changed_job(&loaded.job, &live, wish.begin);
    let mut ownership = wish.ownership;
    let mut answer = told(cluster, loaded, &sent, ownership).await;
    // What this tool posted where it might not patch is its own all the same.
    if let Err(ApplyError::Conflict(all)) = &answer
        && all.iter().all(|conflict| conflict.manager == MANAGER)
    {
        ownership = Ownership::Taken;
        answer = told(cluster, loaded, &sent, ownership).await;
    }
    match answer {
        Ok(applied) => {
            let then = Box::new(applied.job);
            Ok(Checked { loaded, sent, live: Some(live), step: Step::Change { ownership, then } })
        }
        Err(ApplyError::Conflict(conflicts)) => {
            let mut problems = conflict_problems(loaded, &sent, &live, &conflicts);
            if let Some(last) = problems.last_mut().filter(|_| !is_ours(&live)) {
                last.hints.push(format!("this tool has not made the Job: {}", look_at_it(loaded)));
            }
            Err(Trouble::Undecided(problems))
        }
        Err(ApplyError::Immutable(_)) if !is_ours(&live) && wish.replace == Replace::Never => {
            Err(Trouble::Undecided(vec![of_somebody_else(loaded)]))
        }
        Err(ApplyError::Immutable(fields)) if wish.replace == Replace::Never => {
            let problems = immutable_problems(cluster, loaded, &sent, &live, &fields).await;
            Err(Trouble::Undecided(problems))
        }
        Err(ApplyError::Immutable(_)) => {
            replacement(cluster, loaded, live, wish, Patch::Possible).await
        }
        Err(ApplyError::Other(error)) if error.missing_right() == Some("patch") => {
            if is_as_sent(&sent, &live, MANAGER) {
                return Ok(Checked { loaded, sent, live: Some(live), step: Step::Keep });
            }
            match wish.replace {
                Replace::Never => Err(error.into()),
                _ => replacement(cluster, loaded, live, wish, Patch::Forbidden).await,
            }
        }
        Err(ApplyError::Other(error)) if error.missing_right().is_some() => Err(error.into()),
        Err(ApplyError::Other(error)) => match ask(cluster, &loaded.job, &sent).await {
            answer @ (Answer::Refused(_) | Answer::NoNamespace) => Err(trouble_of(answer)),
            _ => Err(error.into()),
        },
    }
}

fn being_deleted(loaded: &LoadedJob) -> Problem {
    let (name, namespace) = (&loaded.job.name, &loaded.job.namespace);
    Problem::new(format!("job.batch/{name} in namespace {namespace} is being deleted")).hint(format!(
        "wait with `kubectl wait --for=delete job/{name} -n {namespace}` and apply again, or let --replace do both"
    ))
}

fn of_somebody_else(loaded: &LoadedJob) -> Problem {
    let (name, namespace) = (&loaded.job.name, &loaded.job.namespace);
    Problem::new(format!(
        "job.batch/{name} in namespace {namespace} is somebody else's (without the label {MANAGED_BY}={MANAGER}), and cannot be changed into this one"
    ))
    .hint(look_at_it(loaded))
}

fn look_at_it(loaded: &LoadedJob) -> String {
    let (name, namespace) = (&loaded.job.name, &loaded.job.namespace);
    format!(
        "look at it with `kubectl describe job {name} -n {namespace}`, and delete it yourself if nobody needs it"
    )
}

/// Says whose the fields are, each beside its row.
pub(super) fn conflict_problems(
    loaded: &LoadedJob,
    sent: &Value,
    live: &Value,
    conflicts: &[Conflict],
) -> Vec<Problem> {
    let standing = Standing { job: &loaded.job, sent, live };
    conflicts
        .iter()
        .map(|conflict| conflict_problem(standing, &conflict.field, &conflict.manager))
        .collect()
}

/// Says what cannot be changed in place, value by value.
async fn immutable_problems(
    cluster: &Cluster,
    loaded: &LoadedJob,
    sent: &Value,
    live: &Value,
    fields: &[Refused],
) -> Vec<Problem> {
    let job = &loaded.job;
    let mut problems = Vec::new();
    for Refused { field, reason } in fields {
        let changes = changed_fields(sent, live, field, MANAGER);
        let changes = culprits(cluster, loaded, sent, changes).await;
        let standing = Standing { job, sent, live };
        if changes.is_empty() {
            problems.push(Problem::new(format!(
                "job.batch/{} in namespace {} cannot be changed in place ({reason}): {field}",
                job.name, job.namespace
            )));
        }
        problems.extend(replace_problems(standing, &changes, reason));
    }
    if let Some(last) = problems.last_mut() {
        last.hints
            .push("--replace deletes the Job and creates it anew, unless it is active".to_owned());
    }
    problems
}

/// The most changes that the server is asked about one by one.
const MOST_ASKED: usize = 16;

/// Leaves out the changes that the server takes on their own: it names only the part of the Job that
/// has one that it does not take.
async fn culprits(
    cluster: &Cluster,
    loaded: &LoadedJob,
    sent: &Value,
    changes: Vec<Change>,
) -> Vec<Change> {
    let gone = changes.iter().any(|change| change.here.is_none());
    if gone || changes.len() < 2 || changes.len() > MOST_ASKED {
        return changes;
    }
    let is_taken = |change: &Change| {
        let mut alone = sent.clone();
        for other in changes.iter().filter(|other| other.path != change.path) {
            put_back(&mut alone, other);
        }
        async move { told(cluster, loaded, &alone, Ownership::Taken).await.is_ok() }
    };
    let asked = futures::stream::iter(&changes).map(is_taken).buffered(AT_ONCE);
    let taken: Vec<bool> = asked.collect().await;
    if taken.iter().all(|taken| *taken) {
        return changes;
    }
    changes.into_iter().zip(taken).filter(|(_, taken)| !taken).map(|(change, _)| change).collect()
}

/// Makes one place of what is sent as it stands there.
fn put_back(sent: &mut Value, change: &Change) {
    let pointer = change.path.pointer();
    match (&change.there, change.path.0.split_last()) {
        (Some(there), _) => {
            if let Some(place) = sent.pointer_mut(&pointer) {
                place.clone_from(there);
            }
        }
        (None, Some((Segment::Key(key), parent))) => {
            let parent = JobPath(parent.to_vec()).pointer();
            if let Some(Value::Object(map)) = sent.pointer_mut(&parent) {
                map.remove(key.as_ref());
            }
        }
        (None, _) => {}
    }
}

/// Checks that a Job may be deleted to be created anew.
async fn replacement<'a>(
    cluster: &Cluster,
    loaded: &'a LoadedJob,
    live: Value,
    wish: Wish,
    patch: Patch,
) -> Result<Checked<'a>, Trouble> {
    let (name, namespace) = (&loaded.job.name, &loaded.job.namespace);
    let refused = |why: &str, hint: String| {
        let message =
            format!("job.batch/{name} in namespace {namespace} cannot be replaced: {why}");
        Trouble::Undecided(vec![Problem::new(message).hint(hint)])
    };
    if !is_ours(&live) {
        return Err(refused("this tool has not made it", look_at_it(loaded)));
    }
    if is_active(&live) && wish.replace != Replace::Any {
        let hint = "wait until it has ended, or stop it with --replace --force";
        return Err(refused("it is active", hint.to_owned()));
    }
    let uid = live["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    cluster.may_delete_job(namespace, name, &uid).await?;
    let begin = match wish.begin {
        Begin::Now if is_suspended(&live) => Begin::Suspended,
        begin => begin,
    };
    let sent = new_job(&loaded.job, begin);
    let step = Step::Replace { uid, posted: patch == Patch::Forbidden };
    Ok(Checked { loaded, sent, live: Some(live), step })
}

/// Tells whether pods of a Job run, or may at any moment.
fn is_active(live: &Value) -> bool {
    let Some(job) = as_job(live) else { return true };
    match job_state(&job) {
        JobState::Complete | JobState::Failed { .. } => false,
        JobState::Suspended => job.status.and_then(|status| status.active).unwrap_or(0) > 0,
        JobState::Created | JobState::Active | JobState::Completing | JobState::Failing => true,
    }
}

impl Checked<'_> {
    /// Tells whether its pods would start that did not before.
    pub(super) fn starts(&self) -> bool {
        if is_suspended(&self.sent) {
            return false;
        }
        match (&self.step, &self.live) {
            (Step::Change { .. }, Some(live)) => is_suspended(live),
            (Step::Keep, _) => false,
            _ => true,
        }
    }

    /// Tells whether it is posted, because the right to patch is missing.
    pub(super) fn is_posted(&self) -> bool {
        matches!(self.step, Step::Post | Step::Replace { posted: true, .. })
    }
}
