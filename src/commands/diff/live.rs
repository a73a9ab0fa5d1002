//! `--against live`: the Jobs of the cluster, and what the API server would make of the project's.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use super::asked::{After, Asked, Made, ask, is_no_namespace, unmarked};
use super::drift::{Drift, drift_of, is_of_mage};
use super::sides::{Comparing, Pair, Secrecy};
use super::verb::{Outcome, against};
use crate::cli::{ConfigArgs, DiffArgs};
use crate::cluster::{Cluster, ClusterError, MANAGED_BY, MANAGER, as_job, belongs, is_ours};
use crate::commands::facts::{Connected, connect};
use crate::commands::load::{Masked, Request, load_each};
use crate::commands::maker::{Naming, Widen, problems};
use crate::commands::subject::{Subject, job_name};
use crate::commands::validate::refuse_without_connection;
use crate::diff::{Side, Verdict, spoken_of};
use crate::error::{CliError, Problem};
use crate::job::{RenderedJob, refusals};
use crate::project::Missing;
use crate::ui::Printer;

/// How many Jobs are asked about at once.
const AT_ONCE: usize = 8;

/// Compares the Jobs of the cluster with those that the project makes.
pub(super) fn against_live(args: &DiffArgs, printer: Printer) -> Outcome {
    refuse_without_connection(&args.config, "diff --against live").map_err(offline_hint)?;
    let (named, targets): (Vec<&String>, Vec<&String>) =
        args.targets.iter().partition(|target| job_name(target).is_some());
    let mut live = Live::new(args, printer);
    for target in named.iter().filter(|target| job_name(target).is_some()) {
        let Subject::Job(name) = Subject::parse(target)? else { continue };
        live.job(&name)?;
    }
    if !targets.is_empty() || named.is_empty() {
        let targets: Vec<String> = targets.into_iter().cloned().collect();
        let jobs = live.load(&args.config, &targets)?;
        live.targets(&jobs)?;
    }
    live.end()
}

/// Compares Jobs of the cluster with those that the project makes of their blocks.
pub(super) fn against_jobs(args: &DiffArgs, names: &[String], printer: Printer) -> Outcome {
    let mut live = Live::new(args, printer);
    for name in names {
        live.job(name)?;
    }
    live.end()
}

fn offline_hint(mut error: CliError) -> CliError {
    if let Some(problem) = error.problems.last_mut() {
        let hint = "or compare files: --against rev:REV, edition:oss|pro, env:ENV or snapshot:FILE";
        problem.hints.push(hint.to_owned());
    }
    error
}

struct Live<'a> {
    args: &'a DiffArgs,
    printer: Printer,
    comparing: Comparing,
    pipelines: Vec<String>,
    connected: Option<Connected>,
    /// Notices that were given.
    told: BTreeSet<String>,
    refused: Vec<Problem>,
}

impl<'a> Live<'a> {
    fn new(args: &'a DiffArgs, printer: Printer) -> Self {
        Self {
            args,
            printer,
            comparing: Comparing::new(against(args), ["LIVE", "MERGED"]),
            pipelines: Vec::new(),
            connected: None,
            told: BTreeSet::new(),
            refused: Vec::new(),
        }
    }

    /// Returns what was compared, unless the server would refuse some of it.
    fn end(self) -> Outcome {
        if !self.refused.is_empty() {
            return Err(problems(self.refused));
        }
        Ok(self.comparing.end(&self.pipelines))
    }

    /// Makes the Jobs of targets.
    fn load(
        &mut self,
        config: &ConfigArgs,
        targets: &[String],
    ) -> Result<Vec<RenderedJob>, CliError> {
        let request = Request {
            targets,
            args: config,
            connection: &self.args.connection,
            widen: Widen::default(),
            naming: &|_| Naming::Target,
            missing_secret: Missing::Error,
            masked: Masked::Refused,
        };
        let mut jobs = Vec::new();
        // What is read anew for one more Job says the same.
        let printer = if self.pipelines.is_empty() { self.printer } else { self.printer.hushed() };
        let loaded = load_each(&request, printer, &mut |_, job| jobs.push(job))?;
        self.pipelines.extend(jobs.iter().map(|job| job.pipeline.clone()));
        if self.connected.is_none() {
            self.connected = loaded.connected;
        }
        self.connect()?;
        Ok(jobs)
    }

