//! Many Jobs at once: how many change, and what that means for what a cluster has.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Difference, Verdict};
use crate::job::{Amounts, Quantity, peak_requests};
use crate::ui::plural;

/// How one Job differs.
#[derive(Clone, Debug)]
pub struct JobDiff {
    /// The pipeline's uuid.
    pub pipeline: String,
    /// The block run's uuid; absent for a whole pipeline in one pod.
    pub block: Option<String>,
    /// The Job's namespace, of the new side where there is one.
    pub namespace: String,
    /// The Job's name, of the new side where there is one.
    pub name: String,
    /// Who says which changes can be made in place: `server` or `documentation`.
    pub decided_by: &'static str,
    /// What differs.
    pub difference: Difference,
}

impl JobDiff {
    /// Returns the target by which a person names it.
    #[must_use]
    pub fn target(&self) -> String {
        match &self.block {
            Some(block) => format!("{}/{block}", self.pipeline),
            None => self.pipeline.clone(),
        }
    }

    /// Returns the name of the file that holds it, as kubectl calls it.
    #[must_use]
    pub fn file(&self) -> String {
        format!("batch.v1.Job.{}.{}", self.namespace, self.name)
    }
}

/// What a Job weighs on one side: what its pod asks for, and how many may run at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// What one pod asks for.
    pub requests: Amounts,
    /// The namespace it asks in.
    pub namespace: String,
    /// How many blocks of its pipeline may run at once.
    pub parallel: usize,
}

/// A quota of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The most of each resource that pods may ask for together: `cpu`, `memory`.
    pub hard: Amounts,
}

/// Everything that was compared.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many blocks either side has.
    pub blocks: usize,
    /// How many of them have each verdict.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// What the pipelines ask for at most, each by itself, together: before and after.
    pub peak: BTreeMap<String, (Quantity, Quantity)>,
    /// Blocks whose pod now asks for more than a whole quota has, and did not before.
    pub over_quota: Vec<String>,
    /// Pipelines whose blocks together now do, so that some have to wait.
    pub peak_over_quota: Vec<String>,
}

/// The Jobs that differ, and a summary of all.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was compared with: `rev:main`.
    pub against: String,
    /// The Jobs that differ, in order.
    pub jobs: Vec<JobDiff>,
    /// What is true of all.
    pub summary: Summary,
}

/// A block on both sides.
type Weights<'a> = (&'a str, Option<&'a str>, Option<&'a Weight>, Option<&'a Weight>);

impl Summary {
    /// Counts one Job.
    pub fn count(&mut self, verdict: Verdict) {
        self.blocks += 1;
        *self.verdicts.entry(verdict).or_default() += 1;
    }

    /// Says how many Jobs have a verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// Says how many Jobs differ.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.blocks - self.of(Verdict::Unchanged)
    }

    /// Weighs all blocks: pipeline, block, and its weight before and after.
    pub fn weigh(&mut self, blocks: &[Weights<'_>], quotas: &[Quota]) {
        let pipelines: BTreeSet<&str> = blocks.iter().map(|(pipeline, ..)| *pipeline).collect();
        for pipeline in pipelines {
            let of = blocks.iter().filter(|(own, ..)| *own == pipeline);
            let before: Vec<&Weight> = of.clone().filter_map(|(.., before, _)| *before).collect();
            let after: Vec<&Weight> = of.filter_map(|(.., after)| *after).collect();
            for (weights, is_after) in [(&before, false), (&after, true)] {
                for (name, amount) in peak(weights, None) {
                    let sums = self.peak.entry(name).or_insert((Quantity::ZERO, Quantity::ZERO));
                    let sum = if is_after { &mut sums.1 } else { &mut sums.0 };
                    *sum = [*sum, amount].into_iter().sum();
                }
            }
            let is_over = |weights: &[&Weight]| {
                quotas.iter().any(|quota| exceeds(&peak(weights, Some(&quota.namespace)), quota))
            };
            if is_over(&after) && !is_over(&before) {
                self.peak_over_quota.push(pipeline.to_owned());
            }
        }
        let is_over = |weight: &Weight| {
            let of = quotas.iter().filter(|quota| quota.namespace == weight.namespace);
            of.into_iter().any(|quota| exceeds(&weight.requests, quota))
        };
        for (pipeline, block, before, after) in blocks {
            if after.is_some_and(is_over) && !before.is_some_and(is_over) {
                let block = block.map(|block| format!("/{block}")).unwrap_or_default();
                self.over_quota.push(format!("{pipeline}{block}"));
            }
        }
    }

    /// Says it in one sentence: `4 of 312 blocks change; peak +6 CPU, +24Gi; 2 need replace`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let blocks = plural(self.blocks, "block");
        if self.changed() == 0 {
            return format!("no differences in {blocks}");
        }
        let verb = if self.changed() == 1 { "changes" } else { "change" };
        let mut parts = vec![format!("{} of {blocks} {verb}", self.changed())];
        let peak: Vec<String> = self.peak_changes();
        if !peak.is_empty() {
            parts.push(format!("peak {}", peak.join(", ")));
        }
        let say = |count: usize, one: &str, many: &str| {
            (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
        };
        parts.extend(say(self.over_quota.len(), "now exceeds quota", "now exceed quota"));
        parts.extend(say(
            self.peak_over_quota.len(),
            "pipeline's peak now exceeds quota",
            "pipelines' peaks now exceed quota",
        ));
        parts.extend(say(self.of(Verdict::Replace), "needs replace", "need replace"));
        parts.extend(say(self.of(Verdict::New), "is new", "are new"));
        parts.extend(say(self.of(Verdict::Gone), "is gone", "are gone"));
        parts.join("; ")
    }

    fn peak_changes(&self) -> Vec<String> {
        let changed = self.peak.iter().filter(|(_, (before, after))| before != after);
        let told = |(name, (before, after)): (&String, &(Quantity, Quantity))| {
            let change = *after - *before;
            let sign = if change > Quantity::ZERO { "+" } else { "" };
            match name.as_str() {
                "cpu" => format!("{sign}{change} CPU"),
                "memory" => format!("{sign}{change}"),
                name => format!("{sign}{change} {name}"),
            }
        };
        changed.map(told).collect()
    }
}

/// Returns what blocks ask for at most at once, in one namespace or in all.
fn peak(weights: &[&Weight], namespace: Option<&str>) -> Amounts {
    let counts = |weight: &&&Weight| namespace.is_none_or(|name| weight.namespace == name);
    let pods = weights.iter().filter(counts).map(|weight| &weight.requests);
    peak_requests(pods, weights.first().map_or(1, |weight| weight.parallel))
}

fn exceeds(amounts: &Amounts, quota: &Quota) -> bool {
    quota.hard.iter().any(|(name, hard)| amounts.get(name).is_some_and(|amount| amount > hard))
}
