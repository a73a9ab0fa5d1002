//! Tests against a real Kubernetes: each in a namespace of its own, skipped with the reason where
//! there is none.

mod accept;
mod api_defaults;
mod binary;
mod cli_errors;
mod cli_run;
mod completion;
mod failures;
mod faults;
mod genuine;
mod interrupts;
mod order;
mod rights;
mod server_pod;
mod show;
mod snapshot;
mod support;
mod validate;