    fn connect(&mut self) -> Result<&Connected, CliError> {
        if self.connected.is_none() {
            self.connected = Some(connect(&self.args.connection)?);
        }
        self.connected
            .as_ref()
            .ok_or_else(|| CliError::usage(Problem::new("there is no connection")))
    }

    /// Compares the Jobs of targets with those of their names.
    fn targets(&mut self, jobs: &[RenderedJob]) -> Result<(), CliError> {
        let connected = self.connect()?;
        let answers: Vec<Result<Asked, ClusterError>> = connected.runtime.block_on(async {
            let cluster = &connected.cluster;
            let asked = futures::stream::iter(jobs).map(|job| ask_about(cluster, job));
            asked.buffered(AT_ONCE).collect().await
        });
        let mut new = Vec::new();
        for (job, asked) in jobs.iter().zip(answers) {
            let asked = asked?;
            if asked.live.as_ref().and_then(as_job).as_ref().is_some_and(is_of_mage) {
                // The ids that the server gave it are in its command.
                self.job(&job.name)?;
            } else if self.compare(job, &asked) == Verdict::New {
                new.push(job);
            }
        }
        self.tell_of_mages(&new)
    }

    /// Compares one Job; tells what was found on the way.
    fn compare(&mut self, job: &RenderedJob, asked: &Asked) -> Verdict {
        self.tell_of_live(job, asked);
        self.refused.extend(refusals(job, &asked.refused).into_iter().map(|found| found.problem));
        self.tell(job, asked);
        let secrecy = Secrecy::of(self.args.show_secrets);
        let (old, new) = sides(job, asked);
        let (old, new) = (old.map(|side| secrecy.applied(side)), secrecy.applied(new));
        self.comparing.pair(&Pair::of(job, old.as_ref(), &new), &asked.decided)
    }

    /// Says what a Job is that `apply` would not take for its own, or not as it is.
    fn tell_of_live(&self, job: &RenderedJob, asked: &Asked) {
        let Some(live) = &asked.live else { return };
        let (name, namespace) = (&job.name, &job.namespace);
        if !live["metadata"]["deletionTimestamp"].is_null() {
            self.printer
                .notice(&format!("job.batch/{name} in namespace {namespace} is being deleted"));
        }
        let made_by_mage = as_job(live).as_ref().is_some_and(is_of_mage);
        if !is_ours(live) && !made_by_mage {
            self.printer.notice(&format!(
                "job.batch/{name} in namespace {namespace} is somebody else's: it lacks the label {MANAGED_BY}={MANAGER}"
            ));
        }
    }

    /// Says what the server could not be asked, each reason once, and what `apply` would stumble over.
    fn tell(&mut self, job: &RenderedJob, asked: &Asked) {
        if !asked.without.is_empty() {
            let notice = without(job, asked);
            if self.told.insert(notice.clone()) {
                self.printer.notice(&notice);
            }
        }
        for conflict in &asked.conflicts {
            let message = format!(
                "job.batch/{} in namespace {}: {} belongs to field manager {}: `apply` would be a conflict there",
                job.name, job.namespace, conflict.field, conflict.manager
            );
            let hint = "what is shown is what `apply --force-conflicts` would make of it";
            self.printer.problem_warning(&Problem::new(message).hint(hint));
        }
    }

