//! See, check and run the Kubernetes Jobs of a Mage pipeline.
//!
//! Data flows one way, and the modules are its stations:
//!
//! ```text
//!  disk, env, cluster ──► load ──► layers ──► merge ──► job ──► view (render, explain-config)
//!                                    │          │                └──► cluster (run)
//!                               spans, origins  every contribution kept, with the rule that decided
//! ```
//!
//! `yaml`, `project`, `config`, `merge`, `job`, `run::scheduler` and
//! `logs::resume` are pure: they know no clock, disk, environment, network or terminal.

pub mod cli;
pub mod cluster;
pub mod commands;
pub mod config;
pub mod diagnose;
pub mod diff;
pub mod doctor;
pub mod error;
pub mod exit;
pub mod explain;
pub mod finding;
pub mod graph;
pub mod job;
pub mod lint;
pub mod load;
pub mod logs;
pub mod merge;
pub mod project;
pub mod report;
pub mod run;
pub mod shell;
pub mod snapshot;
pub mod status;
pub mod tail;
pub mod ui;
pub mod yaml;
