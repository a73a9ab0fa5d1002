//! Files, the environment and what a cluster gave, read into layers. The only place that reads a
//! disk or an environment.

mod block_files;
mod dotenv;
mod files;
mod git;
mod inputs;
mod kubectl_helper;
mod layers;
mod policy;
mod private_folder;
mod reports;
mod revision;
mod saved_folders;
mod server_env;
mod server_pod;
mod user_config;
mod whole;

pub use block_files::block_files;
pub use dotenv::{DotenvVariable, parse_dotenv};
pub use files::{find_project, read, read_source, replace_file, report_root, write_file};
pub use git::{GitState, git_state};
pub use inputs::{
    ClusterFacts, Inputs, Template, is_oss_image, read_inputs, read_server_env, server_container,
};
pub use kubectl_helper::{Put, is_on_path, put_helper};
pub use layers::{
    Base, Body, Edition, LayerSources, LookedFor, MergedLayers, guardrails, merge_layers,
    merge_layers_unlike, server_pod_not_found,
};
pub use policy::{Policy, parse_policy};
pub use private_folder::private_folder;
pub use reports::reports;
pub use revision::{ProjectAt, project_at, revision_names};
pub use saved_folders::SavedFolders;
pub use server_env::{EnvFound, ServerEnv};
pub use server_pod::ServerPod;
pub use user_config::UserConfig;
pub use whole::{can_write_whole, write_whole};
