//! Tests against a real Kubernetes: each in a namespace of its own, skipped with the reason where
//! there is none.

mod accept;
mod api_defaults;
mod apply;
mod binary;
mod book;
mod cancel;
#[expect(dead_code, reason = "the tests without a cluster use more of it")]
#[path = "../it/cases.rs"]
mod cases;
mod chance;
mod cli_errors;
mod cli_run;
mod completion;
mod detach;
mod diff;
mod disruptions;
mod doctor;
mod failures;
mod faults;
mod genuine;
mod http_faults;
mod http_proxy;
mod interrupts;
mod kept;
mod kills;
mod kinds;
mod kubeconfigs;
mod leaving;
mod local_program;
mod log_faults;
mod log_proxy;
mod log_rotation;
mod lost;
mod mage_server;
mod oracle;
mod order;
#[path = "../it/python.rs"]
mod python;
#[path = "../it/refused.rs"]
mod refused;
mod replan;
mod report;
mod resume;
mod rights;
#[path = "../it/schema.rs"]
mod schema;
mod server_pod;
mod show;
mod slow_proxy;
mod snapshot;
mod status;
mod support;
mod tail;
mod unrecorded;
mod validate;
mod why;
mod writers;
