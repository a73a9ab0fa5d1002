//! `why`

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::jiff::Timestamp;

use super::entry::out;
use super::facts::connect;
use super::look::{Seen, allowed, not_found};
use super::mage_log::{Known, MageLog, mage_log, number_of};
use super::subject::Subject;
use crate::cli::{WhyArgs, WhyOutput};
use crate::cluster::{
    Cluster, ClusterError, LogRequest, NotedEnd, RunRow, Unmet, container_status, container_view,
    label_value, main_container,
};
use crate::diagnose::{Cause, Standing, Story};
use crate::error::CliError;
use crate::exit::Exit;
use crate::logs::{Listener, MageLine, is_drawn, parse_line};
use crate::status::{
    Block, Evidence, Explanation, Told, block_view, blocks, evidence, is_noted, of_note, tell,
};
use crate::ui::{Printer, manifest, why_json, why_text};

/// How much of a log is read: Mage's tracebacks are long.
const TAIL: u32 = 400;

/// Says why, by at most five requests in two round trips; of a block whose Job is gone, with one more,
/// for Mage's own log.
pub(super) fn why(args: &WhyArgs, printer: Printer) -> Result<Exit, CliError> {
    let subject = Subject::parse(&args.subject)?;
    let connected = connect(&args.connection)?;
    let cluster = &connected.cluster;
    let explanation = connected.runtime.block_on(async {
        match &subject {
            Subject::Job(name) => of_job(cluster, name, &subject).await,
            _ => of_run(cluster, &subject).await,
        }
    })?;
    match args.output {
        None => out(printer, &why_text(&explanation, Timestamp::now()))?,
        Some(WhyOutput::Json) => out(printer, &manifest::json(&why_json(&explanation)))?,
        Some(WhyOutput::Yaml) => out(printer, &manifest::yaml(&why_json(&explanation)))?,
    }
    Ok(Exit::Fine)
}

/// Explains the newest run that the subject names, or one block of it.
async fn of_run(cluster: &Cluster, subject: &Subject) -> Result<Explanation, CliError> {
    let mut seen = Seen::read(cluster, cluster.namespace(), subject).await?;
    let only = match subject {
        Subject::Target { block, .. } => block.as_deref(),
        _ => None,
    };
    let row = seen.rows().into_iter().find(|row| match subject {
        Subject::Target { pipeline, block: Some(block) } => {
            row.pipeline == *pipeline && has_block(&seen, row, block)
        }
        _ => seen.run(subject).as_ref() == Some(row),
    });
    let Some(row) = row else { return of_log(cluster, &seen, subject).await };
    seen.keep(&row);
    let mut found = blocks(&seen.jobs, &seen.pods);
    let ended = seen.noted();
    found.retain(|block| !is_noted(block, &ended));
    let mut telling: Vec<Told> = Vec::new();
    let mut unknown = seen.missing.clone();
    let unmet = seen.unmet();
    let said_no = |block: &&Block<'_>| unmet.get(&label_value(&block.uuid)) == Some(&Unmet::Own);
    if let Some(first) = most_telling(&found, only).or_else(|| found.iter().find(said_no)) {
        telling.push(detailed(cluster, &seen.namespace, first, None, &mut unknown).await?.0);
        let others = found.iter().filter(|block| only.is_none() && block.uuid != first.uuid);
        telling.extend(others.map(|block| brief(block)).filter(|told| told.story.cause.is_some()));
    }
    if telling.is_empty() {
        telling = noted(&seen, &found, &ended, only);
    }
    Ok(Explanation { namespace: seen.namespace, row: Some(row), blocks: telling, unknown })
}

