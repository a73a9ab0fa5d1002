//! What can be typed: clap's types, one file a command, no logic.

mod connection;

pub use connection::{ConnectionArgs, parse_duration};
