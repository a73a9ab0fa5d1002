//! Tests against files only: fast, and without a cluster.

mod bad_input;
mod docs;
mod editions;
mod explain;
mod explained;
mod generated;
mod krew;
mod mutation;
mod project;
mod python;
mod render;
mod support;
mod vectors;
mod yaml;