/// Tells of blocks of which only a note is left, but for those that are complete.
fn noted(
    seen: &Seen,
    found: &[Block<'_>],
    ended: &BTreeMap<String, NotedEnd>,
    only: Option<&str>,
) -> Vec<Told> {
    let planned = seen.planned();
    let tell = |(label, end): (&String, &NotedEnd)| {
        let named = planned.iter().find(|(uuid, _)| label_value(uuid) == *label);
        let uuid = named.map_or(label, |(uuid, _)| uuid);
        let is_there = found.iter().any(|block| label_value(&block.uuid) == *label);
        // That the run was cancelled tells of all at once.
        let told_by_run = end.is_cancelled() && only.is_none();
        let is_other = only.is_some_and(|only| uuid != only);
        if end.is_complete() || is_there || told_by_run || is_other {
            return None;
        }
        let cause = match &end.why {
            Some((reason, sentence)) => Cause::new(reason, sentence),
            None if end.is_cancelled() => {
                Cause::new(&end.state, "its Job was deleted because the run ended")
            }
            None => Cause::new(&end.state, "its Job is gone, and nothing is noted of why"),
        };
        Some(Told {
            view: of_note(uuid, end),
            story: Story {
                standing: Standing::Failed,
                cause: Some(cause),
                earlier: Vec::new(),
                unknown: Vec::new(),
            },
            evidence: Vec::new(),
            lines: Vec::new(),
        })
    };
    ended.iter().filter_map(tell).collect()
}

fn has_block(seen: &Seen, row: &RunRow, block: &str) -> bool {
    use crate::cluster::{belongs, pod_belongs};
    let jobs = seen.jobs.iter().filter_map(belongs);
    let mut all = jobs.chain(seen.pods.iter().filter_map(pod_belongs));
    all.any(|of| of.source == row.source && of.run == row.run && of.block == block)
}

/// Chooses the block that is told of in full: what failed first, else what waits, else what runs.
fn most_telling<'a, 'b>(found: &'a [Block<'b>], only: Option<&str>) -> Option<&'a Block<'b>> {
    if let Some(only) = only {
        return found.iter().find(|block| block.uuid == only);
    }
    let rank = |block: &Block<'_>| {
        let told = brief(block);
        match (told.story.standing, told.story.cause.is_some()) {
            (Standing::Failed, _) => 0,
            (Standing::Pending | Standing::Suspended | Standing::NoPod, true) => 1,
            (_, true) => 2,
            (Standing::Pending | Standing::NoPod, false) => 3,
            (Standing::Running | Standing::Deleting, false) => 4,
            _ => 5,
        }
    };
    let best = found.iter().min_by_key(|block| (rank(block), ended(block)))?;
    (rank(best) < 5).then_some(best)
}

fn ended(block: &Block<'_>) -> Option<Timestamp> {
    block.job.and_then(crate::cluster::ended_at)
}

/// Tells of a block by what was read already.
fn brief(block: &Block<'_>) -> Told {
    let story = tell(block, &[], &[]);
    Told { view: block_view(block, &story), story, evidence: Vec::new(), lines: Vec::new() }
}

/// Explains a Job by its name, whoever made it and whether or not it is still there.
async fn of_job(cluster: &Cluster, name: &str, subject: &Subject) -> Result<Explanation, CliError> {
    let namespace = cluster.namespace().to_owned();
    let (selector, fields) = (format!("job-name={name}"), format!("involvedObject.name={name}"));
    let (job, pods, events) = tokio::join!(
        cluster.get_job(&namespace, name),
        cluster.list_pods(&namespace, &selector),
        cluster.list_events(&namespace, &fields),
    );
    let mut unknown = Vec::new();
    let job: Option<Job> = allowed(job, "the Job's own state", &mut unknown)?;
    let pods: Vec<Pod> = allowed(pods, "the states of its pods", &mut unknown)?;
    let events = allowed(events, "what events say", &mut unknown)?;
    if job.is_none() && pods.is_empty() && events.is_empty() {
        let seen = Seen { namespace, ..Seen::default() };
        return Err(not_found(cluster, &seen, subject).await);
    }
    let uid = job.as_ref().and_then(|job| job.metadata.uid.as_deref());
    let own: Vec<Pod> = pods
        .into_iter()
        .filter(|pod| {
            let owners = pod.metadata.owner_references.iter().flatten();
            uid.is_none_or(|uid| owners.into_iter().any(|owner| owner.uid == uid))
        })
        .collect();
    let block = Block::of_job(name, job.as_ref(), &own);
    let number = number_of(name).filter(|_| job.is_none() && own.is_empty());
    let of_mage = async {
        match number {
            Some(number) => Some(mage_log(cluster, &namespace, Known::Number(number)).await),
            None => None,
        }
    };
    let detailing = detailed(cluster, &namespace, &block, Some(events), &mut unknown);
    let (told, of_mage) = tokio::join!(detailing, of_mage);
    let (mut told, events) = told?;
    match of_mage.transpose()? {
        Some(Ok(log)) => told = with_mage_log(&block, &events, told, log),
        Some(Err(why)) => unknown.push(format!("Mage's own log of the block: {why}")),
        None => {}
    }
    Ok(Explanation { namespace, row: None, blocks: vec![told], unknown })
}

/// Tells of a block whose Job is gone by what Mage itself logged.
fn with_mage_log(block: &Block<'_>, events: &[Event], told: Told, log: MageLog) -> Told {
    let story = tell(block, events, &log.lines);
    let mut evidence = told.evidence;
    evidence.push(Evidence { kind: "log", text: format!("of Mage: {}", log.place), at: None });
    Told { view: block_view(block, &story), story, evidence, lines: log.lines }
}

