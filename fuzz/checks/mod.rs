//! What must hold for every input. The fuzz targets call these with what libFuzzer makes up, and
//! `tests/it/fuzz.rs` with every input that once broke one of them.

mod chooser;
mod jinja;
mod merge;
mod path;
mod spans;
mod yaml;

pub(crate) use jinja::jinja;
pub(crate) use merge::merge;
pub(crate) use path::path;
pub(crate) use yaml::yaml;
