//! Which logs that were saved stand for those of pods that are gone (pure).

use std::collections::BTreeMap;
use std::ops::Range;

use k8s_openapi::api::core::v1::Pod;

use super::containers::Containers;
use super::options::TailOptions;
use super::wanted::{Bound, Wanted};
use crate::cluster::Source;
use crate::logs::{Extent, FirstRun, LogOf, SavedLog, best_of_each};
use crate::ui::Label;

/// A container of a pod that is there.
#[derive(Clone, Debug)]
pub(super) struct There {
    /// The pod's UID.
    pub(super) uid: String,
    /// The container's name.
    pub(super) container: String,
    /// How often it was restarted.
    pub(super) restarts: u32,
    /// Which of its runs are read from the cluster.
    pub(super) read: Range<u32>,
}

/// What files tell of what is meant.
#[derive(Debug, Default)]
pub(super) struct FromFiles {
    /// The logs to show, the oldest pod first.
    pub(super) logs: Vec<SavedLog>,
    /// What else there is of them.
    pub(super) notes: Vec<String>,
}

/// Returns the saved logs of what is meant that are not read from the cluster.
pub(super) fn from_files(
    options: &TailOptions,
    meant: &[(Wanted, Option<Bound>)],
    there: &[There],
) -> FromFiles {
    // No file tells of labels.
    if !options.labels.is_empty() {
        return FromFiles::default();
    }
    let is_meant = |saved: &&SavedLog| {
        (options.namespace.is_empty() || options.namespace == saved.of.namespace)
            && is_chosen(&saved.of, &options.containers)
            && meant.iter().any(|(wanted, bound)| match bound {
                Some(bound) => is_bound(bound, &saved.of),
                None => newest(wanted, &options.saved).is_some_and(|b| is_bound(&b, &saved.of)),
            })
    };
    let found: Vec<SavedLog> = options.saved.iter().filter(is_meant).cloned().collect();
    let (mut logs, rest) = best_of_each(found);
    choose_runs(&mut logs, options.part.first, there);
    let others = rest.iter().filter(|other| logs.iter().any(|log| log.of.is_same(&other.of)));
    let notes = others.map(|other| {
        format!("another reading of the log of pod/{} is in {}", other.of.pod, other.path.display())
    });
    let notes = notes.collect();
    FromFiles { logs, notes }
}

/// Returns which attempt a run of a container was when its log was saved, or one before it was.
pub(super) fn attempt_of(pod: &Pod, container: &str, run: u32, saved: &[SavedLog]) -> Option<u32> {
    let is_its = |of: &&LogOf| {
        of.container == container && pod.metadata.uid.as_ref() == Some(&of.uid) && of.restart <= run
    };
    let of = saved.iter().map(|saved| &saved.of).filter(is_its).max_by_key(|of| of.restart)?;
    Some(of.attempt + (run - of.restart))
}

/// Tells whether all that a run of a container wrote was saved.
pub(super) fn is_whole(pod: &Pod, container: &str, run: u32, saved: &[SavedLog]) -> bool {
    saved.iter().any(|saved| {
        saved.of.restart == run
            && pod.metadata.uid.as_ref() == Some(&saved.of.uid)
            && saved.of.container == container
            && saved.extent == Extent::Complete
            && saved.gaps == 0
    })
}

/// Leaves the runs of containers that are asked for and not read.
fn choose_runs(logs: &mut Vec<SavedLog>, first: FirstRun, there: &[There]) {
    let mut last: BTreeMap<(String, String), u32> = BTreeMap::new();
    for of in logs.iter().map(|log| &log.of) {
        let newest = last.entry((of.uid.clone(), of.container.clone())).or_default();
        *newest = of.restart.max(*newest);
    }
    let mut read = BTreeMap::new();
    for there in there {
        let key = (there.uid.clone(), there.container.clone());
        last.insert(key.clone(), there.restarts);
        read.insert(key, there.read.clone());
    }
    logs.retain(|SavedLog { of, .. }| {
        let key = (of.uid.clone(), of.container.clone());
        let newest = last.get(&key).copied().unwrap_or_default();
        let is_asked_for = match first {
            FirstRun::Previous => true,
            FirstRun::Present => of.restart == newest,
            FirstRun::OnlyPrevious => of.restart + 1 == newest,
        };
        is_asked_for && !read.get(&key).is_some_and(|read| read.contains(&of.restart))
    });
}

