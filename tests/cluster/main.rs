//! Tests against a real Kubernetes: each in a namespace of its own, skipped with the reason where
//! there is none.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up fails by it")]

mod acceptance;
mod binary;
#[path = "../it/cases.rs"]
#[expect(dead_code, reason = "the tests on files use the rest")]
mod cases;
mod completion;
mod failures;
mod faults;
mod interrupts;
mod order;
mod rights;
mod show;
mod support;
