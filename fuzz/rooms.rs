//! The pure rooms of kubectl-mage, under its own name, so that the checks are the same text here and
//! in `tests/it`.

#![allow(dead_code, unused_imports, reason = "what only the impure rooms use is unused here")]

#[path = "../src/config/mod.rs"]
pub mod config;
#[path = "../src/error.rs"]
pub mod error;
#[path = "../src/exit.rs"]
pub mod exit;
#[path = "../src/explain/mod.rs"]
pub mod explain;
#[path = "../src/finding.rs"]
pub mod finding;
#[path = "../src/job/mod.rs"]
pub mod job;
#[path = "../src/merge/mod.rs"]
pub mod merge;
#[path = "../src/project/mod.rs"]
pub mod project;
#[path = "../src/yaml/mod.rs"]
pub mod yaml;