/// Explains a block of which no Job is left, by the newest log that Mage kept of it.
async fn of_log(
    cluster: &Cluster,
    seen: &Seen,
    subject: &Subject,
) -> Result<Explanation, CliError> {
    let Subject::Target { pipeline, block: Some(uuid) } = subject else {
        return Err(not_found(cluster, seen, subject).await);
    };
    let known = Known::Block { pipeline, block: uuid };
    match mage_log(cluster, &seen.namespace, known).await? {
        Ok(log) => {
            let block = Block::gone(pipeline, uuid);
            let told = with_mage_log(&block, &[], brief(&block), log);
            let (namespace, unknown) = (seen.namespace.clone(), seen.missing.clone());
            Ok(Explanation { namespace, row: None, blocks: vec![told], unknown })
        }
        Err(why) => {
            let mut error = not_found(cluster, seen, subject).await;
            if let Some(problem) = error.problems.pop() {
                error
                    .problems
                    .push(problem.hint(format!("Mage's own log of it tells nothing: {why}")));
            }
            Err(error)
        }
    }
}

/// Reads the end of a block's log and its events, side by side, and tells of it in full. `known`
/// are the events of its Job, where they were read already; all events come back, too.
async fn detailed(
    cluster: &Cluster,
    namespace: &str,
    block: &Block<'_>,
    known: Option<Vec<Event>>,
    unknown: &mut Vec<String>,
) -> Result<(Told, Vec<Event>), CliError> {
    let fields = event_fields(block, known.as_deref());
    let events = async {
        match &fields {
            Some(fields) => cluster.list_events(namespace, fields).await,
            None => Ok(Vec::new()),
        }
    };
    let (lines, events) = tokio::join!(last_lines(cluster, namespace, block), events);
    let log = match lines {
        Ok(lines) => lines,
        Err(ClusterError::Forbidden { action, .. }) => {
            unknown.push(format!("the end of its log: no right to {action}"));
            Vec::new()
        }
        // A container that is gone, or has not started, has no log.
        Err(error) => {
            unknown.push(format!("the end of its log: {error}"));
            Vec::new()
        }
    };
    let mut all = known.unwrap_or_default();
    all.extend(allowed(events, "what events say", unknown)?);
    let (mut listener, mut evidence) = (Listener::default(), evidence(block, &all));
    for line in &log {
        let said = listener.take(line, &block.uuid);
        let text = said.map(|said| said.sentence());
        evidence.extend(text.map(|text| Evidence { kind: "log", text, at: None }));
    }
    let split = log.iter().flat_map(|line| line.text.lines()).filter(|line| !is_drawn(line));
    let lines: Vec<String> = split.map(str::to_owned).collect();
    let mut story = tell(block, &all, &lines);
    let said_no = listener.false_condition().filter(|_| story.standing == Standing::Complete);
    if let Some(condition) = said_no.filter(|_| story.cause.is_none()) {
        let sentence = format!("it did not run: {}", condition.sentence());
        story.cause = Some(Cause::new(condition.reason(), sentence));
    }
    let view = block_view(block, &story);
    Ok((Told { view, story, evidence, lines }, all))
}

/// Says which events explain a block: those of its last pod, or, where it has none, all that may be
/// of pods it had.
fn event_fields(block: &Block<'_>, known: Option<&[Event]>) -> Option<String> {
    if let Some(pod) = block.last_pod() {
        return Some(format!("involvedObject.uid={}", pod.metadata.uid.as_deref()?));
    }
    let Some(known) = known else { return Some(String::new()) };
    let made = known.iter().filter(|event| event.reason.as_deref() == Some("SuccessfulCreate"));
    let newest = made.max_by_key(|event| crate::diagnose::seen_at(event))?;
    let pod = newest.message.as_deref()?.strip_prefix("Created pod: ")?;
    Some(format!("involvedObject.name={pod}"))
}

/// Reads the end of the log of a block's last pod, if its container has begun.
async fn last_lines(
    cluster: &Cluster,
    namespace: &str,
    block: &Block<'_>,
) -> Result<Vec<MageLine>, ClusterError> {
    let Some(pod) = block.last_pod() else { return Ok(Vec::new()) };
    let Some(main) = main_container(pod) else { return Ok(Vec::new()) };
    let waits = container_view(pod, &main).phase.is_waiting();
    let restarts = container_status(pod, &main).map_or(0, |status| status.restart_count);
    let begun = container_status(pod, &main).is_some_and(|status| status.container_id.is_some());
    if !begun || (waits && restarts == 0) {
        return Ok(Vec::new());
    }
    let request = LogRequest {
        namespace: namespace.to_owned(),
        pod: pod.metadata.name.clone().unwrap_or_default(),
        container: main,
        follow: false,
        previous: waits,
        since_second: None,
        tail_lines: Some(TAIL),
    };
    let lines = cluster.read_tail(&request).await?;
    Ok(lines.iter().map(|line| parse_line(line)).collect())
}
