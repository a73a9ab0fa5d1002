//! Tests against files only: fast, and without a cluster.

mod python;
mod yaml;
