//! When all is over, and how it ended.

use std::time::Duration;

use tokio::time::Instant;

use super::containers::unknown;
use super::engine::{Ended, Engine, Input, Key};
use super::saved::{There, from_files};
use super::state::{Over, notice};
use super::wanted::Wanted;
use crate::cluster::{ClusterError, Driving, Lease, container_view};
use crate::run::record_name;

/// How often it is asked who drives a run.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long a server that has not answered once is waited for.
const NEVER_THERE: Duration = Duration::from_secs(10);

impl Engine<'_> {
    /// Tells whether it is over, and how it ended.
    pub(super) fn ended(&mut self) -> Option<Ended> {
        if self.podless.is_some() {
            self.explain_podless();
        }
        self.tell_news();
        if let Some((one, other)) = self.mixed.take() {
            return Some(Ended::Mixed(one, other));
        }
        let now = Instant::now().into_std();
        if !self.seen.jobs
            && !self.seen.pods
            && let Some(error) = self.contact.lost_for(now, NEVER_THERE)
        {
            return Some(Ended::Lost(error.clone()));
        }
        match self.contact.tick(now) {
            Ok(news) => news.into_iter().for_each(|text| self.tell(notice(text))),
            Err(error) => return Some(Ended::Lost(error)),
        }
        if !self.seen.jobs || !self.seen.pods {
            return None;
        }
        if let Some(run) = self.unknown_run() {
            return Some(Ended::NoRun(run));
        }
        if let Some((name, known)) = unknown(&self.state, &self.options.containers) {
            return Some(Ended::NoContainer(name, known));
        }
        let all = self.state.over();
        // Each is asked about, so that none waits for the others.
        let over: Vec<bool> = all.iter().map(|over| self.is_over(over)).collect();
        if !over.iter().all(|over| *over) {
            return None;
        }
        // Each reader knows when there is no point in waiting for the rest of its log.
        let is_read = self.readers.values().all(Option::is_none);
        is_read.then(|| Ended::Over {
            verdict: self.state.verdict(),
            unread: self.unread,
            saved: self.saved_unread(),
        })
    }

    /// Counts the saved logs of what is meant that were not read from the cluster.
    fn saved_unread(&self) -> usize {
        let there = |(uid, container): &Key| {
            let pod = self.state.pod(uid);
            let restarts = pod.map_or(0, |pod| container_view(pod, container).restarts);
            let (uid, container) = (uid.clone(), container.clone());
            There { uid, container, restarts, read: 0..restarts + 1 }
        };
        let there: Vec<There> = self.readers.keys().map(there).collect();
        from_files(self.options, self.state.meant(), &there).logs.len()
    }

    /// Returns a run that was asked for and is not there.
    fn unknown_run(&self) -> Option<String> {
        let runs = self.options.wanted.iter().filter_map(|wanted| match wanted {
            Wanted::Run(run) => Some(run),
            _ => None,
        });
        let mut unknown =
            runs.filter(|run| self.plans_listed.contains(*run) && !self.state.knows_run(run));
        unknown.next().cloned()
    }

    fn is_over(&mut self, over: &Over) -> bool {
        match over {
            Over::No => false,
            Over::After(grace) => self.quiet.elapsed() >= *grace,
            Over::Undriven { namespace, run, otherwise } => {
                match self.drivers.get(run) {
                    // Whoever begins a run takes its Lease a moment later.
                    Some((asked, Some(Driving::Nobody))) if *asked > self.quiet => {
                        return self.quiet.elapsed() >= ASK_EVERY;
                    }
                    Some((_, None | Some(Driving::Unknown))) => {
                        return self.quiet.elapsed() >= *otherwise;
                    }
                    Some((asked, _)) if asked.elapsed() < ASK_EVERY => {}
                    _ => self.ask_who_drives(namespace.clone(), run.clone()),
                }
                false
            }
        }
    }

    fn ask_who_drives(&mut self, namespace: String, run: String) {
        // Not again before it is answered.
        self.drivers.insert(
            run.clone(),
            (Instant::now(), Some(Driving::By { holder: String::new(), since: None })),
        );
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let driving = match cluster.get_lease(&namespace, &record_name(&run)).await {
                Ok(lease) => Some(lease.as_ref().map_or(Driving::Nobody, Lease::driving)),
                Err(ClusterError::Forbidden { .. }) => None,
                Err(_) => return,
            };
            let _ = inputs.send(Input::Driving(run, driving));
        });
    }
}
