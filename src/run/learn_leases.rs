//! How what is learned of the Lease and of notes changes the state of a run.

use std::time::{Duration, Instant};

use super::dispatcher::{Dispatcher, Driven, Role};
use super::lease::{LeaseNews, holder_name};
use super::outcome::Stop;
use crate::cluster::ClusterError;

/// How long nothing may go on before a run that nobody drives is left.
const IDLE: Duration = Duration::from_secs(3);
/// The same where it cannot be known whether anybody drives it.
const IDLE_UNSEEN: Duration = Duration::from_secs(25);

impl Dispatcher<'_> {
    pub(super) fn take_lease(&mut self, news: LeaseNews) {
        match news {
            LeaseNews::Lost(holder) => self.lose_lease(holder),
            LeaseNews::Forbidden(error) if self.role == Role::Watcher => {
                self.driven = Driven::Unseen;
                self.notice(format!("it is not known who drives the run: {error}"));
            }
            LeaseNews::Forbidden(error) => {
                self.lease = None;
                self.notice(format!(
                    "nothing keeps another client from driving this run too (no Job is made twice even so): {error}"
                ));
            }
            LeaseNews::Driver(Some(holder)) => self.driven = Driven::By(holder),
            LeaseNews::Driver(None) => self.driven = Driven::Nobody,
        }
    }

    /// Another client took the run over, because nothing was heard of this one.
    fn lose_lease(&mut self, holder: String) {
        let name = holder_name(&holder).to_owned();
        self.notice(format!("{name} drives the run now; from here on it is only watched"));
        self.role = Role::Watcher;
        self.driven = Driven::By(holder);
        if let Some(lease) = self.lease.take() {
            self.observe_lease(lease.identity);
        }
    }

    /// Ends the watching of a run in which nothing goes on any more.
    pub(super) fn tick_driver(&mut self, now: Instant) {
        if self.tracks.iter().any(|track| track.state.is_active()) {
            self.idle_since = now;
        }
        let patience = match self.driven {
            Driven::Nobody => IDLE,
            Driven::Unseen => IDLE_UNSEEN,
            Driven::Unknown | Driven::By(_) | Driven::Over => return,
        };
        if self.role == Role::Watcher && now.saturating_duration_since(self.idle_since) >= patience
        {
            if self.scheduler.is_settled() {
                self.driven = Driven::Over;
            } else {
                self.stop = Some(Stop::Undriven);
            }
        }
    }

    /// Tells whether nothing is left to wait for.
    pub(super) fn is_settled(&self) -> bool {
        // The driver may see a failure differently: by a flag of its own.
        let certain =
            self.role == Role::Driver || self.bad.is_none() || self.driven == Driven::Over;
        self.scheduler.is_settled() && certain
    }

    pub(super) fn take_not_noted(&mut self, error: &ClusterError) {
        let forbidden = matches!(error, ClusterError::Forbidden { .. });
        if forbidden && !std::mem::replace(&mut self.notes_refused, true) {
            self.notice(format!(
                "ends of Jobs that may be deleted are not noted, so `resume` may have to refuse: {error}"
            ));
        }
    }
}
