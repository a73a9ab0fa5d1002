//! The Jobs of both sides, paired and compared.

use std::collections::HashMap;

use crate::commands::load::Making;
use crate::diff::{
    Decided, JobDiff, Quota, Report, Side, Summary, Template, Verdict, Weight, compare,
};
use crate::job::{RenderedJob, pod_requests};
use crate::run::Options;

/// A block: the pipeline, and the block run's uuid where it is not the whole of it.
pub(super) type Key = (String, Option<String>);

/// One Job of one side.
pub(super) struct Kept {
    pub(super) key: Key,
    pub(super) side: Side,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) weight: Weight,
}

/// Whether secrets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrecy {
    Masked,
    Shown,
}

impl Secrecy {
    pub(super) fn of(show_secrets: bool) -> Self {
        if show_secrets { Self::Shown } else { Self::Masked }
    }

    pub(super) fn applied(self, side: Side) -> Side {
        match self {
            Self::Masked => side,
            Self::Shown => side.revealed(),
        }
    }
}

impl Kept {
    /// Takes a Job that was made of files.
    pub(super) fn of(making: &Making<'_>, job: &RenderedJob, secrecy: Secrecy) -> Self {
        let parallel = making.concurrency().and_then(|limit| usize::try_from(limit).ok());
        let parallel = parallel.filter(|limit| *limit > 0);
        Self {
            key: (job.pipeline.clone(), job.block.clone()),
            side: secrecy.applied(Side::rendered(job)),
            namespace: job.namespace.clone(),
            name: job.name.clone(),
            weight: Weight {
                requests: pod_requests(&job.job),
                namespace: job.namespace.clone(),
                parallel: parallel.unwrap_or(Options::default().parallel.get()),
            },
        }
    }
}

/// A file for each side of a Job, as `KUBECTL_EXTERNAL_DIFF` is given them.
pub(super) struct Manifests {
    pub(super) file: String,
    pub(super) sides: [Option<String>; 2],
}

/// Everything that was compared.
pub(super) struct Compared {
    pub(super) report: Report,
    pub(super) manifests: Vec<Manifests>,
    /// What the folders of both sides are called.
    pub(super) names: [&'static str; 2],
}

/// Compares Jobs as they come.
pub(super) struct Comparing {
    compared: Compared,
    /// Pipeline, block, and weights of both sides.
    weights: Vec<(Key, Option<Weight>, Option<Weight>)>,
}

/// One Job and its two sides.
pub(super) struct Pair<'a> {
    pub(super) key: Key,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) old: Option<&'a Side>,
    pub(super) new: Option<&'a Side>,
}

impl<'a> Pair<'a> {
    /// Takes a Job of the project and what it is compared with.
    pub(super) fn of(job: &'a RenderedJob, old: Option<&'a Side>, new: &'a Side) -> Self {
        let key = (job.pipeline.clone(), job.block.clone());
        Self { key, namespace: &job.namespace, name: &job.name, old, new: Some(new) }
    }
}

impl Comparing {
    pub(super) fn new(against: String, names: [&'static str; 2]) -> Self {
        let report = Report { against, jobs: Vec::new(), summary: Summary::default() };
        let compared = Compared { report, manifests: Vec::new(), names };
        Self { compared, weights: Vec::new() }
    }

    /// Compares one Job; tells how it differs.
    pub(super) fn pair(&mut self, pair: &Pair<'_>, decided: &Decided) -> Verdict {
        let difference = compare(pair.old, pair.new, decided);
        let verdict = difference.verdict;
        self.compared.report.summary.count(verdict);
        if verdict == Verdict::Unchanged {
            return verdict;
        }
        let (pipeline, block) = pair.key.clone();
        let diff = JobDiff {
            pipeline,
            block,
            namespace: pair.namespace.to_owned(),
            name: pair.name.to_owned(),
            decided_by: decided.as_str(),
            difference,
        };
        let [before, after] = diff.difference.documents();
        self.compared.manifests.push(Manifests {
            file: diff.file(),
            sides: [pair.old.map(|_| before), pair.new.map(|_| after)],
        });
        self.compared.report.jobs.push(diff);
        verdict
    }

    /// Compares a Job of each side, both made of files.
    pub(super) fn kept(&mut self, old: Option<&Kept>, new: Option<&Kept>) {
        let Some(named) = new.or(old) else { return };
        let pair = Pair {
            key: named.key.clone(),
            namespace: &named.namespace,
            name: &named.name,
            old: old.map(|kept| &kept.side),
            new: new.map(|kept| &kept.side),
        };
        self.pair(&pair, &Decided::ByTable(Template::Fixed));
        let weight = |kept: Option<&Kept>| kept.map(|kept| kept.weight.clone());
        self.weights.push((named.key.clone(), weight(old), weight(new)));
    }

    /// Returns the namespaces of all Jobs that were weighed.
    pub(super) fn namespaces(&self) -> Vec<&str> {
        let weights = self.weights.iter().flat_map(|(_, old, new)| old.iter().chain(new));
        let mut all: Vec<&str> = weights.map(|weight| weight.namespace.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Weighs all Jobs against quotas.
    pub(super) fn weigh(&mut self, quotas: &[Quota]) {
        let weights: Vec<_> = self
            .weights
            .iter()
            .map(|((pipeline, block), old, new)| {
                (pipeline.as_str(), block.as_deref(), old.as_ref(), new.as_ref())
            })
            .collect();
        self.compared.report.summary.weigh(&weights, quotas);
    }

    /// Returns everything, the pipelines in the order given.
    pub(super) fn end(mut self, pipelines: &[String]) -> Compared {
        let order: HashMap<&str, usize> =
            pipelines.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
        let place = |diff: &JobDiff| order.get(diff.pipeline.as_str()).copied();
        let report = &mut self.compared.report;
        let mut both: Vec<(JobDiff, Manifests)> =
            report.jobs.drain(..).zip(self.compared.manifests.drain(..)).collect();
        both.sort_by_key(|(diff, _)| place(diff).unwrap_or(usize::MAX));
        (self.compared.report.jobs, self.compared.manifests) = both.into_iter().unzip();
        self.compared
    }
}
