//! Tests against files only: fast, and without a cluster.

mod architecture;
mod bad_input;
mod cases;
mod completion;
mod docs;
mod editions;
mod explain;
mod explained;
mod generated;
mod graph;
mod krew;
mod lint;
mod lint_pipelines;
mod lint_rules;
mod mutation;
mod oracle;
mod places;
mod project;
mod python;
mod refused;
mod render;
mod snapshot;
mod support;
mod vectors;
mod views;
mod yaml;