/// Says what a name means by what was saved.
fn newest(wanted: &Wanted, saved: &[SavedLog]) -> Option<Bound> {
    let (pipeline, block) = match wanted {
        Wanted::Target { pipeline, block } => (pipeline, block),
        other => return other.bind(&[], &[]),
    };
    let is_meant = |of: &&LogOf| {
        of.pipeline.as_ref() == Some(pipeline)
            && block.as_ref().is_none_or(|block| of.block == *block)
    };
    let of = saved.iter().map(|saved| &saved.of).filter(is_meant).max_by_key(|of| of.created)?;
    let run = of.run.clone()?;
    Some(Bound::Run { source: Source::of_run(&run), run, block: block.clone() })
}

fn is_bound(bound: &Bound, of: &LogOf) -> bool {
    match bound {
        Bound::Job(name) => of.job.as_ref() == Some(name),
        Bound::Run { source: by, run, block } => {
            of.run.as_ref() == Some(run)
                && *by == Source::of_run(run)
                && block.as_ref().is_none_or(|block| of.block == *block)
        }
    }
}

fn is_chosen(of: &LogOf, containers: &Containers) -> bool {
    match containers {
        Containers::All => true,
        Containers::Main => of.usual,
        Containers::MainOnly => of.main,
        Containers::Named(names) => names.contains(&of.container),
    }
}

