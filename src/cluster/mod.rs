//! Talks to the Kubernetes API; the only room that knows `kube`.
//!
//! One [`Cluster`] serves a command. Requests about state share one HTTP/2 connection, which the
//! watches keep warm and pings keep honest; every log stream has a connection of its own, so that a
//! chatty pod never delays a state change.

mod apply;
mod bounded;
mod client;
mod config_maps;
mod connector;
mod contact;
mod credentials;
mod dry_run;
mod error;
mod events;
mod exec;
mod exec_plugin;
mod flags;
mod images;
mod jobs;
mod known_runs;
mod kubeconfig;
mod kubeconfig_checks;
mod labels;
mod leases;
mod log_connections;
mod logs;
mod mage_jobs;
mod marks;
mod plans;
mod pods;
mod proxy;
mod quotas;
mod rbac;
mod reach;
mod release;
mod requests;
mod reviews;
mod runs;
mod server_pod;
mod snapshot;
mod watch;

pub use apply::{AppliedJob, ApplyError, Applying, Conflict, Effect, Ownership, Refused};
pub use client::Cluster;
pub use config_maps::Recorded;
pub(crate) use contact::{CONTACT_IS_BACK, Contact, PATIENCE};
pub use dry_run::UnknownFields;
pub use error::{Action, Cause, ClusterError};
pub use events::EventFacts;
pub use flags::{ConnectionFlags, Plugins};
pub use images::images_of_pods;
pub(crate) use jobs::as_job;
pub(crate) use jobs::ended_at;
pub use jobs::{JobIdentity, JobState, Removal, job_state};
pub use known_runs::KnownRun;
pub use kubeconfig::{KubeconfigNames, context_namespace, kubeconfig_names};
pub(crate) use labels::short_hash;
pub use labels::{
    ATTEMPT, BLOCK, DRIVER, MANAGED_BY, MANAGER, OF_A_JOB, PIPELINE, RUN, blocks_selector,
    label_value, run_selector,
};
pub use leases::{Driving, Lease};
pub use logs::{LogRequest, LogStream, LogStreamError};
pub use mage_jobs::{Belongs, Source, belongs, mage_command, pod_belongs};
pub use marks::{Marked, is_ours, mark_as_ours};
pub(crate) use marks::{is_made_here, is_mark, mark, member, unmark};
pub use plans::{CANCELLED, NotedEnd, PlanFacts, Unmet};
pub(crate) use plans::{DROPPED, ENDED, PlanNote};
pub(crate) use pods::container_status;
pub use pods::{ContainerPhase, ContainerView, container_view, job_of, main_container};
pub use rbac::{Applied, object_name};
pub use requests::tell_requests;
pub(crate) use runs::BLOCKS;
pub use runs::{RunRow, RunStatus, group_runs};
pub(crate) use watch::Watchable;
pub use watch::{WatchScope, Watched};
