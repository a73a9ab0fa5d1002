//! Tests against files only: fast, and without a cluster.

mod bad_input;
mod docs;
mod explain;
mod explained;
mod krew;
mod project;
mod python;
mod support;
mod vectors;
mod yaml;
