//! What a cluster says about configuration, as one value: read live or from a file.
//!
//! A [`Snapshot`] holds the Mage server's pod and the files that its environment names, and what the
//! API server would say about a Job: limit ranges, quotas, nodes, and which names exist. Everything
//! that a command takes from a cluster to make or judge a Job is asked of this value, so that a live
//! cluster and a file take one path. The file holds no secret; what was masked is listed in it.

mod choose;
mod known;
mod mask;
mod masks;
mod model;
mod mounted;
mod prune;
mod read;
mod variables;

pub use choose::{Choice, choose};
pub use known::{Known, NamespaceView};
pub use mask::MASKED_USER;
pub use masks::Masks;
pub use model::{
    API_VERSION, ClaimFacts, ContextFacts, KIND, Listing, NamespaceFacts, NodeFacts, PassedOver,
    Place, PodFile, PriorityClassFacts, QuotaFacts, ServerSearch, ServiceAccountFacts, Snapshot,
    StorageClassFacts, Taint, Unreadable, Variable,
};
pub use mounted::{MountedKey, ObjectKind, mounted_keys};
pub use prune::{prune, repo_path};
pub use read::parse_snapshot;
pub use variables::{
    EnvFrom, Environment, PodVariable, Reference, container_of, environment, references,
};
