//! One file a verb: load, compute, show; nothing else.

mod api_defaults;
mod completion;
mod driving;
mod entry;
mod explain;
mod facts;
mod graph;
mod lint;
mod load;
mod maker;
mod render;
mod resume;
mod run;
mod run_name;
mod runs;
mod snapshot;
mod sources;
mod targets;
mod validate;
mod version;

pub use entry::main;