    /// Compares a Job of the cluster, whoever made it.
    fn job(&mut self, name: &str) -> Result<(), CliError> {
        let connected = self.connect()?;
        let namespace = connected.cluster.namespace().to_owned();
        let read = connected.cluster.get_job_json(&namespace, name);
        let Some(live) = connected.runtime.block_on(read)? else {
            let problem =
                Problem::new(format!("there is no job.batch/{name} in namespace {namespace}"));
            return Err(CliError::usage(problem.hint(
                "see `kubectl get jobs`, or name another namespace with -n; the Mage server deletes each Job some seconds after its end",
            )));
        };
        let Drift { target, config } = drift_of(&self.args.config, &live, name, &namespace)?;
        for job in self.load(&config, &[target])? {
            // One that the files put elsewhere is no change of this one.
            let is_here = is_ours(&live)
                && (job.namespace.as_str(), job.name.as_str()) == (namespace.as_str(), name);
            let made = if is_here { Made::HereAndChanged } else { Made::ByMage };
            let connected = self.connect()?;
            let asking = ask(&connected.cluster, &job, Some(live.clone()), made);
            let asked = connected.runtime.block_on(asking)?;
            self.compare(&job, &asked);
        }
        Ok(())
    }

    /// Says which blocks that have no Job of their name have one that the Mage server made.
    fn tell_of_mages(&mut self, new: &[&RenderedJob]) -> Result<(), CliError> {
        let connected = self.connect()?;
        let namespaces: BTreeSet<&str> = new.iter().map(|job| job.namespace.as_str()).collect();
        let mut running: BTreeMap<(String, String), String> = BTreeMap::new();
        for namespace in namespaces {
            // Whoever may not list Jobs is not told.
            let listed = connected.cluster.list_jobs(Some(namespace), "");
            for job in connected.runtime.block_on(listed).unwrap_or_default() {
                let of = belongs(&job).filter(|_| is_of_mage(&job));
                if let Some((of, name)) = of.zip(job.metadata.name) {
                    running.insert((of.pipeline, of.block), name);
                }
            }
        }
        for job in new {
            let block = job.block.as_ref().unwrap_or(&job.pipeline);
            if let Some(name) = running.get(&(job.pipeline.clone(), block.clone())) {
                self.printer.notice(&format!(
                    "the Mage server has made job/{name} of {block}: see what it used with `kubectl mage diff job/{name}`"
                ));
            }
        }
        Ok(())
    }
}

async fn ask_about(cluster: &Cluster, job: &RenderedJob) -> Result<Asked, ClusterError> {
    let live = cluster.get_job_json(&job.namespace, &job.name).await?;
    ask(cluster, job, live, Made::Here).await
}

/// Makes the sides of a Job, without this tool's marks.
fn sides(job: &RenderedJob, asked: &Asked) -> (Option<Side>, Side) {
    let live = asked.live.clone().map(unmarked);
    match (&asked.after, live) {
        (After::Answered(answer), live) => {
            let mut answer = unmarked(answer.clone());
            // Whether it waits to be started is how it stands, unless a layer says it.
            let stands = live.as_ref().map(|live| live["spec"]["suspend"].clone());
            if let Some(stands) = stands.filter(|_| job.job["spec"]["suspend"].is_null()) {
                answer["spec"]["suspend"] = stands;
            }
            (live.map(|live| Side::live(live, job)), Side::answered(answer, job))
        }
        (After::Sent, Some(live)) => {
            let (live, own) = spoken_of(&live, &job.job, MANAGER);
            (Some(Side::live(live, job)), Side::sent(&own, job))
        }
        (After::Sent, None) => (None, Side::rendered(job)),
    }
}

/// Says what was done without asking the server, and why.
fn without(job: &RenderedJob, asked: &Asked) -> String {
    let namespace = &job.namespace;
    let why = |error: &ClusterError| match (error.missing_right(), error) {
        (Some(verb), _) => format!("may not {verb} jobs.batch in namespace {namespace}"),
        (None, error) if is_no_namespace(error) => format!("namespace {namespace} does not exist"),
        (None, error) => error.to_string(),
    };
    let why = asked.without.iter().map(why).collect::<Vec<_>>().join(", ");
    match (&asked.live, &asked.after) {
        (None, _) => format!("new Jobs were not checked by the API server: {why}"),
        (_, After::Answered(_)) => format!(
            "without a dry run of apply ({why}): compared with what the API server would make of a new Job"
        ),
        (_, After::Sent) => format!(
            "without a dry run ({why}): compared here, and what only the cluster's Job says is taken for the server's own"
        ),
    }
}