/// Returns what the lines of a saved log are shown by.
pub(super) fn label_of(of: &LogOf) -> Label {
    Label {
        block: of.block.as_str().into(),
        attempt: of.attempt,
        container: (!of.main).then(|| of.container.as_str().into()),
        pod: of.pod.as_str().into(),
        job: of.job.as_deref().map(Into::into),
        namespace: of.namespace.as_str().into(),
        run: of.run.as_deref().map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::{There, from_files};
    use crate::cluster::Source;
    use crate::logs::{Extent, FirstRun, LogOf, Part, SavedLog};
    use crate::tail::{Bound, Containers, Mix, TailOptions, Times, Wanted};
    use k8s_openapi::jiff::Timestamp;
    use std::num::NonZeroUsize;
    use std::time::Duration;

    fn saved(run: &str, block: &str, uid: &str, restart: u32, created: i64) -> SavedLog {
        let of = LogOf {
            namespace: "n".to_owned(),
            run: Some(run.to_owned()),
            pipeline: Some("etl".to_owned()),
            block: block.to_owned(),
            attempt: restart + 1,
            job: Some(format!("{run}-{block}")),
            pod: uid.to_owned(),
            uid: uid.to_owned(),
            container: "mage".to_owned(),
            main: true,
            usual: true,
            restart,
            created: Timestamp::from_second(created).ok(),
            ..LogOf::default()
        };
        let path = format!("/logs/{uid}.{}.log", restart + 1).into();
        SavedLog { of, path, times: None, extent: Extent::Complete, at: None, gaps: 0 }
    }

    fn options(saved: Vec<SavedLog>) -> TailOptions {
        TailOptions {
            wanted: Vec::new(),
            namespace: "n".to_owned(),
            labels: String::new(),
            containers: Containers::Main,
            mix: Mix::Told,
            part: Part { first: FirstRun::Previous, ..Part::default() },
            max_streams: NonZeroUsize::MIN,
            folder: None,
            saved,
            times: Times::Unshown,
            contact_timeout: Duration::ZERO,
        }
    }

    fn all() -> Vec<SavedLog> {
        vec![
            saved("etl-b", "load", "b1", 0, 20),
            saved("etl-b", "load", "b1", 1, 20),
            saved("etl-b", "load", "b1", 2, 20),
            saved("etl-b", "left", "b2", 0, 30),
            saved("etl-a", "load", "a1", 0, 10),
            saved("etl@7", "load", "s1", 0, 5),
        ]
    }

    fn there(uid: &str, restarts: u32, read: std::ops::Range<u32>) -> There {
        There { uid: uid.to_owned(), container: "mage".to_owned(), restarts, read }
    }

    fn found(options: &TailOptions, wanted: &Wanted, there: &[There]) -> Vec<String> {
        let bound = wanted.bind(&[], &[]);
        let found = from_files(options, &[(wanted.clone(), bound)], there);
        found.logs.iter().map(|log| format!("{} {}", log.of.uid, log.of.restart)).collect()
    }

    #[test]
    fn what_is_meant_is_found_as_it_would_be_in_the_cluster() {
        let options = options(all());
        let target = |block: Option<&str>| Wanted::Target {
            pipeline: "etl".to_owned(),
            block: block.map(str::to_owned),
        };
        let run = |run: &str| Wanted::Run(run.to_owned());
        for (wanted, logs) in [
            (run("etl-b"), vec!["b1 0", "b1 1", "b1 2", "b2 0"]),
            (run("etl-a"), vec!["a1 0"]),
            (run("etl-c"), vec![]),
            (run("etl@7"), vec![]),
            (Wanted::PipelineAt("etl@7".to_owned()), vec!["s1 0"]),
            (Wanted::Job("etl-b-left".to_owned()), vec!["b2 0"]),
            (target(None), vec!["b1 0", "b1 1", "b1 2", "b2 0"]),
            (target(Some("left")), vec!["b2 0"]),
            (target(Some("right")), vec![]),
        ] {
            assert_eq!(found(&options, &wanted, &[]), logs, "{wanted:?}");
        }
        let elsewhere = TailOptions { namespace: "m".to_owned(), ..options.clone() };
        assert!(found(&elsewhere, &run("etl-b"), &[]).is_empty());
        let labelled = TailOptions { labels: "a=b".to_owned(), ..options };
        assert!(found(&labelled, &run("etl-b"), &[]).is_empty());
    }

    #[test]
    fn what_the_cluster_has_is_not_read_from_files() {
        let mut options = options(all());
        let wanted = Wanted::Run("etl-b".to_owned());
        assert_eq!(found(&options, &wanted, &[there("b1", 2, 1..3)]), ["b1 0", "b2 0"]);
        assert_eq!(found(&options, &wanted, &[there("b1", 2, 2..3)]), ["b1 0", "b1 1", "b2 0"]);
        options.part.first = FirstRun::Present;
        assert_eq!(found(&options, &wanted, &[]), ["b1 2", "b2 0"]);
        assert_eq!(found(&options, &wanted, &[there("b1", 3, 3..4)]), ["b2 0"]);
        options.part.first = FirstRun::OnlyPrevious;
        assert_eq!(found(&options, &wanted, &[]), ["b1 1"]);
        assert_eq!(found(&options, &wanted, &[there("b1", 3, 3..3)]), ["b1 2"]);
        assert!(found(&options, &wanted, &[there("b1", 2, 1..2)]).is_empty());
    }

    #[test]
    fn a_target_that_is_bound_keeps_to_its_run() {
        let options = options(all());
        let wanted = Wanted::Target { pipeline: "etl".to_owned(), block: None };
        let bound = Bound::Run { source: Source::Run, run: "etl-a".to_owned(), block: None };
        let found = from_files(&options, &[(wanted, Some(bound))], &[]);
        assert_eq!(found.logs.len(), 1);
        assert_eq!(found.logs[0].of.uid, "a1");
    }

    #[test]
    fn of_several_files_of_a_log_the_one_that_tells_most_is_read() {
        let whole = saved("etl-a", "load", "a1", 0, 10);
        let part = SavedLog { extent: Extent::CutOff, path: "/p".into(), ..whole.clone() };
        let gap = SavedLog { gaps: 1, path: "/g".into(), ..whole.clone() };
        let wanted =
            [(Wanted::Run("etl-a".to_owned()), Wanted::Run("etl-a".to_owned()).bind(&[], &[]))];
        let found = |all: &[&SavedLog]| {
            let options = options(all.iter().copied().cloned().collect());
            let found = from_files(&options, &wanted, &[]);
            assert_eq!(found.logs.len(), 1);
            (found.logs[0].path.display().to_string(), found.notes.len())
        };
        assert_eq!(found(&[&part, &gap, &whole]).1, 0, "nothing is missing");
        assert_eq!(found(&[&part, &whole, &gap]).0, whole.path.display().to_string());
        assert_eq!(found(&[&part, &gap]), ("/g".to_owned(), 1));
    }
}
