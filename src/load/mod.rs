//! Files, the environment and what a cluster gave, read into layers. The only place that reads a
//! disk or an environment.

mod files;
mod policy;
mod server_env;
mod server_pod;

pub use files::{find_project, read, read_source};
pub use policy::{Policy, parse_policy};
pub use server_env::{EnvFound, ServerEnv};
pub use server_pod::ServerPod;
