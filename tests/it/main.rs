//! Tests against files only: fast, and without a cluster.

mod project;
mod python;
mod yaml;
mod tmpvec;
