//! One file a verb: load, compute, show; nothing else.

mod api_defaults;
mod cancel;
mod completion;
mod delete;
mod detach;
mod driving;
mod entry;
mod explain;
mod facts;
mod graph;
mod guard;
mod holders;
mod keeping;
mod lint;
mod load;
mod look;
mod maker;
mod prune;
mod render;
mod replan;
mod resume;
mod run;
mod run_name;
mod runs;
mod snapshot;
mod sources;
mod status;
mod subject;
mod targets;
mod the_run;
mod unrecorded;
mod validate;
mod version;
mod watch;
mod why;

pub use entry::main;
