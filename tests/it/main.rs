//! Tests against files only: fast, and without a cluster.

mod architecture;
mod bad_input;
mod cases;
mod completion;
mod docs;
mod explain;
mod explained;
mod krew;
mod project;
mod python;
mod support;
mod vectors;
mod yaml;
